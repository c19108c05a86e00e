"""Who is at the desk, from when to when."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import Base, now


class DutyShift(Base):
    """Somebody is on duty, as long as the page that said so is heard of: at most one open shift a
    person. `ended_at` of one that lapsed is when it was last heard of."""

    __tablename__ = "duty_shifts"
    __table_args__ = (
        Index(
            "uq_duty_shifts_staff_id_open",
            "staff_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    staff_id: Mapped[str] = mapped_column(String(40), ForeignKey("staff.id"))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
