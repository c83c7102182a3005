"""The words on PostgreSQL: analysed texts as tsvector, found by a GIN index, weighed by BM25 in SQL.

The same terms and the same formula as on SQLite, so that both find the same. `ts_rank` is not BM25, but of a single
term it tells how often that is said, and is C: taking a tsvector apart in SQL took five times as long (decision 0021).
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from math import log1p, pi
from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.database import Database
from app.engine.keys import Key
from app.engine.words import Level, Said
from app.engine.words.postings import K1, B
from app.engine.words.rarity import MAX_TERMS, rare

PUT = """INSERT INTO memory_terms (memory_id, owner_id, length, terms)
    SELECT id, owner, length, terms::tsvector
    FROM unnest(%(ids)s::uuid[], %(owners)s::uuid[], %(lengths)s::int[], %(terms)s::text[])
        AS said (id, owner, length, terms)
    ON CONFLICT (memory_id) DO UPDATE
        SET owner_id = excluded.owner_id, length = excluded.length, terms = excluded.terms"""
REMOVE = "DELETE FROM memory_terms WHERE memory_id = ANY(%(ids)s::uuid[])"

# The owner's memories: counted where that is quick, else by the tallies; the first texts tell how long they are.
SIZE = """SELECT
    (SELECT coalesce(sum(count), 0) FROM memory_tallies WHERE user_id = %(owner)s AND state = 'active') AS tallied,
    count(*) AS counted, coalesce(avg(length), 0) AS mean
    FROM (SELECT length FROM memory_terms WHERE owner_id = %(owner)s LIMIT %(sample)s) AS sampled"""
SAMPLE = 2_000
HAVING = "count(*) FILTER (WHERE terms @@ %({name})s::tsquery) AS {name}"
MATCHING = "FROM memory_terms WHERE owner_id = %(owner)s AND terms @@ %(any)s::tsquery"

# ts_rank of a term that is said n times is the sum of 1/i^2 for i to n, over what that comes to without end; so n is:
TIMES = f"round(1 / ({pi**2 / 6} * (1 - ts_rank('{{{{1,1,1,1}}}}', terms, %({{name}})s::tsquery))) - 0.5)"
# K1 + 1 times the weight times n / (n + norm), written with one n.
SCORE = f"%(weight_{{name}})s * (1 - (%(flat)s + %(slope)s * length) / ({TIMES} + %(flat)s + %(slope)s * length))"

MOST_MATCHES = 20_000  # so many memories are weighed at most, those of the rarest words first
REMEMBERED = 50_000  # counts of words that are remembered
REMEMBER_FROM = 5_000  # memories of an owner; of fewer they are counted each time
DRIFT = 20  # they hold until the owner has a twentieth more or less
MOST_BYTES = 1_000_000  # of a tsvector's terms; PostgreSQL takes 1 MiB
MOST_TIMES = 255  # positions that a tsvector keeps of a term


@dataclass(frozen=True, slots=True)
class _Size:
    memories: int
    mean: float


class PostgresChange:
    """Puts and removals in the transaction of a session."""

    def __init__(self, session: Session) -> None:
        self._connection = session.connection()

    def put(self, said: Sequence[Said]) -> None:
        """Add or replace."""
        last = {one.id: one for one in said}.values()
        given = {
            "ids": [one.id for one in last],
            "owners": [one.owner for one in last],
            "lengths": [len(one.terms) for one in last],
            "terms": [_written(one.terms) for one in last],
        }
        self._connection.exec_driver_sql(PUT, given)

    def remove(self, ids: Iterable[UUID]) -> None:
        """Remove; unknown ids are passed over."""
        self._connection.exec_driver_sql(REMOVE, {"ids": list(ids)})

    def committed(self) -> None:
        """Nothing is held in memory but counts, which may lag."""


class PostgresWords:
    """The keyword leg over `memory_terms` of `database`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts = _Counts()

    def change(self, session: Session) -> PostgresChange:
        """Changes in the transaction of `session`."""
        return PostgresChange(session)

    def search(
        self,
        owner: UUID,
        terms: Sequence[str],
        limit: int,
        within: Collection[Key] | None = None,
        since: Level | None = None,
    ) -> dict[Key, float]:
        """The owner's memories that have any of the terms, at most `limit`, best first: BM25, larger is better."""
        different = list(dict.fromkeys(terms))[:MAX_TERMS]
        with self._database.reading() as session:
            connection = session.connection()
            size, having = self._having(connection, owner, different)
            weighed = _affordable(rare(different, having, size.memories), having)
            if not weighed or limit < 1:
                return {}
            sql, values = _ranking({term: _weight(size, having[term]) for term in weighed}, size, within)
            found = connection.exec_driver_sql(sql, values | {"owner": owner, "limit": limit})
            return {id.hex: float(score) for id, score in found}

    def scores(self, owner: UUID, terms: Sequence[str], keys: Collection[Key]) -> dict[Key, float]:
        """BM25 of just these memories; those without any of the terms are left out."""
        return self.search(owner, terms, len(keys), keys)

    def frequencies(self, owner: UUID, terms: Sequence[str]) -> tuple[dict[str, int], int]:
        """In how many of the owner's memories each term is, and how many memories there are.

        Of an owner with thousands both may lag a little behind.
        """
        with self._database.reading() as session:
            size, having = self._having(session.connection(), owner, list(dict.fromkeys(terms)))
            return having, size.memories

    def level(self, owner: UUID) -> Level | None:
        """Not known: nothing is counted here, for nothing is held in memory."""
        return None

    def told(self, owner: UUID, keys: Collection[Key], since: Level) -> None:
        """Not held in memory."""

    def reset(self) -> None:
        """Empty the table."""
        with self._database.transaction() as session:
            session.connection().exec_driver_sql("DELETE FROM memory_terms")

    def close(self) -> None:
        """Nothing is open: the connections are the database's."""

    def _having(self, connection: Connection, owner: UUID, terms: Sequence[str]) -> tuple[_Size, dict[str, int]]:
        """How much the owner has, and in how many memories each term is."""
        held = self._counts.held(owner, terms)
        missing = [term for term in terms if term not in held]
        size, counted = _count(connection, owner, missing[:MAX_TERMS])
        missing = missing[MAX_TERMS:] + [term for term, (_, then) in held.items() if _has_drifted(size.memories, then)]
        for start in range(0, len(missing), MAX_TERMS):
            counted |= _count(connection, owner, missing[start : start + MAX_TERMS])[1]
        self._counts.remember(owner, counted, size.memories)
        return size, {term: held[term][0] for term in held} | counted


