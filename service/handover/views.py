"""Tickets and messages as JSON: for the citizen, for the queue, and for who reads a ticket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from service.handover.words import OUTCOMES
from service.models import HandoverMessage, HandoverTicket


def utc(at: datetime) -> datetime:
    """SQLite gives times back without their zone; all of ours are UTC."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def moment(at: datetime | None) -> str | None:
    """A time as ISO 8601 with its zone."""
    return None if at is None else utc(at).isoformat()


def compact(data: Any) -> str:
    """JSON in one line."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def message(row: HandoverMessage) -> dict[str, Any]:
    return {"from": row.sender, "text": row.text, "sent_at": moment(row.sent_at), "seq": row.seq}


def for_citizen(
    ticket: HandoverTicket,
    said: Sequence[HandoverMessage],
    presence: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What the citizen may see, not who on the staff wrote what. `said` holds no private note;
    `presence` tells one who waits whether somebody is there."""
    return {
        **_state(ticket),
        "presence": presence,
        "outcome_label": OUTCOMES[ticket.outcome] if ticket.outcome else None,
        "summary": ticket.summary,
        "referral": ticket.referral,
        "messages": [message(row) for row in said],
    }


def in_queue(ticket: HandoverTicket, names: dict[str, str], at: datetime) -> dict[str, Any]:
    """A line of the queue: nothing that the citizen wrote."""
    owner = ticket.claimed_by
    return {
        **_state(ticket),
        "topic": ticket.topic,
        "region": ticket.region,
        "reason": ticket.reason,
        "overdue": ticket.status == "waiting" and utc(ticket.due_at) < at,
        "claimed_by": {"id": owner, "name": names.get(owner, "")} if owner else None,
        "has_contact": ticket.contact is not None,
        "changed_at": moment(ticket.changed_at),
    }


def for_staff(
    ticket: HandoverTicket,
    said: Sequence[HandoverMessage],
    names: dict[str, str],
    at: datetime,
    *,
    reader: str,
) -> dict[str, Any]:
    """All of a ticket; the number to call back only for who has claimed it. The conversation's id
    is left out: it is the citizen's key."""
    return {
        **in_queue(ticket, names, at),
        "answer": ticket.answer_id,
        "packet": ticket.packet,
        "contact": ticket.contact if ticket.claimed_by == reader else None,
        "summary": ticket.summary,
        "referral": ticket.referral,
        "messages": [noted(row, names) for row in said],
    }


def noted(row: HandoverMessage, names: dict[str, str]) -> dict[str, Any]:
    """A message as staff see it: who wrote it, and whether only staff see it."""
    name = names.get(row.staff_id, "") if row.staff_id else None
    return {**message(row), "private": row.private, "staff": name}


def _state(ticket: HandoverTicket) -> dict[str, Any]:
    return {
        "id": ticket.id,
        "status": ticket.status,
        "kind": ticket.kind,
        "created_at": moment(ticket.created_at),
        "due_at": moment(ticket.due_at),
        "claimed_at": moment(ticket.claimed_at),
        "closed_at": moment(ticket.closed_at),
        "outcome": ticket.outcome,
    }
