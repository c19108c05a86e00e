"""Staff's work on bad ratings: one row a ticket, one row a move, each move on what was read."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session, sessionmaker

from service import audit
from service.answering.hours import add_working_days as working_days_in_china
from service.audit import Purpose, record_reading
from service.auth import Member, Permission
from service.errors import BadRequest, Conflict, NotAllowed, NotFound
from service.models import Rating, RatingMove, RatingTicket, Staff, now
from service.models.addresses import answer_in
from service.ratings import views
from service.ratings.binding import conversation_of, shown_at
from service.ratings.circle import (
    APPEAL,
    CLOSE,
    CONTACT,
    DECIDE,
    RECHECK,
    REPLY,
    Deadlines,
    Move,
    Recheck,
    TicketStatus,
    WorkCalendar,
    end_of_day,
    next_due,
)

LONGEST_TEXT = 2000  # characters of a reply, note or reason


class RatingTickets:
    """Tickets of bad ratings; safe to share between threads and processes.

    Each operation is one transaction and returns the ticket as it is then. It raises NotFound (also
    for a ticket of a region that the member does not see), BadRequest for an empty or endless text,
    Conflict for a move that the status does not allow or when somebody else was faster, and
    NotAllowed for the wrong person.
    """

    def __init__(
        self,
        sessions: sessionmaker[Session],
        *,
        deadlines: Deadlines | None = None,
        add_working_days: WorkCalendar = working_days_in_china,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._deadlines, self._add_working_days = deadlines or Deadlines(), add_working_days

    def open(self, session: Session, rating_id: str, at: datetime) -> None:
        """Add the ticket of a rating in the transaction that stores the rating."""
        days = self._deadlines
        contact, mend, recheck = (
            end_of_day(self._add_working_days(at, n))
            for n in (days.contact, days.mend, days.recheck)
        )
        session.execute(
            insert(RatingTicket),
            {
                "id": f"t_{secrets.token_urlsafe(12)}",
                "rating_id": rating_id,
                "status": TicketStatus.OPEN.value,
                "version": 0,
                "opened_at": at,
                "contact_due_at": contact,
                "mend_due_at": mend,
                "recheck_due_at": recheck,
                "due_at": contact,
            },
        )

    def reply(
        self, member: Member, ticket_id: str, text: str, *, final: bool = True
    ) -> dict[str, Any]:
        """Answer the citizen, who reads it with the token of the rating. With `final` false, tell
        them only that the matter is being seen to: the contact that is due first. The text is kept
        as written, since an office's number must get through."""
        text = _required(text, "答复")
        with self._sessions.begin() as session:
            ticket = _get(session, member, ticket_id)
            satisfied = ticket.recheck_result == Recheck.SATISFIED.value
            if ticket.status == TicketStatus.RECHECKED.value and satisfied:
                raise Conflict("rating_ticket_wrong_status", "市民回访已表示满意，请直接办结。")
            contacted_at = ticket.contacted_at or self._clock()
            move = REPLY if final else CONTACT
            self._move(session, ticket, move, member, text, contacted_at=contacted_at)
            return self._view(session, member, ticket_id)

    def recheck(
        self, member: Member, ticket_id: str, result: Recheck, *, note: str = ""
    ) -> dict[str, Any]:
        """Record what the citizen says of the reply."""
        note = _bounded(note)
        with self._sessions.begin() as session:
            ticket = _get(session, member, ticket_id)
            self._move(session, ticket, RECHECK, member, note, recheck_result=result.value)
            return self._view(session, member, ticket_id)

    def close(self, member: Member, ticket_id: str, *, note: str = "") -> dict[str, Any]:
        """Finish. Without a satisfied citizen, `note` must say why no more can be done."""
        note = _bounded(note)
        with self._sessions.begin() as session:
            ticket = _get(session, member, ticket_id)
            satisfied = ticket.recheck_result == Recheck.SATISFIED.value
            if ticket.status == TicketStatus.RECHECKED.value and not satisfied and not note:
                raise BadRequest(
                    "rating_note_missing", "市民没有表示满意，办结时请写明为什么只能到此为止。"
                )
            self._move(session, ticket, CLOSE, member, note)
            return self._view(session, member, ticket_id)

    def appeal(self, member: Member, ticket_id: str, reason: str) -> dict[str, Any]:
        """Hold the rating to be mistaken or malicious: once, and before the re-check. Against the
        rating of a member of staff only that person appeals."""
        reason = _required(reason, "申诉理由")
        with self._sessions.begin() as session:
            ticket = _get(session, member, ticket_id)
            if ticket.handler_kind == "staff" and ticket.handler_id != member.id:
                raise NotAllowed("rating_appeal_not_yours", "只有承办人本人可以对这条评价申诉。")
            if ticket.status in APPEAL.allowed and _appellant(session, ticket_id):
                raise Conflict("rating_appealed_before", "这条评价已经申诉过一次，不能再申诉。")
            self._move(session, ticket, APPEAL, member, reason)
            return self._view(session, member, ticket_id)

    def decide(
        self, member: Member, ticket_id: str, *, accepted: bool, reason: str
    ) -> dict[str, Any]:
        """Decide an appeal, as somebody other than who appealed and who was rated. Accepted: the
        rating is kept, and counts no longer. Rejected: the work goes on where it was due."""
        reason = _required(reason, "裁定理由")
        to = TicketStatus.ACCEPTED if accepted else TicketStatus.REJECTED
        with self._sessions.begin() as session:
            ticket = _get(session, member, ticket_id)
            concerned = (_appellant(session, ticket_id), ticket.handler_id)
            if ticket.status == TicketStatus.APPEALED.value and member.id in concerned:
                raise NotAllowed("rating_decide_own", "申诉须由申诉人和承办人以外的人裁定。")
            at = self._move(session, ticket, DECIDE, member, reason, to=to)
            if accepted:
                session.execute(
                    update(Rating).where(Rating.id == ticket.rating_id).values(excluded_at=at)
                )
            return self._view(session, member, ticket_id)

    def read(self, member: Member, ticket_id: str) -> dict[str, Any]:
        """The ticket with its rating and all that was done; that it was read is on record."""
        with self._sessions.begin() as session:
            return self._view(session, member, ticket_id)

    def queue(
        self,
        member: Member,
        *,
        status: TicketStatus | None = None,
        overdue: bool = False,
        mine: bool = False,
        order: str = "newest",
        limit: int = 50,
        before: str | None = None,
    ) -> dict[str, Any]:
        """A page of tickets that the member sees, without anything a citizen wrote.

        `mine`: of the member's own service, or of what they wrote. `order` is `newest` or `due`
        (unfinished ones only, what is due first comes first); `before` is the last ticket of the
        page before. `counts` are by status, and of what is overdue. Raises NotFound for a `before`
        that is not there.
        """
        at, by_due = self._clock(), order == "due"
        visible = _visible(member)
        wanted = [*visible]
        if status is not None:
            wanted.append(RatingTicket.status == status.value)
        if mine:
            wanted.append(_own(member))
        if overdue:
            wanted.append(RatingTicket.due_at < at)
        if by_due:
            wanted.append(RatingTicket.due_at.is_not(None))
        first = RatingTicket.due_at if by_due else RatingTicket.opened_at
        key = tuple_(first, RatingTicket.id)
        ordered = [first, RatingTicket.id] if by_due else [first.desc(), RatingTicket.id.desc()]
        with self._sessions() as session:
            if before is not None:
                last = _get(session, member, before)
                edge = tuple_(last.due_at if by_due else last.opened_at, last.id)
                wanted.append(key > edge if by_due else key < edge)
            rows = session.execute(
                _tickets().where(*wanted).order_by(*ordered).limit(limit + 1)
            ).all()
            counted = session.execute(
                select(RatingTicket.status, func.count())
                .join(Rating, RatingTicket.rating_id == Rating.id)
                .where(*visible)
                .group_by(RatingTicket.status)
            )
            counts = {s.value: 0 for s in TicketStatus} | dict(counted.all())
            late = select(func.count(RatingTicket.id)).join(
                Rating, RatingTicket.rating_id == Rating.id
            )
            counts["overdue"] = session.scalar(late.where(*visible, RatingTicket.due_at < at)) or 0
        page = rows[:limit]
        return {
            "tickets": [views.in_queue(row, at) for row in page],
            "next": page[-1].id if len(rows) > limit else None,
            "counts": counts,
        }

    def _view(self, session: Session, member: Member, ticket_id: str) -> dict[str, Any]:
        at, ticket = self._clock(), _get(session, member, ticket_id)
        conversation = conversation_of(session, ticket.event_kind, ticket.event_id)
        read = {ticket_id: conversation or ticket.person}
        record_reading(session, member.id, "rating", read, Purpose.COMPLAINT, at=at)
        moves = session.execute(
            select(RatingMove, Staff.name)
            .join(Staff, RatingMove.staff_id == Staff.id)
            .where(RatingMove.ticket_id == ticket_id)
            .order_by(RatingMove.version)
        ).all()
        shown = shown_at(session, ticket.event_kind, ticket.event_id)
        return views.for_staff(ticket, [(move, name) for move, name in moves], shown, at)

    def answer_of(self, member: Member, ticket_id: str) -> str | None:
        """An answer by which an address names the conversation that was rated: the one rated, or
        the newest. None for who may not read conversations, or when it has been erased. Raises
        NotFound."""
        if not member.may(Permission.CONVERSATION_READ):
            return None
        with self._sessions() as session:
            ticket = _get(session, member, ticket_id)
            conversation = conversation_of(session, ticket.event_kind, ticket.event_id)
            if conversation is None:
                return None
            return answer_in(session, conversation, region=member.region, rather=ticket.event_id)

    def _move(
        self,
        session: Session,
        ticket: Row[*tuple[Any, ...]],
        move: Move,
        member: Member,
        text: str,
        *,
        to: TicketStatus | None = None,
        **changes: Any,
    ) -> datetime:
        """Take the ticket from the status and version that were read to the next, or raise
        Conflict; give the time of it."""
        status = TicketStatus(ticket.status)
        if status not in move.allowed:
            raise Conflict(
                "rating_ticket_wrong_status", f"这张工单现在是“{status.label}”，不能{move.name}。"
            )
        to, at, version = to or move.to or status, self._clock(), ticket.version + 1
        contacted = bool(changes.get("contacted_at") or ticket.contacted_at)
        # Under the condition of what was read: somebody may have been faster, here or elsewhere.
        moved = session.scalar(
            update(RatingTicket)
            .where(
                RatingTicket.id == ticket.id,
                RatingTicket.status == status.value,
                RatingTicket.version == ticket.version,
            )
            .values(
                status=to.value,
                version=version,
                due_at=next_due(ticket, to, contacted=contacted),
                **changes,
            )
            .returning(RatingTicket.id)
        )
        if moved is None:
            raise Conflict("rating_ticket_changed", "这张工单刚被别人处理过，请刷新后再看。")
        session.execute(
            insert(RatingMove),
            {
                "ticket_id": ticket.id,
                "version": version,
                "action": move.action,
                "status": to.value,
                "staff_id": member.id,
                "moved_at": at,
                "text": text,
                "result": changes.get("recheck_result"),
            },
        )
        audit.append(
            session,
            actor=member.id,
            action=f"rating.{move.action}",
            subject="rating_ticket",
            subject_id=ticket.id,
            detail={"status": to.value},
        )
        return at


