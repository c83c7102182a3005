"""turns that know their place, imports in pieces, space chains

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
PIECES = sa.text("import_id IS NOT NULL")


def _columns_of_turns() -> list[sa.Column]:
    return [
        sa.Column("source", sa.String(255), nullable=True),
        sa.Column("tags", JSON, nullable=False, server_default="[]"),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("content_hash", sa.String(64), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
    ]


def upgrade() -> None:
    """Nothing has written to `import_tasks` so far, so the table is made anew."""
    op.add_column("memories", sa.Column("updated_by", sa.String(255), nullable=True))
    op.create_index("ix_memories_updated", "memories", ["user_id", "updated_at", "id", "state"])
    for column in _columns_of_turns():
        op.add_column("session_messages", column)
    op.create_index("ix_session_messages_hash", "session_messages", ["user_id", "content_hash"], unique=True)
    op.add_column("events", sa.Column("import_id", sa.Uuid(), nullable=True))
    op.create_index("ix_events_import", "events", ["import_id", "status"], sqlite_where=PIECES, postgresql_where=PIECES)
    _create_imports()
    _create_chains()


def _create_imports() -> None:
    op.drop_table("import_tasks")
    op.create_table(
        "import_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name=op.f("fk_import_tasks_app_id_apps"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_import_tasks_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_tasks")),
    )
    op.create_index("ix_import_tasks_user_id", "import_tasks", ["user_id", "created_at"])


def _create_chains() -> None:
    op.create_table(
        "space_chains",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("project_id", sa.String(255), nullable=True),
        sa.Column("created_by_user_id", sa.String(255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space_chains")),
    )
    op.create_table(
        "space_chain_nodes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chain_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("external_space_id", sa.String(255), nullable=True),
        sa.Column("display_name", sa.String(255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["chain_id"],
            ["space_chains.id"],
            name=op.f("fk_space_chain_nodes_chain_id_space_chains"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_space_chain_nodes_user_id_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_keys.id"], name=op.f("fk_space_chain_nodes_key_id_api_keys"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space_chain_nodes")),
        sa.UniqueConstraint("chain_id", "position", name=op.f("uq_space_chain_nodes_chain_id_position")),
    )
    op.create_index("ix_space_chain_nodes_user_id", "space_chain_nodes", ["user_id"])
    op.create_table(
        "space_chain_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chain_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("preview", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["chain_id"],
            ["space_chains.id"],
            name=op.f("fk_space_chain_keys_chain_id_space_chains"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_space_chain_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_space_chain_keys_key_hash")),
    )
    op.create_index("ix_space_chain_keys_chain_id", "space_chain_keys", ["chain_id", "created_at"])


def downgrade() -> None:
    """Take it all away; `import_tasks` is what it was."""
    for table in ("space_chain_keys", "space_chain_nodes", "space_chains", "import_tasks"):
        op.drop_table(table)
    op.create_table(
        "import_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("filename", sa.String(255), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED')", name=op.f("ck_import_tasks_status")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_import_tasks_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_tasks")),
    )
    op.create_index("ix_import_tasks_user_id", "import_tasks", ["user_id", "created_at"])
    op.drop_index("ix_events_import", "events")
    op.drop_column("events", "import_id")
    op.drop_index("ix_session_messages_hash", "session_messages")
    for column in reversed(_columns_of_turns()):
        op.drop_column("session_messages", column.name)
    op.drop_index("ix_memories_updated", "memories")
    op.drop_column("memories", "updated_by")
