"""How long people waited: for a person to take over, and for urgent words to be seen to. Those
whose conversation is deleted by now count with the seconds that were kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select
from sqlalchemy.orm import Session

from service.models import AnswerRecord, HandoverTicket, KeptWait, UrgentAcknowledgement
from service.statistics.days import Period, china_day

HANDOVER, URGENT = "handover", "urgent"
_URGENT_OUTCOME = "handover_urgent"


@dataclass(frozen=True, slots=True)
class Waits:
    """Of `asked`, how many were seen to; half of those within `median_s`, nine of ten within
    `p90_s`."""

    asked: int = 0
    seen: int = 0
    median_s: float | None = None
    p90_s: float | None = None
    longest_s: float | None = None

    @property
    def unseen(self) -> int:
        return self.asked - self.seen


def waits(session: Session, kind: str, period: Period, *, region: str = "") -> Waits:
    """Waits that began in a period; `kind` is HANDOVER or URGENT."""
    pairs = (
        _handovers(session, period, region)
        if kind == HANDOVER
        else _urgent(session, period, region)
    )
    kept = select(KeptWait.seconds).where(
        KeptWait.kind == kind, KeptWait.day >= period.first, KeptWait.day <= period.last
    )
    if region:
        kept = kept.where(KeptWait.region == region)
    seconds = [_seconds(start, end) for start, end in pairs]
    return summary([*seconds, *session.scalars(kept)])


def summary(seconds: Sequence[float | None]) -> Waits:
    """`None` is somebody who was not seen to."""
    ended = sorted(s for s in seconds if s is not None)
    if not ended:
        return Waits(asked=len(seconds))
    return Waits(
        asked=len(seconds),
        seen=len(ended),
        median_s=_share(ended, 0.5),
        p90_s=_share(ended, 0.9),
        longest_s=ended[-1],
    )


def outcomes(session: Session, period: Period, *, region: str = "") -> dict[str, int]:
    """How the hand-overs that began in a period ended; those that go on are under "open"."""
    wanted = [HandoverTicket.created_at >= period.since, HandoverTicket.created_at < period.until]
    kept = [KeptWait.kind == HANDOVER, KeptWait.day >= period.first, KeptWait.day <= period.last]
    if region:
        wanted.append(HandoverTicket.region == region)
        kept.append(KeptWait.region == region)
    counted: dict[str, int] = {}
    for query in (
        select(HandoverTicket.outcome, func.count())
        .where(*wanted)
        .group_by(HandoverTicket.outcome),
        select(KeptWait.outcome, func.count()).where(*kept).group_by(KeptWait.outcome),
    ):
        for name, n in session.execute(query):
            counted[name or "open"] = counted.get(name or "open", 0) + n
    return counted


def keep(session: Session, answers: ColumnElement[bool], tickets: Select[Any]) -> None:
    """Keep the waits of urgent answers and tickets that this transaction deletes next."""
    rows: list[dict[str, Any]] = []
    found = session.execute(
        select(AnswerRecord.asked_at, AnswerRecord.region, UrgentAcknowledgement.acknowledged_at)
        .outerjoin(UrgentAcknowledgement, UrgentAcknowledgement.answer_id == AnswerRecord.id)
        .where(answers, AnswerRecord.outcome == _URGENT_OUTCOME)
    )
    for asked_at, region, acknowledged_at in found:
        rows.append(_row(URGENT, asked_at, acknowledged_at, region, ""))
    asked = session.execute(
        select(
            HandoverTicket.created_at,
            HandoverTicket.first_claimed_at,
            HandoverTicket.region,
            HandoverTicket.outcome,
        ).where(HandoverTicket.id.in_(tickets))
    )
    for created_at, claimed_at, region, outcome in asked:
        rows.append(_row(HANDOVER, created_at, claimed_at, region, outcome or ""))
    if rows:
        session.execute(insert(KeptWait), rows)


def _row(
    kind: str, start: datetime, end: datetime | None, region: str, outcome: str
) -> dict[str, Any]:
    seconds = _seconds(start, end)
    day = china_day(start)
    return {"kind": kind, "day": day, "region": region, "seconds": seconds, "outcome": outcome}


def _handovers(
    session: Session, period: Period, region: str
) -> Sequence[tuple[datetime, datetime | None]]:
    query = select(HandoverTicket.created_at, HandoverTicket.first_claimed_at).where(
        HandoverTicket.created_at >= period.since, HandoverTicket.created_at < period.until
    )
    if region:
        query = query.where(HandoverTicket.region == region)
    return [(row[0], row[1]) for row in session.execute(query)]


def _urgent(
    session: Session, period: Period, region: str
) -> Sequence[tuple[datetime, datetime | None]]:
    query = (
        select(AnswerRecord.asked_at, UrgentAcknowledgement.acknowledged_at)
        .outerjoin(UrgentAcknowledgement, UrgentAcknowledgement.answer_id == AnswerRecord.id)
        .where(
            AnswerRecord.outcome == _URGENT_OUTCOME,
            AnswerRecord.asked_at >= period.since,
            AnswerRecord.asked_at < period.until,
        )
    )
    if region:
        query = query.where(AnswerRecord.region == region)
    return [(row[0], row[1]) for row in session.execute(query)]


def _seconds(start: datetime, end: datetime | None) -> float | None:
    if end is None:
        return None
    return (_aware(end) - _aware(start)).total_seconds()


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _share(ordered: Sequence[float], part: float) -> float:
    return ordered[max(0, ceil(part * len(ordered)) - 1)]
