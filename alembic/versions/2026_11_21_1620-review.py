"""what the review found, how far it has looked, receipts that are dismissed

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
UNEXAMINED = "coalesce(state, '') = 'active' AND examined_version {differs} version"


def _partial(name: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, "findings", columns, unique=unique, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    """Nothing is marked as examined: the review begins with what is there."""
    op.add_column("memories", sa.Column("examined_version", sa.Integer(), nullable=True))
    op.create_index(
        "ix_memories_unexamined",
        "memories",
        ["user_id", "id"],
        sqlite_where=sa.text(UNEXAMINED.format(differs="IS NOT")),
        postgresql_where=sa.text(UNEXAMINED.format(differs="IS DISTINCT FROM")),
    )
    op.add_column("events", sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True))
    _create_findings()
    _partial("ix_findings_pair", ["memory_id", "other_id"], "other_id IS NOT NULL", unique=True)
    _partial("ix_findings_single", ["memory_id"], "other_id IS NULL", unique=True)
    _partial("ix_findings_other_id", ["other_id"], "other_id IS NOT NULL")
    _partial("ix_findings_open", ["user_id", "kind", "created_at", "id"], "resolved_at IS NULL")
    _partial("ix_findings_resolved", ["user_id", "resolved_at", "id"], "resolved_at IS NOT NULL")


def _create_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        sa.Column("memory_hash", sa.String(64), nullable=False),
        sa.Column("other_hash", sa.String(64), nullable=True),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("detail", JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.String(32), nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('duplicate', 'contradiction', 'secret')", name=op.f("ck_findings_kind")),
        sa.CheckConstraint("resolution IN ('keep', 'merge', 'delete', 'redact')", name=op.f("ck_findings_resolution")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_findings_user_id_users"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["memory_id"], ["memories.id"], name=op.f("fk_findings_memory_id_memories"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["memories.id"], name=op.f("fk_findings_other_id_memories"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["users.id"], name=op.f("fk_findings_resolved_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("findings")
    op.drop_column("events", "dismissed_at")
    op.drop_index("ix_memories_unexamined", "memories")
    op.drop_column("memories", "examined_version")
