"""Revisions of one document as a chain of edits, read and moved inside a caller's transaction.

Whatever changes a document begins with `locked`: what is read after it cannot change before the
commit, so that of two people at once the second one sees what the first has done.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ingest.pipeline import SYSTEM, Incoming
from knowledge import lifecycle, store
from knowledge.models import Document, Revision, Status
from service.auth import Member
from service.curation import form
from service.errors import Conflict, NotAllowed, NotFound
from service.models import Edit, EditMove

OPEN = (Status.DRAFT, Status.IN_REVIEW)


def readable(member: Member, document: Document) -> bool:
    """Whether what the document says holds where the member works."""
    return lifecycle.applies_in(document.region, member.region or None)


def seen(session: Session, member: Member, document_id: str) -> Document:
    """Raises NotFound, also for what belongs to another region."""
    document = store.document(session, document_id)
    if document is None or not readable(member, document):
        raise NotFound("document_unknown", "没有这一条内容，或者它不在您负责的地区。")
    return document


def seen_revision(session: Session, member: Member, revision_id: str) -> Revision:
    """Raises NotFound."""
    revision = store.revision(session, revision_id)
    if revision is None:
        raise NotFound("revision_unknown", "没有这个版本。")
    seen(session, member, revision.document_id)
    return revision


def locked(session: Session, member: Member, document_id: str) -> Document:
    """The document, to be changed by nobody else until the commit. Raises NotFound, and NotAllowed
    for what may be read but belongs to a wider region than the member's."""
    same = store.documents.c.id
    session.execute(update(store.documents).where(same == document_id).values(id=document_id))
    document = seen(session, member, document_id)
    if not member.sees(document.region):
        raise NotAllowed(
            "other_region", "这一条不只在您负责的地区使用，只有不限地区的人员可以改它。"
        )
    return document


def newest(session: Session, document_id: str) -> Revision | None:
    """What an editor should start from: the open draft, what is published last, or, of a document
    that is published no more, the last words that were."""
    edit = session.scalar(select(Edit).where(Edit.head_of == document_id))
    if edit:
        return store.revision(session, edit.revision_id)
    published = store.revisions_of(session, document_id, Status.PUBLISHED)
    if published:
        return max(published, key=lambda r: (r.effective_from or r.checked_on.min, r.id))
    gone = store.revisions_of(session, document_id, Status.WITHDRAWN)
    once = [r for r in gone if r.published_on] or gone
    saved = {e.revision_id: e.saved_at.isoformat() for e in edits_of(session, document_id)}
    return max(once, key=lambda r: (saved.get(r.id, ""), r.checked_on, r.id), default=None)


def edits_of(session: Session, document_id: str) -> list[Edit]:
    """All edits of a document, oldest first."""
    query = select(Edit).where(Edit.document_id == document_id)
    return list(session.scalars(query.order_by(Edit.saved_at, Edit.revision_id)))


def moves_of(session: Session, revision_ids: Iterable[str]) -> list[EditMove]:
    query = select(EditMove).where(EditMove.revision_id.in_(list(revision_ids)))
    return list(session.scalars(query.order_by(EditMove.moved_at, EditMove.id)))


def only_own_between(session: Session, newest_id: str, base_id: str | None, member: Member) -> bool:
    """Whether all that was saved after `base_id` is the member's own."""
    at: str | None = newest_id
    while at is not None and at != base_id:
        edit = session.get(Edit, at)
        if edit is None or edit.staff_id != member.id:
            return False
        at = edit.base_id
    return at == base_id


def authors(session: Session, revision: Revision) -> set[str]:
    """Everybody whose words since the last publication stand behind a revision: who saved it, what
    it was based on, and what was merged into it. Nobody, for what came with an upgrade."""
    found: set[str] = set()
    waiting, looked_at = [revision.id], set[str]()
    while waiting:
        at = waiting.pop()
        edit = session.get(Edit, at)
        if at in looked_at or edit is None or _was_published(session, at):
            continue
        looked_at.add(at)
        found.add(edit.staff_id)
        waiting += [i for i in (edit.base_id, edit.merges_id) if i]
    return found


def may_return(session: Session, revision_id: str) -> bool:
    """Whether a second person has stood behind it, or it came with the product."""
    return session.get(Edit, revision_id) is None or _was_published(session, revision_id)


def _was_published(session: Session, revision_id: str) -> bool:
    query = select(EditMove.id).where(
        EditMove.revision_id == revision_id, EditMove.action == "approved"
    )
    return session.scalar(query.limit(1)) is not None


def insert(
    session: Session,
    incoming: Incoming,
    member: Member,
    *,
    base: str | None,
    merges: str | None,
    aside: bool,
    origin: str,
    note: str,
    at: datetime,
) -> Revision:
    """Store a draft with its passages, under an id of its own; its document must be there."""
    document_id = incoming.document.id
    identity = f"{document_id}@{secrets.token_hex(4)}"
    content = incoming.document.kind not in form.DATED
    described = {} if content else form.description(incoming.document)
    revision = replace(
        incoming.revision,
        id=identity,
        document_id=document_id,
        status=Status.DRAFT,
        author=member.id,
        approver="",
        # Of a law it is the day on which it was made public; of ours, the day we publish it.
        published_on=None if content else incoming.revision.published_on,
        body=incoming.revision.body | described,
    )
    passages = [
        replace(p, id=f"{identity}/{p.ordinal}", revision_id=identity) for p in incoming.passages
    ]
    store.add_revision(session, revision, passages)
    session.add(
        Edit(
            revision_id=identity,
            document_id=document_id,
            base_id=base,
            merges_id=merges,
            head_of=None if aside else document_id,
            aside=aside,
            staff_id=member.id,
            origin=origin,
            note=note,
            saved_at=at,
        )
    )
    session.flush()
    return revision


def move(
    session: Session,
    revision: Revision,
    target: Status,
    *,
    action: str,
    by: str,
    at: datetime,
    comment: str = "",
    **changes: Any,
) -> Revision:
    """Take a revision to another status, if it still has the one it had when it was read, and put
    it on record. Raises Conflict."""
    found = session.execute(
        update(store.revisions)
        .where(store.revisions.c.id == revision.id, store.revisions.c.status == revision.status)
        .values(status=target, **changes)
    ).rowcount  # type: ignore[attr-defined]
    if not found:
        raise Conflict("too_late", "刚才有人先处理了这一稿，请刷新页面看看现在的状态。")
    if target not in OPEN:
        session.execute(update(Edit).where(Edit.revision_id == revision.id).values(head_of=None))
    session.add(
        EditMove(revision_id=revision.id, action=action, staff_id=by, moved_at=at, comment=comment)
    )
    session.flush()
    return replace(revision, status=target, **changes)


def is_systems(revision: Revision) -> bool:
    """Whether nobody here wrote it: it came with the product."""
    return revision.author == SYSTEM
