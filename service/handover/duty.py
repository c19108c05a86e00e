"""Who is on duty at the desk. It ends by itself when the page that said so is heard of no more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.auth import ROLES, Member, Permission
from service.errors import Conflict
from service.handover.views import moment, utc
from service.models import Staff, now
from service.models.duty import DutyShift

LAPSE = timedelta(minutes=15)  # without a word from the page
_CLAIMS = frozenset(role for role, may in ROLES.items() if Permission.HANDOVER_CLAIM in may)


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody who is at the desk now. `region` is empty for all regions."""

    staff_id: str
    name: str
    region: str
    since: datetime

    def serves(self, region: str) -> bool:
        """Whether tickets of a region (of any, if it is empty) come before this person."""
        return not region or self.region in ("", region)

    def shown(self) -> dict[str, Any]:
        return {"id": self.staff_id, "name": self.name, "since": moment(self.since)}


class Duty:
    """Shifts at the desk; each method is one transaction."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def begin(self, member: Member) -> dict[str, Any]:
        """Go on duty; who is on duty already stays so, from when they began."""
        for _ in range(2):
            try:
                with self._sessions.begin() as session:
                    at = self._clock()
                    if not self._heard(session, member, at):
                        _end_lapsed(session, member.id)
                        session.add(DutyShift(staff_id=member.id, started_at=at, seen_at=at))
                        self._record(session, member, "duty.begin")
            except IntegrityError:
                continue  # begun at the same moment in another tab: that one counts
            break
        return self.state(member)

    def still(self, member: Member) -> dict[str, Any]:
        """The page is still there. Raises Conflict for who is not on duty, or no longer."""
        with self._sessions.begin() as session:
            if not self._heard(session, member, self._clock()):
                raise Conflict(
                    "duty_ended",
                    f"值班已自动结束：页面超过{LAPSE.seconds // 60}分钟没有响应，可以重新开始。",
                )
        return self.state(member)

    def end(self, member: Member) -> dict[str, Any]:
        """Go off duty; twice is as good as once."""
        with self._sessions.begin() as session:
            at = self._clock()
            ended = session.execute(
                update(DutyShift)
                .where(
                    DutyShift.staff_id == member.id,
                    DutyShift.ended_at.is_(None),
                    DutyShift.seen_at > at - LAPSE,
                )
                .values(ended_at=at)
                .returning(DutyShift.id)
            ).all()
            _end_lapsed(session, member.id)
            if ended:
                self._record(session, member, "duty.end")
        return self.state(member)

    def state(self, member: Member) -> dict[str, Any]:
        """Who is on duty among those whose tickets the member sees, and whether the member is."""
        with self._sessions() as session:
            present = on_duty(session, self._clock())
        return {
            "on_duty": [one.shown() for one in present if one.serves(member.region)],
            "mine": any(one.staff_id == member.id for one in present),
        }

    def _heard(self, session: Session, member: Member, at: datetime) -> bool:
        """Note that the member's shift goes on; False where none does."""
        heard = session.scalar(
            update(DutyShift)
            .where(
                DutyShift.staff_id == member.id,
                DutyShift.ended_at.is_(None),
                DutyShift.seen_at > at - LAPSE,
            )
            .values(seen_at=at)
            .returning(DutyShift.id)
        )
        return heard is not None

    def _record(self, session: Session, member: Member, action: str) -> None:
        audit.append(session, actor=member.id, action=action, subject="staff", subject_id=member.id)


def on_duty(session: Session, at: datetime) -> list[OnDuty]:
    """Everybody who is at the desk at a moment, who began first comes first."""
    rows = session.execute(
        select(DutyShift.started_at, Staff.id, Staff.name, Staff.region, Staff.roles)
        .join(Staff, DutyShift.staff_id == Staff.id)
        .where(
            DutyShift.ended_at.is_(None),
            DutyShift.seen_at > at - LAPSE,
            Staff.disabled_at.is_(None),
        )
        .order_by(DutyShift.started_at, DutyShift.id)
    )
    return [
        OnDuty(row.id, row.name, row.region, utc(row.started_at))
        for row in rows
        if _CLAIMS.intersection(row.roles)
    ]


def _end_lapsed(session: Session, staff_id: str) -> None:
    """What is still open now has lapsed: it ended when it was last heard of."""
    session.execute(
        update(DutyShift)
        .where(DutyShift.staff_id == staff_id, DutyShift.ended_at.is_(None))
        .values(ended_at=DutyShift.seen_at)
    )
