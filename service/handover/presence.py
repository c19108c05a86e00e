"""Whether somebody is at the desk, and when the windows are open: said honestly to citizens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from knowledge.library import Library
from knowledge.lifecycle import applies_in
from knowledge.models import Kind
from service.answering.hours import SHANGHAI, Opening, describe, is_open, next_opening
from service.handover import words
from service.handover.duty import on_duty

# The desk keeps the hours of the service centre's windows; to be confirmed by the bureau
# (待区司法局确认).
CENTRE = "service-service-hall"


def windows(library: Library, region: str, at: datetime) -> list[dict[str, Any]]:
    """The windows of a region whose hours are known, with what they say at a moment."""
    found = []
    for document in sorted(library.documents.values(), key=lambda d: (d.id != CENTRE, d.id)):
        if document.kind is not Kind.SERVICE or not applies_in(document.region, region or None):
            continue
        opening = _opening(library, document.id, at)
        if opening is not None:
            found.append(
                {
                    "title": document.title,
                    "open": is_open(opening, at),
                    "now": describe(opening, at),
                    "next": opens.isoformat() if (opens := next_opening(opening, at)) else None,
                }
            )
    return found


def _opening(library: Library, document_id: str, at: datetime) -> Opening | None:
    source = library.current(document_id, at.astimezone(SHANGHAI).date())
    return Opening.of_card(source.revision.body) if source else None


class Presence:
    """What a citizen who waits is told about who is there."""

    def __init__(self, library: Callable[[], Library]) -> None:
        """`library` gives what is published now."""
        self._library = library

    def __call__(self, session: Session, region: str, at: datetime) -> dict[str, Any]:
        """{online, text} for a ticket of a region at a moment."""
        if any(one.serves(region) for one in on_duty(session, at)):
            return {"online": True, "text": words.ONLINE}
        library = self._library()
        opening = _opening(library, CENTRE, at)
        if opening is None:
            return {"online": False, "text": words.OFFLINE}
        hours = words.WINDOW.format(
            window=library.documents[CENTRE].title, now=describe(opening, at)
        )
        return {"online": False, "text": words.OFFLINE + hours}
