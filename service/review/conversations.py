"""Conversations for those who judge them: the list, and one as the citizen saw it, with evidence.

The id of a conversation is the citizen's key and is not shown: an address names one by any of its
answers. Nothing here can bring back what was masked.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from knowledge.store import today_in_china
from service.audit import Purpose, record_reading
from service.auth import Member
from service.errors import BadRequest, NotFound
from service.models import (
    AnswerRecord,
    Conversation,
    HandoverMessage,
    HandoverTicket,
    Rating,
    Staff,
    now,
)
from service.models.review import Review, ReviewTask
from service.review import listing, views
from service.review.access import handled, iso, record_listing, utc
from service.review.evidence import Evidence, as_dict
from service.review.filters import Filters
from service.review.trace import Floors, Traces
from service.review.words import PURPOSES, REASONS

MOST = 200  # answers of one conversation that are shown, the newest


class Conversations:
    """Reading what citizens asked and were told; each method is one transaction."""

    def __init__(
        self, sessions: sessionmaker[Session], *, clock: Callable[[], datetime] = now
    ) -> None:
        self._sessions, self._clock = sessions, clock

    def page(
        self,
        member: Member,
        filters: Filters,
        *,
        before: str = "",
        as_at: int | None = None,
        limit: int = 50,
    ) -> dict[str, Any]:
        """See `listing.page`. That the member looked through it goes on record."""
        with self._sessions.begin() as session:
            at = self._clock()
            found = listing.page(
                session, member, filters, at=at, before=before, as_at=as_at, limit=limit
            )
            shown = len(found["conversations"])
            record_listing(session, member, "conversations", filters.named(), shown)
            return found

    def exists(self, member: Member, name: str) -> None:
        """Raises NotFound for a conversation that is not there or not of the member's region."""
        with self._sessions() as session:
            _named(session, member, name)

    def read(self, member: Member, name: str, purpose: Purpose, floors: Floors) -> dict[str, Any]:
        """A conversation, by an answer of it; that it was read, and for what, goes on record first.
        Raises BadRequest for a purpose that is none here, NotFound."""
        if purpose.value not in PURPOSES:
            raise BadRequest("purpose_unknown", f"查看目的只能是：{'、'.join(PURPOSES.values())}。")
        with self._sessions.begin() as session:
            at = self._clock()
            conversation = _named(session, member, name)
            read = {conversation: conversation}
            record_reading(session, member.id, "conversation", read, purpose, at=at)
            return _view(session, member, conversation, at, floors)


def _named(session: Session, member: Member, answer: str) -> str:
    """The conversation of an answer. Raises NotFound."""
    seen = [AnswerRecord.region == member.region] if member.region else []
    found = session.scalar(
        select(AnswerRecord.conversation_id).where(AnswerRecord.id == answer, *seen)
    )
    if found is None:
        raise NotFound("conversation_unknown", "没有这个会话，或者它不在您负责的地区。")
    return found


def _view(
    session: Session, member: Member, conversation: str, at: datetime, floors: Floors
) -> dict[str, Any]:
    seen = [AnswerRecord.region == member.region] if member.region else []
    answers = list(
        session.scalars(
            select(AnswerRecord)
            .where(AnswerRecord.conversation_id == conversation, *seen)
            .order_by(AnswerRecord.asked_at.desc(), AnswerRecord.id.desc())
            .limit(MOST)
        )
    )[::-1]
    total = session.scalar(
        select(func.count())
        .select_from(AnswerRecord)
        .where(AnswerRecord.conversation_id == conversation)
    )
    ids = [answer.id for answer in answers]
    tickets = _tickets(session, member, conversation)
    ratings = _ratings(session, [*ids, *(ticket["id"] for ticket in tickets)])
    evidence = Evidence(session, answers, today_in_china(at))
    traces = Traces(session, answers, floors)
    reviews: dict[str, list[dict[str, Any]]] = {}
    of_these = select(Review).where(Review.answer_id.in_(ids)).order_by(Review.reviewed_at)
    for review in views.of_reviews(session, list(session.scalars(of_these))):
        reviews.setdefault(review["answer"], []).append(review)
    tasks = {
        task.answer_id: [reason for reason in REASONS if getattr(task, reason)]
        for task in session.scalars(select(ReviewTask).where(ReviewTask.answer_id.in_(ids)))
    }
    started = session.get_one(Conversation, conversation)
    return {
        "channel": started.channel,
        "started_at": iso(started.started_at),
        "not_shown": (total or 0) - len(answers),
        "own_work": bool(session.scalar(select(handled(member, conversation)))),
        "answers": [
            {
                "id": answer.id,
                "asked_at": iso(answer.asked_at),
                "question": answer.question,
                "outcome": answer.outcome,
                "topic": answer.topic,
                "confidence": answer.confidence,
                "took_ms": answer.took_ms,
                "answer": answer.answer,
                "evidence": [as_dict(compared) for compared in evidence.of(answer)],
                "reviewed_item": as_dict(evidence.reviewed(answer)),
                "trace": traces.of(answer),
                "rating": ratings.get(answer.id),
                "reasons": tasks.get(answer.id, []),
                "reviews": reviews.get(answer.id, []),
            }
            for answer in answers
        ],
        "handovers": [
            {key: value for key, value in ticket.items() if key != "id"}
            | {"rating": ratings.get(ticket["id"])}
            for ticket in tickets
        ],
    }


def _tickets(session: Session, member: Member, conversation: str) -> list[dict[str, Any]]:
    """The hand-overs with what was said to and by the citizen: no private note, no number."""
    seen = [HandoverTicket.region == member.region] if member.region else []
    rows = session.execute(
        select(HandoverTicket, Staff.name)
        .outerjoin(Staff, Staff.id == HandoverTicket.claimed_by)
        .where(HandoverTicket.conversation_id == conversation, *seen)
        .order_by(HandoverTicket.created_at)
    ).all()
    said: dict[str, list[dict[str, Any]]] = {}
    messages = session.scalars(
        select(HandoverMessage)
        .where(
            HandoverMessage.handover_id.in_([row.HandoverTicket.id for row in rows]),
            HandoverMessage.private.is_(False),
        )
        .order_by(HandoverMessage.seq)
        .limit(1000)
    )
    for message in messages:
        line = {"from": message.sender, "text": message.text, "sent_at": iso(message.sent_at)}
        said.setdefault(message.handover_id, []).append(line)
    return [
        {
            "id": ticket.id,
            "status": ticket.status,
            "kind": ticket.kind,
            "reason": ticket.reason,
            "created_at": iso(ticket.created_at),
            "claimed_by": name,
            "claimed_at": iso(ticket.claimed_at),
            "closed_at": iso(ticket.closed_at),
            "waited_minutes": _minutes(ticket.created_at, ticket.claimed_at),
            "outcome": ticket.outcome,
            "summary": ticket.summary,
            "referral": ticket.referral,
            "messages": said.get(ticket.id, []),
        }
        for ticket, name in rows
    ]


def _minutes(since: datetime, until: datetime | None) -> int | None:
    return None if until is None else round((utc(until) - utc(since)).total_seconds() / 60)


def _ratings(session: Session, events: list[str]) -> dict[str, dict[str, Any]]:
    rows = session.scalars(
        select(Rating).where(
            Rating.event_kind.in_(("answer", "handover")), Rating.event_id.in_(events)
        )
    )
    return {
        row.event_id: {
            "level": row.level,
            "aspects": row.aspects,
            "comment": row.comment,
            "rated_at": iso(row.rated_at),
            "excluded": row.excluded_at is not None,
        }
        for row in rows
    }
