"""What an answer rested on, as it was then, beside what the same place says today."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.lifecycle import in_force
from knowledge.models import DateBasis, Kind, Revision, Status
from knowledge.store import documents, passages, revisions
from service.curation.difference import between
from service.models import AnswerRecord, CitedPassage


@dataclass(frozen=True, slots=True)
class Compared:
    """A text of then: `same` today, `changed` (with lines of runs), or `gone`."""

    title: str
    label: str
    text: str
    now: str
    document: str = ""
    lines: tuple[tuple[tuple[str, str], ...], ...] = ()


class Evidence:
    """The evidence of several answers, looked up together."""

    def __init__(self, session: Session, answers: Sequence[AnswerRecord], on: date) -> None:
        ids = [answer.id for answer in answers]
        cited = session.scalars(
            select(CitedPassage)
            .where(CitedPassage.answer_id.in_(ids))
            .order_by(CitedPassage.answer_id, CitedPassage.position)
        ).all()
        self._cited: dict[str, list[CitedPassage]] = {}
        for copy in cited:
            self._cited.setdefault(copy.answer_id, []).append(copy)
        self._places = _places(session, {copy.passage_id for copy in cited})
        given = {str(a.trace["answered_by"]) for a in answers if a.trace.get("answered_by")}
        wanted = {place[0] for place in self._places.values()} | given
        self._current = _in_force(session, wanted, on)
        self._texts = _texts(session, self._current.values(), {c.label for c in cited})
        self._titles = _titles(session, wanted)

    def of(self, answer: AnswerRecord) -> list[Compared]:
        """The cited passages of one answer, in order."""
        return [self._passage(copy) for copy in self._cited.get(answer.id, ())]

    def reviewed(self, answer: AnswerRecord) -> Compared | None:
        """The reviewed item that the answer was given from, where its own words were given."""
        document = answer.trace.get("answered_by")
        if not document or document not in self._titles:
            return None
        title, kind = self._titles[document]
        then, revision = str(answer.answer.get("summary", "")), self._current.get(document)
        body = revision.body if revision else {}
        today = body.get("answer") if kind == Kind.FAQ else None
        if revision is None:
            return Compared(title, "", then, "gone", document)
        if today is None:  # a card is more than the words above it
            return Compared(title, "", then, "item", document)
        return _compared(title, "", then, str(today), document)

    def _passage(self, copy: CitedPassage) -> Compared:
        place = self._places.get(copy.passage_id)
        if place is None:
            return Compared(copy.title, copy.label, copy.text, "gone")
        document, label = place
        revision = self._current.get(document)
        today = self._texts.get((revision.id, label)) if revision else None
        if today is None:
            return Compared(copy.title, copy.label, copy.text, "gone", document)
        return _compared(copy.title, copy.label, copy.text, today, document)


def _compared(title: str, label: str, then: str, today: str, document: str) -> Compared:
    if then.strip() == today.strip():
        return Compared(title, label, then, "same", document)
    found = between({"text": then}, {"text": today})
    return Compared(title, label, then, "changed", document, found[0].lines if found else ())


def _places(session: Session, ids: set[str]) -> dict[str, tuple[str, str]]:
    """Document and label of passages by id. Passages stay for good, whatever became of them."""
    rows = session.execute(
        select(passages.c.id, revisions.c.document_id, passages.c.label)
        .join(revisions, revisions.c.id == passages.c.revision_id)
        .where(passages.c.id.in_(ids))
    )
    return {row.id: (row.document_id, row.label) for row in rows}


def _in_force(session: Session, ids: Iterable[str], on: date) -> dict[str, Revision]:
    """The revision of each document that is in force on a day."""
    rows = session.execute(
        select(revisions)
        .where(revisions.c.document_id.in_(set(ids)), revisions.c.status == Status.PUBLISHED)
        .order_by(revisions.c.effective_from, revisions.c.id)
    )
    found = {}
    for row in rows:
        fields = dict(row._mapping)
        fields |= {"status": Status(row.status), "date_basis": DateBasis(row.date_basis)}
        revision = Revision(**fields)
        if in_force(revision, on):
            found[revision.document_id] = revision
    return found


def _texts(
    session: Session, current: Iterable[Revision], labels: set[str]
) -> dict[tuple[str, str], str]:
    rows = session.execute(
        select(passages.c.revision_id, passages.c.label, passages.c.text)
        .where(
            passages.c.revision_id.in_({revision.id for revision in current}),
            passages.c.label.in_(labels),
        )
        .order_by(passages.c.ordinal.desc())  # of several of one label the first stays
    )
    return {(row.revision_id, row.label): row.text for row in rows}


def _titles(session: Session, ids: set[str]) -> dict[str, tuple[str, str]]:
    rows = session.execute(
        select(documents.c.id, documents.c.title, documents.c.kind).where(documents.c.id.in_(ids))
    )
    return {row.id: (row.title, row.kind) for row in rows}


def as_dict(compared: Compared | None) -> dict[str, Any] | None:
    """As JSON."""
    if compared is None:
        return None
    return {
        "title": compared.title,
        "label": compared.label,
        "text": compared.text,
        "now": compared.now,
        "document": compared.document,
        "lines": [[{"op": op, "text": text} for op, text in line] for line in compared.lines],
    }
