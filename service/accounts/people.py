"""What an administrator does: invite, change, disable. Nobody is ever deleted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.accounts.invitations import Invitation, forget_invitations, new_invitation
from service.accounts.second_factor import forget_recovery_codes
from service.accounts.sessions import end, iso
from service.auth import (
    Member,
    checked_name,
    checked_region,
    checked_roles,
    member_of,
    new_staff,
)
from service.errors import BadRequest, Conflict, NotFound
from service.models import Staff, now
from service.models.people import StaffCredentials, StaffInvitation

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}", re.ASCII)
_ADMINISTRATOR = "administrator"


class Accounts:
    """`by` is the administrator, or None for the command line. One with a region keeps to it."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        by: Member | None,
        *,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions = sessions
        self._by = by
        self._clock = clock

    def all(self) -> list[dict[str, Any]]:
        """Everybody this administrator may see: those in office first, by name."""
        at = self._clock()
        newest = (
            select(StaffInvitation.staff_id, func.max(StaffInvitation.expires_at).label("until"))
            .where(StaffInvitation.used_at.is_(None), StaffInvitation.expires_at > at)
            .group_by(StaffInvitation.staff_id)
            .subquery()
        )
        with self._sessions() as session:
            rows = session.execute(
                select(Staff, StaffCredentials, newest.c.until)
                .outerjoin(StaffCredentials, StaffCredentials.staff_id == Staff.id)
                .outerjoin(newest, newest.c.staff_id == Staff.id)
                .order_by(Staff.disabled_at.is_not(None), Staff.name, Staff.id)
            ).all()
            return [
                _view(person, credentials, until)
                for person, credentials, until in rows
                if self._may_see(person)
            ]

    def one(self, staff_id: str) -> dict[str, Any]:
        """Raises NotFound."""
        for person in self.all():
            if person["id"] == staff_id:
                return person
        raise _unknown(staff_id)

    def invite(self, name: str, login: str, roles: Iterable[str], region: str = "") -> Invitation:
        """A new account with the link by which its owner sets a password. Raises BadRequest, and
        Conflict for a login name that is taken."""
        login = login.strip().lower()
        if not _LOGIN.fullmatch(login):
            raise BadRequest(
                "staff_login", "登录名用3到40个小写字母、数字、点、横线，例如 wang.fang 或工号。"
            )
        self._check_region(region)
        row, _unused_token = new_staff(name, roles, region)
        row.created_at = self._clock()
        try:
            with self._sessions.begin() as session:
                session.add(row)
                session.flush()
                session.add(StaffCredentials(staff_id=row.id, login=login))
                session.flush()
                self._record(
                    session,
                    "staff.create",
                    row.id,
                    called=row.name,
                    login=login,
                    roles=row.roles,
                    region=region,
                )
                return new_invitation(session, row, login, self._clock())
        except IntegrityError:
            raise Conflict("login_taken", f"登录名“{login}”已经有人用了，请换一个。") from None

    def add_token_holder(
        self, name: str, roles: Iterable[str], region: str = ""
    ) -> tuple[Member, str]:
        """A new account for a program, with its token, which cannot be had again."""
        row, token = new_staff(name, roles, region)
        row.created_at = self._clock()
        with self._sessions.begin() as session:
            session.add(row)
            session.flush()
            self._record(
                session, "staff.token", row.id, called=row.name, roles=row.roles, region=region
            )
            return member_of(row), token

    def invite_again(self, staff_id: str, *, without_code: bool = False) -> Invitation:
        """A new link; the password so far, and links given earlier, work no more.

        `without_code` takes the second factor away too, for who has lost telephone and codes.
        """
        with self._sessions.begin() as session:
            row = self._locked(session, staff_id)
            credentials = session.get(StaffCredentials, staff_id)
            if row.disabled_at is not None:
                raise Conflict("staff_disabled", "账号已停用，请先启用。")
            if credentials is None:
                raise Conflict("no_login", "这个账号用令牌登录，没有登录名，不能发邀请链接。")
            if self._by and self._by.id == staff_id:
                raise Conflict("oneself", "自己的密码请在“我的账号”里修改。")
            credentials.password_hash = None
            credentials.failed_count, credentials.locked_until = 0, None
            if without_code:
                credentials.totp_secret = credentials.totp_pending = None
                forget_recovery_codes(session, staff_id)
            end(session, staff_id)
            self._record(session, "staff.invite", staff_id, without_code=without_code)
            return new_invitation(session, row, credentials.login, self._clock())

    def change(
        self,
        staff_id: str,
        *,
        name: str | None = None,
        roles: Iterable[str] | None = None,
        region: str | None = None,
    ) -> dict[str, Any]:
        """What is None stays. Whose roles or region change has to sign in again. Raises Conflict
        for one's own roles, and where no administrator would be left."""
        with self._sessions.begin() as session:
            row = self._locked(session, staff_id)
            before = {"name": row.name, "roles": list(row.roles), "region": row.region}
            if name is not None:
                row.name = checked_name(name)
            if roles is not None:
                row.roles = checked_roles(roles)
            if region is not None:
                self._check_region(region)
                row.region = checked_region(region)
            after = {"name": row.name, "roles": list(row.roles), "region": row.region}
            changed = {
                key: {"from": before[key] or "所有地区", "to": after[key] or "所有地区"}
                for key in after
                if before[key] != after[key]
            }
            if "roles" in changed or "region" in changed:
                if self._by and self._by.id == staff_id:
                    raise Conflict("oneself", "不能改自己的角色和地区，请由另一位管理员来改。")
                self._keep_an_administrator(session, before["roles"])
                end(session, staff_id)
            if changed:
                self._record(session, "staff.change", staff_id, **changed)
        return self.one(staff_id)

    def disable(self, staff_id: str) -> dict[str, Any]:
        """Out at once: tokens, sessions and links work no more. Twice is as good as once."""
        with self._sessions.begin() as session:
            row = self._locked(session, staff_id)
            if self._by and self._by.id == staff_id:
                raise Conflict("oneself", "不能停用自己的账号，请由另一位管理员来停用。")
            if row.disabled_at is None:
                row.disabled_at = self._clock()
                self._keep_an_administrator(session, row.roles)
                end(session, staff_id)
                forget_invitations(session, staff_id)
                self._record(session, "staff.disable", staff_id)
        return self.one(staff_id)

    def enable(self, staff_id: str) -> dict[str, Any]:
        """With the password and the token that they had."""
        with self._sessions.begin() as session:
            row = self._locked(session, staff_id)
            if row.disabled_at is not None:
                row.disabled_at = None
                self._record(session, "staff.enable", staff_id)
        return self.one(staff_id)

    def _may_see(self, person: Staff) -> bool:
        return self._by is None or self._by.region in ("", person.region)

    def _check_region(self, region: str) -> None:
        if self._by and self._by.region and region != self._by.region:
            raise BadRequest("staff_region", f"您只能管理{self._by.region}这个地区的账号。")

    def _locked(self, session: Session, staff_id: str) -> Staff:
        """The person, while no other administrator can change anybody: so that two who demote each
        other at the same moment cannot both succeed."""
        # A write of nothing, with which SQLite takes its lock; PostgreSQL locks the rows.
        session.execute(update(Staff).where(Staff.id == "").values(name=""))
        rows = session.scalars(select(Staff).order_by(Staff.id).with_for_update())
        row = next((row for row in rows if row.id == staff_id), None)
        if row is None or not self._may_see(row):
            raise _unknown(staff_id)
        return row

    def _keep_an_administrator(self, session: Session, roles: Iterable[str]) -> None:
        """Raise Conflict where somebody with these roles was the last who can get in and manage all
        accounts. Whoever has the command line can also add an administrator there."""
        if self._by is None or _ADMINISTRATOR not in roles:
            return
        session.flush()
        rows = session.execute(
            select(Staff, StaffCredentials)
            .outerjoin(StaffCredentials, StaffCredentials.staff_id == Staff.id)
            .where(Staff.disabled_at.is_(None))
        )
        for person, credentials in rows:
            can_enter = credentials is None or credentials.password_hash is not None
            if can_enter and _ADMINISTRATOR in person.roles and not person.region:
                return
        raise Conflict("last_administrator", "这是最后一位在用的管理员，不能停用，也不能去掉角色。")

    def _record(self, session: Session, action: str, staff_id: str, **detail: Any) -> None:
        audit.append(
            session,
            actor=self._by.id if self._by else audit.SYSTEM,
            action=action,
            subject="staff",
            subject_id=staff_id,
            detail=detail if self._by else {**detail, "via": "命令行"},
            at=self._clock(),
        )


def _view(
    person: Staff, credentials: StaffCredentials | None, invited_until: datetime | None
) -> dict[str, Any]:
    if person.disabled_at is not None:
        state = "disabled"
    elif credentials is None:
        state = "token"
    elif credentials.password_hash is not None:
        state = "active"
    else:
        state = "invited" if invited_until else "invitation_over"
    return {
        "id": person.id,
        "name": person.name,
        "login": credentials.login if credentials else None,
        "roles": sorted(person.roles),
        "region": person.region,
        "state": state,
        "totp": bool(credentials and credentials.totp_secret),
        "created_at": iso(person.created_at),
        "signed_in_at": iso(credentials.signed_in_at) if credentials else None,
        "invited_until": iso(invited_until),
        "disabled_at": iso(person.disabled_at),
    }


def _unknown(staff_id: str) -> NotFound:
    return NotFound("staff_unknown", f"没有编号为“{staff_id}”的工作人员。")
