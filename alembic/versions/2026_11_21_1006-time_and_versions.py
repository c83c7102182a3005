"""versions know when they expire, receipts what they undo; indexes for what expires and what is purged

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


INDEXES = {"expires_at": ["expires_at", "id"], "deleted_at": ["deleted_at", "id"], "superseded_by": ["superseded_by"]}


def upgrade() -> None:
    """Two columns that may be empty, and indexes over the few memories that have such a value."""
    op.add_column("memory_versions", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("events", sa.Column("undoes", sa.Uuid(), nullable=True))
    for name, columns in INDEXES.items():
        where = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"ix_memories_{name}", "memories", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Drop them."""
    for name in INDEXES:
        op.drop_index(f"ix_memories_{name}", "memories")
    op.drop_column("events", "undoes")
    op.drop_column("memory_versions", "expires_at")
