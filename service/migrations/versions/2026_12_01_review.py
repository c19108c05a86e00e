"""Reviews with their queue; indexes that the list of conversations is read from

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels = None
depends_on = None

_FILTERED = ["outcome", "topic", "confidence", "region"]
_INDEXES = (
    ("ix_answers_asked_at_id", "answers", ["asked_at", "id", "conversation_id", *_FILTERED]),
    (
        "ix_answers_conversation_id_asked_at",
        "answers",
        ["conversation_id", "asked_at", "id", *_FILTERED],
    ),
    ("ix_ratings_rated_at", "ratings", ["rated_at"]),
    ("ix_ratings_level_event_id", "ratings", ["level", "event_kind", "event_id"]),
    ("ix_handovers_status_conversation_id", "handovers", ["status", "conversation_id"]),
)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _staff(table: str, name: str, *, nullable: bool = False) -> list[sa.SchemaItem]:
    """A column that names a member of staff, with its foreign key."""
    return [
        sa.Column(name, sa.String(length=40), nullable=nullable),
        sa.ForeignKeyConstraint([name], ["staff.id"], name=op.f(f"fk_{table}_{name}_staff")),
    ]


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        sa.Column("conversation_id", sa.String(length=40), nullable=False),
        _at("asked_at"),
        sa.Column("topic", sa.String(length=20), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        *_staff("reviews", "reviewer_id"),
        _at("reviewed_at"),
        _at("changed_at"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("follow_up", sa.String(length=20), nullable=False),
        sa.Column("target", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("rerun", sa.JSON(), nullable=True),
        _at("rerun_at", nullable=True),
        *_staff("reviews", "rerun_by", nullable=True),
        sa.Column("rerun_differs", sa.Boolean(), nullable=True),
        sa.Column("rerun_verdict", sa.String(length=20), nullable=True),
        _at("closed_at", nullable=True),
        *_staff("reviews", "closed_by", nullable=True),
        sa.Column("closed_because", sa.String(length=20), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("answer_id", "reviewer_id", name="uq_reviews_answer_id_reviewer_id"),
    )
    with op.batch_alter_table("reviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reviews_conversation_id"), ["conversation_id"])
        batch_op.create_index(batch_op.f("ix_reviews_reviewer_id"), ["reviewer_id"])
        batch_op.create_index(batch_op.f("ix_reviews_verdict"), ["verdict"])
        batch_op.create_index("ix_reviews_status_changed_at", ["status", "changed_at", "id"])
        batch_op.create_index("ix_reviews_reviewed_at", ["reviewed_at", "verdict"])
    op.create_table(
        "review_tasks",
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        sa.Column("conversation_id", sa.String(length=40), nullable=False),
        _at("asked_at"),
        sa.Column("region", sa.String(length=6), nullable=False),
        *(
            sa.Column(reason, sa.Boolean(), nullable=False)
            for reason in ("urgent", "low_rating", "handover", "low_confidence", "random")
        ),
        sa.Column("needed", sa.Integer(), nullable=False),
        _at("due_at"),
        _at("done_at", nullable=True),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_review_tasks")),
    )
    with op.batch_alter_table("review_tasks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_tasks_conversation_id"), ["conversation_id"])
        batch_op.create_index("ix_review_tasks_done_at_due_at", ["done_at", "due_at", "answer_id"])
    op.create_table(
        "review_seats",
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        sa.Column("seat", sa.Integer(), autoincrement=False, nullable=False),
        *_staff("review_seats", "staff_id"),
        _at("until"),
        sa.Column("review_id", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("answer_id", "seat", name=op.f("pk_review_seats")),
    )
    with op.batch_alter_table("review_seats", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_seats_staff_id"), ["staff_id"])
    op.create_table(
        "review_skips",
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        *_staff("review_skips", "staff_id"),
        _at("skipped_at"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", "staff_id", name=op.f("pk_review_skips")),
    )
    op.create_table(
        "review_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("random_share", sa.Float(), nullable=False),
        sa.Column("double_share", sa.Float(), nullable=False),
        sa.Column("low_confidence", sa.Float(), nullable=False),
        _at("sampled_until", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_settings")),
    )
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    for table in ("review_settings", "review_skips", "review_seats", "review_tasks", "reviews"):
        op.drop_table(table)
