"""What the list of conversations can be narrowed down to, as conditions on answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, or_, select, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from knowledge.text import normalise
from service.auth import Member
from service.errors import BadRequest
from service.models import AnswerRecord, Conversation, HandoverTicket, Rating
from service.models.review import Review

SHANGHAI = ZoneInfo("Asia/Shanghai")
URGENT = "handover_urgent"
UNANSWERED = ("unanswerable_", "failed_")
LONGEST_TEXT = 80
_FEW = 5000  # rows that are cheaper looked up all at once than one by one, as far as the page goes

Condition = ColumnElement[bool]
Answers = type[AnswerRecord]  # an alias of it
RatingFilter = Literal["1", "2", "3", "4", "5", "low", "none"]
HandoverFilter = Literal["any", "none", "waiting", "claimed", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """All of them at once; what is empty narrows nothing. Days are those of Asia/Shanghai."""

    since: date | None = None
    until: date | None = None  # inclusive
    days: int | None = None  # the last so many, today among them; goes before `since`
    channel: str = ""
    outcome: str = ""  # one, or a group such as `answered_`
    topic: str = ""
    confidence_from: float | None = None
    confidence_to: float | None = None  # inclusive
    rating: RatingFilter | None = None
    urgent: bool = False
    unanswered: bool = False
    handover: HandoverFilter | None = None
    reviewed: Literal["yes", "no"] | None = None
    reviewer: str = ""
    verdict: str = ""
    text: str = ""

    def words(self) -> list[str]:
        """The words that a question must all contain. Raises BadRequest for too many."""
        text = normalise(self.text.replace("\x00", ""))
        if len(text) > LONGEST_TEXT:
            raise BadRequest("text_too_long", f"要找的文字请控制在{LONGEST_TEXT}字以内。")
        return text.split()

    def named(self) -> dict[str, Any]:
        """Those that narrow something, for the record: not the words that were looked for."""
        given = {name: getattr(self, name) for name in self.__slots__}
        kept = {k: v for k, v in given.items() if v not in (None, "", False)}
        if "text" in kept:
            kept["text"] = f"{len(self.text)}字"
        return {k: str(v) if isinstance(v, date) else v for k, v in kept.items()}


class Unindexed(FunctionElement[Any]):
    """A column by which SQLite shall not look rows up: there are no statistics by which it could
    know that walking along the time is quicker. PostgreSQL has them and sees the plain column."""

    inherit_cache = True


@compiles(Unindexed)
def _as_it_is(element: Unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


@compiles(Unindexed, "sqlite")
def _with_plus(element: Unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


def unindexed(column: Any) -> ColumnElement[Any]:
    hidden = Unindexed(column)
    hidden.type = column.type
    return hidden


def moments(filters: Filters, today: date) -> tuple[datetime | None, datetime | None]:
    """From when (inclusive) until when (exclusive)."""
    since, until = filters.since, filters.until
    if filters.days is not None:
        since, until = today - timedelta(days=filters.days - 1), None
    after = until + timedelta(days=1) if until and until < date.max else None
    return _midnight(since), _midnight(after)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def of_answer(session: Session, a: Answers, filters: Filters, member: Member) -> list[Condition]:
    """What one answer has to be like."""
    outcome, region = unindexed(a.outcome), unindexed(a.region)
    wanted: list[Condition] = [region == member.region] if member.region else []
    if filters.outcome.endswith("_"):
        wanted.append(outcome.startswith(filters.outcome, autoescape=True))
    elif filters.outcome:
        wanted.append(outcome == filters.outcome)
    if filters.urgent:
        wanted.append(outcome == URGENT)
    if filters.unanswered:
        wanted.append(or_(*(outcome.startswith(p, autoescape=True) for p in UNANSWERED)))
    if filters.topic:
        wanted.append(unindexed(a.topic) == filters.topic)
    if filters.confidence_from is not None:
        wanted.append(unindexed(a.confidence) >= filters.confidence_from)
    if filters.confidence_to is not None:
        wanted.append(unindexed(a.confidence) <= filters.confidence_to)
    return [*wanted, *_rated(session, a, filters.rating), *_judged(session, a, filters)]


def _rated(session: Session, a: Answers, rating: RatingFilter | None) -> Iterable[Condition]:
    """By what the citizen thought of the answer, or of the hand-over that it led to."""
    if rating is None:
        return
    counts: list[Condition] = [Rating.excluded_at.is_(None)]
    if rating != "none":
        counts.append(Rating.level <= 2 if rating == "low" else Rating.level == int(rating))
    of_answers = select(Rating.event_id).where(Rating.event_kind == "answer", *counts)
    of_handovers = (
        select(HandoverTicket.answer_id)
        .join(Rating, and_(Rating.event_id == HandoverTicket.id, Rating.event_kind == "handover"))
        .where(HandoverTicket.answer_id.is_not(None), *counts)
    )
    of_this = of_answers.where(Rating.event_id == a.id).exists()
    served = select(Rating.id).where(
        Rating.event_kind == "handover", Rating.event_id == HandoverTicket.id, *counts
    )
    of_its = (  # one in the other, not joined: the ticket is found first, and then its rating
        select(HandoverTicket.id)
        .where(
            HandoverTicket.conversation_id == a.conversation_id,
            unindexed(HandoverTicket.answer_id) == a.id,
            served.exists(),
        )
        .exists()
    )
    if rating == "none":
        yield ~of_this
        yield ~of_its
    elif _few(session, of_answers):
        yield unindexed(a.id).in_(union_all(of_answers, of_handovers))
    else:
        yield or_(of_this, of_its)


def _judged(session: Session, a: Answers, filters: Filters) -> Iterable[Condition]:
    """By whether, by whom and how the answer has been reviewed."""
    of_this = Review.answer_id == a.id
    if filters.reviewed == "no":
        yield ~select(Review.id).where(of_this).exists()
    named: list[Condition] = [Review.reviewer_id == filters.reviewer] if filters.reviewer else []
    if filters.verdict:
        named.append(Review.verdict == filters.verdict)
    if named or filters.reviewed == "yes":
        judged = select(Review.answer_id).where(*named)
        few = _few(session, judged)
        yield unindexed(a.id).in_(judged) if few else judged.where(of_this).exists()


def of_conversation(session: Session, a: Answers, filters: Filters) -> list[Condition]:
    """What the conversation of an answer has to be like."""
    mine = unindexed(a.conversation_id)
    wanted: list[Condition] = []
    if filters.channel:
        of_channel = select(Conversation.id).where(Conversation.channel == filters.channel)
        same = of_channel.where(Conversation.id == a.conversation_id)
        wanted.append(mine.in_(of_channel) if _few(session, of_channel) else same.exists())
    tickets = select(HandoverTicket.conversation_id)
    its = tickets.where(HandoverTicket.conversation_id == a.conversation_id)
    if filters.handover == "none":
        wanted.append(~its.exists())
    elif filters.handover:
        state = [] if filters.handover == "any" else [HandoverTicket.status == filters.handover]
        few = _few(session, tickets.where(*state))
        wanted.append(mine.in_(tickets.where(*state)) if few else its.where(*state).exists())
    return wanted


def _few(session: Session, rows: Select[Any]) -> bool:
    return len(session.scalars(rows.limit(_FEW + 1)).all()) <= _FEW
