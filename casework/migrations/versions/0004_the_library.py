"""The library"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "article_versions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("topic", sa.String(length=60), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "proposed",
                "published",
                "refused",
                "retired",
                name="versionstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("based_on_id", sa.String(length=32), nullable=True),
        sa.Column("reviewer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", sa.String(length=300), nullable=True),
        sa.CheckConstraint("number >= 1", name=op.f("ck_article_versions_number_positive")),
        sa.CheckConstraint(
            "reviewer_id IS NULL OR reviewer_id <> author_id",
            name=op.f("ck_article_versions_second_person"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'proposed') OR (reviewer_id IS NOT NULL AND reviewed_at IS NOT NULL)",
            name=op.f("ck_article_versions_decided_is_reviewed"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"], ["staff.id"], name=op.f("fk_article_versions_author_id_staff")
        ),
        sa.ForeignKeyConstraint(
            ["based_on_id"],
            ["article_versions.id"],
            name=op.f("fk_article_versions_based_on_id_article_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["reviewer_id"], ["staff.id"], name=op.f("fk_article_versions_reviewer_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_versions")),
        sa.UniqueConstraint("topic", "number", name=op.f("uq_article_versions_topic_number")),
    )
    with op.batch_alter_table("article_versions", schema=None) as batch_op:
        batch_op.create_index("ix_article_versions_state", ["state"], unique=False)
        for name, columns, state in (
            ("uq_article_versions_published", ["topic"], "published"),
            ("uq_article_versions_draft", ["topic", "author_id"], "draft"),
        ):
            batch_op.create_index(
                name,
                columns,
                unique=True,
                sqlite_where=sa.text(f"state = '{state}'"),
                postgresql_where=sa.text(f"state = '{state}'"),
            )


def downgrade() -> None:
    op.drop_table("article_versions")
