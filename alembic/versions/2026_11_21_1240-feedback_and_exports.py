"""feedback on memories, and exports that are kept as questions

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Two small tables."""
    op.create_table(
        "memory_feedback",
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("feedback", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "feedback IN ('POSITIVE', 'NEGATIVE', 'VERY_NEGATIVE')", name=op.f("ck_memory_feedback_feedback")
        ),
        sa.ForeignKeyConstraint(
            ["memory_id"], ["memories.id"], name=op.f("fk_memory_feedback_memory_id_memories"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memory_feedback_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("memory_id", "user_id", name=op.f("pk_memory_feedback")),
    )
    op.create_index("ix_memory_feedback_user_id", "memory_feedback", ["user_id"])
    op.create_table(
        "memory_exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("identifiers", JSON, nullable=False),
        sa.Column("filters", JSON, nullable=False),
        sa.Column("form", JSON, nullable=True),
        sa.Column("instructions", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memory_exports_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memory_exports")),
    )
    op.create_index("ix_memory_exports_user_id", "memory_exports", ["user_id", "created_at"])
    op.create_index("ix_memory_exports_digest", "memory_exports", ["user_id", "digest", "created_at"])


def downgrade() -> None:
    """Drop both."""
    op.drop_table("memory_exports")
    op.drop_table("memory_feedback")
