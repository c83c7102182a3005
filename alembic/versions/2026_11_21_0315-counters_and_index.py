"""counters kept by triggers, and the embedded index (SQLite)

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A tally row appears with the first memory of its kind and is never removed: zero is a count too.
COUNT = """INSERT INTO memory_tallies (user_id, app_id, state, count) VALUES ({row}.user_id, {row}.app_id, {row}.state, 1)
    ON CONFLICT (user_id, app_id, state) DO UPDATE SET count = memory_tallies.count + 1;"""
UNCOUNT = """UPDATE memory_tallies SET count = count - 1
    WHERE user_id = {row}.user_id AND app_id = {row}.app_id AND state = {row}.state;"""
SUM_ACCESS = """INSERT INTO app_accesses (app_id, memory_id, access_count, first_accessed_at, last_accessed_at)
    VALUES (NEW.app_id, NEW.memory_id, 1, NEW.accessed_at, NEW.accessed_at)
    ON CONFLICT (app_id, memory_id) DO UPDATE SET access_count = app_accesses.access_count + 1,
        first_accessed_at = {least}(app_accesses.first_accessed_at, excluded.first_accessed_at),
        last_accessed_at = {greatest}(app_accesses.last_accessed_at, excluded.last_accessed_at);"""
TOUCH_APP = """UPDATE apps SET accessed_count = accessed_count + {more},
        first_accessed_at = {least}(COALESCE(first_accessed_at, NEW.first_accessed_at), NEW.first_accessed_at),
        last_accessed_at = {greatest}(COALESCE(last_accessed_at, NEW.last_accessed_at), NEW.last_accessed_at)
    WHERE id = NEW.app_id;"""
# The rows of one read share its time: the first of them brings the app up to date.
WHERE_NEWER = " AND (last_accessed_at < NEW.last_accessed_at OR first_accessed_at > NEW.first_accessed_at);"
FORGET_ACCESS = """UPDATE apps SET accessed_count = accessed_count - 1 WHERE id = OLD.app_id;"""

TRIGGERS = [
    ("memories_count_insert", "INSERT ON memories", [COUNT.format(row="NEW")]),
    ("memories_count_delete", "DELETE ON memories", [UNCOUNT.format(row="OLD")]),
    (
        "memories_count_update",
        "UPDATE OF user_id, app_id, state ON memories",
        [UNCOUNT.format(row="OLD"), COUNT.format(row="NEW")],
    ),
    ("access_logs_sum", "INSERT ON access_logs", [SUM_ACCESS]),
    ("app_accesses_insert", "INSERT ON app_accesses", [TOUCH_APP.replace("{more}", "1")]),
    ("app_accesses_update", "UPDATE ON app_accesses", [TOUCH_APP.replace("{more}", "0").replace(";", WHERE_NEWER)]),
    ("app_accesses_delete", "DELETE ON app_accesses", [FORGET_ACCESS]),
]


def upgrade() -> None:
    """Create the triggers in the database's own language, and the index's tables where they live beside the truth."""
    if op.get_bind().dialect.name == "sqlite":
        _create_sqlite_triggers()
        _create_embedded_index()
    else:
        _create_postgresql_triggers()


def _create_sqlite_triggers() -> None:
    for name, when, statements in TRIGGERS:
        body = "\n".join(statements).format(least="MIN", greatest="MAX")
        op.execute(f"CREATE TRIGGER {name} AFTER {when} BEGIN\n{body}\nEND")


def _create_postgresql_triggers() -> None:
    for name, when, statements in TRIGGERS:
        body = "\n".join(statements).format(least="LEAST", greatest="GREATEST")
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n{body}\nRETURN NULL; END $$"
        )
        op.execute(f"CREATE TRIGGER {name} AFTER {when} FOR EACH ROW EXECUTE FUNCTION {name}()")


def _create_embedded_index() -> None:
    op.create_table(
        "memory_vectors",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_memory_vectors")),
        sa.UniqueConstraint("memory_id", name=op.f("uq_memory_vectors_memory_id")),
    )
    op.create_index("ix_memory_vectors_owner_id", "memory_vectors", ["owner_id", "model", "change"])
    op.create_table(
        "vector_owners",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", name=op.f("pk_vector_owners")),
    )
    # Its rows are already analysed (app.engine.text): one token a word. `owner` is a token too, so that one owner's
    # query does not walk the others' rows.
    op.execute("CREATE VIRTUAL TABLE memory_terms USING fts5(owner, terms, tokenize = 'unicode61')")


def downgrade() -> None:
    """Remove what `upgrade` made."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, when, _ in reversed(TRIGGERS):
        if sqlite:
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP TRIGGER {name} ON {when.split(' ON ')[1]}")
            op.execute(f"DROP FUNCTION {name}()")
    if sqlite:
        for table in ("memory_terms", "vector_owners", "memory_vectors"):
            op.execute(f"DROP TABLE {table}")
