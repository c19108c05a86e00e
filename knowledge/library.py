"""The published knowledge in memory: which law is in force on a day, and its exact articles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from sqlalchemy.orm import Session

from knowledge import store
from knowledge.lifecycle import in_force
from knowledge.models import DateBasis, Document, Kind, Passage, Revision, Status


@dataclass(frozen=True, slots=True)
class Source:
    """A passage with the revision and document it belongs to: all that a citation needs."""

    passage: Passage
    revision: Revision
    document: Document

    @property
    def name(self) -> str:
        """《中华人民共和国民法典》第一千零七十九条"""
        return f"《{self.document.title}》{self.passage.label}"


@dataclass(frozen=True)
class Repealed:
    """A law that is law no longer, whose text need not be held."""

    law: str
    aliases: tuple[str, ...]
    repealed_on: date | None
    replaced_by: str | None  # title
    basis: str
    note: str
    articles: dict[str, tuple[str, ...]] = field(default_factory=dict)  # "32" → ("1079",)


class Library:
    """A read model of everything published, immutable once made.

    Give it documents, revisions and passages that belong together, or use `Library.load`.
    """

    def __init__(
        self,
        documents: Iterable[Document],
        revisions: Iterable[Revision],
        passages: Iterable[Passage],
        repealed: Iterable[Repealed] = (),
    ) -> None:
        self.documents = {d.id: d for d in documents}
        self.revisions = {r.id: r for r in revisions}
        self.passages = {p.id: p for p in passages}
        self.repealed = tuple(repealed)
        self._of_document: dict[str, list[Revision]] = defaultdict(list)
        for revision in self.revisions.values():
            self._of_document[revision.document_id].append(revision)
        for versions in self._of_document.values():
            versions.sort(key=lambda r: (r.effective_from or date.min, r.id))
        self._articles: dict[tuple[str, str], Passage] = {}
        self._of_revision: dict[str, list[Passage]] = defaultdict(list)
        for passage in self.passages.values():
            self._of_revision[passage.revision_id].append(passage)
            if self.document_of(passage).kind is Kind.STATUTE:
                self._articles[passage.revision_id, passage.label] = passage
        self._revisions_in_force = lru_cache(maxsize=16)(self._find_in_force)

    @classmethod
    def load(cls, session: Session, repealed: Iterable[Repealed] = ()) -> Library:
        """Everything published in the store."""
        return cls(
            store.all_documents(session).values(),
            store.all_revisions(session, Status.PUBLISHED).values(),
            store.published_passages(session),
            repealed,
        )

    def document_of(self, passage: Passage) -> Document:
        return self.documents[self.revisions[passage.revision_id].document_id]

    def source(self, passage_id: str) -> Source:
        """The passage with its revision and document. Raises KeyError if it is not published."""
        passage = self.passages[passage_id]
        revision = self.revisions[passage.revision_id]
        return Source(passage, revision, self.documents[revision.document_id])

    def versions(self, document_id: str) -> list[Revision]:
        """All published revisions of a document, oldest first."""
        return self._of_document.get(document_id, [])

    def revision_in_force(self, document_id: str, on: date) -> Revision | None:
        """The revision in force on that day; the newest, should two overlap."""
        current = [r for r in self.versions(document_id) if in_force(r, on)]
        return current[-1] if current else None

    def revisions_in_force(self, on: date) -> frozenset[str]:
        """Ids of all revisions in force on that day (one a document)."""
        return self._revisions_in_force(on)

    def _find_in_force(self, on: date) -> frozenset[str]:
        found = (self.revision_in_force(d, on) for d in self._of_document)
        return frozenset(r.id for r in found if r is not None)

    def article(self, revision_id: str, label: str) -> Source | None:
        """One article of one version, by its label 第八十二条."""
        passage = self._articles.get((revision_id, label))
        return self.source(passage.id) if passage else None

    def texts(self, revision_id: str) -> list[Passage]:
        """The passages of a revision in order."""
        return sorted(self._of_revision.get(revision_id, []), key=lambda p: p.ordinal)

    def current(self, document_id: str, on: date) -> Source | None:
        """A document's first passage in the revision in force: enough to reach its body."""
        revision = self.revision_in_force(document_id, on)
        texts = self.texts(revision.id) if revision else []
        return self.source(texts[0].id) if texts else None

    def boundaries(self) -> list[date]:
        """Days on which some law starts to be, or is no longer, in force."""
        days = set()
        for revision in self.revisions.values():
            if revision.date_basis is not DateBasis.UNKNOWN:
                days |= {d for d in (revision.effective_from, revision.effective_until) if d}
        return sorted(days)
