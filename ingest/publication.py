"""Publish drafts that another person has checked."""

from __future__ import annotations

from sqlalchemy.orm import Session

from knowledge import lifecycle, store
from knowledge.models import Revision, Status


def publish(session: Session, origin: str, *, author: str, approver: str) -> list[Revision]:
    """Publish every draft of an origin. Raises IllegalMove when both are the same person."""
    documents = store.all_documents(session, origin)
    drafts = store.all_revisions(session, Status.DRAFT).values()
    published = []
    for revision in drafts:
        if revision.document_id not in documents:
            continue
        lifecycle.move(Status.DRAFT, Status.IN_REVIEW, author=author, approver=approver)
        lifecycle.move(Status.IN_REVIEW, Status.PUBLISHED, author=author, approver=approver)
        changes = {"status": Status.PUBLISHED, "author": author, "approver": approver}
        published.append(store.update_revision(session, revision, **changes))
    return published
