"""The list of conversations: one line each, newest first, however many there are.

A conversation stands where its newest question stands that fits the filters, and shows it. Page
after page is read as of one moment: what is asked meanwhile neither repeats nor hides a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from knowledge.store import today_in_china
from service.auth import Member
from service.errors import BadRequest
from service.models import AnswerRecord, Conversation, HandoverTicket, Rating, Staff
from service.models.review import Review
from service.review.access import iso, utc
from service.review.filters import (
    URGENT,
    Answers,
    Condition,
    Filters,
    moments,
    of_answer,
    of_conversation,
)

COUNTED = 1000  # conversations; beyond that a page says "more than"
SEARCHED = 10_000  # questions that a search for words reads at once, newest first
_SHORT = 80  # characters of a question in a line
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Span = tuple[datetime | None, datetime | None, datetime]  # since, before, and as of


def page(
    session: Session,
    member: Member,
    filters: Filters,
    *,
    at: datetime,
    before: str = "",
    as_at: int | None = None,
    limit: int = 50,
) -> dict[str, Any]:
    """{conversations, count, counted_all, next, as_at, searched}.

    `before` and `as_at` are `next` and `as_at` of the page before; the count is on the first page
    only. `searched` says, where words were looked for, how many questions were read and how far
    back. Raises BadRequest.
    """
    as_at = stamp(at) if as_at is None else as_at
    a = aliased(AnswerRecord, name="a")
    span = (*moments(filters, today_in_china(at)), _moment(as_at))
    wanted = limit + 1 if before else max(limit, COUNTED) + 1
    place = _place(before) if before else None
    words, searched = filters.words(), None
    if words:
        found, searched = _search(session, member, filters, span, words, place)
    else:
        query = _newest_of_each(session, a, filters, member, span)
        if place:
            query = query.where(tuple_(a.asked_at, a.id) < tuple_(*place))
        found = [*session.execute(query.limit(wanted))]
    shown, more = found[:limit], None
    if len(found) > limit:
        more = _cursor(shown[-1])
    elif searched and searched.stopped:
        more = _cursor(searched.stopped)
    return {
        "conversations": _lines(session, member, shown),
        "count": None if before else min(len(found), COUNTED),
        "counted_all": len(found) <= COUNTED and not (searched and searched.stopped),
        "next": more,
        "as_at": as_at,
        "searched": searched.view() if searched else None,
    }


@dataclass(frozen=True, slots=True)
class Searched:
    """How far a search for words has read: so many questions, to the one where it `stopped`."""

    questions: int
    stopped: Any  # a row, or None where it came to the end

    def view(self) -> dict[str, Any]:
        return {
            "questions": self.questions,
            "since": iso(self.stopped.asked_at) if self.stopped else None,
            "all": self.stopped is None,
        }


def _within(a: Answers, span: Span) -> list[Condition]:
    since, until, as_at = span
    bounds: list[Condition] = [a.asked_at <= as_at]
    if since is not None:
        bounds.append(a.asked_at >= since)
    if until is not None:
        bounds.append(a.asked_at < until)
    return bounds


def _columns(a: Answers) -> tuple[Any, ...]:
    return (a.id, a.asked_at, a.conversation_id)


def _newest_first(a: Answers) -> tuple[Any, ...]:
    return (a.asked_at.desc(), a.id.desc())


def _newest_of_each(
    session: Session, a: Answers, filters: Filters, member: Member, span: Span
) -> Select[Any]:
    """The newest answer of each conversation that fits: none that is newer fits too."""
    b = aliased(AnswerRecord, name="b")
    newer = (
        b.conversation_id == a.conversation_id,
        tuple_(b.asked_at, b.id) > tuple_(a.asked_at, a.id),
        *_within(b, span),
        *of_answer(session, b, filters, member, leads=False),
    )
    return (
        select(*_columns(a))
        .where(
            *_within(a, span),
            *of_answer(session, a, filters, member),
            *of_conversation(session, a, filters),
            ~select(b.id).where(*newer).exists(),
        )
        .order_by(*_newest_first(a))
    )


def _search(
    session: Session,
    member: Member,
    filters: Filters,
    span: Span,
    words: list[str],
    place: tuple[datetime, str] | None,
) -> tuple[list[Row[Any]], Searched]:
    """The newest answer of each conversation whose question has all words, among the next
    `SEARCHED` after a place that fit otherwise."""
    a = aliased(AnswerRecord, name="a")
    fits = [
        *_within(a, span),
        *of_answer(session, a, filters, member),
        *of_conversation(session, a, filters),
    ]
    if place:
        fits.append(tuple_(a.asked_at, a.id) < tuple_(*place))
    newest = select(*_columns(a)).where(*fits).order_by(*_newest_first(a))
    among = newest.add_columns(a.question).limit(SEARCHED).subquery("among")
    rows = session.execute(
        select(among.c.id, among.c.asked_at, among.c.conversation_id)
        .where(*_has(among.c.question, words))
        .order_by(among.c.asked_at.desc(), among.c.id.desc())
    ).all()
    stopped = session.execute(newest.offset(SEARCHED - 1).limit(1)).one_or_none()
    read = SEARCHED
    if stopped is None:
        read = session.scalar(select(func.count()).select_from(newest.subquery())) or 0
    firsts = list({row.conversation_id: row for row in reversed(rows)}.values())[::-1]
    shown_before = _shown_before(session, member, filters, span, words, place, firsts)
    found = [row for row in firsts if row.conversation_id not in shown_before]
    return found, Searched(read, stopped)


def _shown_before(
    session: Session,
    member: Member,
    filters: Filters,
    span: Span,
    words: list[str],
    place: tuple[datetime, str] | None,
    rows: list[Row[Any]],
) -> set[str]:
    """The conversations among `rows` that a page before has shown, for a newer question."""
    known: set[str] = set()
    if place is None:
        return known
    a = aliased(AnswerRecord, name="a")
    for start in range(0, len(rows), 500):
        some = [row.conversation_id for row in rows[start : start + 500]]
        newer = select(a.conversation_id).where(
            a.conversation_id.in_(some),
            tuple_(a.asked_at, a.id) >= tuple_(*place),
            *_within(a, span),
            *of_answer(session, a, filters, member, leads=False),
            *_has(a.question, words),
        )
        known.update(session.scalars(newer))
    return known


def _has(question: Any, words: list[str]) -> list[Condition]:
    return [question.icontains(word, autoescape=True) for word in words]


def _lines(session: Session, member: Member, shown: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """The lines with all that they show; one query for each kind of thing."""
    ids = [row.conversation_id for row in shown]
    answers = {
        row.id: row
        for row in session.execute(
            select(
                AnswerRecord.id,
                func.substr(AnswerRecord.question, 1, _SHORT + 1).label("question"),
                AnswerRecord.topic,
                AnswerRecord.confidence,
                AnswerRecord.region,
                AnswerRecord.outcome,
                Conversation.channel,
            )
            .join(Conversation, Conversation.id == AnswerRecord.conversation_id)
            .where(AnswerRecord.id.in_([row.id for row in shown]))
        )
    }
    besides = _Besides(session, member, ids)
    return [
        {
            "answer": row.id,
            "asked_at": iso(row.asked_at),
            "question": shortened(answers[row.id].question),
            "outcome": answers[row.id].outcome,
            "topic": answers[row.id].topic,
            "confidence": round(answers[row.id].confidence, 3),
            "region": answers[row.id].region,
            "channel": answers[row.id].channel,
            **besides.of(row.conversation_id),
        }
        for row in shown
    ]


class _Besides:
    """What else happened in some conversations."""

    def __init__(self, session: Session, member: Member, ids: list[str]) -> None:
        seen = [AnswerRecord.region == member.region] if member.region else []
        newest = (AnswerRecord.asked_at.desc(), AnswerRecord.id.desc())
        self._answers = session.execute(
            select(AnswerRecord.id, AnswerRecord.conversation_id, AnswerRecord.outcome)
            .where(AnswerRecord.conversation_id.in_(ids), *seen)
            .order_by(*newest)
        ).all()
        self._tickets = session.execute(
            select(HandoverTicket.id, HandoverTicket.conversation_id, HandoverTicket.status)
            .where(HandoverTicket.conversation_id.in_(ids))
            .order_by(HandoverTicket.created_at)
        ).all()
        self._reviews = session.execute(
            select(Review.conversation_id, Review.verdict, Review.status, Staff.name)
            .join(Staff, Staff.id == Review.reviewer_id)
            .where(Review.conversation_id.in_(ids))
            .order_by(Review.reviewed_at)
        ).all()
        self._levels: dict[str, int] = {}
        for kind, events in (("answer", self._answers), ("handover", self._tickets)):
            self._rate(session, kind, {event.id: event.conversation_id for event in events})

    def _rate(self, session: Session, kind: str, events: dict[str, str]) -> None:
        rated = session.execute(
            select(Rating.event_id, Rating.level).where(
                Rating.event_kind == kind,
                Rating.event_id.in_(events),
                Rating.excluded_at.is_(None),
            )
        )
        for event, level in rated:
            conversation = events[event]
            self._levels[conversation] = min(level, self._levels.get(conversation, level))

    def of(self, conversation: str) -> dict[str, Any]:
        outcomes: dict[str, int] = {}
        for row in self._answers:
            if row.conversation_id == conversation:
                outcomes[row.outcome] = outcomes.get(row.outcome, 0) + 1
        tickets = [row.status for row in self._tickets if row.conversation_id == conversation]
        return {
            "questions": sum(outcomes.values()),
            "outcomes": outcomes,
            "urgent": URGENT in outcomes,
            "rating": self._levels.get(conversation),
            "handover": tickets[-1] if tickets else None,
            "reviews": [
                {"verdict": row.verdict, "status": row.status, "by": row.name}
                for row in self._reviews
                if row.conversation_id == conversation
            ],
        }


def shortened(question: str) -> str:
    """The beginning of a question on one line."""
    line = " ".join(question.split())
    return line if len(line) <= _SHORT else line[:_SHORT] + "…"


def _cursor(row: Row[Any]) -> str:
    return f"{stamp(row.asked_at)}.{row.id}"


def stamp(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (utc(at) - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    try:
        return _EPOCH + timedelta(microseconds=microseconds)
    except OverflowError:
        raise BadRequest("page_unknown", "这个翻页地址不对，请回到第一页。") from None


def _place(before: str) -> tuple[datetime, str]:
    at, dot, answer = before.partition(".")
    if not (dot and at.isascii() and at.isdigit() and len(at) <= 18 and answer):
        raise BadRequest("page_unknown", "这个翻页地址不对，请回到第一页。")
    return _moment(int(at)), answer
