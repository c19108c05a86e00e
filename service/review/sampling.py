"""Which answers are judged: all that may have gone wrong, and a share of the rest by lot.

The lot is a hash of the answer's id, so that it falls the same in every process and nobody can
choose it. Sampling goes on from where it last stopped, and may be done twice without harm.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from service.answering.hours import add_working_days
from service.models import AnswerRecord, HandoverTicket, Rating
from service.models.review import ReviewSettings, ReviewTask
from service.review.access import utc
from service.review.filters import URGENT
from service.review.words import REASONS

RANDOM_SHARE, DOUBLE_SHARE = 0.05, 0.10
# An answer is given from 0.583 (a reviewed answer) or 0.73 (the law) on: of the reviewed ones from
# there to here 13 of 56 were wrong by the readers of our own lines (docs/quality.md).
LOW_CONFIDENCE = 0.75
# Working days until an answer should have been judged. Ours, until the bureau says otherwise.
DUE_DAYS = {"urgent": 1, "low_rating": 1, "handover": 3, "low_confidence": 5, "random": 5}
FIRST = timedelta(days=30)  # how far back the very first sampling goes
_OVERLAP = timedelta(minutes=10)  # what was written before, and committed after, the last look
_PAUSE = timedelta(seconds=5)
_WITH_PERSON, _SMALLTALK = "handover_with_person", "answered_smalltalk"


def lot(of: str, answer: str) -> float:
    """The lot of an answer in the draw `of`: evenly between 0 and 1."""
    return int.from_bytes(hashlib.sha256(f"{of}:{answer}".encode()).digest()[:8]) / 2**64


def settings_of(session: Session) -> ReviewSettings:
    """The row, made with what we propose where there is none yet."""
    row = session.get(ReviewSettings, 1)
    if row is None:
        values = {
            "id": 1,
            "random_share": RANDOM_SHARE,
            "double_share": DOUBLE_SHARE,
            "low_confidence": LOW_CONFIDENCE,
            "version": 0,
        }
        insert = _dialect(session).insert(ReviewSettings).values(values)
        session.execute(insert.on_conflict_do_nothing())
        row = session.get_one(ReviewSettings, 1)
    return row


def sample(session: Session, at: datetime) -> int:
    """Put on the list what has come since the last time; how many answers had a reason."""
    settings = settings_of(session)
    if settings.sampled_until and utc(settings.sampled_until) > at - _PAUSE:
        return 0
    since = utc(settings.sampled_until) - _OVERLAP if settings.sampled_until else at - FIRST
    why: dict[str, set[str]] = defaultdict(set)
    about: dict[str, Any] = {}
    for answer, reason in _reasons(session, settings, since):
        why[answer.id].add(reason)
        about[answer.id] = answer
    rows = [_task(about[key], reasons, settings) for key, reasons in sorted(why.items())]
    if rows:
        _put(session, rows)
    session.execute(update(ReviewSettings).where(ReviewSettings.id == 1).values(sampled_until=at))
    return len(rows)


def _reasons(
    session: Session, settings: ReviewSettings, since: datetime
) -> Iterator[tuple[Any, str]]:
    """Answers with a reason why each is to be judged."""
    columns = (
        AnswerRecord.id,
        AnswerRecord.conversation_id,
        AnswerRecord.asked_at,
        AnswerRecord.outcome,
        AnswerRecord.confidence,
        AnswerRecord.region,
    )
    for answer in session.execute(select(*columns).where(AnswerRecord.asked_at > since)):
        if answer.outcome == URGENT:
            yield answer, "urgent"
        given = answer.outcome.startswith("answered_") and answer.outcome != _SMALLTALK
        if given and answer.confidence < settings.low_confidence:
            yield answer, "low_confidence"
        if answer.outcome != _WITH_PERSON and lot("sample", answer.id) < settings.random_share:
            yield answer, "random"
    rated = select(*columns).join(Rating, Rating.event_id == AnswerRecord.id)
    bad = (Rating.rated_at > since, Rating.level <= 2, Rating.excluded_at.is_(None))
    for answer in session.execute(rated.where(Rating.event_kind == "answer", *bad)):
        yield answer, "low_rating"
    # What a hand-over is about: the answer that led to it, else the last one before it.
    before = (
        select(AnswerRecord.id)
        .where(
            AnswerRecord.conversation_id == HandoverTicket.conversation_id,
            AnswerRecord.asked_at <= HandoverTicket.created_at,
        )
        .order_by(AnswerRecord.asked_at.desc(), AnswerRecord.id.desc())
        .limit(1)
        .correlate(HandoverTicket)
        .scalar_subquery()
    )
    is_its = AnswerRecord.id == func.coalesce(HandoverTicket.answer_id, before)
    handed = select(*columns).join(HandoverTicket, is_its)
    for answer in session.execute(handed.where(HandoverTicket.created_at > since)):
        yield answer, "handover"
    served = handed.join(Rating, Rating.event_id == HandoverTicket.id)
    for answer in session.execute(served.where(Rating.event_kind == "handover", *bad)):
        yield answer, "low_rating"


def _task(answer: Any, reasons: set[str], settings: ReviewSettings) -> dict[str, Any]:
    asked = utc(answer.asked_at)
    return {
        "answer_id": answer.id,
        "conversation_id": answer.conversation_id,
        "asked_at": asked,
        "region": answer.region,
        **{reason: reason in reasons for reason in REASONS},
        "needed": 2 if lot("double", answer.id) < settings.double_share else 1,
        "due_at": add_working_days(asked, min(DUE_DAYS[reason] for reason in reasons)),
    }


def _put(session: Session, rows: list[dict[str, Any]]) -> None:
    """A further reason is added to a task that is there already, and may make it due earlier."""
    table = ReviewTask.__table__
    insert = _dialect(session).insert(table)
    new, old = insert.excluded, table.c
    merged = {reason: or_(old[reason], new[reason]) for reason in REASONS}
    earlier = case((new.due_at < old.due_at, new.due_at), else_=old.due_at)
    merged |= {"due_at": earlier}
    session.execute(insert.on_conflict_do_update(index_elements=["answer_id"], set_=merged), rows)


def _dialect(session: Session) -> Any:
    return postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
