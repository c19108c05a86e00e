"""Edits: who saved which revision on top of what, and the steps of its life

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edits",
        sa.Column("revision_id", sa.String(240), nullable=False),
        sa.Column("document_id", sa.String(200), nullable=False),
        sa.Column("base_id", sa.String(240), nullable=True),
        sa.Column("merges_id", sa.String(240), nullable=True),
        sa.Column("head_of", sa.String(200), nullable=True),
        sa.Column("aside", sa.Boolean(), nullable=False),
        sa.Column("staff_id", sa.String(40), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["base_id"], ["revisions.id"], name=op.f("fk_edits_base_id_revisions")
        ),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name=op.f("fk_edits_document_id_documents")
        ),
        sa.ForeignKeyConstraint(
            ["head_of"], ["documents.id"], name=op.f("fk_edits_head_of_documents")
        ),
        sa.ForeignKeyConstraint(
            ["merges_id"], ["revisions.id"], name=op.f("fk_edits_merges_id_revisions")
        ),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revisions.id"], name=op.f("fk_edits_revision_id_revisions")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_edits_staff_id_staff")),
        sa.PrimaryKeyConstraint("revision_id", name=op.f("pk_edits")),
        sa.UniqueConstraint("head_of", name=op.f("uq_edits_head_of")),
    )
    op.create_index("ix_edits_document_id_saved_at", "edits", ["document_id", "saved_at"])
    op.create_index(op.f("ix_edits_staff_id"), "edits", ["staff_id"])
    op.create_table(
        "edit_moves",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("revision_id", sa.String(240), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("staff_id", sa.String(40), nullable=False),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["revisions.id"], name=op.f("fk_edit_moves_revision_id_revisions")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_edit_moves_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edit_moves")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_edit_moves_revision_id_moved_at", "edit_moves", ["revision_id", "moved_at"])
    op.create_index("ix_revisions_document_id_status", "revisions", ["document_id", "status"])


def downgrade() -> None:
    op.drop_index("ix_revisions_document_id_status", "revisions")
    op.drop_table("edit_moves")
    op.drop_table("edits")
