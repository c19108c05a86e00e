"""Saving: every save is a new revision, and nobody's words are lost."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from ingest import content
from ingest.pipeline import Incoming
from knowledge import store
from knowledge.models import Revision, Status
from service.auth import Member
from service.curation import chain, form, shelf, views
from service.curation.difference import changes
from service.curation.errors import BadFields, EditedMeanwhile
from service.curation.ledger import Ledger, words
from service.errors import BadRequest
from service.models import Edit

ORIGIN = "staff"  # of a document that was begun here


class Drafts(Ledger):
    """What a curator does with words."""

    def save(
        self,
        member: Member,
        *,
        document_id: str | None,
        kind: str,
        body: Mapping[str, Any],
        base: str | None,
        note: str = "",
        origin: str = "staff",
        merges: str | None = None,
    ) -> dict[str, Any]:
        """A new draft of a document, or (None) of a new one; returns the revision.

        `base` is the revision that the editor started from (None for a new document), `merges` a
        draft set aside whose words went in, `origin` where the idea came from. Raises BadFields
        with all that is wrong; EditedMeanwhile when somebody else has saved since `base`: then the
        words are kept in a draft aside. NotFound, NotAllowed, Conflict.
        """
        item = self._checked(member, document_id, kind, body)
        prepared = content.to_incoming(item, ORIGIN)
        return self._put(
            member,
            prepared,
            is_new=document_id is None,
            base=base,
            note=note,
            origin=origin,
            merges=merges,
        )

    def add(
        self,
        member: Member,
        incoming: Incoming,
        *,
        base: str | None = None,
        note: str = "",
        origin: str = "import",
    ) -> dict[str, Any]:
        """A new draft as a parser read it, of a document that may be new: for what has no form here
        (policies, statutes). Ids of revision and passages, status and author are set here. Raises
        like `save`."""
        with self._sessions() as session:
            is_new = store.document(session, incoming.document.id) is None
        if not member.sees(incoming.document.region):
            raise BadFields({"region": _other_region(member)})
        return self._put(
            member, incoming, is_new=is_new, base=base, note=note, origin=origin, merges=None
        )

    def prepared(
        self, member: Member, *, document_id: str | None, kind: str, body: Mapping[str, Any]
    ) -> Incoming:
        """What a save of these words would store, without storing it: for a preview. Raises
        BadFields."""
        return content.to_incoming(self._checked(member, document_id, kind, body), ORIGIN)

    def incoming(self, member: Member, revision: str) -> Incoming:
        """A revision as `Serving.candidate` takes it: how the store would hold it if it were
        published now. Raises NotFound."""
        with self._sessions() as session:
            found = chain.seen_revision(session, member, revision)
            document = chain.seen(session, member, found.document_id)
            texts = store.passages_of(session, revision)
        if document.kind in form.EDITED:
            item = form.item_of(document.kind, form.body_of(found))
            document = replace(
                content.to_incoming(item, document.origin).document, aliases=document.aliases
            )
        else:
            document = form.described(document, found)
        published = replace(
            found, status=Status.PUBLISHED, effective_from=None, effective_until=None
        )
        if document.kind in form.DATED:
            published = replace(found, status=Status.PUBLISHED)
        return Incoming(document, published, tuple(texts))

    def _checked(
        self, member: Member, document_id: str | None, kind: str, body: Mapping[str, Any]
    ) -> content.AnyItem:
        with self._sessions() as session:
            known = self._known(session, self._today())
            present = chain.seen(session, member, document_id) if document_id else None
        if present and present.kind != kind:
            raise BadFields({"kind": "一条内容的类别不能改，请新建一条。"})
        if present is None and kind not in form.WRITTEN:
            raise BadFields({"kind": "不能新建这一类内容。"})
        identity = document_id or f"{kind}-{secrets.token_hex(4)}"
        item = form.checked(identity, kind, body, known)
        if not member.sees(item.region):
            raise BadFields({"region": _other_region(member)})
        return item

    def _put(
        self,
        member: Member,
        prepared: Incoming,
        *,
        is_new: bool,
        base: str | None,
        note: str,
        origin: str,
        merges: str | None,
    ) -> dict[str, Any]:
        note = words(note, "修改说明", required=False)
        identity = prepared.document.id
        at = self._clock()
        conflict: EditedMeanwhile | None = None
        with self._sessions.begin() as session:
            if is_new:
                store.save_document(session, prepared.document)
            document = chain.locked(session, member, identity)
            newest = chain.newest(session, identity)
            self._check_base(session, identity, base, merges)
            if newest and newest.id != base:
                own = chain.only_own_between(session, newest.id, base, member)
                conflict = None if own else _conflict(session, newest)
            if not conflict and newest and _is_same(newest, prepared) and not merges:
                if newest.status is Status.PUBLISHED:
                    raise BadRequest("unchanged", "内容和已发布的一样，没有需要保存的改动。")
                if newest.status in chain.OPEN:
                    return shelf.one(session, newest)
            if not conflict and newest and newest.status in chain.OPEN:
                self._move(session, member, newest, Status.WITHDRAWN, "replaced", None)
            saved = chain.insert(
                session,
                replace(prepared, document=replace(prepared.document, origin=document.origin)),
                member,
                base=base if conflict or not newest else newest.id,
                merges=merges,
                aside=conflict is not None,
                origin=origin[:20],
                note=note,
                at=at,
            )
            self._close_merged(session, member, merges)
            if not conflict and not store.revisions_of(session, identity, Status.PUBLISHED):
                store.save_document(session, replace(prepared.document, origin=document.origin))
            self._record(
                session, member, "save", saved, {"origin": origin, "aside": bool(conflict)}
            )
            view = shelf.one(session, saved)
            if conflict:
                conflict.keep(saved.id, changes(session, newest or saved, saved))
        if conflict:
            raise conflict
        return view

    @staticmethod
    def _check_base(
        session: Session, document_id: str, base: str | None, merges: str | None
    ) -> None:
        for named in (base, merges):
            found = store.revision(session, named) if named else None
            if named and (found is None or found.document_id != document_id):
                raise BadRequest("base_unknown", "这一稿是从另一条内容开始改的，请重新打开编辑页。")

    def _close_merged(self, session: Session, member: Member, merges: str | None) -> None:
        """What was set aside has found its way in; an upgrade's version has been dealt with."""
        merged = store.revision(session, merges) if merges else None
        if merged and merged.status in chain.OPEN:
            self._move(session, member, merged, Status.WITHDRAWN, "merged", None)


def _conflict(session: Session, newest: Revision) -> EditedMeanwhile:
    edit = session.get(Edit, newest.id)
    names = views.names(session, [newest.author])
    return EditedMeanwhile(
        who=views.person(newest.author, names)["name"],
        at=views.moment(edit.saved_at) if edit else None,
        newest=newest.id,
    )


def _is_same(revision: Revision, prepared: Incoming) -> bool:
    """Only what has a form has all its words in the body."""
    return prepared.document.kind in form.EDITED and revision.body == prepared.revision.body


def _other_region(member: Member) -> str:
    return f"您的账号只负责{member.region}，不能写别处的内容。"
