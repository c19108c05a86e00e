"""What a clerk should know of a file before it is saved: how its passages will be found and shown,
what is published already, and whether what it cites is law."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.readers import ReadDocument
from ingest.readers.passages import Piece
from ingest.readers.rows import TableRow
from knowledge import store
from knowledge.citations import LawBook
from knowledge.library import Library
from knowledge.models import Kind, Revision, Status
from service.curation import papers, views
from service.curation.resemblance import Resemblances
from service.models import Import

STATUSES = {"read": "待确认", "saving": "正在生成", "saved": "已生成草稿", "discarded": "不导入"}
_MAX_CHECKED = 200_000  # characters in which citations are looked for


def shown_passages(library: Library, pieces: Sequence[Piece], besides: str) -> list[dict[str, Any]]:
    """Each passage with the published one that it resembles, if any; none of the document
    `besides`, which the file is a new version of."""
    resemblances = Resemblances.over(library)
    out = []
    for at, piece in enumerate(pieces):
        near = resemblances.nearest(piece.text, besides=besides)
        like = None
        if near:
            name, text = near.source.name, near.source.passage.text
            like = {"name": name, "share": round(near.share, 2), "text": text}
        out.append(
            {"at": at, "label": piece.label, "path": piece.path, "text": piece.text, "like": like}
        )
    return out


def citations_of(laws: LawBook, document: ReadDocument, today: date) -> list[dict[str, Any]]:
    """Each citation of law once, those that do not stand first."""
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for one in laws.check_text(document.text[:_MAX_CHECKED], today):
        found.setdefault(
            (one.law, one.mention.label),
            {
                "law": one.law,
                "article": one.mention.label,
                "verdict": one.verdict.value,
                "note": one.note,
                "instead": [s.name for s in one.replaced_by],
            },
        )
    return sorted(found.values(), key=lambda c: c["verdict"] == "verified")


def possible_forms(document: ReadDocument, rows: Sequence[TableRow]) -> dict[str, str]:
    """What the clerk may choose to make of a document."""
    kinds: set[str] = {row.kind for row in rows}
    kinds |= {"policy"} | ({"statute"} if papers.articles_of(document) else set())
    return {form: name for form, name in papers.FORMS.items() if form in kinds}


def plain_title(title: str) -> str:
    """A title without what changes between versions: years, brackets, 关于印发…的通知."""
    inner = re.search(r"印发《(.+)》", title) or re.fullmatch(r"《(.+)》", title)
    title = inner[1] if inner else title
    title = re.sub(r"[（(][^（）()]*(?:修订|修正|试行|暂行|版|年)[^（）()]*[)）]", "", title)
    return re.sub(r"[\s《》“”]|^中华人民共和国|^(?:19|20)\d\d年?", "", title)


def namesakes(session: Session, document: ReadDocument, today: date) -> list[dict[str, Any]]:
    """Policies and laws of the same title or number that are published or wait: the file may be a
    new version of one of them."""
    number = document.metadata.get("document_number", "")
    title = plain_title(document.title)
    query = (
        select(store.documents, store.revisions.c.document_number)
        .join(store.revisions, store.revisions.c.document_id == store.documents.c.id)
        .where(
            store.documents.c.kind.in_([Kind.POLICY, Kind.STATUTE]),
            store.revisions.c.status != Status.WITHDRAWN,
        )
    )
    found: dict[str, dict[str, Any]] = {}
    for row in session.execute(query):
        same_number = bool(number) and row.document_number == number
        if same_number or plain_title(row.title) == title:
            why = "文号相同" if same_number else "名称相同"
            found[row.id] = {"id": row.id, "title": row.title, "kind": row.kind, "why": why}
    for entry in found.values():
        newest = max(
            store.revisions_of(session, entry["id"]), key=lambda r: r.published_on or date.min
        )
        entry |= _dated(newest, today)
    return list(found.values())


def _dated(revision: Revision, today: date) -> dict[str, Any]:
    started = revision.effective_from
    return {
        "number": revision.document_number,
        "published_on": revision.published_on.isoformat() if revision.published_on else None,
        "effective_from": started.isoformat() if started else None,
        "status": revision.status.value,
        "future": bool(started and started > today),
    }


def titles_of(session: Session, kind: Kind) -> set[str]:
    """Titles of what is published or waits, of one kind."""
    alive = store.revisions.c.status != Status.WITHDRAWN
    query = (
        select(store.documents.c.title)
        .join(store.revisions, store.revisions.c.document_id == store.documents.c.id)
        .where(store.documents.c.kind == kind, alive)
    )
    return set(session.scalars(query))


def view_of(row: Import, names: dict[str, str]) -> dict[str, Any]:
    """An import as a line of the list."""
    return {
        "id": row.id,
        "file_name": row.file_name,
        "size": row.size,
        "kind": row.kind,
        "title": row.title,
        "by": names.get(row.staff_id, ""),
        "imported_at": views.moment(row.imported_at),
        "status": row.status,
        "status_name": STATUSES[row.status],
        "as": row.report.get("form"),
        "drafts": [dict(draft) for draft in row.report.get("drafts", [])],
        "skipped": row.report.get("left_out", []),
    }
