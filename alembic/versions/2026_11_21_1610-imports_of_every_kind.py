"""imports say what was read in them, can be called off and taken back

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
UNDOS = sa.text("undoes IS NOT NULL")


def upgrade() -> None:
    """What is there already was read by mem9's door, which counts only pieces."""
    op.add_column("import_tasks", sa.Column("details", JSON, nullable=False, server_default="{}"))
    op.add_column("import_tasks", sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_events_undoes", "events", ["undoes"], sqlite_where=UNDOS, postgresql_where=UNDOS)


def downgrade() -> None:
    """Take it away."""
    op.drop_index("ix_events_undoes", "events")
    op.drop_column("import_tasks", "cancelled_at")
    op.drop_column("import_tasks", "details")
