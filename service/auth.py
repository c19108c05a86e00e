"""Who works here, and what each of them may do: nothing, unless a role says so.

A role is a set of permissions, a permission is `resource:action`, an endpoint names exactly one
(`service.permits`). Somebody with a region sees only what belongs to that region.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from service.errors import BadRequest, NotFound
from service.models import Staff, StaffSession, now


class Permission(StrEnum):
    """Everything that can be allowed."""

    HANDOVER_LIST = "handover:list"
    HANDOVER_READ = "handover:read"
    HANDOVER_CLAIM = "handover:claim"
    HANDOVER_RELEASE = "handover:release"
    HANDOVER_REASSIGN = "handover:reassign"  # put back what somebody else has claimed
    HANDOVER_REPLY = "handover:reply"
    HANDOVER_NOTE = "handover:note"
    HANDOVER_CLOSE = "handover:close"
    URGENT_LIST = "urgent:list"
    URGENT_ACKNOWLEDGE = "urgent:acknowledge"
    RATING_READ = "rating:read"
    RATING_REPLY = "rating:reply"
    RATING_APPEAL = "rating:appeal"
    RATING_RECHECK = "rating:recheck"
    RATING_DECIDE = "rating:decide"
    KNOWLEDGE_READ = "knowledge:read"
    KNOWLEDGE_EDIT = "knowledge:edit"
    KNOWLEDGE_PUBLISH = "knowledge:publish"  # and to send back, to withdraw, to bring back
    KNOWLEDGE_EXPORT = "knowledge:export"
    TRIAL_RUN = "trial:run"  # ask without a citizen, run sets of questions
    TRIAL_EDIT = "trial:edit"  # keep sets of questions
    GAP_READ = "gap:read"
    CONVERSATION_READ = "conversation:read"
    CONVERSATION_REVIEW = "conversation:review"
    REVIEW_DECIDE = "review:decide"  # close without a better answer, set what is sampled
    STATISTICS_READ = "statistics:read"
    STATISTICS_EXPORT = "statistics:export"
    SWITCH_READ = "switch:read"
    SWITCH_SET = "switch:set"
    NOTICE_READ = "notice:read"
    NOTICE_EDIT = "notice:edit"
    RETENTION_READ = "retention:read"
    RETENTION_SET = "retention:set"
    AUDIT_READ = "audit:read"
    STAFF_MANAGE = "staff:manage"
    DUTY_SET = "duty:set"  # say that one is, or is not, on duty at the desk
    SELF_MANAGE = "self:manage"  # one's own account


P = Permission
_SELF = frozenset({P.SELF_MANAGE})
# Whoever is rated, or wrote what was; each role that has these answers for its own work.
_RATED = frozenset({P.RATING_READ, P.RATING_REPLY, P.RATING_APPEAL})
_DESK = _RATED | frozenset(
    {
        P.HANDOVER_LIST,
        P.HANDOVER_READ,
        P.HANDOVER_CLAIM,
        P.HANDOVER_RELEASE,
        P.HANDOVER_REPLY,
        P.HANDOVER_NOTE,
        P.HANDOVER_CLOSE,
        P.DUTY_SET,
        P.KNOWLEDGE_READ,
    }
)
_REVIEW = frozenset({P.CONVERSATION_READ, P.CONVERSATION_REVIEW, P.GAP_READ, P.TRIAL_RUN})
ROLES: dict[str, frozenset[Permission]] = {
    "curator": _SELF
    | _RATED
    | {P.KNOWLEDGE_READ, P.KNOWLEDGE_EDIT, P.TRIAL_RUN, P.TRIAL_EDIT, P.GAP_READ, P.NOTICE_READ},
    "reviewer": _SELF
    | _REVIEW
    | {P.KNOWLEDGE_READ, P.KNOWLEDGE_PUBLISH, P.TRIAL_EDIT, P.NOTICE_READ},
    "supervisor": _SELF
    | _DESK
    | _REVIEW
    | {
        P.HANDOVER_REASSIGN,
        P.URGENT_LIST,
        P.URGENT_ACKNOWLEDGE,
        P.RATING_RECHECK,
        P.RATING_DECIDE,
        P.REVIEW_DECIDE,
        P.STATISTICS_READ,
        P.STATISTICS_EXPORT,
        P.SWITCH_READ,
        P.SWITCH_SET,
        P.NOTICE_READ,
        P.NOTICE_EDIT,
    },
    "agent": _SELF | _DESK | {P.NOTICE_READ},
    "auditor": _SELF
    | {P.AUDIT_READ, P.STATISTICS_READ, P.SWITCH_READ, P.NOTICE_READ, P.RETENTION_READ},
    "administrator": _SELF
    | {
        P.STAFF_MANAGE,
        P.SWITCH_READ,
        P.SWITCH_SET,
        P.NOTICE_READ,
        P.NOTICE_EDIT,
        P.RETENTION_READ,
        P.RETENTION_SET,
        P.KNOWLEDGE_READ,
        P.KNOWLEDGE_EXPORT,
        P.STATISTICS_READ,
    },
}
# What holds for all regions at once: not for those who are limited to one.
EVERYWHERE = frozenset({P.SWITCH_SET, P.NOTICE_EDIT, P.RETENTION_SET, P.AUDIT_READ})
ROLE_NAMES = {
    "curator": "知识编辑",
    "reviewer": "复核人员",
    "supervisor": "督导",
    "agent": "坐席",
    "auditor": "审计人员",
    "administrator": "管理员",
}

_LONGEST_NAME = 80
_LONGEST_TOKEN = 200  # what is longer is none of ours and need not be hashed


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works here, as known for one request. `region` is empty for all regions."""

    id: str
    name: str
    roles: frozenset[str]
    region: str
    disabled_at: datetime | None = None

    def may(self, permission: Permission) -> bool:
        """Whether a role allows it, and the region; a role no longer known allows nothing."""
        if self.region and permission in EVERYWHERE:
            return False
        return any(permission in ROLES.get(role, ()) for role in self.roles)

    def sees(self, region: str) -> bool:
        return self.region in ("", region)


