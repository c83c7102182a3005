"""token vectors of memories, and the order of a session's turns

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TURNS = sa.text("run_id IS NOT NULL")


def upgrade() -> None:
    """Memories that are indexed already are embedded again by the sweep: their tokens come with their vectors."""
    op.create_table(
        "memory_tokens",
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("tokens", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["memory_id"], ["memories.id"], name=op.f("fk_memory_tokens_memory_id_memories"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("memory_id", "model", name=op.f("pk_memory_tokens")),
    )
    op.create_index(
        "ix_memories_turns",
        "memories",
        ["user_id", "run_id", "created_at", "id", "state"],
        sqlite_where=TURNS,
        postgresql_where=TURNS,
    )
    op.execute("UPDATE memories SET indexed_at = NULL WHERE state = 'active'")


def downgrade() -> None:
    """Drop both."""
    op.drop_index("ix_memories_turns", "memories")
    op.drop_table("memory_tokens")