class _Counts:
    """In how many memories of a large owner a word is: counting takes longer than all the rest, and changes little."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[UUID, str], tuple[int, int]] = OrderedDict()

    def held(self, owner: UUID, terms: Iterable[str]) -> dict[str, tuple[int, int]]:
        """What was counted of these terms, and among how many memories."""
        with self._lock:
            found = {term: self._held[owner, term] for term in terms if (owner, term) in self._held}
            for term in found:
                self._held.move_to_end((owner, term))
        return found

    def remember(self, owner: UUID, counted: dict[str, int], memories: int) -> None:
        """Keep what was counted, if it was worth counting."""
        if memories < REMEMBER_FROM:
            return
        with self._lock:
            self._held.update({(owner, term): (count, memories) for term, count in counted.items()})
            while len(self._held) > REMEMBERED:
                self._held.popitem(last=False)


def _has_drifted(memories: int, then: int) -> bool:
    return abs(memories - then) * DRIFT > then


def _count(connection: Connection, owner: UUID, terms: Sequence[str]) -> tuple[_Size, dict[str, int]]:
    """How much the owner has, and in how many memories each of the terms is, in one statement."""
    names = {f"term_{place}": _quoted(term) for place, term in enumerate(terms)}
    values: dict[str, Any] = {**names, "owner": owner, "sample": SAMPLE, "any": " | ".join(names.values())}
    columns = ", ".join(HAVING.format(name=name) for name in names)
    sql = f"SELECT * FROM ({SIZE}) AS size" + (f", (SELECT {columns} {MATCHING}) AS matching" if names else "")
    tallied, counted, mean, *having = connection.exec_driver_sql(sql, values).one()
    memories = max(int(tallied), int(counted)) if counted == SAMPLE else int(counted)
    return _Size(memories, float(mean)), dict(zip(terms, having, strict=True))


def _affordable(terms: Sequence[str], having: dict[str, int]) -> list[str]:
    """Those of the terms that any memory has, the rarest first, until they come to enough memories."""
    chosen: list[str] = []
    matches = 0
    for term in sorted((term for term in terms if having[term]), key=having.__getitem__):
        matches += having[term]
        if chosen and matches > MOST_MATCHES:
            break
        chosen.append(term)
    return chosen


def _weight(size: _Size, having: int) -> float:
    memories = max(size.memories, having)  # a count that lags may say more
    return (K1 + 1) * log1p((memories - having + 0.5) / (having + 0.5))


def _ranking(weights: dict[str, float], size: _Size, within: Collection[Key] | None) -> tuple[str, dict[str, Any]]:
    """The statement that ranks by these terms, and its values but the owner and the limit."""
    names = {f"term_{place}": _quoted(term) for place, term in enumerate(weights)}
    values: dict[str, Any] = {**names, "any": " | ".join(names.values())}
    values |= {f"weight_{name}": weight for name, weight in zip(names, weights.values(), strict=True)}
    values |= {"flat": K1 * (1 - B), "slope": K1 * B / max(size.mean, 1e-9)}
    score = " + ".join(SCORE.format(name=name) for name in names)
    among = ""
    if within is not None:
        among, values["keys"] = "AND memory_id = ANY(%(keys)s::uuid[])", list(within)
    return (
        f"SELECT memory_id, {score} AS score {MATCHING} {among} ORDER BY score DESC, memory_id LIMIT %(limit)s",
        values,
    )


def _quoted(term: str) -> str:
    """A term as tsvector and tsquery write it."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _written(terms: Sequence[str]) -> str:
    """A tsvector whose positions are only counted: 'tea':1,2 says tea twice."""
    written, room = [], MOST_BYTES
    for term, times in Counter(terms).items():
        room -= len(term.encode()) + 2 * min(times, MOST_TIMES) + 4
        if room < 0:
            break
        written.append(f"{_quoted(term)}:{','.join(map(str, range(1, min(times, MOST_TIMES) + 1)))}")
    return " ".join(written)
