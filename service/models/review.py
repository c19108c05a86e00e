"""Judgements of answers, the queue they come from, and what the list of conversations walks along.

A review outlives the answer that it judges (a citizen may have that erased), so `answer_id` is no
foreign key, and what is counted (day, topic, outcome, region) is copied into it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import AnswerRecord, Base, HandoverTicket, Rating, now

# The list of conversations is read from these two indexes alone, newest first, so that any filter
# on what they hold costs at most one walk over narrow entries: the answers themselves are long.
_FILTERED = (AnswerRecord.outcome, AnswerRecord.topic, AnswerRecord.confidence, AnswerRecord.region)
Index(
    "ix_answers_asked_at_id",
    AnswerRecord.asked_at,
    AnswerRecord.id,
    AnswerRecord.conversation_id,
    *_FILTERED,
)
Index(
    "ix_answers_conversation_id_asked_at",
    AnswerRecord.conversation_id,
    AnswerRecord.asked_at,
    AnswerRecord.id,
    *_FILTERED,
)
Index("ix_ratings_rated_at", Rating.rated_at)
Index("ix_ratings_level_event_id", Rating.level, Rating.event_kind, Rating.event_id)
Index("ix_handovers_status_conversation_id", HandoverTicket.status, HandoverTicket.conversation_id)


class Review(Base):
    """What one person thinks of one answer. `version` counts its changes.

    Open while something is to follow; `rerun` is the answer to the same question over what was
    published at `rerun_at`, which decides whether it may be closed.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("answer_id", "reviewer_id", name="uq_reviews_answer_id_reviewer_id"),
        Index("ix_reviews_status_changed_at", "status", "changed_at", "id"),
        Index("ix_reviews_reviewed_at", "reviewed_at", "verdict"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    answer_id: Mapped[str] = mapped_column(String(40))
    conversation_id: Mapped[str] = mapped_column(String(40), index=True)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    topic: Mapped[str | None] = mapped_column(String(20))
    outcome: Mapped[str] = mapped_column(String(40))
    region: Mapped[str] = mapped_column(String(6))
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), index=True)
    reviewed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    version: Mapped[int] = mapped_column(Integer, default=0)
    verdict: Mapped[str] = mapped_column(String(20), index=True)
    labels: Mapped[list[str]] = mapped_column(JSON)
    comment: Mapped[str] = mapped_column(Text)
    follow_up: Mapped[str] = mapped_column(String(20))  # new_faq, mend_item, routing, none
    target: Mapped[str] = mapped_column(String(200), default="")  # document to mend
    status: Mapped[str] = mapped_column(String(20))  # open, closed
    rerun: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    rerun_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    rerun_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    rerun_differs: Mapped[bool | None] = mapped_column(Boolean)
    rerun_verdict: Mapped[str | None] = mapped_column(String(20))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    closed_because: Mapped[str | None] = mapped_column(String(20))  # nothing_due, better, decided
    close_reason: Mapped[str] = mapped_column(Text, default="")


class ReviewTask(Base):
    """An answer that is to be judged, why, by how many, and by when. Goes with its answer."""

    __tablename__ = "review_tasks"

    answer_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(40), index=True)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    region: Mapped[str] = mapped_column(String(6))
    urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    low_rating: Mapped[bool] = mapped_column(Boolean, default=False)
    handover: Mapped[bool] = mapped_column(Boolean, default=False)
    low_confidence: Mapped[bool] = mapped_column(Boolean, default=False)
    random: Mapped[bool] = mapped_column(Boolean, default=False)
    needed: Mapped[int] = mapped_column(Integer, default=1)  # 2: so that reviewers are compared
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    done_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    # What waits, in its order: PostgreSQL does not sort by a column that IS NULL in an index.
    __table_args__ = (
        Index(
            "ix_review_tasks_waiting",
            "due_at",
            "answer_id",
            postgresql_where=done_at.is_(None),
            sqlite_where=done_at.is_(None),
        ),
    )


class ReviewSeat(Base):
    """Who is judging an answer, or has: a lock until `until`, for good once there is a review."""

    __tablename__ = "review_seats"

    answer_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    seat: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), index=True)
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    review_id: Mapped[str | None] = mapped_column(String(40))


class ReviewSkip(Base):
    """Somebody has passed over an answer, and is not given it again."""

    __tablename__ = "review_skips"

    answer_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    skipped_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    reason: Mapped[str] = mapped_column(Text, default="")


class ReviewSettings(Base):
    """The one row that says what is sampled, and up to when that has been done."""

    __tablename__ = "review_settings"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    random_share: Mapped[float] = mapped_column(Float)
    double_share: Mapped[float] = mapped_column(Float)
    low_confidence: Mapped[float] = mapped_column(Float)
    sampled_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, default=0)
