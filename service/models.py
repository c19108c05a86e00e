"""Tables of the service: conversations, questions, answers, and copies of what was cited."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from knowledge.store import metadata as knowledge_metadata


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """One MetaData for all tables, so that there is one migration history."""

    metadata = knowledge_metadata


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
