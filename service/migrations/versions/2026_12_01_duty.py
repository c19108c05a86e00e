"""Who is on duty at the desk; when a request was first claimed, and first answered

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "duty_shifts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("staff_id", sa.String(length=40), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_duty_shifts_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_shifts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_duty_shifts_started_at"), "duty_shifts", ["started_at"])
    op.create_index(
        "uq_duty_shifts_staff_id_open",
        "duty_shifts",
        ["staff_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.add_column("handovers", sa.Column("first_claimed_at", sa.DateTime(timezone=True)))
    op.add_column("handovers", sa.Column("first_replied_at", sa.DateTime(timezone=True)))
    # What is known of earlier tickets: the claim they have, and their first words from staff.
    op.execute("UPDATE handovers SET first_claimed_at = claimed_at")
    op.execute(
        "UPDATE handovers SET first_replied_at = (SELECT min(sent_at) FROM handover_messages"
        " WHERE handover_id = handovers.id AND sender = 'staff' AND NOT private)"
    )


def downgrade() -> None:
    op.drop_column("handovers", "first_replied_at")
    op.drop_column("handovers", "first_claimed_at")
    op.drop_table("duty_shifts")
