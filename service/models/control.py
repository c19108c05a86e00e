"""Switches, notices, how long data is kept, and the counts that outlive it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import Base, now


class Switch(Base):
    """Something was switched off or on again. Only ever added to: the newest row of a kind and key
    is valid."""

    __tablename__ = "switches"
    __table_args__ = (
        Index("ix_switches_kind_key_id", "kind", "key", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20))  # channel, topic, document, model
    key: Mapped[str] = mapped_column(String(200))
    off: Mapped[bool] = mapped_column(Boolean)
    comment: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class Notice(Base):
    """Words of the office to all citizens, for a time. `version` counts its edits."""

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_ends_at_starts_at", "ends_at", "starts_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(String(20))  # info, warning, urgent
    place: Mapped[str] = mapped_column(String(20))  # web, wechat, both
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_by: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    changed_by: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class RetentionRule(Base):
    """How many days a kind of data is kept. Only ever added to: the newest row of a kind is valid,
    and without one the default."""

    __tablename__ = "retention_rules"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20), index=True)
    days: Mapped[int] = mapped_column(Integer)
    comment: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    set_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class RetentionRun(Base):
    """One run over all kinds: what it has deleted so far. Unfinished ones are gone on with."""

    __tablename__ = "retention_runs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    staff_id: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))  # None: by the clock
    counts: Mapped[dict[str, Any]] = mapped_column(JSON)


class Job(Base):
    """A piece of background work that only one process does at a time."""

    __tablename__ = "jobs"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    done_until: Mapped[date | None] = mapped_column(Date)  # the last day that is done with
    holder: Mapped[str | None] = mapped_column(String(40))
    held_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class DailyCount(Base):
    """How many answers of one sort a day of Asia/Shanghai had in one hour.

    `n` counts those that are there (only of days that are folded), `kept` those that were deleted
    since, so that a rebuild needs nothing but what is there.
    """

    __tablename__ = "daily_counts"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(40), primary_key=True)
    topic: Mapped[str] = mapped_column(String(20), primary_key=True)  # empty: none
    region: Mapped[str] = mapped_column(String(6), primary_key=True)
    hour: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    n: Mapped[int] = mapped_column(Integer, default=0)
    kept: Mapped[int] = mapped_column(Integer, default=0)


class DailyConversations(Base):
    """How many conversations began on a day; `n` and `kept` as in `DailyCount`."""

    __tablename__ = "daily_conversations"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, default=0)
    kept: Mapped[int] = mapped_column(Integer, default=0)


class KeptWait(Base):
    """How long somebody waited whose conversation is deleted: nothing that says who it was."""

    __tablename__ = "kept_waits"
    __table_args__ = (
        Index("ix_kept_waits_kind_day", "kind", "day"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(20))  # handover, urgent
    day: Mapped[date] = mapped_column(Date)  # on which the wait began
    region: Mapped[str] = mapped_column(String(6))
    seconds: Mapped[float | None] = mapped_column(Float)  # None: nobody came
    outcome: Mapped[str] = mapped_column(String(20), default="")  # of a hand-over


class Erasure(Base):
    """A citizen had a conversation erased: its code as a digest, so that asking again can be
    answered, and nothing else of it."""

    __tablename__ = "erasures"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
