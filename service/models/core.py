"""Conversations with their answers, staff, hand-overs, ratings, and who read what."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from knowledge.store import metadata as knowledge_metadata


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """One MetaData for all tables, so that there is one migration history."""

    metadata = knowledge_metadata


def table_of(entity: type[Base]) -> Table:
    """The table of an entity, for statements that need nothing of the ORM."""
    return cast(Table, entity.__table__)


class Conversation(Base):
    """A thread of questions from one citizen in one channel; `id` is what the citizen holds."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), index=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)
    answers: Mapped[list[AnswerRecord]] = relationship(
        back_populates="conversation", order_by="AnswerRecord.asked_at", lazy="raise"
    )


class AnswerRecord(Base):
    """A question, masked, with the answer given and all that is needed to rebuild it."""

    __tablename__ = "answers"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)
    question: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(40), index=True)
    topic: Mapped[str | None] = mapped_column(String(20), index=True)
    confidence: Mapped[float] = mapped_column(Float)
    region: Mapped[str] = mapped_column(String(6))
    took_ms: Mapped[float] = mapped_column(Float)
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)  # as the citizen got it
    trace: Mapped[dict[str, Any]] = mapped_column(JSON)  # route, query, hits, versions, step times
    conversation: Mapped[Conversation] = relationship(back_populates="answers", lazy="raise")
    cited: Mapped[list[CitedPassage]] = relationship(
        back_populates="answer", order_by="CitedPassage.position", lazy="raise"
    )


class CitedPassage(Base):
    """A copy of what an answer rested on: a later change of the knowledge base cannot touch it."""

    __tablename__ = "cited_passages"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    answer_id: Mapped[str] = mapped_column(ForeignKey("answers.id"), index=True)
    position: Mapped[int] = mapped_column(Integer)
    passage_id: Mapped[str] = mapped_column(String(280), index=True)
    title: Mapped[str] = mapped_column(String(400))
    label: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    answer: Mapped[AnswerRecord] = relationship(back_populates="cited", lazy="raise")


