"""What lets a question be asked once although it arrives twice, and what a citizen agreed to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import Base, now


class AskedQuestion(Base):
    """A question under the key that its sender gave it, kept for a day.

    `digest` is the hash of key, conversation and question: no words of anybody. `holder` is who
    answers it now, since `taken_at`; `answer_id` is set with the answer, in one transaction.
    """

    __tablename__ = "asked_questions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(32))
    taken_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)
    answer_id: Mapped[str | None] = mapped_column(ForeignKey("answers.id"), index=True)


class Consent(Base):
    """Which version of the notice about data was agreed to before a question of a conversation."""

    __tablename__ = "consents"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    site: Mapped[str] = mapped_column(String(40))  # where it was shown
    agreed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
