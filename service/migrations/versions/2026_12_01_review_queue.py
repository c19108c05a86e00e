"""The list of what is to be judged, read in its order

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_review_tasks_done_at_due_at", "review_tasks")
    op.create_index(
        "ix_review_tasks_waiting",
        "review_tasks",
        ["due_at", "answer_id"],
        postgresql_where=sa.text("done_at IS NULL"),
        sqlite_where=sa.text("done_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_review_tasks_waiting", "review_tasks")
    op.create_index(
        "ix_review_tasks_done_at_due_at", "review_tasks", ["done_at", "due_at", "answer_id"]
    )
