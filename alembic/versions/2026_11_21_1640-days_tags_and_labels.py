"""what each day brought, tags that can be counted, and what a labelling changed

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")

UPSERT = "ON CONFLICT (user_id, day, app_id) DO UPDATE SET writes = app_days.writes + excluded.writes;"
DAYS = "INSERT INTO app_days (user_id, day, app_id, reads, shown, writes)"
SQLITE_WRITE = f"""CREATE TRIGGER versions_count_day AFTER INSERT ON memory_versions BEGIN
    {DAYS} SELECT user_id, date(NEW.created_at), app_id, 0, 0, 1 FROM memories WHERE id = NEW.memory_id
    {UPSERT}
END"""
# Once a statement: those that change many memories write their versions by one.
POSTGRESQL_WRITE = f"""CREATE FUNCTION versions_count_day() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    {DAYS} SELECT m.user_id, (v.created_at AT TIME ZONE 'UTC')::date, m.app_id, 0, 0, count(*)
        FROM fresh v JOIN memories m ON m.id = v.memory_id GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    {UPSERT}
RETURN NULL; END $$"""

# A tag of more characters than a name may have is no facet: no index would take it.
LINK = "INSERT INTO memory_tags (user_id, tag, memory_id) SELECT DISTINCT {row}.user_id, value, {row}.id"
SQLITE_LINK = f"{LINK} FROM json_each({{row}}.tags) WHERE type = 'text' AND length(value) BETWEEN 1 AND 255"
POSTGRESQL_LINK = f"""{LINK} FROM jsonb_array_elements_text({{row}}.tags) AS value
    WHERE length(value) BETWEEN 1 AND 255"""
UNLINK = "DELETE FROM memory_tags WHERE memory_id = OLD.id;"
TAGGED = "{row}.state <> 'deleted' AND {row}.tags <> '[]'"
MOVED = """(OLD.tags <> '[]' OR NEW.tags <> '[]') AND (OLD.tags <> NEW.tags OR OLD.user_id <> NEW.user_id
    OR (OLD.state = 'deleted') <> (NEW.state = 'deleted'))"""


def upgrade() -> None:
    """The tables with what is there already, then the triggers that keep them."""
    _create_tables()
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    _fill(is_sqlite)
    if is_sqlite:
        _create_sqlite_triggers()
    else:
        _create_postgresql_triggers()
    op.add_column("memory_versions", sa.Column("labels", JSON, nullable=True))


def _create_tables() -> None:
    keys = [("user_id", "users"), ("app_id", "apps")]
    op.create_table(
        "app_days",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("app_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Integer(), server_default="0", nullable=False) for name in ("reads", "shown", "writes")),
        *(
            sa.ForeignKeyConstraint([key], [f"{to}.id"], name=op.f(f"fk_app_days_{key}_{to}"), ondelete="CASCADE")
            for key, to in keys
        ),
        sa.PrimaryKeyConstraint("user_id", "day", "app_id", name=op.f("pk_app_days")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_app_days_day", "app_days", ["day"])
    op.create_index("ix_app_days_app_id", "app_days", ["app_id", "day"])
    op.create_table(
        "memory_tags",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("tag", sa.String(255), nullable=False),
        sa.Column("memory_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["memory_id"], ["memories.id"], name=op.f("fk_memory_tags_memory_id_memories"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "tag", "memory_id", name=op.f("pk_memory_tags")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_memory_tags_memory_id", "memory_tags", ["memory_id"])
    op.create_index("ix_memory_tags_tag", "memory_tags", ["tag", "memory_id"])


def _fill(is_sqlite: bool) -> None:
    # The rows of one read share its app and its time.
    day = "date({})" if is_sqlite else "({} AT TIME ZONE 'UTC')::date"
    reads = f"""SELECT a.owner_id AS user_id, {day.format("l.accessed_at")} AS day, l.app_id,
        count(DISTINCT l.accessed_at) AS reads, count(*) AS shown, 0 AS writes
        FROM access_logs l JOIN apps a ON a.id = l.app_id GROUP BY 1, 2, 3"""
    writes = f"""SELECT m.user_id, {day.format("v.created_at")}, m.app_id, 0, 0, count(*)
        FROM memory_versions v JOIN memories m ON m.id = v.memory_id GROUP BY 1, 2, 3"""
    op.execute(
        f"""{DAYS} SELECT user_id, day, app_id, sum(reads), sum(shown), sum(writes)
        FROM ({reads} UNION ALL {writes}) AS both_of_them GROUP BY 1, 2, 3"""
    )
    link = SQLITE_LINK if is_sqlite else POSTGRESQL_LINK
    source = ("FROM ", "FROM memories m, ")
    op.execute(link.format(row="m").replace(*source) + f" AND {TAGGED.format(row='m')}")


def _create_sqlite_triggers() -> None:
    link = SQLITE_LINK.format(row="NEW")
    op.execute(SQLITE_WRITE)
    op.execute(
        f"CREATE TRIGGER memories_tag_insert AFTER INSERT ON memories WHEN {TAGGED.format(row='NEW')} BEGIN {link}; END"
    )
    op.execute(
        f"""CREATE TRIGGER memories_tag_update AFTER UPDATE OF user_id, tags, state ON memories WHEN {MOVED}
        BEGIN {UNLINK} {link} AND NEW.state <> 'deleted'; END"""
    )


def _create_postgresql_triggers() -> None:
    link = POSTGRESQL_LINK.format(row="NEW")
    op.execute(POSTGRESQL_WRITE)
    op.execute(
        """CREATE TRIGGER versions_count_day AFTER INSERT ON memory_versions REFERENCING NEW TABLE AS fresh
        FOR EACH STATEMENT EXECUTE FUNCTION versions_count_day()"""
    )
    for name, when, condition, body in (
        ("memories_tag_insert", "INSERT", TAGGED.format(row="NEW"), f"{link};"),
        (
            "memories_tag_update",
            "UPDATE OF user_id, tags, state",
            MOVED,
            f"{UNLINK} {link} AND NEW.state <> 'deleted';",
        ),
    ):
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$")
        op.execute(
            f"""CREATE TRIGGER {name} AFTER {when} ON memories FOR EACH ROW WHEN ({condition})
            EXECUTE FUNCTION {name}()"""
        )


def downgrade() -> None:
    """Remove what `upgrade` made."""
    op.drop_column("memory_versions", "labels")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, table in (
        ("memories_tag_update", "memories"),
        ("memories_tag_insert", "memories"),
        ("versions_count_day", "memory_versions"),
    ):
        op.execute(f"DROP TRIGGER {name}" if is_sqlite else f"DROP TRIGGER {name} ON {table}")
        if not is_sqlite:
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("memory_tags")
    op.drop_table("app_days")
