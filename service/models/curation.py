"""Who saved which revision of the knowledge base, on top of what, and what became of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import Base, now


class Edit(Base):
    """What is known of a revision that a member of staff saved; its words are in the store.

    `head_of` is its document while this is the draft that people work on: unique, so that of two
    who save on top of the same revision one wins. What the other one wrote is kept `aside`.
    """

    __tablename__ = "edits"
    __table_args__ = (Index("ix_edits_document_id_saved_at", "document_id", "saved_at"),)

    revision_id: Mapped[str] = mapped_column(ForeignKey("revisions.id"), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    base_id: Mapped[str | None] = mapped_column(ForeignKey("revisions.id"))  # what it changed
    head_of: Mapped[str | None] = mapped_column(ForeignKey("documents.id"), unique=True)
    merges_id: Mapped[str | None] = mapped_column(ForeignKey("revisions.id"))  # words it took in
    aside: Mapped[bool] = mapped_column(Boolean, default=False)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), index=True)
    origin: Mapped[str] = mapped_column(String(20))  # staff, import, review, gap, rollback, …
    note: Mapped[str] = mapped_column(Text, default="")
    saved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class EditMove(Base):
    """One step of a revision's life, and who took it. Only ever added to."""

    __tablename__ = "edit_moves"
    __table_args__ = (
        Index("ix_edit_moves_revision_id_moved_at", "revision_id", "moved_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    revision_id: Mapped[str] = mapped_column(ForeignKey("revisions.id"))
    action: Mapped[str] = mapped_column(String(20))  # submitted, approved, sent_back, …
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    moved_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    comment: Mapped[str] = mapped_column(Text, default="")
