"""Links by which somebody sets a password, once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.accounts import passwords
from service.accounts.sessions import end
from service.auth import Member, digest, member_of
from service.errors import NotFound
from service.models import Staff, now
from service.models.people import StaffCredentials, StaffInvitation

INVITED_FOR = timedelta(hours=72)
_LONGEST_TOKEN = 100
_IN_OFFICE = StaffInvitation.staff_id.in_(select(Staff.id).where(Staff.disabled_at.is_(None)))


@dataclass(frozen=True, slots=True)
class Invitation:
    """For whom it is, and the token in its link, which cannot be had again."""

    member: Member
    login: str
    token: str
    expires_at: datetime


def new_invitation(session: Session, row: Staff, login: str, at: datetime) -> Invitation:
    """A link in the caller's transaction; those before it work no more."""
    forget_invitations(session, row.id)
    token = secrets.token_urlsafe(32)
    session.add(
        StaffInvitation(
            token_hash=digest(token), staff_id=row.id, created_at=at, expires_at=at + INVITED_FOR
        )
    )
    session.flush()
    return Invitation(member_of(row), login, token, at + INVITED_FOR)


def forget_invitations(session: Session, staff_id: str) -> None:
    """Those that are not used yet."""
    session.execute(
        delete(StaffInvitation).where(
            StaffInvitation.staff_id == staff_id, StaffInvitation.used_at.is_(None)
        )
    )


class Invitations:
    """What whoever holds the token of a link may do with it, once, within `INVITED_FOR`."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions = sessions
        self._clock = clock

    def look(self, token: str) -> dict[str, str]:
        """For whom it is. Raises NotFound: unknown, used or too old, which look the same."""
        with self._sessions() as session:
            found = session.execute(
                select(Staff.name, StaffCredentials.login)
                .join(StaffCredentials, StaffCredentials.staff_id == Staff.id)
                .join(StaffInvitation, StaffInvitation.staff_id == Staff.id)
                .where(*self._open(token), Staff.disabled_at.is_(None))
            ).first()
        if found is None:
            raise _no_invitation()
        return {"name": found.name, "login": found.login}

    def accept(self, token: str, password: str) -> dict[str, str]:
        """Set the password. Raises BadRequest for a poor one; of two at once one gets NotFound."""
        person = self.look(token)
        passwords.check_new(password, person["login"])
        stored, at = passwords.hashed(password), self._clock()
        with self._sessions.begin() as session:
            used = session.execute(
                update(StaffInvitation)
                .where(*self._open(token), _IN_OFFICE)
                .values(used_at=at)
                .returning(StaffInvitation.staff_id)
                .execution_options(synchronize_session=False)
            ).first()
            if used is None:
                raise _no_invitation()
            session.execute(
                update(StaffCredentials)
                .where(StaffCredentials.staff_id == used.staff_id)
                .values(password_hash=stored, password_set_at=at, failed_count=0, locked_until=None)
            )
            end(session, used.staff_id)
            audit.append(
                session,
                actor=used.staff_id,
                action="invitation.accept",
                subject="staff",
                subject_id=used.staff_id,
                at=at,
            )
        return person

    def _open(self, token: str) -> tuple[Any, ...]:
        known = token if 0 < len(token) <= _LONGEST_TOKEN else ""
        return (
            StaffInvitation.token_hash == digest(known),
            StaffInvitation.used_at.is_(None),
            StaffInvitation.expires_at > self._clock(),
        )


def _no_invitation() -> NotFound:
    return NotFound(
        "invitation_unknown", "这个邀请链接不存在、已经用过，或者过了72小时。请联系管理员重发。"
    )
