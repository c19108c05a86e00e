"""Kill switches: a channel, a topic, a document, the language model. Each change has a reason and
stays on record; the newest one of each switch is valid."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import documents
from service import audit
from service.answering.draft import NOTHING_OFF, Off
from service.answering.topics import NAMES as TOPICS
from service.auth import Member
from service.errors import BadRequest, Conflict, NotFound
from service.models import Staff, Switch, now

CHANNELS = {"web": "网页", "wechat": "微信"}
MODEL = "language"  # the only key of its kind
LONGEST_COMMENT = 300
_FRESH_SECONDS = 2.0


class Kind(StrEnum):
    """What can be switched off."""

    CHANNEL = "channel"
    TOPIC = "topic"
    DOCUMENT = "document"
    MODEL = "model"


KIND_NAMES = {
    Kind.CHANNEL: "渠道",
    Kind.TOPIC: "主题",
    Kind.DOCUMENT: "内容",
    Kind.MODEL: "语言模型",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    off: Off
    model_off: bool


class Switches:
    """The switches of one installation; safe to share between threads and processes.

    `off` and `model_off` read the database at most every two seconds, so a change made in any
    process is heeded by all within that time.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        clock: Callable[[], datetime] = now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions, self._clock, self._monotonic = sessions, clock, monotonic
        self._seen: _Seen | None = None
        self._reading = threading.Lock()

    def off(self) -> Off:
        """All that is switched off now."""
        return self._look().off

    def model_off(self) -> bool:
        """Whether the language model is switched off."""
        return self._look().model_off

    def set(self, member: Member, kind: Kind, key: str, *, off: bool, comment: str) -> list[Any]:
        """Switch something off or on, and give `states` as they are then.

        Raises BadRequest without a reason or for what has no switch, NotFound for a document that
        is not there, Conflict when it is so already.
        """
        comment = _reason(comment)
        with self._sessions.begin() as session:
            title = self._require_known(session, kind, key)
            newest = session.execute(
                select(Switch.off, Switch.set_at, Staff.name)
                .join(Staff, Switch.staff_id == Staff.id)
                .where(Switch.kind == kind.value, Switch.key == key)
                .order_by(Switch.id.desc())
                .limit(1)
            ).one_or_none()
            if (newest.off if newest else False) == off:
                by = f"，由{newest.name}设置" if newest else ""
                raise Conflict("switch_set", f"已经是{'关停' if off else '开启'}状态{by}。")
            session.add(
                Switch(
                    kind=kind.value,
                    key=key,
                    off=off,
                    comment=comment,
                    staff_id=member.id,
                    set_at=self._clock(),
                )
            )
            audit.append(
                session,
                actor=member.id,
                action="switch.set",
                subject="switch",
                subject_id=f"{kind.value}:{key}",
                detail={
                    "name": f"{KIND_NAMES[kind]}“{name_of(kind, key, title)}”",
                    "off": off,
                    "comment": comment,
                },
            )
        self._seen = None
        return self.states()

    def states(self) -> list[dict[str, Any]]:
        """Every switch that there is (documents only once they were switched), with who set it
        last, when and why; in the order of kinds, what is off first among documents."""
        with self._sessions() as session:
            newest = {(r["kind"], r["key"]): r for r in _listed(session, newest_only=True)}
        fixed = [
            *((Kind.CHANNEL, key) for key in CHANNELS),
            *((Kind.TOPIC, key) for key in TOPICS),
            (Kind.MODEL, MODEL),
        ]
        shown = [newest.pop((kind.value, key), _never(kind, key)) for kind, key in fixed]
        rest = sorted(newest.values(), key=lambda r: (r["kind"], not r["off"], r["name"]))
        return [*shown, *rest]

    def history(self, *, limit: int = 50, before: int | None = None) -> dict[str, Any]:
        """{changes, next}: the newest first; `before` is the `next` of the page before."""
        with self._sessions() as session:
            rows = _listed(session, before=before, limit=limit + 1)
        page = rows[:limit]
        return {"changes": page, "next": page[-1]["id"] if len(rows) > limit else None}

    def find_documents(self, words: str, *, limit: int = 20) -> list[dict[str, Any]]:
        """Documents whose title or id holds the words, to be switched off."""
        words = words.replace("\x00", "").strip()[:100]
        if not words:
            return []
        columns = (documents.c.id, documents.c.title, documents.c.kind)
        with self._sessions() as session:
            rows = session.execute(
                select(*columns)
                .where(
                    documents.c.title.contains(words, autoescape=True)
                    | documents.c.id.contains(words, autoescape=True)
                )
                .order_by(func.length(documents.c.title), documents.c.id)
                .limit(limit)
            )
            return [dict(row._mapping) for row in rows]

    def _require_known(self, session: Session, kind: Kind, key: str) -> str | None:
        """The title of a document."""
        known: Iterable[str] | None = {
            Kind.CHANNEL: CHANNELS,
            Kind.TOPIC: TOPICS,
            Kind.MODEL: (MODEL,),
        }.get(kind)
        if known is not None:
            if key not in known:
                raise BadRequest("switch_unknown", f"没有这个{KIND_NAMES[kind]}开关。")
            return None
        title: str | None = session.scalar(select(documents.c.title).where(documents.c.id == key))
        if title is None:
            raise NotFound("document_unknown", "知识库里没有这份内容。")
        return title

    def _look(self) -> _Seen:
        seen, at = self._seen, self._monotonic()
        if seen and at - seen.at < _FRESH_SECONDS:
            return seen
        with self._reading:
            seen = self._seen
            if seen and at - seen.at < _FRESH_SECONDS:
                return seen  # another thread has just looked
            self._seen = seen = self._read(at)
            return seen

    def _read(self, at: float) -> _Seen:
        with self._sessions() as session:
            newest = select(func.max(Switch.id)).group_by(Switch.kind, Switch.key)
            rows = session.execute(
                select(Switch.kind, Switch.key).where(Switch.id.in_(newest), Switch.off.is_(True))
            ).all()
        if not rows:
            return _Seen(at, NOTHING_OFF, False)

        def keys(kind: Kind) -> frozenset[str]:
            return frozenset(row.key for row in rows if row.kind == kind)

        off = Off(keys(Kind.CHANNEL), keys(Kind.TOPIC), keys(Kind.DOCUMENT))
        return _Seen(at, off, bool(keys(Kind.MODEL)))


