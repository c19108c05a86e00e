"""Reading the log: the newest first, by filters, a page after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Text, cast, or_, select
from sqlalchemy.orm import Session, sessionmaker

from service.audit.events import CITIZEN, SYSTEM, mark_of
from service.audit.wording import say
from service.models import Staff
from service.models.people import AuditEvent

_CHINA = ZoneInfo("Asia/Shanghai")
_AT_ONCE = 1000
_NOBODYS = {SYSTEM: "系统", CITIZEN: "市民"}  # actors without an account


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show. Days are those of the clock in Shanghai, both included; empty is everything."""

    since: date | None = None
    until: date | None = None
    actor: str = ""
    action: str = ""  # the beginning of it: `knowledge.`, `knowledge.publish`
    subject: str = ""
    subject_id: str = ""
    text: str = ""

    def given(self) -> dict[str, str]:
        """Those that are set, as text."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return {name: str(value) for name, value in every.items() if value}


class AuditLog:
    """The events as people read them. `words` are names of what details speak of, such as roles."""

    def __init__(self, sessions: sessionmaker[Session], words: Mapping[str, str]) -> None:
        self._sessions = sessions
        self._words = words

    def page(
        self, filters: Filters, *, before: int | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """The newest events, or those before one; `next` is what to pass as `before`, or None."""
        query = _select(filters).limit(limit + 1)
        if before is not None:
            query = query.where(AuditEvent.id < before)
        with self._sessions() as session:
            rows = list(session.scalars(query))
            names = {**self._words, **_names(session, rows[:limit])}
        events = [_view(row, names) for row in rows[:limit]]
        return {"events": events, "next": events[-1]["id"] if len(rows) > limit else None}

    def everything(self, filters: Filters, *, limit: int) -> Iterator[dict[str, Any]]:
        """The same for a file, the newest `limit` of them."""
        before: int | None = None
        while limit > 0:
            page = self.page(filters, before=before, limit=min(limit, _AT_ONCE))
            yield from page["events"]
            before, limit = page["next"], limit - _AT_ONCE
            if before is None:
                return

    def actors(self) -> list[tuple[str, str]]:
        """Everybody who may have done something, as (id, name)."""
        with self._sessions() as session:
            people = session.execute(select(Staff.id, Staff.name).order_by(Staff.name, Staff.id))
            return [*_NOBODYS.items(), *((row.id, row.name) for row in people)]


def _select(filters: Filters) -> Select[AuditEvent]:
    query = select(AuditEvent).order_by(AuditEvent.id.desc())
    if filters.since:
        query = query.where(AuditEvent.at >= _midnight(filters.since))
    if filters.until:
        query = query.where(AuditEvent.at < _midnight(filters.until) + timedelta(days=1))
    if filters.actor:
        query = query.where(AuditEvent.actor == filters.actor)
    if filters.action:
        query = query.where(AuditEvent.action.startswith(filters.action, autoescape=True))
    if filters.subject:
        query = query.where(AuditEvent.subject == filters.subject)
    if filters.subject_id:
        query = query.where(AuditEvent.subject_id == mark_of(filters.subject_id))
    if filters.text:
        wanted = mark_of(filters.text)
        named = select(Staff.id).where(Staff.name.contains(filters.text, autoescape=True))
        query = query.where(
            or_(
                AuditEvent.subject_id.contains(wanted, autoescape=True),
                cast(AuditEvent.detail, Text).contains(wanted, autoescape=True),
                AuditEvent.actor.in_(named),
                AuditEvent.subject_id.in_(named),
            )
        )
    return query


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), _CHINA).astimezone(UTC)


def _names(session: Session, rows: Iterable[AuditEvent]) -> dict[str, str]:
    """Names of all who act or are acted upon in these events, in one look-up."""
    ids = {row.actor for row in rows} | {row.subject_id for row in rows if row.subject == "staff"}
    found = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    return {**_NOBODYS, **{row.id: row.name for row in found}}


def _view(row: AuditEvent, names: dict[str, str]) -> dict[str, Any]:
    at = row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC)
    said = say(row.action, row.subject, row.subject_id, row.purpose, row.detail, names)
    return {
        "id": row.id,
        "at": at.astimezone(UTC).isoformat(),
        "actor": {"id": row.actor, "name": names.get(row.actor, "已不在册的账号")},
        "action": row.action,
        "subject": row.subject,
        "subject_id": row.subject_id,
        "purpose": row.purpose,
        "detail": row.detail,
        "hash": row.hash,
        "sentence": said.sentence,
        "reason": said.purpose,
        "facts": [list(fact) for fact in said.facts],
    }
