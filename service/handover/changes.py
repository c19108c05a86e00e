"""What has changed at the desk since the last look, for everybody who listens, and for whom.

Every change of a ticket says something in it, so the numbers of messages tell what has changed. Of
two transactions the later number may be committed first: each look goes back over the last numbers
and leaves out what it has told already. A change tells of a ticket and of a message *that* it is
there; what citizens wrote is read from the ticket, where reading goes on record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, sessionmaker

from service.auth import Member, Permission
from service.handover import ledger, views
from service.handover.duty import OnDuty, on_duty
from service.handover.urgent import URGENT
from service.models import (
    AnswerRecord,
    HandoverMessage,
    HandoverTicket,
    UrgentAcknowledgement,
    now,
)
from service.models.snapshot import stand_still

_BACK = 100  # numbers that a look goes back
_URGENT_BACK = timedelta(minutes=2)
MOST = 50  # tickets in one event; who missed more is told to read the list again


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the stream."""

    name: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """That something was said: no words."""

    seq: int
    handover: str
    owner: str | None
    shown: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found. Counts are by region; `urgent` are new urgent answers."""

    seq: int
    said: tuple[Said, ...] = ()
    tickets: tuple[dict[str, Any], ...] = ()
    reset: bool = False  # too many to name
    urgent: tuple[dict[str, Any], ...] = ()
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    urgent_open: dict[str, int] = field(default_factory=dict)
    present: tuple[OnDuty, ...] = ()


@dataclass(slots=True)
class Told:
    """What one listener knows, so that nothing is told twice."""

    queue: dict[str, Any] | None = None
    urgent: int | None = None


class Changes:
    """One look after another at the database; not to be shared between threads."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._said: set[int] | None = None  # numbers told, of the last ones; None: no look yet
        self._newest = 0
        self._urgent: set[str] = set()

    def look(self) -> Look:
        """What is new since the last look; the first finds nothing new."""
        at = self._clock()
        with self._sessions() as session:
            stand_still(session)  # counts must not tell of a ticket that is not there yet
            first = self._said is None
            newest = _newest(session)
            said = _said(session, (newest if first else self._newest) - _BACK)
            fresh = [one for one in said if self._said is not None and one.seq not in self._said]
            self._said, self._newest = {one.seq for one in said}, said[-1].seq if said else 0
            alarms = _alarms(session, at - _URGENT_BACK)
            new_alarms = [one for one in alarms if not first and one["answer"] not in self._urgent]
            self._urgent = {one["answer"] for one in alarms}
            return _look(session, at, self._newest, fresh, new_alarms)

    def since(self, member: Member, seq: int | None) -> Look:
        """What a listener missed after the message number `seq`; nothing, if None."""
        with self._sessions() as session:
            stand_still(session)
            newest = _newest(session)
            said = [] if seq is None else _said(session, seq, member=member)
            return _look(session, self._clock(), newest, said, [])


def events(look: Look, member: Member, told: Told) -> list[Event]:
    """What of a look is for a member, and not told yet: only of tickets of their region, messages
    only in tickets they own, urgent answers only with the permission."""
    out = []
    counts = _sum((n for region, n in look.counts.items() if member.sees(region)), _NO_COUNTS)
    state = {
        "counts": counts,
        "on_duty": [one.shown() for one in look.present if one.serves(member.region)],
    }
    tickets = [t for t in look.tickets if member.sees(t["region"])]
    if tickets or look.reset or state != told.queue:
        told.queue = state
        out.append(Event("queue", {**state, "tickets": tickets, "reset": look.reset}))
    if member.may(Permission.HANDOVER_READ):
        out += [Event("message", one.shown) for one in look.said if one.owner == member.id]
    if member.may(Permission.URGENT_LIST):
        alarms = [one for one in look.urgent if member.sees(one["region"])]
        total = sum(n for region, n in look.urgent_open.items() if member.sees(region))
        if alarms or total != told.urgent:
            told.urgent = total
            out.append(Event("urgent", {"total": total, "new": alarms}))
    return out


def encoded(batch: Sequence[Event], seq: int) -> str:
    """Events as a stream has them. Only the last carries the number of the newest message: whoever
    is cut off in between asks again for all of them."""
    texts = [f"event: {event.name}\ndata: {views.compact(event.data)}\n" for event in batch]
    return "\n".join(texts) + f"id: {seq}\n\n" if texts else ""


