"""The laws that are held, to look things up in: by name, alias, article or words; with versions,
how sure their dates are, and what rests on an article."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from knowledge import text as texts
from knowledge.citations import LawBook, Verdict
from knowledge.library import Library
from knowledge.lifecycle import in_force
from knowledge.models import DateBasis, Document, Kind, Passage, Revision
from knowledge.statutes import chinese_date, short_title
from service.curation import difference
from service.errors import NotFound

BASES = {
    DateBasis.SOURCE: "施行日期：来源写明",
    DateBasis.TEXT: "施行日期：正文的施行条款写明",
    DateBasis.CORRECTION: "施行日期：核对后更正",
    DateBasis.PUBLICATION: "只知道公布日期，施行日期不早于这一天",
    DateBasis.UNKNOWN: "是否现行没有核实，不作现行法律引用",
}
STATES = {
    "in_force": "现行",
    "future": "尚未施行",
    "past": "不再有效",
    "unknown": "效力未核实",
}
MAX_HITS = 50
_SNIPPET = 60  # characters on either side of what was found
_ABBREVIATED = 30  # characters; longer words are no name of a law


@dataclass(frozen=True, slots=True)
class Hit:
    """An article in which all the words stand, with the piece of it to show: what is before the
    first of them, that word, and what is after."""

    law: str
    title: str
    label: str
    path: str
    before: str
    found: str
    after: str


class Statutes:
    """Reads a library and its law book; build one a request."""

    def __init__(self, library: Library, laws: LawBook, today: date) -> None:
        self._library, self._laws, self._today = library, laws, today

    def laws(self, *, words: str = "", level: str = "", state: str = "") -> list[dict[str, Any]]:
        """The laws whose name, alias or abbreviation has the words, by title."""
        key = words.strip()
        known = self._laws.resolve(key) if key and len(key) <= _ABBREVIATED else None
        out = []
        for document in self._library.documents.values():
            if document.kind is not Kind.STATUTE or level not in ("", document.level):
                continue
            named = not key or any(key in name for name in (document.title, *document.aliases))
            if not named and document.id != known:
                continue
            row = self._row(document)
            if row and state in ("", row["state"]):
                out.append(row)
        return sorted(out, key=lambda row: (row["id"] != known, row["title"]))

    def levels(self) -> list[str]:
        documents = self._library.documents.values()
        return sorted({d.level for d in documents if d.kind is Kind.STATUTE and d.level})

    def _row(self, document: Document) -> dict[str, Any] | None:
        versions = self._library.versions(document.id)
        if not versions:
            return None
        current = self._library.revision_in_force(document.id, self._today)
        shown = current or versions[-1]
        return {
            "id": document.id,
            "title": document.title,
            "level": document.level,
            "issuer": document.issuer,
            "aliases": document.aliases,
            "state": self._state(document.id),
            "versions": len(versions),
            "effective_from": shown.effective_from,
            "published_on": shown.published_on,
            "certain": shown.date_basis not in (DateBasis.PUBLICATION, DateBasis.UNKNOWN),
            "articles": len(self._library.texts(shown.id)),
            "changes_on": self._changes_on(document.id, shown),
        }

    def _state(self, law: str) -> str:
        if self._library.revision_in_force(law, self._today):
            return "in_force"
        versions = self._library.versions(law)
        if any(v.effective_from and v.effective_from > self._today for v in versions):
            return "future"
        unknown = any(v.date_basis is DateBasis.UNKNOWN and not v.effective_until for v in versions)
        return "unknown" if unknown else "past"

    def _changes_on(self, law: str, shown: Revision) -> date | None:
        """The next known day on which another version begins."""
        days = (v.effective_from for v in self._library.versions(law) if v is not shown)
        return min((d for d in days if d and d > self._today), default=None)

    def named(self, words: str) -> list[dict[str, str]]:
        """Articles that the words name: 民法典1079条, 劳动合同法第八十二条."""
        found = self._laws.check_text(words, self._today)
        return [
            {"law": c.source.document.id, "label": c.source.passage.label, "name": c.source.name}
            for c in found
            if c.source and c.verdict is Verdict.VERIFIED
        ]

    def search(self, words: str, *, everything: bool = False) -> tuple[list[Hit], int]:
        """Articles in which all the words stand, and how many there are; of law in force today,
        or of all versions."""
        wanted = [w for w in texts.normalise(words).split() if w]
        if not wanted:
            return [], 0
        held = self._library.revisions_in_force(self._today)
        hits: list[Hit] = []
        count = 0
        for passage in self._library.passages.values():
            if not all(w in passage.text for w in wanted):
                continue
            revision = self._library.revisions[passage.revision_id]
            document = self._library.documents[revision.document_id]
            if document.kind is not Kind.STATUTE or not (everything or revision.id in held):
                continue
            count += 1
            if len(hits) < MAX_HITS:
                hits.append(_hit(document, passage, wanted[0]))
        return hits, count

    def law(self, law: str, version: str | None = None) -> dict[str, Any]:
        """One law in one version (the one in force, or the newest): contents, articles, versions.
        Raises NotFound."""
        document = self._document(law)
        revision = self._version(law, version)
        cited = self._cited(revision)
        parts: list[dict[str, Any]] = []
        for passage in self._library.texts(revision.id):
            if not parts or parts[-1]["path"] != passage.path:
                parts.append({"path": passage.path, "articles": []})
            parts[-1]["articles"].append(
                {"label": passage.label, "text": passage.text, "cited": cited[passage.label]}
            )
        row = self._row(document)
        return {
            "law": row,
            "version": self._described(revision),
            "versions": [self._described(v) for v in reversed(self._library.versions(law))],
            "parts_of": parts,
            "missing": revision.body.get("missing", []),
            "note": revision.body.get("note", ""),
            "source": revision.source,
        }

    def article(self, law: str, label: str) -> dict[str, Any]:
        """One article through all versions, newest first, each with what changed; and what cites
        it. Raises NotFound."""
        document = self._document(law)
        versions = self._library.versions(law)
        history: list[dict[str, Any]] = []
        before: str | None = None
        for revision in versions:
            source = self._library.article(revision.id, label)
            now = source.passage.text if source else None
            if revision is versions[0] or now != before:
                entry = self._described(revision) | {"text": now, "lines": []}
                entry["path"] = source.passage.path if source else ""
                if before is not None and now is not None:
                    found = difference.between({}, {}, texts=(before, now))
                    entry["lines"] = found[0].as_dict()["lines"] if found else []
                history.append(entry)
            before = now
        if not any(entry["text"] is not None for entry in history):
            raise NotFound("article_unknown", f"《{document.title}》没有{label}。")
        current = self._library.revision_in_force(law, self._today)
        source = self._library.article(current.id, label) if current else None
        return {
            "law": self._row(document),
            "label": label,
            "text": source.passage.text if source else None,
            "path": source.passage.path if source else "",
            "version": self._described(current or versions[-1]),
            "history": history[::-1],
            "cited_by": self._citing(law, label),
            "neighbours": self._neighbours(current or versions[-1], label),
        }

    def _neighbours(self, revision: Revision, label: str) -> tuple[str | None, str | None]:
        labels = [p.label for p in self._library.texts(revision.id)]
        if label not in labels:
            return None, None
        at = labels.index(label)
        return labels[at - 1] if at else None, labels[at + 1] if at + 1 < len(labels) else None

    def _citing(self, law: str, label: str) -> list[dict[str, str]]:
        return [
            {"id": d.id, "title": d.title, "kind": d.kind.value}
            for d in _citations(self._laws, self._today)[law, label]
        ]

    def _cited(self, revision: Revision) -> dict[str, int]:
        found = _citations(self._laws, self._today)
        of = {p.label: len(found[revision.document_id, p.label]) for p in self._texts(revision)}
        return defaultdict(int, of)

    def _texts(self, revision: Revision) -> Sequence[Passage]:
        return self._library.texts(revision.id)

    def _document(self, law: str) -> Document:
        document = self._library.documents.get(law)
        if document is None or document.kind is not Kind.STATUTE:
            raise NotFound("law_unknown", "没有收录这部法律。")
        return document

    def _version(self, law: str, version: str | None) -> Revision:
        versions = self._library.versions(law)
        if version:
            for revision in versions:
                if revision.id == version:
                    return revision
            raise NotFound("version_unknown", "没有收录这个版本。")
        if not versions:
            raise NotFound("version_unknown", "没有收录这部法律的条文。")
        return self._library.revision_in_force(law, self._today) or versions[-1]

    def _described(self, revision: Revision) -> dict[str, Any]:
        return {
            "id": revision.id,
            "published_on": revision.published_on,
            "effective_from": revision.effective_from,
            "effective_until": revision.effective_until,
            "basis": BASES[revision.date_basis],
            "certain": revision.date_basis not in (DateBasis.PUBLICATION, DateBasis.UNKNOWN),
            "in_force": in_force(revision, self._today),
            "span": span_of(revision),
        }


def span_of(revision: Revision) -> str:
    """From when until when a version is law, in words."""
    start, end = revision.effective_from, revision.effective_until
    if revision.date_basis is DateBasis.UNKNOWN or start is None:
        return "施行日期不明"
    about = "不早于" if revision.date_basis is DateBasis.PUBLICATION else ""
    until = f"至{chinese_date(end)}" if end else "起"
    return f"{about}{chinese_date(start)}{until}"


def _hit(document: Document, passage: Passage, word: str) -> Hit:
    at = passage.text.index(word)
    begin, end = max(0, at - _SNIPPET), at + len(word) + _SNIPPET
    return Hit(
        law=document.id,
        title=short_title(document.title),
        label=passage.label,
        path=passage.path,
        before=("…" if begin else "") + passage.text[begin:at],
        found=word,
        after=passage.text[at + len(word) : end] + ("…" if end < len(passage.text) else ""),
    )


@lru_cache(maxsize=2)
def _citations(laws: LawBook, today: date) -> defaultdict[tuple[str, str], list[Document]]:
    """(law, label) → the documents in force that cite it."""
    found: defaultdict[tuple[str, str], list[Document]] = defaultdict(list)
    for document, revision in _content(laws.library, today):
        for citation in dict.fromkeys(revision.body.get("cites", ())):
            try:
                source = laws.cite(citation, today)
            except LookupError:
                continue
            found[source.document.id, source.passage.label].append(document)
    return found


def _content(library: Library, today: date) -> Iterator[tuple[Document, Revision]]:
    for document in library.documents.values():
        revision = library.revision_in_force(document.id, today)
        if document.kind is not Kind.STATUTE and revision:
            yield document, revision
