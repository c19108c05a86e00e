"""WeChat: who wrote, what came in, what goes out, and the shared access token

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "wechat_people",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("sealed", sa.Text()),
        sa.Column("conversation_id", sa.String(40)),
        sa.Column("conversation_at", _TIME),
        sa.Column("scene", sa.String(64)),
        sa.Column("spoke_at", _TIME),
        sa.Column("sent_since_spoke", sa.Integer(), nullable=False),
        sa.Column("acted_at", _TIME),
        sa.Column("sent_since_acted", sa.Integer(), nullable=False),
        sa.Column("changed_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_people")),
    )
    for column in ("changed_at", "conversation_id"):
        op.create_index(op.f(f"ix_wechat_people_{column}"), "wechat_people", [column])
    op.create_table(
        "wechat_messages",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.Text()),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("delivery", sa.String(12), nullable=False),
        sa.Column("worker", sa.String(40), nullable=False),
        sa.Column("lease_until", _TIME),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("began_at", _TIME),
        sa.Column("answered_at", _TIME),
        sa.Column("parts", sa.JSON(none_as_null=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_messages")),
        sa.UniqueConstraint("account", "key", name="uq_wechat_messages_account_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_wechat_messages_state_id", "wechat_messages", ["state", "id"])
    op.create_index("ix_wechat_messages_person_id_state", "wechat_messages", ["person_id", "state"])
    op.create_index(op.f("ix_wechat_messages_received_at"), "wechat_messages", ["received_at"])
    op.create_table(
        "wechat_outbox",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("person_id", sa.String(32), nullable=False),
        sa.Column("source", sa.String(12), nullable=False),
        sa.Column("source_id", sa.String(40), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(40), nullable=False),
        sa.Column("attempted_at", _TIME),
        sa.Column("lease_until", _TIME),
        sa.Column("not_before", _TIME, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("finished_at", _TIME),
        sa.Column("code", sa.Integer()),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["wechat_people.id"],
            name=op.f("fk_wechat_outbox_person_id_wechat_people"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wechat_outbox")),
        sa.UniqueConstraint("source", "source_id", "part", name="uq_wechat_outbox_source"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_wechat_outbox_state_id", "wechat_outbox", ["state", "id"])
    op.create_index("ix_wechat_outbox_person_id_state", "wechat_outbox", ["person_id", "state"])
    op.create_table(
        "wechat_tokens",
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("sealed", sa.Text()),
        sa.Column("expires_at", _TIME),
        sa.Column("fetching_until", _TIME),
        sa.Column("denied_at", _TIME),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_wechat_tokens")),
    )


def downgrade() -> None:
    for table in ("wechat_tokens", "wechat_outbox", "wechat_messages", "wechat_people"):
        op.drop_table(table)
