"""What the list of conversations can be narrowed down to, as conditions on answers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select, union_all
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from knowledge.text import normalise
from service.auth import Member
from service.errors import BadRequest
from service.models import AnswerRecord, Conversation, HandoverTicket, Rating
from service.models.review import Review
from service.statistics.days import refuse_far

SHANGHAI = ZoneInfo("Asia/Shanghai")
URGENT = "handover_urgent"
UNANSWERED = ("unanswerable_", "failed_")
LONGEST_TEXT = 80
# Rows of another table that a filter finds: so few are gone through themselves; up to so many are
# gathered and compared with on the way along the time; more are looked up one by one on that way,
# which does not have to go far.
_LEADS, _GATHERED = 500, 5000

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
    """From when (inclusive) until when (exclusive). Raises BadRequest for a day that is far off."""
    refuse_far(filters.since, filters.until)
    since, until = filters.since, filters.until
    if filters.days is not None:
        since, until = today - timedelta(days=filters.days - 1), None
    after = until + timedelta(days=1) if until else None
    return _midnight(since), _midnight(after)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), SHANGHAI).astimezone(UTC)


def of_answer(
    session: Session, a: Answers, filters: Filters, member: Member, *, leads: bool = True
) -> list[Condition]:
    """What one answer has to be like. Where few have been rated or judged so, those are looked up
    instead of walking along the time, unless another condition `leads`."""
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
    rated = _rated(session, a, filters.rating, leads=leads)
    return [*wanted, *rated, *_judged(session, a, filters, leads=leads)]


def _rated(
    session: Session, a: Answers, rating: RatingFilter | None, *, leads: bool
) -> Iterable[Condition]:
    """By what the citizen thought of the answer, or of the hand-over that it led to."""
    if rating is None:
        return
    counts: list[Condition] = [Rating.excluded_at.is_(None)]
    if rating != "none":
        counts.append(Rating.level <= 2 if rating == "low" else Rating.level == int(rating))
    kind = unindexed(Rating.event_kind)  # the level says more than the kind
    of_answers = select(Rating.event_id).where(kind == "answer", *counts)
    of_handovers = (
        select(HandoverTicket.answer_id)
        .join(Rating, and_(Rating.event_id == HandoverTicket.id, kind == "handover"))
        .where(HandoverTicket.answer_id.is_not(None), *counts)
    )
    of_this = (
        select(Rating.id)
        .where(Rating.event_kind == "answer", Rating.event_id == a.id, *counts)
        .exists()
    )
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
    else:
        either: Any = union_all(of_answers, of_handovers)
        yield _looked_up(session, a.id, either, or_(of_this, of_its), leads=leads)


def _judged(session: Session, a: Answers, filters: Filters, *, leads: bool) -> Iterable[Condition]:
    """By whether, by whom and how the answer has been reviewed."""
    of_this = Review.answer_id == a.id
    if filters.reviewed == "no":
        yield ~select(Review.id).where(of_this).exists()
    named = {Review.reviewer_id: filters.reviewer, Review.verdict: filters.verdict}
    given = {column: value for column, value in named.items() if value}
    if not given and filters.reviewed != "yes":
        return
    judged = select(Review.answer_id).where(*(c == value for c, value in given.items()))
    so = (unindexed(column) == value for column, value in given.items())
    same = select(Review.id).where(of_this, *so).exists()
    yield _looked_up(session, a.id, judged, same, leads=leads)


def of_conversation(session: Session, a: Answers, filters: Filters) -> list[Condition]:
    """What the conversation of an answer has to be like."""
    mine, wanted = a.conversation_id, list[Condition]()
    if filters.channel:
        of_channel = select(Conversation.id).where(Conversation.channel == filters.channel)
        same = (
            select(Conversation.id)
            .where(Conversation.id == mine, unindexed(Conversation.channel) == filters.channel)
            .exists()
        )
        wanted.append(_looked_up(session, mine, of_channel, same))
    tickets = select(HandoverTicket.conversation_id)
    its = tickets.where(HandoverTicket.conversation_id == mine)
    if filters.handover == "none":
        wanted.append(~its.exists())
    elif filters.handover:
        state = [] if filters.handover == "any" else [HandoverTicket.status == filters.handover]
        wanted.append(_looked_up(session, mine, tickets.where(*state), its.where(*state).exists()))
    return wanted


def _looked_up(
    session: Session, column: Any, rows: Any, same: Condition, *, leads: bool = True
) -> Condition:
    """Whether a column is among `rows`, which `same` says of one of them, in the way that is quick
    for as many as there are."""
    some = rows.limit(_GATHERED + 1).subquery()
    number = session.scalar(select(func.count()).select_from(some)) or 0
    if number > _GATHERED:
        return same
    among: Condition = (column if leads and number <= _LEADS else unindexed(column)).in_(rows)
    return among
