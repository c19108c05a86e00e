"""Sets of questions, what runs over them gave, and the gaps that citizens' questions show."""

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
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import Base, now


class QuestionSet(Base):
    """Questions that staff ask again and again. Put away, not deleted: runs keep naming it."""

    __tablename__ = "question_sets"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text, default="")
    created_by: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    archived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SetQuestion(Base):
    """One question of a set, and how it should end, so far as somebody has said."""

    __tablename__ = "set_questions"
    __table_args__ = (Index("ix_set_questions_set_id_position", "set_id", "position"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    set_id: Mapped[str] = mapped_column(ForeignKey("question_sets.id"))
    position: Mapped[int] = mapped_column(Integer)
    question: Mapped[str] = mapped_column(Text)
    earlier: Mapped[list[str]] = mapped_column(JSON)  # of the same conversation, oldest first
    expect: Mapped[dict[str, list[str]]] = mapped_column(JSON)  # see service.trials.expectation
    region: Mapped[str] = mapped_column(String(6), default="")  # empty: that of the service
    as_of: Mapped[date | None] = mapped_column(Date)
    note: Mapped[str] = mapped_column(Text, default="")
    # Where a citizen's words were taken from, with which they go.
    answer_id: Mapped[str | None] = mapped_column(ForeignKey("answers.id"), index=True)


class TrialRun(Base):
    """One asking of sets of questions: over what is published, or over that with a draft in it.

    `seen_at` is when whoever runs it last gave a sign: without one, it was cut off.
    """

    __tablename__ = "trial_runs"
    __table_args__ = (Index("ix_trial_runs_asked_at_id", "asked_at", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    status: Mapped[str] = mapped_column(String(20), index=True)
    revision_id: Mapped[str | None] = mapped_column(String(240))  # the draft, where one is tried
    asked_by: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)
    began_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    total: Mapped[int] = mapped_column(Integer)
    done: Mapped[int] = mapped_column(Integer, default=0)
    passed: Mapped[int] = mapped_column(Integer, default=0)
    failed: Mapped[int] = mapped_column(Integer, default=0)
    knowledge: Mapped[str] = mapped_column(String(40), default="")
    versions: Mapped[dict[str, str]] = mapped_column(JSON)
    problem: Mapped[str] = mapped_column(Text, default="")


class TrialRunSet(Base):
    """Which sets a run asked, by the names that they had."""

    __tablename__ = "trial_run_sets"

    run_id: Mapped[str] = mapped_column(ForeignKey("trial_runs.id"), primary_key=True)
    set_id: Mapped[str] = mapped_column(String(40), primary_key=True, index=True)
    name: Mapped[str] = mapped_column(String(80))


class TrialResult(Base):
    """One question of a run as it was asked, and, once it was, what came of it."""

    __tablename__ = "trial_results"
    __table_args__ = (
        UniqueConstraint("run_id", "position", name="uq_trial_results_run_id_position"),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("trial_runs.id"))
    position: Mapped[int] = mapped_column(Integer)
    set_id: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(16))  # the same question in another run
    question: Mapped[str] = mapped_column(Text)
    earlier: Mapped[list[str]] = mapped_column(JSON)
    expect: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    region: Mapped[str] = mapped_column(String(6), default="")
    as_of: Mapped[date | None] = mapped_column(Date)
    outcome: Mapped[str | None] = mapped_column(String(40))  # None: not asked yet
    topic: Mapped[str | None] = mapped_column(String(20))
    confidence: Mapped[float | None] = mapped_column(Float)
    summary: Mapped[str] = mapped_column(Text, default="")
    cited: Mapped[list[str]] = mapped_column(JSON)
    shown: Mapped[dict[str, str]] = mapped_column(JSON)  # documents: id → title
    took_ms: Mapped[float | None] = mapped_column(Float)
    passed: Mapped[bool | None] = mapped_column(Boolean)  # None: nothing was expected
    why: Mapped[list[str]] = mapped_column(JSON)
    answer_id: Mapped[str | None] = mapped_column(ForeignKey("answers.id"), index=True)


class DraftComparison(Base):
    """What publishing a revision would change: a run before, a run with it, kept for whoever
    approves. `fingerprint` is what the revision said."""

    __tablename__ = "draft_comparisons"
    __table_args__ = (
        Index("ix_draft_comparisons_revision_id_asked_at", "revision_id", "asked_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision_id: Mapped[str] = mapped_column(String(240))
    document_id: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(400))
    fingerprint: Mapped[str] = mapped_column(String(16))
    before_id: Mapped[str] = mapped_column(ForeignKey("trial_runs.id"), index=True)
    after_id: Mapped[str] = mapped_column(ForeignKey("trial_runs.id"))
    asked_by: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class GapCluster(Base):
    """Questions of one meaning that were not answered well. `total` is the sum of their vectors.

    Its name is the question nearest to its middle, read from that answer, so that it goes when
    the citizen has it erased.
    """

    __tablename__ = "gap_clusters"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    encoder: Mapped[str] = mapped_column(String(40))
    total: Mapped[bytes] = mapped_column(LargeBinary)
    medoid_id: Mapped[str] = mapped_column(String(40))  # an answer, which may be gone
    first_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    state: Mapped[str] = mapped_column(String(20), default="open")  # open, drafted, ignored
    reason: Mapped[str] = mapped_column(Text, default="")
    changed_by: Mapped[str | None] = mapped_column(ForeignKey("staff.id"))
    changed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    nearest: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    nearest_for: Mapped[str] = mapped_column(String(80), default="")  # which medoid and index


class GapMember(Base):
    """An answer in a cluster, and why. No foreign key to the answer, which a citizen may erase."""

    __tablename__ = "gap_members"
    __table_args__ = (Index("ix_gap_members_asked_at_cluster_id", "asked_at", "cluster_id"),)

    answer_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    cluster_id: Mapped[str] = mapped_column(ForeignKey("gap_clusters.id"), index=True)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    digest: Mapped[str] = mapped_column(String(16), index=True)  # of the text, in QuestionVector


class QuestionVector(Base):
    """A text's vector, so that it is computed once. float16, of length 1."""

    __tablename__ = "question_vectors"

    digest: Mapped[str] = mapped_column(String(16), primary_key=True)
    encoder: Mapped[str] = mapped_column(String(40), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
