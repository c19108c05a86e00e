"""How long citizens waited: from asking for a person to the claim, and to the first words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.handover.views import utc
from service.models import HandoverTicket


@dataclass(frozen=True, slots=True)
class Waits:
    """Of `n` waits that came to an end, in seconds: half took at most `median_s`, nine of ten at
    most `p90_s`. None where there is none."""

    n: int
    median_s: float | None
    p90_s: float | None
    longest_s: float | None


@dataclass(frozen=True, slots=True)
class WaitingTimes:
    """Of the requests of a time: how many, how many were claimed too late, and the waits."""

    requests: int
    claimed_late: int  # without urgent ones, which are due the moment they are made
    unclaimed: int  # withdrawn before anybody came, or still waiting
    to_claim: Waits
    to_first_reply: Waits


def waiting_times(
    session: Session, since: datetime, until: datetime, *, region: str = ""
) -> WaitingTimes:
    """Waits of what was asked for from `since` on and before `until`, in one region or in all.

    A wait ends with the first claim, and with the first words from staff, whatever came after.
    """
    asked = [HandoverTicket.created_at >= since, HandoverTicket.created_at < until]
    if region:
        asked.append(HandoverTicket.region == region)
    rows = session.execute(
        select(
            HandoverTicket.created_at,
            HandoverTicket.kind,
            HandoverTicket.due_at,
            HandoverTicket.first_claimed_at,
            HandoverTicket.first_replied_at,
        ).where(*asked)
    ).all()
    claimed = [row for row in rows if row.first_claimed_at is not None]
    replied = [row for row in rows if row.first_replied_at is not None]
    return WaitingTimes(
        requests=len(rows),
        claimed_late=sum(
            row.kind != "urgent" and row.first_claimed_at > row.due_at for row in claimed
        ),
        unclaimed=len(rows) - len(claimed),
        to_claim=_waits([_seconds(row.created_at, row.first_claimed_at) for row in claimed]),
        to_first_reply=_waits([_seconds(row.created_at, row.first_replied_at) for row in replied]),
    )


def _seconds(start: datetime, end: datetime) -> float:
    return (utc(end) - utc(start)).total_seconds()


def _waits(seconds: Sequence[float]) -> Waits:
    if not seconds:
        return Waits(0, None, None, None)
    ordered = sorted(seconds)

    def share(part: float) -> float:
        return ordered[ceil(part * len(ordered)) - 1]

    return Waits(len(ordered), share(0.5), share(0.9), ordered[-1])
