"""What the office says to all citizens for a time: that a window is closed, that a fraud goes
about. Shown on the page and in WeChat while it is valid."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, aliased, sessionmaker

from service import audit
from service.answering.hours import SHANGHAI
from service.auth import Member
from service.errors import BadRequest, Conflict, NotFound
from service.models import Notice, Staff, now

LONGEST_TEXT = 300  # a banner, and part of a WeChat message


class Level(StrEnum):
    """How loud a notice is."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"


class Place(StrEnum):
    """Where it is shown."""

    WEB = "web"
    WECHAT = "wechat"
    BOTH = "both"


LEVELS = {Level.INFO: "提示", Level.WARNING: "提醒", Level.URGENT: "紧急"}
PLACES = {Place.BOTH: "网页和微信", Place.WEB: "网页", Place.WECHAT: "微信"}
_LOUDEST = {Level.URGENT.value: 0, Level.WARNING.value: 1, Level.INFO.value: 2}


@dataclass(frozen=True, slots=True)
class Draft:
    """A notice before it is stored; times without a zone are those of Shanghai."""

    text: str
    level: Level
    place: Place
    starts_at: datetime
    ends_at: datetime


class Notices:
    """Notices of one installation; each method is one transaction."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def valid(self, place: Place) -> list[dict[str, Any]]:
        """What citizens see at a place now: the loudest first, then the newest."""
        at = self._clock()
        where = [p.value for p in ((place, Place.BOTH) if place is not Place.BOTH else Place)]
        with self._sessions() as session:
            rows = session.scalars(
                select(Notice)
                .where(Notice.ends_at > at, Notice.starts_at <= at, Notice.place.in_(where))
                .order_by(Notice.starts_at.desc(), Notice.id)
                .limit(20)
            ).all()
        shown = [
            {
                "id": f"{row.id}.{row.version}",  # an edited one is a new one to whoever hid it
                "level": row.level,
                "label": LEVELS[Level(row.level)],
                "text": row.text,
                "starts_at": _iso(row.starts_at),
                "ends_at": _iso(row.ends_at),
            }
            for row in rows
        ]
        return sorted(shown, key=lambda n: _LOUDEST[n["level"]])

    def all(self, *, ended: bool = False, limit: int = 100) -> list[dict[str, Any]]:
        """Those that are shown or will be, the next to end first; or those that have ended, the
        last first."""
        at = self._clock()
        wanted: ColumnElement[bool] = Notice.ends_at <= at if ended else Notice.ends_at > at
        order = Notice.ends_at.desc() if ended else Notice.ends_at.asc()
        with self._sessions() as session:
            return [self._view(row, at) for row in _rows(session, [wanted], order, limit)]

    def one(self, notice: str) -> dict[str, Any]:
        """Raises NotFound."""
        with self._sessions() as session:
            return self._one(session, notice)

    def create(self, member: Member, draft: Draft) -> dict[str, Any]:
        """Raises BadRequest."""
        values = self._checked(draft)
        at, notice = self._clock(), f"n_{secrets.token_hex(6)}"
        with self._sessions.begin() as session:
            session.add(
                Notice(
                    id=notice,
                    version=1,
                    created_by=member.id,
                    created_at=at,
                    changed_by=member.id,
                    changed_at=at,
                    **values,
                )
            )
            session.flush()
            self._record(session, member, "notice.create", notice, values)
            return self._one(session, notice)

    def edit(self, member: Member, notice: str, version: int, draft: Draft) -> dict[str, Any]:
        """Change it as it was read in `version`. Raises BadRequest, NotFound, and Conflict when
        somebody has changed it since or it is over."""
        values = self._checked(draft)
        with self._sessions.begin() as session:
            self._change(session, member, notice, version, values)
            self._record(session, member, "notice.edit", notice, values)
            return self._one(session, notice)

    def end(self, member: Member, notice: str) -> dict[str, Any]:
        """End it now; one that has not begun will not. Raises NotFound, Conflict if it is over."""
        at = self._clock()
        with self._sessions.begin() as session:
            self._change(session, member, notice, None, {"ends_at": at})
            self._record(session, member, "notice.end", notice, {})
            return self._one(session, notice)

    def _change(
        self,
        session: Session,
        member: Member,
        notice: str,
        version: int | None,
        values: dict[str, Any],
    ) -> None:
        at = self._clock()
        wanted = [Notice.id == notice, Notice.ends_at > at]
        if version is not None:
            wanted.append(Notice.version == version)
        changed = session.scalar(
            update(Notice)
            .where(*wanted)
            .values(version=Notice.version + 1, changed_by=member.id, changed_at=at, **values)
            .returning(Notice.id)
            .execution_options(synchronize_session=False)
        )
        if changed:
            return
        if self._one(session, notice)["state"] == "ended":
            raise Conflict("notice_ended", "这条公告已经结束。需要再发，请新建一条。")
        raise Conflict(
            "notice_changed", "这条公告刚被别人改过，请刷新后再改；您写的内容还在页面上。"
        )

    def _checked(self, draft: Draft) -> dict[str, Any]:
        lines = [" ".join(line.split()) for line in draft.text.replace("\x00", "").splitlines()]
        text = "\n".join(line for line in lines if line)
        if not text:
            raise BadRequest("notice_empty", "请写公告的内容。")
        if len(text) > LONGEST_TEXT:
            raise BadRequest(
                "notice_too_long", f"公告太长了（{len(text)}字），请控制在{LONGEST_TEXT}字以内。"
            )
        if any(not c.isprintable() and c != "\n" for c in text):
            raise BadRequest("notice_unreadable", "公告里有无法显示的字符，请重新输入。")
        starts, ends = _utc_of(draft.starts_at), _utc_of(draft.ends_at)
        if ends <= starts:
            raise BadRequest("notice_times", "结束时间要晚于开始时间。")
        if ends <= self._clock():
            raise BadRequest("notice_over", "结束时间已经过去了。")
        return {
            "text": text.encode("utf-8", "replace").decode("utf-8"),
            "level": draft.level.value,
            "place": draft.place.value,
            "starts_at": starts,
            "ends_at": ends,
        }

    @staticmethod
    def _record(
        session: Session, member: Member, action: str, notice: str, values: dict[str, Any]
    ) -> None:
        told = {k: _iso(v) if isinstance(v, datetime) else v for k, v in values.items()}
        audit.append(
            session,
            actor=member.id,
            action=action,
            subject="notice",
            subject_id=notice,
            detail=told,
        )

    def _one(self, session: Session, notice: str) -> dict[str, Any]:
        rows = _rows(session, [Notice.id == notice], Notice.id.asc(), 1)
        if not rows:
            raise NotFound("notice_unknown", "没有这条公告。")
        return self._view(rows[0], self._clock())

    @staticmethod
    def _view(row: Any, at: datetime) -> dict[str, Any]:
        notice: Notice = row.Notice
        starts, ends = _aware(notice.starts_at), _aware(notice.ends_at)
        state = "ended" if ends <= at else "shown" if starts <= at else "planned"
        return {
            "id": notice.id,
            "text": notice.text,
            "level": notice.level,
            "level_label": LEVELS[Level(notice.level)],
            "place": notice.place,
            "place_label": PLACES[Place(notice.place)],
            "starts_at": starts.isoformat(),
            "ends_at": ends.isoformat(),
            "state": state,
            "version": notice.version,
            "created_by": row.creator,
            "changed_by": row.changer,
            "changed_at": _iso(notice.changed_at),
        }


def _rows(session: Session, wanted: list[ColumnElement[bool]], order: Any, limit: int) -> list[Any]:
    creator, changer = aliased(Staff), aliased(Staff)
    return list(
        session.execute(
            select(Notice, creator.name.label("creator"), changer.name.label("changer"))
            .join(creator, Notice.created_by == creator.id)
            .join(changer, Notice.changed_by == changer.id)
            .where(*wanted)
            .order_by(order, Notice.id)
            .limit(limit)
            .execution_options(populate_existing=True)
        )
    )


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _utc_of(at: datetime) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=SHANGHAI)).astimezone(UTC)


def _iso(at: datetime) -> str:
    return _aware(at).astimezone(UTC).isoformat()
