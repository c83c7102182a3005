"""A hundred thousand memories of fifty owners, by a few statements that both databases understand.

Owner 0 has half of them, and of those one in a hundred has expired. Of each owner's memories one in twenty is paused,
as many are archived, or deleted, and one in a thousand waits for the index.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

MEMORIES = 100_000
OWNERS = 50
APPS = 4  # an owner
CATEGORIES = 10  # an owner
TAGS = 100
LOGGED = 20_000

START = datetime(2026, 1, 1, tzinfo=UTC)  # when the first was made, and every minute one more
MINUTE = timedelta(minutes=1)

USER, APP, MEMORY, CATEGORY, LOG = range(1, 6)

# Numbers as ids and times, in either database's own words.
WORDS = {
    "sqlite": {
        "id": "printf('{kind:08x}%024x', {n})",
        "time": "strftime('%Y-%m-%d %H:%M:%f000', '2026-01-01', '+' || ({n}) || ' minutes')",
        "json": "{value}",
        "true": "1",
    },
    "postgresql": {
        "id": "lpad(to_hex({kind}), 8, '0')::text || lpad(to_hex({n}), 24, '0')",
        "time": "TIMESTAMPTZ '2026-01-01 00:00:00+00' + ({n}) * INTERVAL '1 minute'",
        "json": "{value}::jsonb",
        "true": "TRUE",
    },
}

SUMS = (
    """INSERT INTO memory_tallies (user_id, app_id, state, count)
        SELECT user_id, app_id, state, count(*) FROM memories GROUP BY user_id, app_id, state""",
    """INSERT INTO app_accesses (app_id, memory_id, access_count, first_accessed_at, last_accessed_at)
        SELECT app_id, memory_id, count(*), min(accessed_at), max(accessed_at) FROM access_logs
        GROUP BY app_id, memory_id""",
    """UPDATE apps SET accessed_count = (SELECT count(*) FROM app_accesses WHERE app_accesses.app_id = apps.id)""",
)


class Fill:
    """Writes rows by numbers from 0; `connection` is in a transaction of the caller's."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.dialect = connection.dialect.name
        self.words = WORDS[self.dialect]
        self.triggers: dict[str, str] = {}

    def prepare(self) -> None:
        """Neither triggers nor foreign keys until the end of the transaction."""
        if self.dialect == "postgresql":
            self.connection.execute(text("SET LOCAL session_replication_role = replica"))
            return
        self.connection.execute(text("PRAGMA defer_foreign_keys = ON"))
        self.connection.execute(text("PRAGMA cache_size = -200000"))
        triggers = self.connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        self.triggers = {row.name: row.sql for row in triggers}
        for name in self.triggers:
            self.connection.execute(text(f"DROP TRIGGER {name}"))

    def sum_up(self) -> None:
        """What the triggers keep, by counting; then the triggers again."""
        for statement in SUMS:
            self.connection.execute(text(statement))
        for sql in self.triggers.values():
            self.connection.exec_driver_sql(sql)

    def id(self, kind: int, n: str) -> str:
        """The id of the `n`th row of a kind, in SQL."""
        found = self.words["id"].format(kind=kind, n=n)
        return f"({found})::uuid" if self.dialect == "postgresql" else found

    def time(self, n: str) -> str:
        """`n` minutes after the beginning, in SQL."""
        return self.words["time"].format(n=n)

    def json(self, value: str) -> str:
        """A constant JSON value, in SQL."""
        return self.words["json"].format(value=f"'{value}'")

    def rows(self, table: str, count: int, columns: dict[str, str]) -> None:
        """`count` rows; the values are SQL in which `i` is the number."""
        self.connection.execute(
            text(
                f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})"
                f" INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns.values())} FROM n".replace(
                    ":", r"\:"
                )
            )
        )


