"""The training workbench"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbox_groups",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "second",
                "disputed",
                "settled",
                name="groupstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("guesses", sa.JSON(), nullable=False),
        sa.Column("uncertainty", sa.Double(), nullable=False),
        sa.Column("harm", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "intent",
                "out_of_scope",
                "new_topic",
                "skip",
                name="decision",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=True,
        ),
        sa.Column("intent", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(decision = 'intent') = (intent IS NOT NULL) OR decision IS NULL",
            name=op.f("ck_inbox_groups_intent_is_named"),
        ),
        sa.CheckConstraint(
            "state <> 'settled' OR settled_at IS NOT NULL", name=op.f("ck_inbox_groups_settled_has_time")
        ),
        sa.CheckConstraint("size >= 0", name=op.f("ck_inbox_groups_size_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_groups")),
    )
    with op.batch_alter_table("inbox_groups", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_groups_created_at"), ["created_at"], unique=False)
        batch_op.create_index("ix_inbox_groups_state_score", ["state", "score"], unique=False)
    op.create_table(
        "inbox_labels",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "decision",
            sa.Enum(
                "intent",
                "out_of_scope",
                "new_topic",
                "skip",
                name="decision",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("intent", sa.String(length=60), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("resolves", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(decision = 'intent') = (intent IS NOT NULL)", name=op.f("ck_inbox_labels_intent_is_named")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["inbox_groups.id"],
            name=op.f("fk_inbox_labels_group_id_inbox_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_inbox_labels_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_labels")),
        sa.UniqueConstraint("group_id", "staff_id", name=op.f("uq_inbox_labels_group_id")),
    )
    with op.batch_alter_table("inbox_labels", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_labels_staff_id"), ["staff_id"], unique=False)
    op.create_table(
        "sample_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "deed",
            sa.Enum(
                "add",
                "edit",
                "move",
                "remove",
                name="changedeed",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "origin",
            sa.Enum(
                "inbox",
                "hand",
                "import",
                "lint",
                name="changeorigin",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("before_text", sa.LargeBinary(), nullable=True),
        sa.Column("before_intent", sa.String(length=60), nullable=True),
        sa.Column("after_text", sa.LargeBinary(), nullable=True),
        sa.Column("after_intent", sa.String(length=60), nullable=True),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "deed = 'add' OR before_intent IS NOT NULL", name=op.f("ck_sample_changes_has_before")
        ),
        sa.CheckConstraint(
            "deed = 'remove' OR after_intent IS NOT NULL", name=op.f("ck_sample_changes_has_after")
        ),
        sa.CheckConstraint(
            "(undone_at IS NULL) = (undone_by_id IS NULL)", name=op.f("ck_sample_changes_undone_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["inbox_groups.id"],
            name=op.f("fk_sample_changes_group_id_inbox_groups"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_sample_changes_staff_id_staff")),
        sa.ForeignKeyConstraint(
            ["undone_by_id"], ["staff.id"], name=op.f("fk_sample_changes_undone_by_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_changes")),
    )
    with op.batch_alter_table("sample_changes", schema=None) as batch_op:
        batch_op.create_index("ix_sample_changes_after_intent", ["after_intent"], unique=False)
        batch_op.create_index("ix_sample_changes_before_intent", ["before_intent"], unique=False)
        batch_op.create_index(batch_op.f("ix_sample_changes_created_at"), ["created_at"], unique=False)
    op.create_table(
        "training_jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "running",
                "done",
                "failed",
                "cancelled",
                name="jobstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column(
            "stage",
            sa.Enum(
                "waiting",
                "gathering",
                "training",
                "measuring",
                "judging",
                "storing",
                name="jobstage",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=True),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("worker", sa.String(length=80), nullable=True),
        sa.Column("changes_up_to", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hashes", sa.JSON(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=True),
        sa.Column("error", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running') OR finished_at IS NOT NULL",
            name=op.f("ck_training_jobs_over_has_time"),
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 1", name=op.f("ck_training_jobs_progress_range")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_training_jobs_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_jobs")),
    )
    with op.batch_alter_table("training_jobs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_training_jobs_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "uq_training_jobs_one_at_a_time",
            ["slot"],
            unique=True,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
    op.create_table(
        "model_versions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "candidate",
                "canary",
                "live",
                "retired",
                name="modelstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("canary_share", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("why", sa.String(length=200), nullable=True),
        sa.Column("hashes", sa.JSON(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("gate", sa.LargeBinary(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("safe", sa.Boolean(), nullable=True),
        sa.Column("against_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("live_since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'canary') = (canary_share IS NOT NULL)", name=op.f("ck_model_versions_canary_has_share")
        ),
        sa.CheckConstraint(
            "state <> 'live' OR live_since IS NOT NULL", name=op.f("ck_model_versions_live_has_time")
        ),
        sa.CheckConstraint(
            "canary_share IS NULL OR canary_share BETWEEN 1 AND 50",
            name=op.f("ck_model_versions_canary_share_range"),
        ),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_model_versions_sha256_length")),
        sa.ForeignKeyConstraint(
            ["against_id"], ["model_versions.id"], name=op.f("fk_model_versions_against_id_model_versions")
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["training_jobs.id"], name=op.f("fk_model_versions_job_id_training_jobs")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_model_versions_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("name", name=op.f("uq_model_versions_name")),
        sa.UniqueConstraint("sha256", name=op.f("uq_model_versions_sha256")),
    )
    with op.batch_alter_table("model_versions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_model_versions_created_at"), ["created_at"], unique=False)
        batch_op.create_index(
            "uq_model_versions_canary",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state = 'canary'"),
            postgresql_where=sa.text("state = 'canary'"),
        )
        batch_op.create_index(
            "uq_model_versions_live",
            ["state"],
            unique=True,
            sqlite_where=sa.text("state = 'live'"),
            postgresql_where=sa.text("state = 'live'"),
        )
    op.create_table(
        "answer_votes",
        sa.Column(
            "message_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("helpful", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_answer_votes_message_id_messages"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_answer_votes")),
    )
    op.create_table(
        "inbox_messages",
        sa.Column(
            "message_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("group_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("seen_intent", sa.String(length=60), nullable=True),
        sa.Column("seen_confidence", sa.Double(), nullable=True),
        sa.Column("model", sa.String(length=40), nullable=True),
        sa.Column("should_intent", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"],
            ["inbox_groups.id"],
            name=op.f("fk_inbox_messages_group_id_inbox_groups"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_inbox_messages_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_inbox_messages")),
    )
    with op.batch_alter_table("inbox_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_inbox_messages_group_id"), ["group_id"], unique=False)
    op.create_table(
        "model_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "deed",
            sa.Enum(
                "registered",
                "judged",
                "overridden",
                "promoted",
                "canary_begun",
                "canary_ended",
                "rolled_back",
                "fell_back",
                name="modeldeed",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("staff_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["from_id"], ["model_versions.id"], name=op.f("fk_model_events_from_id_model_versions")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_model_events_staff_id_staff")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["model_versions.id"], name=op.f("fk_model_events_version_id_model_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_events")),
    )
    with op.batch_alter_table("model_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_model_events_created_at"), ["created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_model_events_version_id"), ["version_id"], unique=False)
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.add_column(sa.Column("model", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("answer_ms", sa.Integer(), nullable=True))


def downgrade() -> None:
    for table in (
        "model_events",
        "inbox_messages",
        "answer_votes",
        "model_versions",
        "training_jobs",
        "sample_changes",
        "inbox_labels",
        "inbox_groups",
    ):
        op.drop_table(table)
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_column("answer_ms")
        batch_op.drop_column("model")
