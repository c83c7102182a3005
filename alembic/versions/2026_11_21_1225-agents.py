"""an index for the memories of an agent, in the order of a list

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

AGENTS = sa.text("agent_id IS NOT NULL")


def upgrade() -> None:
    """It holds only memories that name an agent."""
    op.create_index(
        "ix_memories_agent",
        "memories",
        ["user_id", "agent_id", "created_at", "id", "state"],
        sqlite_where=AGENTS,
        postgresql_where=AGENTS,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_memories_agent", "memories")
