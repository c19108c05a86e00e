"""What every change of the knowledge base has in common: the lock, the move, the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from knowledge import lifecycle, store
from knowledge.citations import LawBook
from knowledge.models import Document, Revision, Status
from service import audit
from service.auth import Member
from service.curation import chain, form, shelf, views
from service.errors import BadRequest, Conflict
from service.models import now

_LONGEST_NOTE = 1000


class Ledger:
    """Each method of those that build on it is one transaction, committed before it returns."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        laws: Callable[[], LawBook],
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._laws, self._clock = sessions, laws, clock

    def _today(self) -> date:
        return store.today_in_china(self._clock())

    def _known(self, session: Session, on: date) -> form.Known:
        kinds = {row[0]: row[1] for row in session.execute(shelf.USABLE)}
        return form.Known(self._laws(), on, kinds)

    def _change(
        self,
        member: Member,
        revision: str,
        change: Callable[[Session, Revision, Document], Revision],
    ) -> dict[str, Any]:
        """Apply `change` to a revision while its document is locked."""
        with self._sessions.begin() as session:
            owner = chain.seen_revision(session, member, revision).document_id
            document = chain.locked(session, member, owner)
            found = chain.seen_revision(session, member, revision)
            return shelf.one(session, change(session, found, document))

    def _move(
        self,
        session: Session,
        member: Member,
        revision: Revision,
        target: Status,
        action: str,
        event: str | None,
        detail: Mapping[str, Any] | None = None,
        *,
        comment: str = "",
        **changes: Any,
    ) -> Revision:
        moved = chain.move(
            session,
            revision,
            target,
            action=action,
            by=member.id,
            at=self._clock(),
            comment=comment,
            **changes,
        )
        if event:
            self._record(session, member, event, revision, detail or {}, comment)
        return moved

    def _record(
        self,
        session: Session,
        member: Member,
        verb: str,
        revision: Revision,
        detail: Mapping[str, Any],
        purpose: str = "",
    ) -> None:
        audit.append(
            session,
            actor=member.id,
            action=f"knowledge.{verb}",
            subject="revision",
            subject_id=revision.id,
            detail={"document": revision.document_id, **detail},
            purpose=purpose[:200],
            at=self._clock(),
        )

    @staticmethod
    def _allowed(revision: Revision, target: Status) -> None:
        try:
            lifecycle.move(revision.status, target, author=revision.author, approver="")
        except lifecycle.IllegalMove as error:
            raise Conflict("illegal_move", views.in_words(revision.status)) from error


def words(text: str, what: str, *, required: bool = True) -> str:
    text = text.strip()
    if required and not text:
        raise BadRequest("text_missing", f"请写明{what}。")
    if len(text) > _LONGEST_NOTE:
        raise BadRequest("text_too_long", f"{what}最多{_LONGEST_NOTE}个字。")
    if form.has_unprintable(text):
        raise BadRequest("text_unprintable", f"{what}里有看不见的控制字符，请删去重写。")
    return text
