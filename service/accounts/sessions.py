"""Browsers that are signed in: a random token in a cookie, of which only a hash is kept here."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from service.accounts.browsers import forget
from service.auth import Member, digest, member_of
from service.models import Staff, now
from service.models.people import StaffSession

COOKIE = "consult_session"
IDLE = timedelta(hours=2)
LONGEST = timedelta(hours=12)
_SEEN_EVERY = timedelta(minutes=1)  # a write a minute, not one for each request
_LONGEST_TOKEN = 100
_LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A member in one browser, with what that browser must send along to change anything."""

    member: Member
    session_id: str
    csrf: str


class StaffSessions:
    """Begins, finds and ends them. One ends by itself when idle for `IDLE`, and after `LONGEST`."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions = sessions
        self._clock = clock

    def begin(self, session: Session, staff_id: str, user_agent: str) -> str:
        """A new one in the caller's transaction: the token for the cookie. Clears old ones away."""
        at = self._clock()
        session.execute(delete(StaffSession).where(StaffSession.expires_at <= at))
        token = secrets.token_urlsafe(32)
        readable = user_agent.encode("utf-8", "replace").decode()
        session.add(
            StaffSession(
                token_hash=digest(token),
                id=f"l_{secrets.token_hex(8)}",
                staff_id=staff_id,
                created_at=at,
                seen_at=at,
                expires_at=at + LONGEST,
                csrf=secrets.token_urlsafe(32),
                user_agent="".join(c for c in readable if c.isprintable())[:_LONGEST_AGENT],
            )
        )
        session.flush()
        return token

    def holder(self, token: str) -> SignedIn | None:
        """Who is signed in with this token; None if it is unknown, ended, or the account is."""
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        at, hashed = self._clock(), digest(token)
        with self._sessions() as session:
            found = session.execute(
                select(StaffSession, Staff)
                .join(Staff, Staff.id == StaffSession.staff_id)
                .where(
                    StaffSession.token_hash == hashed,
                    StaffSession.expires_at > at,
                    StaffSession.seen_at > at - IDLE,
                    Staff.disabled_at.is_(None),
                )
            ).one_or_none()
            if found is None or not hmac.compare_digest(found[0].token_hash, hashed):
                return None
            row, person = found
            signed_in = SignedIn(member_of(person), row.id, row.csrf)
        if utc(row.seen_at) <= at - _SEEN_EVERY:
            with self._sessions.begin() as session:
                session.execute(
                    update(StaffSession)
                    .where(StaffSession.token_hash == hashed, StaffSession.seen_at < at)
                    .values(seen_at=at)
                )
        return signed_in

    def of(self, staff_id: str) -> list[StaffSession]:
        """Those of one person that have not ended, last used first."""
        at = self._clock()
        with self._sessions() as session:
            return list(
                session.scalars(
                    select(StaffSession)
                    .where(
                        StaffSession.staff_id == staff_id,
                        StaffSession.expires_at > at,
                        StaffSession.seen_at > at - IDLE,
                    )
                    .order_by(StaffSession.seen_at.desc(), StaffSession.id)
                )
            )


def end(session: Session, staff_id: str, *, only: str = "", but: str = "") -> int:
    """End the sessions of a person, in the caller's transaction: all, `only` one, or all `but` one.
    How many. Unless it is only one, the person's browsers are known no more."""
    if not only:
        forget(session, staff_id)
    doomed = delete(StaffSession).where(StaffSession.staff_id == staff_id)
    if only:
        doomed = doomed.where(StaffSession.id == only)
    if but:
        doomed = doomed.where(StaffSession.id != but)
    ended = session.execute(doomed.returning(StaffSession.id)).all()
    return len(ended)


def utc(at: datetime) -> datetime:
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)  # SQLite keeps no zone


def iso(at: datetime | None) -> str | None:
    """As JSON has it."""
    return None if at is None else utc(at).isoformat()
