"""How somebody gets in with a login name and a password, and how guessing is made useless."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.accounts import browsers, passwords
from service.accounts.limits import ACCOUNT_FORGOTTEN_AFTER, FREE_FAILURES, AddressLimit, wait_after
from service.accounts.second_factor import SecondFactor
from service.accounts.sessions import StaffSessions, end
from service.errors import NotSignedIn
from service.models import Staff, now
from service.models.people import StaffBrowser, StaffCredentials

_LONGEST = 500  # characters of anything that is typed in to sign in


@dataclass(frozen=True, slots=True)
class Attempt:
    """What stood in the row when an attempt was let through; `browser` is the token of the one that
    it came from, if that is known."""

    staff_id: str
    password_hash: str | None
    totp_secret: str | None
    browser: str


@dataclass(frozen=True, slots=True)
class Entered:
    """Tokens for the cookies: of the session, and of a browser that is known from now on."""

    session: str
    browser: str


class SignIn:
    """One answer for a wrong password, an unknown name, a wrong code, and an account that has to
    wait: who guesses learns nothing, not even from the time it takes."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        second_factor: SecondFactor,
        addresses: AddressLimit,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions = sessions
        self._second_factor = second_factor
        self._addresses = addresses
        self._clock = clock
        self._browsers = StaffSessions(sessions, clock=clock)

    def begin(
        self,
        login: str,
        password: str,
        code: str = "",
        *,
        address: str = "",
        user_agent: str = "",
        browser: str = "",
    ) -> Entered:
        """A new session; `browser` is what its cookie said of the browser. Raises NotSignedIn, or
        TooMany for an address."""
        self._addresses.check(address)
        login_name, at = login.strip().lower(), self._clock()
        attempt = reserve_attempt(self._sessions, login_name, at, browser=browser[:_LONGEST])
        right = passwords.matches(attempt.password_hash if attempt else None, password)
        entered = (
            self._enter(attempt, password, code[:_LONGEST], user_agent)
            if attempt and right
            else None
        )
        if entered is None:
            self._addresses.failed(address)
            self._put_failure_on_record(login, address)
            raise NotSignedIn(
                "sign_in_failed",
                "没有登录成功：登录名、密码或动态口令不对，或者错的次数太多需要等一会儿。"
                "忘了密码请找管理员重发邀请链接。",
            )
        self._addresses.succeeded(address)
        return entered

    def end(self, staff_id: str, session_id: str) -> None:
        with self._sessions.begin() as session:
            if end(session, staff_id, only=session_id):
                audit.append(
                    session,
                    actor=staff_id,
                    action="session.end",
                    subject="staff",
                    subject_id=staff_id,
                    at=self._clock(),
                )

    def _enter(self, attempt: Attempt, password: str, code: str, user_agent: str) -> Entered | None:
        at = self._clock()
        renewed = attempt.password_hash
        if renewed and passwords.outdated(renewed):
            renewed = passwords.hashed(password)
        with self._sessions.begin() as session:
            # The first statement writes, so that what is read after it stays as it is.
            let_in = session.execute(
                update(StaffCredentials)
                .where(
                    StaffCredentials.staff_id == attempt.staff_id,
                    StaffCredentials.password_hash == attempt.password_hash,
                    StaffCredentials.staff_id.in_(
                        select(Staff.id).where(Staff.disabled_at.is_(None))
                    ),
                )
                .values(password_hash=renewed)
                .returning(StaffCredentials.staff_id)
                .execution_options(synchronize_session=False)
            ).first()
            row = session.get(StaffCredentials, attempt.staff_id)
            if row is None or let_in is None:
                return None
            by = ""
            if row.totp_secret:
                by = self._second_factor.use(session, row, code, at) or ""
                if not by:
                    return None
            row.signed_in_at = at
            if not attempt.browser:  # the failures of strangers are not taken back by their victim
                row.failed_count, row.locked_until = 0, None
            browser = browsers.remember(session, row.staff_id, attempt.browser, at)
            token = self._browsers.begin(session, row.staff_id, user_agent)
            if by == "recovery_code":
                self._record(session, "recovery_code.use", row.staff_id, row.staff_id, at)
            self._record(session, "session.begin", row.staff_id, row.staff_id, at)
            return Entered(token, browser)

    def _put_failure_on_record(self, login: str, address: str) -> None:
        """With the account, if it is one; what was typed is left out, as it may be a password."""
        with self._sessions.begin() as session:
            known = _staff_of(session, login.strip().lower())
            audit.append(
                session,
                actor=audit.SYSTEM,
                action="session.refuse",
                subject="staff",
                subject_id=known or "",
                detail={"address": address[:80]},
                at=self._clock(),
            )

    def _record(
        self, session: Session, action: str, actor: str, staff_id: str, at: datetime
    ) -> None:
        audit.append(
            session, actor=actor, action=action, subject="staff", subject_id=staff_id, at=at
        )


def reserve_attempt(
    sessions: sessionmaker[Session], login: str, at: datetime, *, browser: str = ""
) -> Attempt | None:
    """Count an attempt as failed before it is judged, so that of many at once no more get through
    than one after the other would; None where none is free, or nobody has this name. It counts for
    the `browser`, where that is a known one of theirs, else for the account."""
    if not re.fullmatch(r"[a-z0-9._-]{1,40}", login):
        return None
    theirs = StaffBrowser.staff_id.in_(
        select(StaffCredentials.staff_id).where(StaffCredentials.login == login)
    )
    own = [*browsers.is_known(browser, at), theirs]
    with sessions.begin() as session:
        known = bool(browser) and session.scalar(select(StaffBrowser.staff_id).where(*own))
        staff_id = (
            _count(session, StaffBrowser, own, at)
            if known
            else _count(session, StaffCredentials, [StaffCredentials.login == login], at)
        )
        if staff_id is None:
            return None
        row = session.execute(
            select(StaffCredentials.password_hash, StaffCredentials.totp_secret).where(
                StaffCredentials.staff_id == staff_id
            )
        ).one()
        return Attempt(staff_id, row.password_hash, row.totp_secret, browser if known else "")


def _count(
    session: Session,
    table: type[StaffCredentials] | type[StaffBrowser],
    which: list[ColumnElement[bool]],
    at: datetime,
) -> str | None:
    """Count a failure in a row that does not have to wait, and have it wait after some; whose it
    is. Failures are counted anew when the last wait was over hours ago."""
    found = session.execute(
        update(table)
        .where(*which, table.locked_until.is_(None) | (table.locked_until <= at))
        .values(
            failed_count=case(
                (table.locked_until <= at - ACCOUNT_FORGOTTEN_AFTER, 1),
                else_=table.failed_count + 1,
            ),
            locked_until=None,
        )
        .returning(table.staff_id, table.failed_count)
        .execution_options(synchronize_session=False)
    ).first()
    if found is None:
        return None
    if found.failed_count >= FREE_FAILURES:
        session.execute(
            update(table)
            .where(*which)
            .values(locked_until=at + wait_after(found.failed_count))
            .execution_options(synchronize_session=False)
        )
    return str(found.staff_id)


def _staff_of(session: Session, login: str) -> str | None:
    if not re.fullmatch(r"[a-z0-9._-]{1,40}", login):
        return None
    return session.scalar(select(StaffCredentials.staff_id).where(StaffCredentials.login == login))