class Staff(Base):
    """A person who works here. Never deleted, only disabled: records must keep naming somebody."""

    __tablename__ = "staff"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    roles: Mapped[list[str]] = mapped_column(JSON)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256, in hexadecimal
    region: Mapped[str] = mapped_column(String(6), default="")  # empty: all regions
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    disabled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class HandoverTicket(Base):
    """A conversation that waits for a person, or has one; at most one open in a conversation.

    `packet` is what the person needs to know, masked. `contact` is the number at which the citizen
    asked to be called: only who claimed the ticket sees it, and closing erases it.
    """

    __tablename__ = "handovers"
    __table_args__ = (
        Index(
            "uq_handovers_conversation_id_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("status != 'closed'"),
            postgresql_where=text("status != 'closed'"),
        ),
        Index("ix_handovers_created_at_id", "created_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    answer_id: Mapped[str | None] = mapped_column(ForeignKey("answers.id"))
    kind: Mapped[str] = mapped_column(String(20))  # requested, unsure, urgent
    status: Mapped[str] = mapped_column(String(20), index=True)  # waiting, claimed, closed
    topic: Mapped[str | None] = mapped_column(String(20))
    region: Mapped[str] = mapped_column(String(6))
    reason: Mapped[str] = mapped_column(Text)
    packet: Mapped[dict[str, Any]] = mapped_column(JSON)
    contact: Mapped[str | None] = mapped_column(String(40))
    consented_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    claimed_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"), index=True)
    claimed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    first_claimed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    first_replied_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outcome: Mapped[str | None] = mapped_column(String(20))
    summary: Mapped[str | None] = mapped_column(Text)
    referral: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class HandoverMessage(Base):
    """What was said in a ticket; `private` is for staff only. `seq` is never used twice."""

    __tablename__ = "handover_messages"
    __table_args__ = (
        Index("ix_handover_messages_handover_id_seq", "handover_id", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    handover_id: Mapped[str] = mapped_column(ForeignKey("handovers.id"))
    sender: Mapped[str] = mapped_column(String(10))  # citizen, staff, system
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    text: Mapped[str] = mapped_column(Text)
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    private: Mapped[bool] = mapped_column(Boolean, default=False)


class UrgentAcknowledgement(Base):
    """Who first saw to an urgent answer."""

    __tablename__ = "urgent_acknowledgements"

    answer_id: Mapped[str] = mapped_column(ForeignKey("answers.id"), primary_key=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    acknowledged_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    note: Mapped[str] = mapped_column(Text, default="")


class AccessRecord(Base):
    """A member of staff read what a citizen wrote. Only ever added to, and outlives what was read:
    so `subject_id` and `conversation_id` are no foreign keys."""

    __tablename__ = "access_records"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), index=True)
    subject: Mapped[str] = mapped_column(String(20))  # handover, answer, conversation
    subject_id: Mapped[str] = mapped_column(String(40))
    conversation_id: Mapped[str] = mapped_column(String(40), index=True)
    purpose: Mapped[str] = mapped_column(String(200))
    accessed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)


class Rating(Base):
    """What a citizen thought of one service event (an answer, or a closed hand-over).

    Bound three ways: `person` is a pseudonym of the conversation, `matter` what was shown,
    `handler` the knowledge item or the member of staff. It outlives the event, so `event_id` is no
    foreign key. `excluded_at` is set when an appeal against it was accepted.
    """

    __tablename__ = "ratings"
    __table_args__ = (
        UniqueConstraint("event_kind", "event_id", name="uq_ratings_event_kind_event_id"),
        CheckConstraint("level BETWEEN 1 AND 5", name="ck_ratings_level"),
        Index("ix_ratings_month_level", "month", "level", "excluded_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    event_kind: Mapped[str] = mapped_column(String(20))  # answer, handover
    event_id: Mapped[str] = mapped_column(String(40))
    level: Mapped[int] = mapped_column(Integer)  # 5 best
    aspects: Mapped[list[str]] = mapped_column(JSON)
    comment: Mapped[str] = mapped_column(Text)  # masked
    rated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    month: Mapped[str] = mapped_column(String(7))  # 2026-11, in Asia/Shanghai
    person: Mapped[str] = mapped_column(String(16), index=True)
    region: Mapped[str] = mapped_column(String(6))
    topic: Mapped[str | None] = mapped_column(String(20), index=True)
    matter: Mapped[dict[str, Any]] = mapped_column(JSON)  # documents shown, outcome
    handler_kind: Mapped[str] = mapped_column(String(20))  # knowledge, staff, law, assistant
    handler_id: Mapped[str] = mapped_column(String(200), index=True)
    handler: Mapped[dict[str, Any]] = mapped_column(JSON)  # names as recorded on that day
    excluded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class RatingTicket(Base):
    """What is owed to a citizen who was not satisfied. `version` counts its moves."""

    __tablename__ = "rating_tickets"
    __table_args__ = (Index("ix_rating_tickets_opened_at_id", "opened_at", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    rating_id: Mapped[str] = mapped_column(ForeignKey("ratings.id"), unique=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    version: Mapped[int] = mapped_column(Integer, default=0)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    contact_due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    mend_due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    recheck_due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    due_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)  # next
    contacted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recheck_result: Mapped[str | None] = mapped_column(String(20))


class RatingMove(Base):
    """One thing done to a ticket, and by whom. Only ever added to."""

    __tablename__ = "rating_moves"
    __table_args__ = (
        UniqueConstraint("ticket_id", "version", name="uq_rating_moves_ticket_id_version"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("rating_tickets.id"))
    version: Mapped[int] = mapped_column(Integer)  # of the ticket, once this was done
    action: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))  # of the ticket, once this was done
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    text: Mapped[str] = mapped_column(Text)
    result: Mapped[str | None] = mapped_column(String(20))  # of a re-check