def fill(connection: Connection) -> None:
    """All of it, with the sums that triggers would have kept: those are looked at elsewhere, and take their time."""
    filled = Fill(connection)
    filled.prepare()
    _people(filled)
    _memories(filled)
    _categories(filled)
    _accesses(filled)
    _tags(filled)
    filled.sum_up()


def _people(filled: Fill) -> None:
    both = {"metadata": filled.json("{}"), "created_at": filled.time("i"), "updated_at": filled.time("i")}
    filled.rows(
        "users",
        OWNERS,
        {
            "id": filled.id(USER, "i"),
            "user_id": "'owner-' || i",
            "is_admin": f"NOT {filled.words['true']}",
            "is_active": filled.words["true"],
            **both,
        },
    )
    filled.rows(
        "apps",
        OWNERS * APPS,
        {
            "id": filled.id(APP, "i"),
            "owner_id": filled.id(USER, f"i / {APPS}"),
            "name": f"CASE i % {APPS} WHEN 0 THEN 'openmemory' ELSE 'app-' || i END",
            "is_active": filled.words["true"],
            "accessed_count": "0",
            **both,
        },
    )


OWNER = f"CASE WHEN i % 2 = 0 THEN 0 ELSE 1 + (i / 2) % {OWNERS - 1} END"
STATE = "CASE (i / 2) % 20 WHEN 3 THEN 'paused' WHEN 7 THEN 'archived' WHEN 11 THEN 'deleted' ELSE 'active' END"


def _memories(filled: Fill) -> None:
    filled.rows(
        "memories",
        MEMORIES,
        {
            "id": filled.id(MEMORY, "i"),
            "user_id": filled.id(USER, OWNER),
            "app_id": filled.id(APP, f"({OWNER}) * {APPS} + (i / 100) % {APPS}"),
            "run_id": "'run-' || (i / 50)",
            "author": "'author-' || (i % 7)",
            "content": "'memory ' || i || ' says that somebody likes tea and walks in the rain'",
            "content_hash": "'hash-' || i",
            "memory_type": "'insight'",
            "state": STATE,
            "metadata": filled.json("{}"),
            "tags": filled.json("[]"),
            "version": "1",
            "expires_at": f"CASE WHEN i % 200 = 0 THEN {filled.time('i')} END",
            "created_at": filled.time("i"),
            "updated_at": filled.time("i"),
            "indexed_at": f"CASE WHEN i % 1000 <> 0 THEN {filled.time('i')} END",
        },
    )


def _categories(filled: Fill) -> None:
    filled.rows(
        "categories",
        OWNERS * CATEGORIES,
        {
            "id": filled.id(CATEGORY, "i"),
            "user_id": filled.id(USER, f"i / {CATEGORIES}"),
            "name": f"'category-' || (i % {CATEGORIES})",
            "created_at": filled.time("i"),
            "updated_at": filled.time("i"),
        },
    )
    filled.rows(
        "memory_categories",
        MEMORIES,
        {
            "memory_id": filled.id(MEMORY, "i"),
            "category_id": filled.id(CATEGORY, f"({OWNER}) * {CATEGORIES} + (i / 3) % {CATEGORIES}"),
        },
    )


def _tags(filled: Fill) -> None:
    filled.rows(
        "memory_tags",
        MEMORIES,
        {
            "user_id": filled.id(USER, OWNER),
            "tag": f"'tag-' || ((i / 3) % {TAGS})",
            "memory_id": filled.id(MEMORY, "i"),
        },
    )


def _accesses(filled: Fill) -> None:
    filled.rows(
        "access_logs",
        LOGGED,
        {
            "id": filled.id(LOG, "i"),
            "memory_id": filled.id(MEMORY, "CASE WHEN i % 4 = 0 THEN 2 ELSE (i % 5000) * 2 END"),
            "app_id": filled.id(APP, f"i % {APPS}"),
            "access_type": "'list'",
            "accessed_at": filled.time("i"),
            "metadata": filled.json("{}"),
        },
    )
