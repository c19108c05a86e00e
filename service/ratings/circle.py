"""What is owed to a citizen who was not satisfied: contact, mend, re-check, close, or an appeal.

    open ─reply→ replied ─recheck→ rechecked ─close→ closed
                    ↑__________________│ still unsatisfied, or not reached
    open, replied ─appeal→ appealed ─decide→ accepted (the rating no longer counts)
                                           → rejected ─reply→ replied …

The circle of 国办发〔2019〕51号 (verify, mend, answer, re-check, appeal) is sourced; days and the
details of each step are to be confirmed by the bureau (待区司法局确认口径).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from enum import StrEnum
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Row

SHANGHAI = ZoneInfo("Asia/Shanghai")


class TicketStatus(StrEnum):
    OPEN = "open"
    REPLIED = "replied"
    RECHECKED = "rechecked"
    CLOSED = "closed"
    APPEALED = "appealed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"

    @property
    def label(self) -> str:
        return _STATUS_LABELS[self]

    @property
    def finished(self) -> bool:
        return self in (TicketStatus.CLOSED, TicketStatus.ACCEPTED)


_STATUS_LABELS = {
    TicketStatus.OPEN: "待答复",
    TicketStatus.REPLIED: "已答复",
    TicketStatus.RECHECKED: "已回访",
    TicketStatus.CLOSED: "已办结",
    TicketStatus.APPEALED: "申诉中",
    TicketStatus.ACCEPTED: "申诉成立",
    TicketStatus.REJECTED: "申诉不成立",
}


class Recheck(StrEnum):
    """What the citizen said when asked again."""

    SATISFIED = "satisfied"
    STILL_UNSATISFIED = "still_unsatisfied"
    UNREACHABLE = "unreachable"


class WorkCalendar(Protocol):
    """Gives a moment on the `n`-th working day after that of `moment`."""

    def __call__(self, moment: datetime, n: int) -> datetime: ...


def end_of_day(moment: datetime) -> datetime:
    """The last second of that day in Shanghai, in UTC: a deadline in days ends with the day."""
    day = moment.astimezone(SHANGHAI).date()
    return datetime.combine(day, time(23, 59, 59), SHANGHAI).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Working days from the rating on."""

    contact: int = 1
    mend: int = 5
    recheck: int = 15


@dataclass(frozen=True, slots=True)
class Move:
    """What may be done, from where, and where it leads."""

    action: str
    name: str
    allowed: frozenset[TicketStatus]
    to: TicketStatus | None = None  # None: what was done decides, or the status stays


S = TicketStatus
REPLY = Move("reply", "答复", frozenset({S.OPEN, S.REJECTED, S.RECHECKED}), S.REPLIED)
CONTACT = Move("contact", "联系", frozenset({S.OPEN, S.REJECTED}))
RECHECK = Move("recheck", "回访", frozenset({S.REPLIED}), S.RECHECKED)
CLOSE = Move("close", "办结", frozenset({S.RECHECKED}), S.CLOSED)
APPEAL = Move("appeal", "申诉", frozenset({S.OPEN, S.REPLIED}), S.APPEALED)
DECIDE = Move("decide", "裁定申诉", frozenset({S.APPEALED}))
TO_CITIZEN = (REPLY.action, CONTACT.action)


def next_due(
    ticket: Row[*tuple[Any, ...]], to: TicketStatus, *, contacted: bool
) -> datetime | None:
    """Which of a ticket's deadlines runs once it has the status `to`; None when it is finished."""
    if to.finished:
        return None
    if to in (TicketStatus.REPLIED, TicketStatus.RECHECKED):
        at: datetime = ticket.recheck_due_at
    else:
        at = ticket.mend_due_at if contacted else ticket.contact_due_at
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at  # SQLite keeps no zone
