"""Questions by the key of their sender; what was agreed to before asking

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asked_questions",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_id", sa.String(40), nullable=True),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name=op.f("fk_asked_questions_answer_id_answers")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_asked_questions")),
    )
    op.create_index(op.f("ix_asked_questions_taken_at"), "asked_questions", ["taken_at"])
    op.create_index(op.f("ix_asked_questions_answer_id"), "asked_questions", ["answer_id"])
    op.create_table(
        "consents",
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("site", sa.String(40), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_consents_conversation_id_conversations"),
        ),
        sa.PrimaryKeyConstraint("conversation_id", "version", name=op.f("pk_consents")),
    )


def downgrade() -> None:
    op.drop_table("consents")
    op.drop_table("asked_questions")