_NO_COUNTS = {"waiting": 0, "claimed": 0, "overdue": 0}


def _sum(parts: Iterable[dict[str, int]], start: dict[str, int]) -> dict[str, int]:
    total = dict(start)
    for part in parts:
        for name, n in part.items():
            total[name] += n
    return total


def _look(
    session: Session,
    at: datetime,
    newest: int,
    said: Sequence[Said],
    alarms: Sequence[dict[str, Any]],
) -> Look:
    changed = {one.handover for one in said}
    reset = len(changed) > MOST
    return Look(
        seq=newest,
        said=tuple(said) if not reset else (),
        tickets=_tickets(session, at, changed) if not reset else (),
        reset=reset,
        urgent=tuple(alarms),
        counts=_counts(session, at),
        urgent_open=_urgent_open(session),
        present=tuple(on_duty(session, at)),
    )


def _newest(session: Session) -> int:
    return session.scalar(select(func.max(HandoverMessage.seq))) or 0


def _said(session: Session, after: int, *, member: Member | None = None) -> list[Said]:
    """What was said after a number; with `member`, only in what that person sees."""
    rows = session.execute(
        select(
            HandoverMessage.seq,
            HandoverMessage.handover_id,
            HandoverMessage.sender,
            HandoverMessage.private,
            HandoverMessage.sent_at,
            HandoverTicket.claimed_by,
        )
        .join(HandoverTicket, HandoverMessage.handover_id == HandoverTicket.id)
        .where(HandoverMessage.seq > after, *(ledger.visible(member) if member else ()))
        .order_by(HandoverMessage.seq)
        .limit(10 * _BACK)
    )
    return [
        Said(
            row.seq,
            row.handover_id,
            row.claimed_by,
            {
                "handover": row.handover_id,
                "seq": row.seq,
                "from": row.sender,
                "private": row.private,
                "sent_at": views.moment(row.sent_at),
            },
        )
        for row in rows
    ]


def _tickets(session: Session, at: datetime, ids: set[str]) -> tuple[dict[str, Any], ...]:
    if not ids:
        return ()
    rows = session.scalars(select(HandoverTicket).where(HandoverTicket.id.in_(ids))).all()
    names = ledger.names(session, [row.claimed_by for row in rows])
    return tuple(views.in_queue(row, names, at) for row in rows)


def _counts(session: Session, at: datetime) -> dict[str, dict[str, int]]:
    """By region: how many wait, are worked on, and wait too long."""
    waiting = HandoverTicket.status == "waiting"
    late = case((waiting & (HandoverTicket.due_at < at), 1), else_=0)
    rows = session.execute(
        select(
            HandoverTicket.region,
            func.sum(case((waiting, 1), else_=0)).label("waiting"),
            func.sum(case((HandoverTicket.status == "claimed", 1), else_=0)).label("claimed"),
            func.sum(late).label("overdue"),
        )
        .where(HandoverTicket.status.in_(("waiting", "claimed")))
        .group_by(HandoverTicket.region)
    )
    return {
        row.region: {"waiting": row.waiting, "claimed": row.claimed, "overdue": row.overdue}
        for row in rows
    }


def _alarms(session: Session, after: datetime) -> list[dict[str, Any]]:
    rows = session.execute(
        select(
            AnswerRecord.id,
            AnswerRecord.asked_at,
            AnswerRecord.region,
            AnswerRecord.trace["urgent"].as_string().label("kind"),
        ).where(AnswerRecord.asked_at > after, AnswerRecord.outcome == URGENT)
    )
    return [
        {
            "answer": row.id,
            "kind": row.kind,
            "region": row.region,
            "asked_at": views.moment(row.asked_at),
        }
        for row in rows
    ]


def _urgent_open(session: Session) -> dict[str, int]:
    """By region: how many urgent answers nobody has seen to."""
    rows = session.execute(
        select(AnswerRecord.region, func.count(AnswerRecord.id))
        .outerjoin(UrgentAcknowledgement, UrgentAcknowledgement.answer_id == AnswerRecord.id)
        .where(AnswerRecord.outcome == URGENT, UrgentAcknowledgement.answer_id.is_(None))
        .group_by(AnswerRecord.region)
    )
    return {row[0]: row[1] for row in rows}
