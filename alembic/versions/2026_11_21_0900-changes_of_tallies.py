"""tallies count their changes too

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COUNT = """INSERT INTO memory_tallies (user_id, app_id, state, count{column})
    VALUES ({row}.user_id, {row}.app_id, {row}.state, 1{one})
    ON CONFLICT (user_id, app_id, state) DO UPDATE SET count = memory_tallies.count + 1{change};"""
UNCOUNT = """UPDATE memory_tallies SET count = count - 1{change}
    WHERE user_id = {row}.user_id AND app_id = {row}.app_id AND state = {row}.state;"""
CHANGED = {"column": ", changes", "one": ", 1", "change": ", changes = memory_tallies.changes + 1"}
UNCHANGED = {"column": "", "one": "", "change": ""}


def upgrade() -> None:
    """Add the column, and triggers that raise it whenever a memory comes, goes or moves in an owner's lists."""
    op.add_column("memory_tallies", sa.Column("changes", sa.BigInteger(), server_default="0", nullable=False))
    _replace_triggers("user_id, app_id, state, created_at", CHANGED)


def downgrade() -> None:
    """Put the old triggers back and drop the column."""
    _replace_triggers("user_id, app_id, state", UNCHANGED)
    op.drop_column("memory_tallies", "changes")


def _replace_triggers(columns: str, parts: dict[str, str]) -> None:
    count, uncount = COUNT.format(row="NEW", **parts), UNCOUNT.format(row="OLD", **parts)
    _replace("memories_count_insert", "INSERT", count)
    _replace("memories_count_delete", "DELETE", uncount)
    _replace("memories_count_update", f"UPDATE OF {columns}", f"{uncount}\n{count}")


def _replace(name: str, when: str, body: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {name}")
        op.execute(f"CREATE TRIGGER {name} AFTER {when} ON memories BEGIN\n{body}\nEND")
        return
    op.execute(
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n{body}\nRETURN NULL; END $$"
    )
    op.execute(f"DROP TRIGGER {name} ON memories")
    op.execute(f"CREATE TRIGGER {name} AFTER {when} ON memories FOR EACH ROW EXECUTE FUNCTION {name}()")
