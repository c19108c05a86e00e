"""All that is done to what the assistant knows: every save a new revision, two people behind each
publication, nobody's words lost."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ingest.pipeline import Incoming
from knowledge import store
from knowledge.models import Kind, Revision, Status
from service.auth import Member, Permission
from service.curation import chain, form, shelf, views
from service.curation.difference import changes
from service.curation.drafts import Drafts
from service.curation.errors import BadFields
from service.curation.publishing import Publishing
from service.errors import BadRequest, Conflict
from service.models import Edit


class Curation(Drafts, Publishing):
    """Build one a request: `Curation(rooms.sessions, lambda: rooms.laws)`.

    Results are dicts: see `service.curation.views`. A member with a region reads what holds there,
    and changes what is of that region only; of the rest it is not told that it exists (NotFound).
    """

    def roll_back(
        self, member: Member, document: str, revision: str, *, note: str = ""
    ) -> dict[str, Any]:
        """A new revision with the words of an old one that was published, in review. Raises
        BadFields when the old words cannot stand any more, Conflict while somebody else has a
        draft, or for words that nobody but their author has stood behind: he could approve them
        himself."""
        with self._sessions() as session:
            old = chain.seen_revision(session, member, revision)
            found = chain.seen(session, member, document)
            present = chain.newest(session, document)
            texts = store.passages_of(session, revision)
            may_return = chain.may_return(session, revision)
        if old.document_id != document:
            raise BadRequest("revision_of_another", "这个版本不是这一条的。")
        if not may_return:
            raise Conflict(
                "never_published", "这一稿没有发布过，不能恢复；要用它的文字，请在编辑页另写一稿。"
            )
        if present and present.status in chain.OPEN and present.author != member.id:
            raise Conflict("draft_open", "有人正在改这一条，请先发布或者作废那一稿，再恢复旧版本。")
        note = note or f"恢复为{old.checked_on}核对的旧版本"
        base = present.id if present else None
        if found.kind in form.EDITED:
            draft = self.save(
                member,
                document_id=document,
                kind=found.kind,
                body=form.body_of(old),
                base=base,
                note=note,
                origin="rollback",
            )
        else:
            again = Incoming(form.described(found, old), old, tuple(texts))
            draft = self.add(member, again, base=base, note=note, origin="rollback")
        return self.submit(member, draft["id"], note=note)

    def find(
        self,
        member: Member,
        *,
        text: str = "",
        kind: str = "",
        topic: str = "",
        status: str = "",
        region: str = "",
        author: str = "",
        checked_before: date | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> dict[str, Any]:
        """{documents, next, counts}: a page of what the member may read, last changed first.

        `status`: published, draft, in_review, withdrawn, or `incoming` (an upgrade brought another
        version), `aside` (a draft waits to be merged), `scheduled`, `ending`. `before` is the last
        document of the page before. Statutes only with `kind="statute"`.
        """
        wanted = shelf.Wanted(
            text=text.strip()[:100],
            kind=kind,
            topic=topic,
            status=status,
            region=region,
            author=author,
            checked_before=checked_before,
        )
        today = self._today()
        with self._sessions() as session:
            return shelf.page(session, member, wanted, today, before=before, limit=limit)

    def document(self, member: Member, document: str) -> dict[str, Any]:
        """Everything about one document: what is published and what will be, drafts, history, what
        uses it, and how often it was shown. Raises NotFound."""
        today = self._today()
        with self._sessions() as session:
            found = chain.seen(session, member, document)
            return shelf.whole(session, found, today, self._clock())

    def revision(self, member: Member, revision: str) -> dict[str, Any]:
        """One revision with its words. Raises NotFound."""
        with self._sessions() as session:
            found = chain.seen_revision(session, member, revision)
            return shelf.one(session, found)

    def history(self, member: Member, document: str) -> list[dict[str, Any]]:
        """All revisions of a document, newest first. Raises NotFound."""
        history: list[dict[str, Any]] = self.document(member, document)["history"]
        return history

    def queue(self, member: Member) -> list[dict[str, Any]]:
        """What is in review, what waits longest first: each with its changes against what is
        published, the checks it passes, and why this member may not approve it, or None."""
        today = self._today()
        with self._sessions() as session:
            found = shelf.in_review(session, member)
            known = self._known(session, today) if found else None
            return [self._for_review(session, member, entry, known) for entry in found]

    def diff(self, member: Member, old: str, new: str) -> list[dict[str, Any]]:
        """What differs between two revisions of one document, field by field. Raises NotFound,
        BadRequest."""
        with self._sessions() as session:
            before = chain.seen_revision(session, member, old)
            after = chain.seen_revision(session, member, new)
            if before.document_id != after.document_id:
                raise BadRequest("other_document", "两个版本不是同一条内容的，没法比对。")
            return changes(session, before, after)

    def people(self) -> dict[str, str]:
        """Names by id of everybody who has saved something, by name."""
        with self._sessions() as session:
            known = views.names(session, session.scalars(select(Edit.staff_id).distinct()))
        return dict(sorted(known.items(), key=lambda pair: pair[1]))

    def cards(self) -> list[dict[str, str]]:
        """{id, title, kind} of what a step, a relation or a hotline may point to, by title."""
        kinds = (Kind.SERVICE, Kind.GUIDE, Kind.HOTLINE)
        with self._sessions() as session:
            rows = session.execute(
                shelf.USABLE.add_columns(shelf.documents.title).where(
                    shelf.documents.kind.in_(kinds)
                )
            ).all()
        found = [{"id": r.id, "title": r.title, "kind": str(r.kind)} for r in rows]
        return sorted(found, key=lambda card: card["title"])

    def cite(self, citation: str) -> dict[str, Any]:
        """{ok, name, text} of one article as it is law today, or {ok, problem}."""
        today = self._today()
        problem = form.citation_problem(self._laws(), citation, today)
        if problem:
            return {"ok": False, "problem": problem}
        source = self._laws().cite(citation.strip(), today)
        return {"ok": True, "name": source.name, "text": source.passage.text}

    def _for_review(
        self, session: Session, member: Member, found: Revision, known: form.Known | None
    ) -> dict[str, Any]:
        entry = shelf.one(session, found)
        published = shelf.serving(session, found.document_id, found.id)
        entry["against"] = published.id if published else None
        entry["changes"] = changes(session, published, found)
        entry["outdated"] = bool(published and entry["base"] and self._passed_by(session, entry))
        entry["problems"] = {}
        if known and entry["kind"] in form.EDITED:
            try:
                form.checked(found.document_id, entry["kind"], form.body_of(found), known)
            except BadFields as error:
                entry["problems"] = {form.label(k): v for k, v in error.fields.items()}
        entry["barred"] = self._barred(session, member, found, entry)
        return entry

    @staticmethod
    def _passed_by(session: Session, entry: dict[str, Any]) -> bool:
        """Whether something else was published after the draft was begun."""
        at = session.get(Edit, entry["id"])
        while at is not None and at.base_id is not None:
            base = store.revision(session, at.base_id)
            if base and base.status is Status.PUBLISHED:
                return False
            at = session.get(Edit, at.base_id)
        return True

    @staticmethod
    def _barred(
        session: Session, member: Member, found: Revision, entry: dict[str, Any]
    ) -> str | None:
        if not member.may(Permission.KNOWLEDGE_PUBLISH):
            return "您的账号没有复核发布的权限。"
        if member.id in chain.authors(session, found):
            return views.OWN_WORK
        if not member.sees(entry["region"]):
            return "这一条不只在您负责的地区使用，请不限地区的人员复核。"
        return None
