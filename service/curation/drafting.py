"""Drafts from a document that was read: one of a policy or a law, one for each row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from ingest.readers import ReadDocument
from ingest.readers.rows import TableRow, rows_of
from knowledge import store
from knowledge.models import Kind
from service.auth import Member
from service.curation import chain, papers
from service.curation.desk import Curation
from service.curation.errors import BadFields
from service.curation.import_preview import titles_of
from service.curation.papers import Paper
from service.errors import Conflict

MAX_ROWS = 300  # of a table that becomes cards or questions, each its own draft to review


class Drafting:
    """Makes what `Imports.save` decides to make, through the curation of everything else."""

    def __init__(self, sessions: sessionmaker[Session], curation: Curation, today: date) -> None:
        self._sessions, self._curation, self._today = sessions, curation, today

    def of_paper(
        self,
        member: Member,
        document: ReadDocument,
        form: str,
        paper: Paper,
        replaces: str | None,
        left_out: Sequence[int],
    ) -> dict[str, Any]:
        if form == "statute":
            incoming = papers.statute(document, paper, self._today)
        else:
            pieces = papers.kept_pieces(document, left_out)
            if not pieces:
                raise BadFields({"left_out": "至少要留一段。"})
            incoming = papers.policy(replaces, paper, pieces, self._today)
        base = self._base(member, incoming.document.id, incoming.document.kind)
        note = f"从文件导入：{document.title[:100]}"
        saved = self._curation.add(member, incoming, base=base, note=note, origin="import")
        return _draft(saved, [])

    def _base(self, member: Member, document_id: str, kind: Kind) -> str | None:
        """What a new version is put on top of. Raises Conflict while somebody works on it."""
        with self._sessions() as session:
            present = store.document(session, document_id)
            if present is None:
                return None
            chain.seen(session, member, document_id)
            if present.kind is not kind:
                raise BadFields({"replaces": "要代替的内容不是同一类，请重新选择。"})
            newest = chain.newest(session, document_id)
        if newest and newest.status in chain.OPEN and newest.author != member.id:
            raise Conflict(
                "draft_open", "有人正在改这份文件，请先发布或者作废那一稿，再导入新版本。"
            )
        return newest.id if newest else None

    def of_rows(
        self,
        member: Member,
        document: ReadDocument,
        form: str,
        paper: Paper,
        left_out: Sequence[int],
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """A draft for each row: through the editor's own checks where it passes them, with a list
        of what is missing where it does not."""
        rows = [r for r in rows_of(document) if r.kind == form and r.number not in set(left_out)]
        if not rows:
            raise BadFields({"left_out": "表里没有可以导入的行。"})
        if len(rows) > MAX_ROWS:
            raise BadFields({"left_out": f"一次最多导入{MAX_ROWS}行，请拆开。"})
        defaults = {"region": paper.region, "topic": paper.topic, "source": paper.source}
        drafts, skipped = [], []
        with self._sessions() as session:
            taken = titles_of(session, Kind(form))
        for row in rows:
            title = str(row.fields.get("question") or row.fields.get("title"))
            if title in taken:
                skipped.append({"row": row.number, "title": title, "why": "已有同名的一条"})
                continue
            try:
                draft = self._of_row(member, row, form, defaults)
            except BadFields as error:  # of this row alone: the others go on
                why = "".join(sorted(error.fields.values()))
                skipped.append({"row": row.number, "title": title, "why": why})
                continue
            taken.add(title)
            drafts.append(draft | {"row": row.number})
        return drafts, skipped

    def _of_row(
        self, member: Member, row: TableRow, form: str, defaults: dict[str, str]
    ) -> dict[str, Any]:
        body = papers.row_body(row, defaults, self._today)
        note = f"从表格第{row.number}行导入"
        try:
            saved = self._curation.save(
                member,
                document_id=None,
                kind=form,
                body=body,
                base=None,
                note=note,
                origin="import",
            )
            return _draft(saved, [])
        except BadFields as error:
            incoming = papers.row_incoming("faq" if form == "faq" else "service", body)
            saved = self._curation.add(member, incoming, note=note, origin="import")
            return _draft(saved, sorted(error.fields.values()))


def _draft(saved: dict[str, Any], missing: list[str]) -> dict[str, Any]:
    return {
        "document": saved["document"],
        "revision": saved["id"],
        "title": saved["title"],
        "kind": saved["kind"],
        "missing": missing,
    }