def _tickets() -> Select[Any]:
    """Tickets with the rating that opened them."""
    return select(
        *RatingTicket.__table__.columns,
        *(c for c in Rating.__table__.columns if c.name != "id"),
    ).join(Rating, RatingTicket.rating_id == Rating.id)


def _visible(member: Member) -> list[ColumnElement[bool]]:
    """Conditions for what somebody may see: with a region, only what belongs to it."""
    return [Rating.region == member.region] if member.region else []


def _own(member: Member) -> ColumnElement[bool]:
    """Ratings of what the member did, or wrote."""
    served = and_(Rating.handler_kind == "staff", Rating.handler_id == member.id)
    wrote = and_(
        Rating.handler_kind == "knowledge", Rating.handler["author"].as_string() == member.id
    )
    return or_(served, wrote)


def _get(session: Session, member: Member, ticket_id: str) -> Row[*tuple[Any, ...]]:
    wanted = (RatingTicket.id == ticket_id, *_visible(member))
    ticket = session.execute(_tickets().where(*wanted)).one_or_none()
    if ticket is None:
        raise NotFound("rating_ticket_unknown", "没有这张差评工单。")
    return ticket


def _appellant(session: Session, ticket_id: str) -> str | None:
    return session.scalar(
        select(RatingMove.staff_id)
        .where(RatingMove.ticket_id == ticket_id, RatingMove.action == APPEAL.action)
        .order_by(RatingMove.version.desc())
        .limit(1)
    )


def _required(text: str, what: str) -> str:
    text = _bounded(text)
    if not text:
        raise BadRequest("text_empty", f"请写明{what}。")
    return text


def _bounded(text: str) -> str:
    text = text.replace("\x00", "").strip()
    if len(text) > LONGEST_TEXT:
        raise BadRequest("text_too_long", f"文字太长了，请控制在{LONGEST_TEXT}字以内。")
    return text.encode("utf-8", "replace").decode("utf-8")
