"""Ratings and their tickets as JSON: for the citizen, for the queue, and for who reads a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row

from service.models import RatingMove
from service.ratings.circle import TicketStatus


def iso(at: datetime | None) -> str | None:
    """A time as ISO 8601 in UTC; SQLite gives times back without their zone."""
    return None if at is None else _utc(at).isoformat()


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def for_citizen(
    rating: Row[*tuple[Any, ...]], replies: Sequence[Row[*tuple[Any, ...]]]
) -> dict[str, Any]:
    """What came of a bad rating: where it stands, and what the citizen was told."""
    return {
        "id": rating.ticket,
        "status": rating.status,
        "label": TicketStatus(rating.status).label,
        "due_at": iso(rating.due_at),
        "replies": [{"text": r.text, "sent_at": iso(r.moved_at)} for r in replies],
    }


def in_queue(row: Row[*tuple[Any, ...]], at: datetime) -> dict[str, Any]:
    """A line of the queue: nothing that the citizen wrote."""
    return {
        "id": row.id,
        "status": row.status,
        "label": TicketStatus(row.status).label,
        "level": row.level,
        "aspects": row.aspects,
        "event": {"kind": row.event_kind, "id": row.event_id},
        "region": row.region,
        "topic": row.topic,
        "handler": {"kind": row.handler_kind, "id": row.handler_id, **row.handler},
        "opened_at": iso(row.opened_at),
        "due_at": iso(row.due_at),
        "overdue": row.due_at is not None and _utc(row.due_at) < at,
        "recheck_result": row.recheck_result,
    }


def for_staff(
    ticket: Row[*tuple[Any, ...]],
    moves: Sequence[tuple[RatingMove, str]],
    shown: dict[str, Any] | None,
    at: datetime,
) -> dict[str, Any]:
    """All of a ticket. `person` is a pseudonym: the conversation's id is the citizen's key.
    `shown` is what the citizen had seen, None when that has been erased."""
    return {
        **in_queue(ticket, at),
        "comment": ticket.comment,
        "rated_at": iso(ticket.rated_at),
        "person": ticket.person,
        "matter": ticket.matter,
        "shown": shown,
        "deadlines": {
            "contact_at": iso(ticket.contact_due_at),
            "mend_at": iso(ticket.mend_due_at),
            "recheck_at": iso(ticket.recheck_due_at),
        },
        "contacted_at": iso(ticket.contacted_at),
        "moves": [
            {
                "action": move.action,
                "status": move.status,
                "by": {"id": move.staff_id, "name": name},
                "at": iso(move.moved_at),
                "text": move.text,
                "result": move.result,
            }
            for move, name in moves
        ],
    }
