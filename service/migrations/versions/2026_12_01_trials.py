"""Sets of questions and their runs, and the gaps that citizens' questions show

Revision ID: 0007
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "question_vectors",
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.Column("encoder", sa.String(length=40), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "encoder", name=op.f("pk_question_vectors")),
    )
    op.create_table(
        "gap_clusters",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("encoder", sa.String(length=40), nullable=False),
        sa.Column("total", sa.LargeBinary(), nullable=False),
        sa.Column("medoid_id", sa.String(length=40), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=40), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nearest", sa.JSON(), nullable=True),
        sa.Column("nearest_for", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["staff.id"], name=op.f("fk_gap_clusters_changed_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap_clusters")),
    )
    with op.batch_alter_table("gap_clusters", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gap_clusters_last_at"), ["last_at"], unique=False)

    op.create_table(
        "question_sets",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["staff.id"], name=op.f("fk_question_sets_created_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_sets")),
    )
    op.create_table(
        "trial_runs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("revision_id", sa.String(length=240), nullable=True),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("knowledge", sa.String(length=40), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["staff.id"], name=op.f("fk_trial_runs_asked_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_runs")),
    )
    with op.batch_alter_table("trial_runs", schema=None) as batch_op:
        batch_op.create_index("ix_trial_runs_asked_at_id", ["asked_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trial_runs_status"), ["status"], unique=False)

    op.create_table(
        "draft_comparisons",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("revision_id", sa.String(length=240), nullable=False),
        sa.Column("document_id", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("before_id", sa.String(length=40), nullable=False),
        sa.Column("after_id", sa.String(length=40), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["after_id"], ["trial_runs.id"], name=op.f("fk_draft_comparisons_after_id_trial_runs")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["staff.id"], name=op.f("fk_draft_comparisons_asked_by_staff")
        ),
        sa.ForeignKeyConstraint(
            ["before_id"], ["trial_runs.id"], name=op.f("fk_draft_comparisons_before_id_trial_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_comparisons")),
    )
    with op.batch_alter_table("draft_comparisons", schema=None) as batch_op:
        batch_op.create_index(
            "ix_draft_comparisons_revision_id_asked_at", ["revision_id", "asked_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_draft_comparisons_before_id"), ["before_id"], unique=False
        )

    op.create_table(
        "gap_members",
        sa.Column("answer_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("cluster_id", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["gap_clusters.id"], name=op.f("fk_gap_members_cluster_id_gap_clusters")
        ),
        sa.PrimaryKeyConstraint("answer_id", "kind", name=op.f("pk_gap_members")),
    )
    with op.batch_alter_table("gap_members", schema=None) as batch_op:
        batch_op.create_index(
            "ix_gap_members_asked_at_cluster_id", ["asked_at", "cluster_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_gap_members_cluster_id"), ["cluster_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_gap_members_digest"), ["digest"], unique=False)

    op.create_table(
        "set_questions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("set_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("earlier", sa.JSON(), nullable=False),
        sa.Column("expect", sa.JSON(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("answer_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name=op.f("fk_set_questions_answer_id_answers")
        ),
        sa.ForeignKeyConstraint(
            ["set_id"], ["question_sets.id"], name=op.f("fk_set_questions_set_id_question_sets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_set_questions")),
    )
    with op.batch_alter_table("set_questions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_set_questions_set_id_position", ["set_id", "position"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_set_questions_answer_id"), ["answer_id"], unique=False)

    op.create_table(
        "trial_results",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("earlier", sa.JSON(), nullable=False),
        sa.Column("expect", sa.JSON(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("topic", sa.String(length=20), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("cited", sa.JSON(), nullable=False),
        sa.Column("shown", sa.JSON(), nullable=False),
        sa.Column("took_ms", sa.Float(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("answer_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["answers.id"], name=op.f("fk_trial_results_answer_id_answers")
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["trial_runs.id"], name=op.f("fk_trial_results_run_id_trial_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trial_results")),
        sa.UniqueConstraint("run_id", "position", name="uq_trial_results_run_id_position"),
    )
    with op.batch_alter_table("trial_results", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_results_answer_id"), ["answer_id"], unique=False)

    op.create_table(
        "trial_run_sets",
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("set_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["trial_runs.id"], name=op.f("fk_trial_run_sets_run_id_trial_runs")
        ),
        sa.PrimaryKeyConstraint("run_id", "set_id", name=op.f("pk_trial_run_sets")),
    )
    with op.batch_alter_table("trial_run_sets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_run_sets_set_id"), ["set_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("trial_run_sets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trial_run_sets_set_id"))

    op.drop_table("trial_run_sets")
    with op.batch_alter_table("trial_results", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trial_results_answer_id"))

    op.drop_table("trial_results")
    with op.batch_alter_table("set_questions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_set_questions_answer_id"))
        batch_op.drop_index("ix_set_questions_set_id_position")

    op.drop_table("set_questions")
    with op.batch_alter_table("gap_members", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gap_members_digest"))
        batch_op.drop_index(batch_op.f("ix_gap_members_cluster_id"))
        batch_op.drop_index("ix_gap_members_asked_at_cluster_id")

    op.drop_table("gap_members")
    with op.batch_alter_table("draft_comparisons", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_draft_comparisons_before_id"))
        batch_op.drop_index("ix_draft_comparisons_revision_id_asked_at")

    op.drop_table("draft_comparisons")
    with op.batch_alter_table("trial_runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trial_runs_status"))
        batch_op.drop_index("ix_trial_runs_asked_at_id")

    op.drop_table("trial_runs")
    op.drop_table("question_sets")
    with op.batch_alter_table("gap_clusters", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gap_clusters_last_at"))

    op.drop_table("gap_clusters")
    op.drop_table("question_vectors")