def name_of(kind: str, key: str, title: str | None = None) -> str:
    """What people call a switch."""
    if kind == Kind.CHANNEL:
        return CHANNELS.get(key, key)
    if kind == Kind.MODEL:
        return "语言模型"
    return title or key


def _never(kind: Kind, key: str) -> dict[str, Any]:
    named = {"kind": kind.value, "key": key, "name": name_of(kind, key), "off": False}
    return named | {"id": None, "comment": "", "by": "", "set_at": None, "document_kind": None}


def _listed(
    session: Session,
    *,
    newest_only: bool = False,
    before: int | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    wanted = [] if before is None else [Switch.id < before]
    if newest_only:
        newest = select(func.max(Switch.id)).group_by(Switch.kind, Switch.key)
        wanted.append(Switch.id.in_(newest))
    rows = session.execute(
        select(Switch, Staff.name, documents.c.title, documents.c.kind.label("document_kind"))
        .join(Staff, Switch.staff_id == Staff.id)
        .outerjoin(documents, (documents.c.id == Switch.key) & (Switch.kind == Kind.DOCUMENT.value))
        .where(*wanted)
        .order_by(Switch.id.desc())
        .limit(limit)
    )
    return [
        {
            "id": row.Switch.id,
            "kind": row.Switch.kind,
            "key": row.Switch.key,
            "name": name_of(row.Switch.kind, row.Switch.key, row.title),
            "off": row.Switch.off,
            "comment": row.Switch.comment,
            "by": row.name,
            "set_at": moment(row.Switch.set_at),
            "document_kind": row.document_kind,
        }
        for row in rows
    ]


def moment(at: datetime) -> str:
    """ISO 8601 in UTC; SQLite gives times back without their zone."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC).isoformat()


def _reason(comment: str) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in comment).split())
    if not text:
        raise BadRequest("comment_missing", "请写明原因，方便之后查。")
    if len(text) > LONGEST_COMMENT:
        raise BadRequest("comment_too_long", f"原因太长了，请控制在{LONGEST_COMMENT}字以内。")
    return text
