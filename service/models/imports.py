"""Files that were read in, and the drafts that came of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import Base, now


class Import(Base):
    """One file: its bytes are kept under its `sha256`, so the same file again is the same import.

    `content` is the file as read (`ReadDocument.to_json`), `report` what was made of it:
    {as, drafts: [{document, revision, title, missing}], left_out}.
    """

    __tablename__ = "imports"
    __table_args__ = (Index("ix_imports_imported_at_id", "imported_at", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    file_name: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    size: Mapped[int] = mapped_column(Integer)  # bytes
    kind: Mapped[str] = mapped_column(String(10))  # docx, pdf, html, xlsx, csv, md
    title: Mapped[str] = mapped_column(String(400))
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"), index=True)
    imported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    status: Mapped[str] = mapped_column(String(20))  # read, saving, saved, discarded
    content: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
