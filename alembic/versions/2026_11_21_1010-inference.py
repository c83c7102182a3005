"""an add is worked on under a lease; a memory says what it was learned from

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Three columns that may be empty: neither database copies a table for them."""
    json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.add_column("events", sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("events", sa.Column("worker", sa.String(255), nullable=True))
    op.add_column("memories", sa.Column("provenance", json, nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("memories", "provenance")
    op.drop_column("events", "worker")
    op.drop_column("events", "leased_until")
