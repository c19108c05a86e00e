"""The list that staff work from, a page at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from service.auth import Member
from service.handover import ledger, views
from service.models import HandoverTicket

Order = Literal["newest", "due"]


def page(
    session: Session,
    member: Member,
    at: datetime,
    *,
    status: str | None,
    mine: bool,
    order: Order,
    limit: int,
    before: str | None,
) -> dict[str, Any]:
    """`limit` tickets after the one named by `before`, with how many wait in all. Raises NotFound
    for a `before` that is not there."""
    visible = ledger.visible(member)
    wanted = [*visible]
    if status is not None:
        wanted.append(HandoverTicket.status == status)
    if mine:
        wanted.append(HandoverTicket.claimed_by == member.id)
    by = HandoverTicket.due_at if order == "due" else HandoverTicket.created_at
    place = tuple_(by, HandoverTicket.id)
    if before is not None:
        last = ledger.seen(session, member, before)
        if order == "due":
            wanted.append(place > tuple_(last.due_at, last.id))
        else:
            wanted.append(place < tuple_(last.created_at, last.id))
    ordered = (by, HandoverTicket.id) if order == "due" else (by.desc(), HandoverTicket.id.desc())
    rows = session.scalars(
        select(HandoverTicket).where(*wanted).order_by(*ordered).limit(limit + 1)
    ).all()
    shown = rows[:limit]
    names = ledger.names(session, [row.claimed_by for row in shown])
    return {
        "tickets": [views.in_queue(row, names, at) for row in shown],
        "next": shown[-1].id if len(rows) > limit else None,
        "counts": _counts(session, member, at),
    }


def _counts(session: Session, member: Member, at: datetime) -> dict[str, int]:
    visible = ledger.visible(member)
    counted = session.execute(
        select(HandoverTicket.status, func.count(HandoverTicket.id))
        .where(HandoverTicket.status != "closed", *visible)
        .group_by(HandoverTicket.status)
    )
    late = (HandoverTicket.status == "waiting", HandoverTicket.due_at < at, *visible)
    overdue = session.scalar(select(func.count(HandoverTicket.id)).where(*late)) or 0
    counts = {"waiting": 0, "claimed": 0, "overdue": overdue}
    counts.update((row[0], row[1]) for row in counted)
    return counts
