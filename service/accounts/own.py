"""What everybody does with their own account: the password, the second factor, the browsers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.accounts import passwords
from service.accounts.second_factor import (
    SecondFactor,
    forget_recovery_codes,
    new_recovery_codes,
    unused_recovery_codes,
)
from service.accounts.sessions import StaffSessions, end, iso
from service.accounts.signing_in import reserve_attempt
from service.auth import Member
from service.errors import BadRequest, Conflict
from service.models import now
from service.models.people import StaffCredentials


class OwnAccount:
    """Of one member. What weakens or changes how they sign in asks for the password again."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        second_factor: SecondFactor,
        member: Member,
        *,
        session_id: str = "",
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions = sessions
        self._second_factor = second_factor
        self._member = member
        self._session_id = session_id
        self._clock = clock

    def view(self) -> dict[str, Any]:
        """Who they are and how they sign in."""
        with self._sessions() as session:
            row = session.get(StaffCredentials, self._member.id)
            return {
                "id": self._member.id,
                "name": self._member.name,
                "roles": sorted(self._member.roles),
                "region": self._member.region,
                "login": row.login if row else None,
                "password_set_at": iso(row.password_set_at) if row else None,
                "totp": bool(row and row.totp_secret),
                "recovery_codes": unused_recovery_codes(session, self._member.id),
            }

    def change_password(self, password: str, new_password: str) -> None:
        """Their other browsers are signed out. Raises BadRequest."""
        row = self._prove(password)
        passwords.check_new(new_password, row.login)
        if passwords.matches(row.password_hash, new_password):
            raise BadRequest("password_same", "新密码不能与现在的相同。")
        stored, at = passwords.hashed(new_password), self._clock()
        with self._sessions.begin() as session:
            changed = session.execute(
                update(StaffCredentials)
                .where(
                    StaffCredentials.staff_id == row.staff_id,
                    StaffCredentials.password_hash == row.password_hash,
                )
                .values(password_hash=stored, password_set_at=at)
                .returning(StaffCredentials.staff_id)
            ).first()
            if changed is None:
                raise Conflict("password_changed", "密码刚刚已经改过了，请重新登录后再试。")
            ended = end(session, row.staff_id, but=self._session_id)
            self._record(session, "password.change", ended=ended)

    def begin_totp(self, password: str) -> dict[str, str]:
        """A secret with its picture, shown once; it counts only when confirmed."""
        row = self._prove(password)
        encrypted, shown = self._second_factor.new(row.login)
        with self._sessions.begin() as session:
            taken = session.execute(
                update(StaffCredentials)
                .where(
                    StaffCredentials.staff_id == row.staff_id,
                    StaffCredentials.totp_secret.is_(None),
                )
                .values(totp_pending=encrypted)
                .returning(StaffCredentials.staff_id)
            ).first()
            if taken is None:
                raise Conflict("totp_enabled", "动态口令已经开通；要换手机，请先关闭再开通。")
        return shown

    def confirm_totp(self, code: str) -> list[str]:
        """From now on a code is needed. The recovery codes, which cannot be had again."""
        at = self._clock()
        with self._sessions() as session:
            pending = session.scalar(
                select(StaffCredentials.totp_pending).where(
                    StaffCredentials.staff_id == self._member.id
                )
            )
        if pending is None:
            raise Conflict("totp_not_begun", "请先开始开通动态口令。")
        step = self._second_factor.step_of(pending, code.strip(), at)
        if step is None:
            raise BadRequest("totp_code", "动态口令不对。请确认手机时间准确，再输入新的六位数字。")
        with self._sessions.begin() as session:
            done = session.execute(
                update(StaffCredentials)
                .where(
                    StaffCredentials.staff_id == self._member.id,
                    StaffCredentials.totp_pending == pending,
                )
                .values(totp_secret=pending, totp_pending=None, totp_step=step)
                .returning(StaffCredentials.staff_id)
            ).first()
            if done is None:
                raise Conflict("totp_enabled", "动态口令刚刚已经开通。")
            codes = new_recovery_codes(session, self._member.id)
            end(session, self._member.id, but=self._session_id)
            self._record(session, "totp.enable")
        return codes

    def disable_totp(self, password: str) -> None:
        row = self._prove(password)
        with self._sessions.begin() as session:
            session.execute(
                update(StaffCredentials)
                .where(StaffCredentials.staff_id == row.staff_id)
                .values(totp_secret=None, totp_pending=None)
            )
            forget_recovery_codes(session, row.staff_id)
            if row.totp_secret:
                self._record(session, "totp.disable")

    def browsers(self) -> list[dict[str, Any]]:
        """Where they are signed in; the one that asks is `current`."""
        found = StaffSessions(self._sessions, clock=self._clock).of(self._member.id)
        return [
            {
                "id": row.id,
                "signed_in_at": iso(row.created_at),
                "seen_at": iso(row.seen_at),
                "user_agent": row.user_agent,
                "current": row.id == self._session_id,
            }
            for row in found
        ]

    def end_other_browsers(self) -> int:
        with self._sessions.begin() as session:
            ended = end(session, self._member.id, but=self._session_id)
            self._record(session, "session.end_others", ended=ended)
        return ended

    def _prove(self, password: str) -> StaffCredentials:
        """Raise BadRequest unless this is the password; guessing is as slow as signing in."""
        at = self._clock()
        with self._sessions() as session:
            row = session.get(StaffCredentials, self._member.id)
        if row is None or row.password_hash is None:
            raise Conflict("no_password", "这个账号用令牌，没有密码。")
        attempt = reserve_attempt(self._sessions, row.login, at)
        right = passwords.matches(attempt.password_hash if attempt else None, password)
        with self._sessions.begin() as session:
            if not right:
                self._record(session, "password.refuse")
            else:
                session.execute(
                    update(StaffCredentials)
                    .where(StaffCredentials.staff_id == self._member.id)
                    .values(failed_count=0, locked_until=None)
                )
        if not right:
            raise BadRequest(
                "password_wrong", "密码不对，或者错的次数太多需要等一会儿；请输入现在的密码。"
            )
        return row

    def _record(self, session: Session, action: str, **detail: Any) -> None:
        audit.append(
            session,
            actor=self._member.id,
            action=action,
            subject="staff",
            subject_id=self._member.id,
            detail=detail,
            at=self._clock(),
        )
