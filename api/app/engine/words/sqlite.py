"""The words on SQLite: analysed texts in the table `memory_terms`, searched in memory.

In memory because FTS5 weighs a word over all owners, and because it walks every text of the owner's for each query:
30 ms with 100,000 of them, where this takes one (decision 0013).
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.database import Database
from app.engine.keys import Key
from app.engine.owners import Counters, OwnerCache
from app.engine.ranking.table import Told
from app.engine.words import Level, Said
from app.engine.words.postings import Postings
from app.engine.words.rarity import MAX_TERMS, rare
from app.engine.words.traits import SqliteTraits

COUNTERS = Counters("word_owners")
PUT = """INSERT INTO memory_terms (memory_id, owner_id, change, terms) VALUES (?, ?, ?, ?)
    ON CONFLICT (memory_id) DO UPDATE SET owner_id = excluded.owner_id, change = excluded.change,
        terms = excluded.terms"""
REMOVE = """DELETE FROM memory_terms WHERE memory_id IN (SELECT value FROM json_each(?))
    RETURNING memory_id, owner_id"""
NEWER = "SELECT memory_id, terms FROM memory_terms WHERE owner_id = ? AND change > ?"
ALL = "SELECT memory_id FROM memory_terms WHERE owner_id = ?"


@dataclass(frozen=True, slots=True)
class _Step:
    """One owner's part of a change: the counters after it, what was put and what was dropped."""

    owner: str
    change: int
    removed: int
    put: Sequence[Said] = ()
    dropped: Sequence[Key] = ()

    def apply(self, held: Postings) -> None:
        """Do the same to what is held."""
        for one in self.put:
            held.put(one.id.hex, one.terms)
        for key in self.dropped:
            held.drop(key)


class SqliteChange:
    """Puts and removals in the transaction of a session."""

    def __init__(self, session: Session, postings: OwnerCache[Postings], traits: SqliteTraits) -> None:
        self._connection = session.connection()
        self._postings = postings
        self._traits = traits
        self._steps: list[_Step] = []

    def put(self, said: Sequence[Said]) -> None:
        """Add or replace."""
        by_owner: dict[UUID, list[Said]] = {}
        for one in said:
            by_owner.setdefault(one.owner, []).append(one)
        for owner, own in by_owner.items():
            change, removed = COUNTERS.bump(self._connection, owner.hex)
            rows = [(one.id.hex, owner.hex, change, " ".join(one.terms)) for one in own]
            self._connection.exec_driver_sql(PUT, rows)
            self._steps.append(_Step(owner.hex, change, removed, put=own))

    def remove(self, ids: Iterable[UUID]) -> None:
        """Remove; unknown ids are passed over."""
        found = self._connection.exec_driver_sql(REMOVE, (json.dumps([id.hex for id in ids]),)).all()
        gone: dict[str, list[Key]] = {}
        for key, owner in found:
            gone.setdefault(owner, []).append(key)
        for owner, dropped in gone.items():
            change, removed = COUNTERS.bump(self._connection, owner, removed=len(dropped))
            self._steps.append(_Step(owner, change, removed, dropped=dropped))

    def committed(self) -> None:
        """Have what is held follow."""
        for step in self._steps:
            self._postings.follow(step.owner, step.change, step.removed, len(step.dropped), step.apply)
            put = [one.id.hex for one in step.put]
            self._traits.follow(step.owner, step.change, step.removed, put, step.dropped)


class SqliteWords:
    """The keyword leg over `memory_terms` of `url`; `cache_bytes` bounds what is held in memory of words, and again of
    traits."""

    def __init__(self, url: str, cache_bytes: int) -> None:
        self._database = Database(url, durable=False)
        self._postings = OwnerCache(Postings, cache_bytes, COUNTERS, _catch_up)
        self._traits = SqliteTraits(self._database, cache_bytes, COUNTERS, self._postings)

    def change(self, session: Session) -> SqliteChange:
        """Changes in the transaction of `session`."""
        return SqliteChange(session, self._postings, self._traits)

    def search(
        self,
        owner: UUID,
        terms: Sequence[str],
        limit: int,
        within: Collection[Key] | None = None,
        since: Level | None = None,
    ) -> dict[Key, float]:
        """The owner's memories that have any of the terms, at most `limit`, best first: BM25, larger is better."""
        held = self._postings.level(self._database, owner.hex, since[0] if since else None)
        with held.lock:
            weighed = _rare(held, terms)
            return held.best(weighed, limit) if within is None else held.among(weighed, within, limit)

    def scores(self, owner: UUID, terms: Sequence[str], keys: Collection[Key]) -> dict[Key, float]:
        """BM25 of just these memories; those without any of the terms are left out. Asked right after a `search`."""
        held = self._postings.peek(owner.hex) or self._postings.level(self._database, owner.hex)
        with held.lock:
            return held.among(_rare(held, terms), keys, len(keys))

    def frequencies(self, owner: UUID, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        """In how many of the owner's memories each term is, and how many memories there are."""
        held = self._postings.level(self._database, owner.hex)
        with held.lock:
            return held.frequencies(terms), len(held)

    def level(self, owner: UUID) -> Level | None:
        """What a search of the owner's just now was level with."""
        held = self._postings.peek(owner.hex)
        return (held.change, held.removed) if held is not None and held.change >= 0 else None

    def told(self, owner: UUID, keys: Collection[Key], since: Level) -> Mapping[Key, Told]:
        """The traits of memories and of what stands beside them, but for their tokens; of all owners alike."""
        return self._traits.near(owner.hex, keys, since[0])

    def reset(self) -> None:
        """Empty the table."""
        with self._database.transaction() as session:
            session.connection().exec_driver_sql("DELETE FROM memory_terms")
            COUNTERS.bump_all(session.connection())
        self._postings.clear()
        self._traits.clear()

    def close(self) -> None:
        """Close the connections."""
        self._database.dispose()


def _catch_up(connection: Connection, held: Postings, owner: str, is_thinned: bool) -> None:
    for key, terms in connection.exec_driver_sql(NEWER, (owner, held.change)):
        held.put(key, terms.split())
    if is_thinned:
        held.keep({row[0] for row in connection.exec_driver_sql(ALL, (owner,))})


def _rare(held: Postings, terms: Sequence[str]) -> Sequence[str]:
    different = list(dict.fromkeys(terms))[:MAX_TERMS]
    return rare(different, held.frequencies(different), len(held))
