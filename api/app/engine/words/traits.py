"""Tables of traits (`engine.ranking.table`) on SQLite, level with the words.

Whatever changes a trait has the memory's words put again in the same transaction (decision 0025), so what changes with
the words are the counters of these tables, too.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection

from app.database import Database
from app.engine.keys import Key
from app.engine.owners import Counters, OwnerCache
from app.engine.ranking.table import Told, TraitTable
from app.engine.words.postings import Postings

# As `services.features` asks for them.
_COLUMNS = """m.id, m.run_id, m.created_at, m.author, m.occurred_at,
    rtrim(m.content) LIKE '%?' OR rtrim(m.content) LIKE '%\uff1f', length(m.content)"""
# In the order in which they were stored: each turn is its session's last when it comes, and the rows lie side by side.
# Only what the words have: of anything else they would not say when it goes.
LOAD = f"""SELECT {_COLUMNS} FROM memories m WHERE m.user_id = ? AND m.state = 'active'
    AND EXISTS (SELECT 1 FROM memory_terms t WHERE t.memory_id = m.id) ORDER BY m.created_at, m.id"""
NEWER = f"""SELECT {_COLUMNS} FROM memory_terms t CROSS JOIN memories m ON m.id = t.memory_id
    WHERE t.owner_id = ? AND t.change > ? AND m.user_id = t.owner_id AND m.state = 'active'"""
THESE = f"""SELECT {_COLUMNS} FROM json_each(?) wanted CROSS JOIN memories m ON m.id = wanted.value
    WHERE m.user_id = ? AND m.state = 'active'"""
CHANGED = "SELECT memory_id FROM memory_terms WHERE owner_id = ? AND change > ?"
ALL = "SELECT memory_id FROM memory_terms WHERE owner_id = ?"
_EPOCH = datetime(1970, 1, 1)  # naive, as the times are stored, in UTC


class SqliteTraits:
    """The tables of the owners who were asked for; `cache_bytes` bounds what is held in memory."""

    def __init__(
        self, database: Database, cache_bytes: int, counters: Counters, postings: OwnerCache[Postings]
    ) -> None:
        self._database = database
        self._tables: OwnerCache[TraitTable] = OwnerCache(
            TraitTable, cache_bytes, counters, partial(_catch_up, postings)
        )

    def near(self, owner: str, keys: Iterable[Key], since: int) -> Mapping[Key, Told]:
        """The traits of memories and of what stands beside them, as new as the owner's `change` was `since`."""
        table = self._tables.level(self._database, owner, since)
        with table.lock:
            if table.awaited:
                with self._database.engine.connect() as connection:
                    _fill(table, connection, THESE, (json.dumps([*table.awaited]), owner))
                table.awaited.clear()
            return table.near(keys)

    def follow(self, owner: str, change: int, removed: int, put: Sequence[Key], dropped: Sequence[Key]) -> None:
        """Have the owner's table, if it is here, follow a change of the words."""

        def act(table: TraitTable) -> None:
            for key in put:
                table.expect(key)
            for key in dropped:
                table.drop(key)

        self._tables.follow(owner, change, removed, len(dropped), act)

    def clear(self) -> None:
        """Forget everything."""
        self._tables.clear()


def _catch_up(
    postings: OwnerCache[Postings], connection: Connection, table: TraitTable, owner: str, is_thinned: bool
) -> None:
    if table.change < 0:
        held = postings.peek(owner)
        _fill(table, connection, LOAD, (owner,), held.keys() if held else {})
        return
    for (key,) in connection.exec_driver_sql(CHANGED, (owner, table.change)):
        table.drop(key)
    _fill(table, connection, NEWER, (owner, table.change))
    if is_thinned:
        table.keep({row[0] for row in connection.exec_driver_sql(ALL, (owner,))})


def _fill(
    table: TraitTable, connection: Connection, sql: str, values: tuple[Any, ...], same: Mapping[Key, Key] | None = None
) -> None:
    """Put what a statement tells; keys that are in memory already are not held twice."""
    same = same or {}
    for key, run, created, author, occurred, asks, length in connection.exec_driver_sql(sql, values):
        day = None if occurred is None else date.fromisoformat(occurred[:10])
        table.put(same.get(key, key), run, _microseconds(created), author, day, asks == 1, length)


def _microseconds(stored: str) -> int:
    since = datetime.fromisoformat(stored) - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
