"""Files become drafts: what was read is shown before anything is saved, and the same file twice is
the same import."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from ingest.readers import ReadDocument, Unreadable, read_apart
from ingest.readers.passages import pieces_of
from ingest.readers.rows import rows_of
from knowledge import store
from knowledge.citations import LawBook
from knowledge.library import Library
from knowledge.models import Status
from service import audit
from service.auth import Member
from service.curation import papers
from service.curation.desk import Curation
from service.curation.drafting import MAX_ROWS, Drafting
from service.curation.errors import BadFields
from service.curation.import_preview import (
    citations_of,
    namesakes,
    possible_forms,
    shown_passages,
    view_of,
)
from service.curation.papers import Paper
from service.errors import BadRequest, Conflict, NotFound
from service.models import Import, Staff, now
from service.serving import Serving

_STUCK = timedelta(minutes=10)  # a save that takes longer was killed: it may be done again
_OPEN = ("read", "saving")


class Imports:
    """Build one a request. Each change is committed before it is returned."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        folder: Path,
        library: Callable[[], Library],
        laws: Callable[[], LawBook],
        clock: Callable[[], datetime] = now,
        read: Callable[[str, bytes], ReadDocument] = read_apart,
    ) -> None:
        """`folder` is where the bytes are kept; `library` is what is published."""
        self._sessions, self._folder, self._clock = sessions, folder, clock
        self._library, self._laws, self._read = library, laws, read
        self._curation = Curation(sessions, laws, clock)

    @classmethod
    def of(cls, serving: Serving) -> Imports:
        """Over what serves, with the files in its home."""
        rooms = serving.rooms
        folder = rooms.settings.home / "imports"
        return cls(rooms.sessions, folder, lambda: serving.library, lambda: rooms.laws)

    # — receiving

    def receive(self, member: Member, name: str, data: bytes) -> tuple[dict[str, Any], bool]:
        """Read a file; the import and whether it is new. Raises BadRequest for what is not read."""
        name = _file_name(name)
        sha256 = papers.fingerprint(data)
        if known := self._known(member, sha256):
            return known, False
        try:
            document = self._read(name, data)
        except Unreadable as error:
            raise BadRequest(error.code, f"“{name}”没有导入：{error.message}") from error
        self._keep(sha256, data)
        at = self._clock()
        row = Import(
            id=f"i_{secrets.token_hex(6)}",
            file_name=name,
            sha256=sha256,
            size=len(data),
            kind=document.format,
            title=document.title[:400],
            staff_id=member.id,
            imported_at=at,
            changed_at=at,
            status="read",
            content=document.to_json(),
            report={},
        )
        try:
            with self._sessions.begin() as session:
                session.add(row)
                session.flush()
                self._record(session, member, "read", row, file=name, size=len(data))
                return self._view(session, row), True
        except IntegrityError:  # somebody sent the same file at the same moment
            if known := self._known(member, sha256):
                return known, False
            raise

    def _known(self, member: Member, sha256: str) -> dict[str, Any] | None:
        """The import of the same file; one that was set aside waits again."""
        with self._sessions.begin() as session:
            row = session.scalar(select(Import).where(Import.sha256 == sha256))
            if row is None:
                return None
            if row.status == "discarded":
                row.status, row.changed_at = "read", self._clock()
                self._record(session, member, "reopen", row)
            return self._view(session, row)

    def _keep(self, sha256: str, data: bytes) -> None:
        """The bytes under their fingerprint, all of them or nothing."""
        path = self._folder / sha256
        if path.exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        partial = self._folder / f"{sha256}.{secrets.token_hex(4)}.partial"
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    def original(self, import_id: str) -> tuple[str, Path]:
        """The name and the place of the bytes as they were sent. Raises NotFound."""
        with self._sessions() as session:
            row = _required(session, import_id)
        path = self._folder / row.sha256
        if not path.exists():
            raise NotFound("file_gone", "原文件不在这台机器上了。")
        return row.file_name, path

    # — reading

    def page(
        self, *, status: str = "", before: str | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """{imports, next}: newest first. Raises NotFound for a `before` that is not there."""
        query = select(Import).order_by(Import.imported_at.desc(), Import.id.desc())
        with self._sessions() as session:
            if status:
                query = query.where(Import.status == status)
            if before:
                last = _required(session, before)
                query = query.where(
                    or_(
                        Import.imported_at < last.imported_at,
                        (Import.imported_at == last.imported_at) & (Import.id < last.id),
                    )
                )
            rows = session.scalars(query.limit(limit + 1)).all()
            names = _names(session, rows)
            shown = [view_of(row, names) for row in rows[:limit]]
        return {"imports": shown, "next": shown[-1]["id"] if len(rows) > limit else None}

    def preview(self, import_id: str, form: str | None = None) -> dict[str, Any]:
        """All that the clerk should see before saving: what was read, as it will be found and
        shown, what is doubtful about it, and the fields to put right. Raises NotFound."""
        with self._sessions() as session:
            row = _required(session, import_id)
            document = ReadDocument.from_json(row.content)
            view = self._view(session, row)
            chosen = form if form in papers.FORMS else papers.suggested_form(document)
            rows = rows_of(document)
            if chosen in ("faq", "service"):
                rows = [r for r in rows if r.kind == chosen]
            own = {draft["document"] for draft in view["drafts"]}
            same = [s for s in namesakes(session, document, self._today()) if s["id"] not in own]
        view |= {
            "form": chosen,
            "suggested": papers.suggested_form(document),
            "forms": possible_forms(document, rows),
            "warnings": list(document.warnings),
            "fields": {
                "title": document.title,
                "level": papers.suggested_level(document.title),
                **document.metadata,
            },
            "same": same,
        }
        if chosen in ("faq", "service"):
            return view | {
                "rows": [{"number": r.number, "fields": r.fields} for r in rows[:MAX_ROWS]],
                "left_out": max(0, len(rows) - MAX_ROWS),
            }
        pieces = pieces_of(document)
        return view | {
            "passages": shown_passages(self._library(), pieces, same[0]["id"] if same else ""),
            "citations": citations_of(self._laws(), document, self._today()),
            "articles": len(papers.articles_of(document)),
        }

    # — saving

    def save(
        self,
        member: Member,
        import_id: str,
        *,
        form: str,
        paper: Paper,
        replaces: str | None = None,
        left_out: Sequence[int] = (),
    ) -> dict[str, Any]:
        """Make drafts of an import; `replaces` is the document of which it is a new version, and
        `left_out` the places of passages, or numbers of rows, that are not wanted.

        Raises NotFound, BadFields, BadRequest, Conflict when it is being saved or was.
        """
        if form not in papers.FORMS:
            raise BadFields({"form": "请选择导入成什么。"})
        papers.look_over(paper, form)
        document = self._claim(import_id)
        try:
            drafting = Drafting(self._sessions, self._curation, self._today())
            if form in ("faq", "service"):
                drafts, skipped = drafting.of_rows(member, document, form, paper, left_out)
            else:
                drafts = [drafting.of_paper(member, document, form, paper, replaces, left_out)]
                skipped = []
        except BaseException:
            self._settle(member, import_id, "read", None)
            raise
        report = {"form": form, "drafts": drafts, "left_out": skipped}
        return self._settle(member, import_id, "saved", report)

    def _claim(self, import_id: str) -> ReadDocument:
        """Take an import for saving: of two who save at once, one does."""
        at = self._clock()
        with self._sessions.begin() as session:
            free = or_(
                Import.status == "read",
                (Import.status == "saving") & (Import.changed_at < at - _STUCK),
            )
            row = _required(session, import_id)
            if row.status == "saved" and self._given_up(session, row):
                free = or_(free, Import.status == "saved")
            taken = session.execute(
                update(Import)
                .where(Import.id == import_id, free)
                .values(status="saving", changed_at=at)
                .execution_options(synchronize_session=False)
            ).rowcount  # type: ignore[attr-defined]
            if not taken:
                session.refresh(row)
                raise Conflict("import_over", _OVER.get(row.status, _OVER["saving"]))
            return ReadDocument.from_json(row.content)

    @staticmethod
    def _given_up(session: Session, row: Import) -> bool:
        """Whether none of the drafts that were made is alive: then they may be made again."""
        ids = [draft["revision"] for draft in row.report.get("drafts", [])]
        found = [store.revision(session, i) for i in ids]
        return all(r is None or r.status is Status.WITHDRAWN for r in found)

    def _settle(
        self, member: Member, import_id: str, status: str, report: dict[str, Any] | None
    ) -> dict[str, Any]:
        with self._sessions.begin() as session:
            row = _required(session, import_id)
            row.status, row.changed_at = status, self._clock()
            if report is not None:
                row.report = report
                documents = [draft["document"] for draft in report["drafts"]]
                self._record(session, member, "save", row, documents=documents[:50])
            session.flush()
            return self._view(session, row)

    def discard(self, member: Member, import_id: str) -> dict[str, Any]:
        """Decide not to import a file; it stays in the list. Raises NotFound, Conflict."""
        with self._sessions.begin() as session:
            row = _required(session, import_id)
            if row.status not in ("read", "discarded"):
                raise Conflict("import_over", _OVER.get(row.status, _OVER["saved"]))
            if row.status == "read":
                row.status, row.changed_at = "discarded", self._clock()
                self._record(session, member, "discard", row)
            return self._view(session, row)

    # — parts

    def _today(self) -> date:
        return store.today_in_china(self._clock())

    def _view(self, session: Session, row: Import) -> dict[str, Any]:
        view = view_of(row, _names(session, [row]))
        for draft in view["drafts"]:
            found = store.revision(session, draft["revision"])
            draft["status"] = found.status.value if found else "withdrawn"
        return view

    def _record(
        self, session: Session, member: Member, verb: str, row: Import, **detail: Any
    ) -> None:
        audit.append(
            session,
            actor=member.id,
            action=f"import.{verb}",
            subject="import",
            subject_id=row.id,
            detail={"sha256": row.sha256, **detail},
            at=self._clock(),
        )


_OVER = {
    "saving": "正在生成草稿，请稍候刷新。",
    "saved": "这份文件已经生成了草稿。要重新导入，先作废那些草稿。",
    "discarded": "这份文件已经标为不导入。要导入，请重新上传它。",
}


def _file_name(name: str) -> str:
    """The last part of what a browser sends, without what no file name has."""
    last = PurePosixPath(name.replace("\\", "/")).name
    last = re.sub(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\ud800-\udfff]", "", last).strip()
    stem, dot, extension = last.rpartition(".")
    return f"{stem[:200]}{dot}{extension[:20]}" if last else "未命名"


def _required(session: Session, import_id: str) -> Import:
    row = session.get(Import, import_id)
    if row is None:
        raise NotFound("import_unknown", "没有这次导入。")
    return row


def _names(session: Session, rows: Sequence[Import]) -> dict[str, str]:
    ids = {row.staff_id for row in rows}
    found = session.execute(select(Staff.id, Staff.name).where(Staff.id.in_(ids)))
    return {row[0]: row[1] for row in found}
