"""Services, guides and hotlines as next steps: what is unknown or unchecked says so itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from knowledge.library import Library, Source
from knowledge.lifecycle import applies_in
from service.answering import wording
from service.answering.draft import NextStep, Target
from service.answering.hours import SHANGHAI, Opening, describe

_UNVERIFIED = ("C", "D")
_FIELDS_UNKNOWN = {
    "地址": "where",
    "电话": "phone",
    "开放时间": "hours",
    "时间": "hours",
    "收费": "fee",
}


def fact(body: dict[str, Any], name: str) -> str | None:
    """One fact of a card for people: marked when unchecked; whom to ask when unknown."""
    value = body.get(name)
    if value:
        text = str(value["text"])
        marked = value["certainty"] not in _UNVERIFIED or "未核实" in text
        return text if marked else text + wording.UNVERIFIED
    unknown = [word for word in body.get("unknown", []) if _FIELDS_UNKNOWN.get(word) == name]
    if unknown and body.get("ask_at"):
        return wording.UNKNOWN.format(whom=body["ask_at"])
    return None


def _now() -> datetime:
    return datetime.now(SHANGHAI)


class Cards:
    """Cards by document id, as they are in force on a day, and whether they are open `now`."""

    def __init__(self, library: Library, now: Callable[[], datetime] = _now) -> None:
        self._library, self._now = library, now

    def source(self, document_id: str, on: date) -> Source | None:
        return self._library.current(document_id, on)

    def step(self, document_id: str, on: date, region: str) -> NextStep | None:
        """The card as a next step, or None if there is none that holds for the region."""
        source = self.source(document_id, on)
        if source is None or not applies_in(source.document.region, region):
            return None
        return self.to_step(source)

    def to_step(self, source: Source) -> NextStep:
        """A card as a next step, with whether it is open now."""
        return to_step(source, self._now())

    def targets(
        self, ids: tuple[str, ...], on: date, *, urgent: bool = False
    ) -> tuple[Target, ...]:
        """Hotlines as whom to call; every one that is known."""
        found = [self.source(i, on) for i in ids]
        return tuple(to_target(s, self._now(), urgent=urgent) for s in found if s)


def open_now(body: dict[str, Any], at: datetime) -> str | None:
    """Whether a card's place is open at a moment; None when its hours are not known so exactly."""
    opening = Opening.of_card(body)
    return describe(opening, at) if opening else None


def to_step(source: Source, at: datetime) -> NextStep:
    """A service, guide or hotline as the card that a citizen sees at a moment."""
    body = source.revision.body
    how = [body["summary"]] if not body.get("how") else list(body["how"])
    if body.get("materials"):
        how.append("带上：" + "；".join(body["materials"]))
    online = fact(body, "online")
    if online:
        how.append("网上办：" + online)
    return NextStep(
        id=source.document.id,
        title=source.document.title,
        how="\n".join(how),
        where=fact(body, "where"),
        phone=fact(body, "phone"),
        hours=fact(body, "hours"),
        fee=fact(body, "fee"),
        deadline=fact(body, "deadline"),
        open_now=open_now(body, at),
        source=source.revision.source,
        checked_on=source.revision.checked_on.isoformat(),
    )


def to_target(source: Source, at: datetime, *, urgent: bool = False) -> Target:
    """A hotline as whom to call at a moment. In an emergency only the number and what it is for:
    nobody in danger should be told to verify it first, or be kept reading."""
    body = source.revision.body
    if urgent:
        number = str(body["phone"]["text"]) if body.get("phone") else None
        return Target(id=source.document.id, title=source.document.title, phone=number)
    online = fact(body, "online")
    return Target(
        id=source.document.id,
        title=source.document.title,
        phone=fact(body, "phone"),
        where=fact(body, "where"),
        hours=fact(body, "hours"),
        open_now=open_now(body, at),
        note="\n".join([body["summary"], *([f"网上：{online}"] if online else [])]),
    )
