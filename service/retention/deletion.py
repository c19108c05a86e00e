"""What is deleted with a conversation, in an order that foreign keys allow, and what stays of it.

`OF_ANSWERS`, `OF_TICKETS` and `OF_CONVERSATIONS` name every table that a conversation reaches; a
test walks all foreign keys and fails when a new one leads to a table that is not here.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, delete, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.models import (
    AnswerRecord,
    CitedPassage,
    Conversation,
    HandoverMessage,
    HandoverTicket,
    Rating,
    RatingMove,
    RatingTicket,
    UrgentAcknowledgement,
)
from service.models.gate import AskedQuestion, Consent
from service.models.review import Review, ReviewSeat, ReviewSkip, ReviewTask
from service.models.trials import (
    GapCluster,
    GapMember,
    QuestionVector,
    SetQuestion,
    TrialResult,
)
from service.ratings.circle import TicketStatus
from service.statistics import waits
from service.statistics.counts import Counts
from service.statistics.days import china_day, month_of
from service.wechat import erasure

Column = InstrumentedAttribute[Any]
OF_ANSWERS: tuple[Column, ...] = (
    CitedPassage.answer_id,
    UrgentAcknowledgement.answer_id,
    ReviewTask.answer_id,
    ReviewSeat.answer_id,
    ReviewSkip.answer_id,
    GapMember.answer_id,
    AskedQuestion.answer_id,
    SetQuestion.answer_id,
    TrialResult.answer_id,
)
OF_TICKETS: tuple[Column, ...] = (HandoverMessage.handover_id,)
OF_CONVERSATIONS: tuple[Column, ...] = (
    Consent.conversation_id,  # before the answers, which are counted
    HandoverTicket.conversation_id,
    AnswerRecord.conversation_id,
)
UNFINISHED = tuple(s.value for s in TicketStatus if not s.finished)
ERASED = "已按保存期限删除"


def delete_conversations(
    session: Session, counts: Counts, ids: Sequence[str], *, at: datetime, by_citizen: bool = False
) -> dict[str, int]:
    """Delete conversations with all that is in them; how many of what. Figures stay, ratings keep
    what `strip_ratings` leaves, reviews their verdict."""
    chosen = Conversation.id.in_(ids)
    answers = select(AnswerRecord.id).where(AnswerRecord.conversation_id.in_(ids))
    tickets = select(HandoverTicket.id).where(HandoverTicket.conversation_id.in_(ids))
    # First, since it takes the lock under which days are folded.
    counts.forget(session, AnswerRecord.conversation_id.in_(ids), chosen)
    waits.keep(session, AnswerRecord.conversation_id.in_(ids), tickets)
    if by_citizen:
        strip_ratings(session, ratings_of(answers, tickets), "市民已要求删除，内容不再保存。")
    _strip_reviews(session, answers, at, "市民已要求删除会话" if by_citizen else ERASED)
    erasure.forget(session, ids, at)
    places = session.execute(
        select(GapMember.digest, GapMember.cluster_id).where(GapMember.answer_id.in_(answers))
    ).all()
    counted: dict[str, int] = {}
    for column in OF_TICKETS:
        counted["messages"] = _delete(session, column.in_(tickets), column)
    for column in OF_ANSWERS:
        n = _delete(session, column.in_(answers), column)
        if column is CitedPassage.answer_id:
            counted["citations"] = n
    _forget_gaps(session, places)
    for column in OF_CONVERSATIONS:
        name = "tickets" if column is HandoverTicket.conversation_id else "answers"
        counted[name] = _delete(session, column.in_(ids), column)
    counted["conversations"] = _delete(session, chosen, Conversation.id)
    return counted


def ratings_of(answers: Select[Any], tickets: Select[Any]) -> ColumnElement[bool]:
    """The ratings of these answers and tickets."""
    return ((Rating.event_kind == "answer") & Rating.event_id.in_(answers)) | (
        (Rating.event_kind == "handover") & Rating.event_id.in_(tickets)
    )


def _delete(session: Session, condition: ColumnElement[bool], column: Column) -> int:
    result = session.execute(
        delete(column.class_).where(condition).execution_options(synchronize_session=False)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def _forget_gaps(session: Session, places: Sequence[Row[str, str]]) -> None:
    """A text may be guessed from its vector: where no other question has it, it goes, and so does
    the cluster that was of nothing else."""
    for column, mine, gone in (
        (QuestionVector.digest, GapMember.digest, {row.digest for row in places}),
        (GapCluster.id, GapMember.cluster_id, {row.cluster_id for row in places}),
    ):
        _delete(session, column.in_(gone) & ~exists(select(1).where(mine == column)), column)


def strip_ratings(session: Session, chosen: ColumnElement[bool], said: str) -> None:
    """Leave of each rating its level and month, and of what the office wrote only `said`."""
    rows = session.execute(select(Rating.id, Rating.rated_at).where(chosen)).all()
    ids = [row.id for row in rows]
    if not ids:
        return
    mine = select(RatingTicket.id).where(RatingTicket.rating_id.in_(ids))
    session.execute(
        update(RatingMove)
        .where(RatingMove.ticket_id.in_(mine))
        .values(text=said)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(RatingTicket)
        .where(RatingTicket.rating_id.in_(ids), RatingTicket.status.in_(UNFINISHED))
        .values(status=TicketStatus.CLOSED.value, due_at=None, version=RatingTicket.version + 1)
        .execution_options(synchronize_session=False)
    )
    for row in rows:
        session.execute(
            update(Rating)
            .where(Rating.id == row.id)
            .values(
                event_id=f"erased_{secrets.token_hex(12)}",
                aspects=[],
                comment="",
                rated_at=month_of(china_day(row.rated_at)).since,
                person="",
                topic=None,
                matter={},
                handler_kind="assistant",
                handler_id="",
                handler={},
            )
            .execution_options(synchronize_session=False)
        )


def _strip_reviews(session: Session, answers: Select[Any], at: datetime, reason: str) -> None:
    """A verdict is a figure; what was written beside it may tell of the citizen."""
    theirs = Review.answer_id.in_(answers)
    session.execute(
        update(Review)
        .where(theirs, Review.status != "closed")
        .values(status="closed", closed_at=at, closed_because="decided", close_reason=reason)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(Review)
        .where(theirs)
        .values(comment="", rerun=None, conversation_id="")
        .execution_options(synchronize_session=False)
    )


def held(cutoff: datetime, closed_before: datetime) -> list[ColumnElement[bool]]:
    """Conditions that let a conversation go: nothing in it is younger than `cutoff`, its tickets
    were closed before `closed_before`, and no ticket, review or rating is still being worked on."""
    mine = AnswerRecord.conversation_id == Conversation.id
    ticket = HandoverTicket.conversation_id == Conversation.id
    answers = select(AnswerRecord.id).where(mine)
    tickets = select(HandoverTicket.id).where(ticket)
    rated = (
        select(RatingTicket.id)
        .join(Rating, RatingTicket.rating_id == Rating.id)
        .where(RatingTicket.status.in_(UNFINISHED), ratings_of(answers, tickets))
    )
    return [
        Conversation.started_at < cutoff,
        ~select(AnswerRecord.id).where(mine, AnswerRecord.asked_at >= cutoff).exists(),
        ~select(HandoverTicket.id)
        .where(
            ticket,
            (HandoverTicket.status != "closed") | (HandoverTicket.closed_at >= closed_before),
        )
        .exists(),
        ~rated.exists(),
        ~select(Review.id)
        .where(Review.conversation_id == Conversation.id, Review.status == "open")
        .exists(),
    ]
