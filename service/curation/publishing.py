"""The life of a revision: submitted, approved by somebody else, sent back, withdrawn, given up."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from ingest import content
from knowledge import lifecycle, store
from knowledge.models import Document, Kind, Revision, Status
from service.auth import Member, Permission
from service.curation import chain, form, shelf, views
from service.curation.errors import BadFields
from service.curation.ledger import Ledger, words
from service.errors import Conflict, NotAllowed
from service.models import Edit

_OWN_DATES = "法律和政策文件按文件自己写明的日期施行和失效，不另填日期；日期不对的请退回修改。"
_WIDENED = "这一稿改了适用地区，不只在您负责的地区使用，只有不限地区的人员可以发布它。"
_FARTHEST = timedelta(days=366 * 5)  # a date beyond that is a slip of the hand


class Publishing(Ledger):
    """What happens to a draft once it is written."""

    def submit(self, member: Member, revision: str, *, note: str = "") -> dict[str, Any]:
        """Ask for a review of a draft. Raises NotFound, NotAllowed, Conflict."""
        note = words(note, "说明", required=False)

        def change(session: Session, found: Revision, _document: Document) -> Revision:
            edit = session.get(Edit, found.id)
            if edit and edit.aside:
                raise Conflict("set_aside", "这是另存的一稿，请先和现在的版本比对、合并，再提交。")
            self._allowed(found, Status.IN_REVIEW)
            return self._move(
                session, member, found, Status.IN_REVIEW, "submitted", "submit", comment=note
            )

        return self._change(member, revision, change)

    def approve(
        self,
        member: Member,
        revision: str,
        *,
        starts_on: date | None = None,
        ends_on: date | None = None,
    ) -> dict[str, Any]:
        """Publish what is in review, from `starts_on` (today if None) to `ends_on`, both inclusive;
        a law or a policy says itself when it holds, and takes neither.

        From that day it is the only one of its document: what was published before ends the day
        before, or at once. Raises NotFound; NotAllowed for who wrote part of it, and for a draft
        that is to hold where the member is not responsible; BadFields for impossible dates;
        Conflict when its law has changed since, or somebody was first.
        """
        today = self._today()
        starts = _checked_span(today, starts_on, ends_on)

        def change(session: Session, found: Revision, document: Document) -> Revision:
            self._check_approver(session, member, found)
            dated = document.kind in form.DATED
            if dated and (starts_on or ends_on):
                named = {"starts_on": starts_on, "ends_on": ends_on}
                raise BadFields({name: _OWN_DATES for name, day in named.items() if day})
            begins = _own_start(found, today) if dated else starts
            renewed = self._still_holds(session, found, document, begins or today)
            if not member.sees(renewed.region):
                raise NotAllowed("other_region", _WIDENED)
            changes: dict[str, Any] = {"approver": member.id}
            ends = found.effective_until if dated else ends_on
            if not dated:
                changes |= {"published_on": today, "effective_from": starts}
                changes |= {"effective_until": ends_on}
            span = {"from": str(begins or today), "until": str(ends) if ends else None}
            published = self._move(
                session, member, found, Status.PUBLISHED, "approved", "publish", span, **changes
            )
            self._supersede(session, member, published, document, begins)
            store.save_document(session, renewed)
            return published

        return self._change(member, revision, change)

    def send_back(self, member: Member, revision: str, comment: str) -> dict[str, Any]:
        """Give what is in review back to its author. Raises BadRequest without a comment."""
        comment = words(comment, "退回的意见")

        def change(session: Session, found: Revision, _document: Document) -> Revision:
            self._allowed(found, Status.DRAFT)
            return self._move(
                session, member, found, Status.DRAFT, "sent_back", "send_back", comment=comment
            )

        return self._change(member, revision, change)

    def withdraw(self, member: Member, document: str, reason: str) -> dict[str, Any]:
        """Take everything published of a document out of use, now. Returns the document."""
        reason = words(reason, "撤下的原因")
        with self._sessions.begin() as session:
            found = chain.locked(session, member, document)
            published = store.revisions_of(session, document, Status.PUBLISHED)
            if not published:
                raise Conflict("not_published", "这一条现在没有发布的版本，不用撤下。")
            for revision in published:
                # Who took down what shipped is how an upgrade knows to leave it so.
                by: dict[str, Any] = {"approver": member.id} if chain.is_systems(revision) else {}
                self._move(
                    session,
                    member,
                    revision,
                    Status.WITHDRAWN,
                    "withdrawn",
                    "withdraw",
                    comment=reason,
                    **by,
                )
            return shelf.whole(session, found, self._today(), self._clock())

    def discard(self, member: Member, revision: str) -> dict[str, Any]:
        """Give up a draft: one's own, what came with an upgrade, or, for who may publish, any."""

        def change(session: Session, found: Revision, _document: Document) -> Revision:
            own = member.id in chain.authors(session, found) or chain.is_systems(found)
            if not own and not member.may(Permission.KNOWLEDGE_PUBLISH):
                raise NotAllowed("not_yours", "这是别人的稿子，只有写的人和复核的人可以作废。")
            if found.status not in chain.OPEN:
                raise Conflict("not_a_draft", "只有草稿可以作废；已发布的请用“撤下”。")
            return self._move(session, member, found, Status.WITHDRAWN, "discarded", "discard")

        return self._change(member, revision, change)

    def _check_approver(self, session: Session, member: Member, revision: Revision) -> None:
        """Raises NotAllowed for who had a hand in it, Conflict for what is not in review."""
        authors = chain.authors(session, revision)
        author = member.id if member.id in authors else revision.author
        try:
            lifecycle.move(revision.status, Status.PUBLISHED, author=author, approver=member.id)
        except lifecycle.IllegalMove as error:
            if revision.status is Status.IN_REVIEW:
                raise NotAllowed("own_work", views.OWN_WORK) from error
            raise Conflict("illegal_move", views.in_words(revision.status)) from error

    def _still_holds(
        self, session: Session, revision: Revision, document: Document, on: date
    ) -> Document:
        """The document as the revision describes it, once all that has a form is checked again for
        the day on which it starts."""
        if document.kind not in form.EDITED:
            return form.described(document, revision)
        try:
            item = form.checked(
                document.id, document.kind, form.body_of(revision), self._known(session, on)
            )
        except BadFields as error:
            said = "".join(f"{form.label(k)}：{v}" for k, v in error.fields.items())
            raise Conflict("no_longer_holds", f"现在不能发布，请退回修改。{said}") from error
        return content.to_incoming(item, document.origin).document

    def _supersede(
        self,
        session: Session,
        member: Member,
        published: Revision,
        document: Document,
        starts: date | None,
    ) -> None:
        """From the day on which the new one starts no other of the document is in force."""
        if document.kind is Kind.STATUTE:
            self._end_earlier(session, member, published)
            return
        for other in store.revisions_of(session, document.id, Status.PUBLISHED):
            if other.id == published.id:
                continue
            later = starts and other.effective_from and other.effective_from >= starts
            if starts is None or later:
                self._move(session, member, other, Status.WITHDRAWN, "replaced", None)
                continue
            last = starts - timedelta(days=1)
            until = min(other.effective_until or last, last)
            store.update_revision(session, other, effective_until=until)

    def _end_earlier(self, session: Session, member: Member, published: Revision) -> None:
        """Versions of a law stay, each in force at its time: an earlier one until the day before
        the new one. One that starts on the same day is the same version, read again."""
        start = published.effective_from
        for other in store.revisions_of(session, published.document_id, Status.PUBLISHED):
            if other.id == published.id or start is None:
                continue
            if other.effective_from == start:
                self._move(session, member, other, Status.WITHDRAWN, "replaced", None)
            elif other.effective_from is None or other.effective_from < start:
                last = start - timedelta(days=1)
                until = min(other.effective_until or last, last)
                store.update_revision(session, other, effective_until=until)


def _own_start(revision: Revision, today: date) -> date | None:
    """The day still to come on which a law or policy says that it starts; None for at once."""
    start = revision.effective_from
    return start if start and start > today else None


def _checked_span(today: date, starts_on: date | None, ends_on: date | None) -> date | None:
    """The day from which it is published, None for at once. Raises BadFields."""
    wrong = {}
    if starts_on and starts_on < today:
        wrong["starts_on"] = "开始日期不能在今天以前。"
    if starts_on and starts_on > today + _FARTHEST:
        wrong["starts_on"] = "开始日期太远了，请核对年份。"
    if ends_on and ends_on < (starts_on or today):
        wrong["ends_on"] = "结束日期不能在开始以前。"
    if wrong:
        raise BadFields(wrong)
    return starts_on if starts_on and starts_on > today else None