class StaffRegister:
    """Accounts and their tokens."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions

    def add(self, name: str, roles: Iterable[str], *, region: str = "") -> tuple[Member, str]:
        """A new account with its token, which cannot be had again. Raises BadRequest."""
        row, token = new_staff(name, roles, region)
        with self.sessions.begin() as session:
            session.add(row)
            session.flush()
            return member_of(row), token

    def all(self) -> list[Member]:
        """Everybody who ever had an account, oldest first."""
        with self.sessions() as session:
            rows = session.scalars(select(Staff).order_by(Staff.created_at, Staff.id))
            return [member_of(row) for row in rows]

    def disable(self, staff_id: str) -> Member:
        """Their token and sessions work no more, at once. Raises NotFound; twice is as good as
        once."""
        with self.sessions.begin() as session:
            session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))
            session.execute(
                update(Staff)
                .where(Staff.id == staff_id, Staff.disabled_at.is_(None))
                .values(disabled_at=now())
            )
            row = session.get(Staff, staff_id)
            if row is None:
                raise NotFound("staff_unknown", f"没有编号为“{staff_id}”的工作人员。")
            return member_of(row)

    def holder(self, token: str) -> Member | None:
        """Whose token this is, or None: unknown, or of a disabled account."""
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        hashed = digest(token)
        with self.sessions() as session:
            row = session.scalar(
                select(Staff).where(Staff.token_hash == hashed, Staff.disabled_at.is_(None))
            )
            # The look-up compares digests, of which nobody can choose the first characters, so
            # its time tells nothing about a token; the last word is in constant time all the same.
            if row is None or not hmac.compare_digest(row.token_hash, hashed):
                return None
            return member_of(row)


def new_staff(name: str, roles: Iterable[str], region: str) -> tuple[Staff, str]:
    """A row for somebody new, not stored yet, and the token of which it has the hash. Raises
    BadRequest."""
    token = f"consult_{secrets.token_urlsafe(32)}"
    return Staff(
        id=f"s_{secrets.token_hex(5)}",
        name=checked_name(name),
        roles=checked_roles(roles),
        token_hash=digest(token),
        region=checked_region(region),
    ), token


def checked_name(name: str) -> str:
    """Raises BadRequest for what is no name."""
    name = name.strip()
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadRequest("staff_name", f"姓名要写1到{_LONGEST_NAME}个字。")
    return name


def checked_roles(roles: Iterable[str]) -> list[str]:
    """Each once, in order. Raises BadRequest for none, or one that is not known."""
    wanted = sorted(set(roles))
    if not wanted or any(role not in ROLES for role in wanted):
        raise BadRequest("staff_role", f"角色只能是：{'、'.join(ROLES)}。")
    return wanted


def checked_region(region: str) -> str:
    """Raises BadRequest for what is no code of a region; empty is all regions."""
    if not re.fullmatch(r"(?:\d{6})?", region, re.ASCII):
        raise BadRequest("staff_region", "地区要写成六位行政区划代码，不写是所有地区。")
    return region


def digest(token: str) -> str:
    """SHA-256. A slow, salted hash protects what people choose, since that can be guessed; 256
    random bits cannot, so a slow hash would add nothing but a delay to each request."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def member_of(row: Staff) -> Member:
    """The person of a row, as known now."""
    return Member(row.id, row.name, frozenset(row.roles), row.region, row.disabled_at)
