"""The embedded vector store: BLOBs beside the truth in the same SQLite file, searched in memory.

A mem0 `VectorStoreBase`: created by `VectorStoreFactory.create("sqlite", {...})`, payloads carry `user_id` (the owner)
and `terms` (the analysed text of the keyword leg, an FTS5 table). Filters know `user_id` and `ids`. Beyond mem0's
interface: `delete_many`, `similarities`, `count`, `ids`, each one call for many ids.

Several processes may write: each write raises the owner's `change` counter (and `removed` when rows went away), and a
matrix that is behind reads what is newer before it answers.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from mem0.vector_stores.base import VectorStoreBase
from numpy.typing import NDArray
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.database import Database
from app.engine.stores.matrix import Matrix, MatrixCache, top
from app.engine.text import match_expression

BUMP = """INSERT INTO vector_owners (owner_id, change, removed) VALUES (?, 1, ?)
    ON CONFLICT (owner_id) DO UPDATE SET change = change + 1, removed = removed + excluded.removed
    RETURNING change, removed"""
PUT_VECTOR = """INSERT INTO memory_vectors (memory_id, owner_id, model, change, vector) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (memory_id) DO UPDATE SET owner_id = excluded.owner_id, model = excluded.model,
        change = excluded.change, vector = excluded.vector"""
PUT_TERMS = """INSERT OR REPLACE INTO memory_terms (rowid, owner, terms)
    SELECT seq, ?, ? FROM memory_vectors WHERE memory_id = ?"""
OF_THESE = "memory_id IN (SELECT value FROM json_each(?))"
# A term that more than a quarter of the owner's memories have says next to nothing and costs most: it is left out.
# FTS5 counts words over all owners, so its own weights do not see that (measured in decision 0006).
RARE = """SELECT value FROM json_each(?) WHERE (SELECT count(*) FROM (
    SELECT 1 FROM memory_terms WHERE memory_terms MATCH ? || ' AND terms : "' || value || '"' LIMIT ?)) < ?"""
EMPTY = (
    "DELETE FROM memory_terms",
    "DELETE FROM memory_vectors",
    "UPDATE vector_owners SET change = change + 1, removed = removed + 1",
)
FETCH = 2_048  # vectors that are read at once into memory
COMMON_SHARE = 4
COMMON_FROM = 100  # below so many memories a quarter is too few to tell
KEYWORDS = """SELECT v.memory_id, -bm25(memory_terms, 0.0, 1.0) AS score
    FROM memory_terms JOIN memory_vectors v ON v.seq = memory_terms.rowid
    WHERE memory_terms MATCH ? {within} ORDER BY score DESC, v.seq LIMIT ?"""


# mem0's interface has a method called `list`, so the type needs another name inside the class.
Names = list[str]


@dataclass(frozen=True, slots=True)
class Hit:
    """What mem0 calls OutputData."""

    id: str
    score: float
    payload: dict[str, Any] = field(default_factory=dict)


Hits = list[Hit]


class SqliteVectorStore(VectorStoreBase):  # type: ignore[misc]  # mem0 is untyped
    """One collection (a `model`) in the tables `memory_vectors`, `vector_owners` and `memory_terms` of `url`."""

    def __init__(self, collection_name: str, embedding_model_dims: int, url: str, cache_bytes: int) -> None:
        self.collection_name = collection_name
        self.dimensions = embedding_model_dims
        # The index can be made again from the truth, so its commits need not wait for the disk.
        self._database = Database(url, durable=False)
        self._matrices = MatrixCache(embedding_model_dims, cache_bytes)

    def insert(
        self,
        vectors: Sequence[Sequence[float]] | NDArray[np.float32],
        payloads: Sequence[Mapping[str, Any]] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        """Add or replace the vectors `ids`; `payloads[i]["user_id"]` is the owner, `["terms"]` the analysed text."""
        with self.changing() as change:
            change.put(vectors, payloads or (), ids or ())

    @contextmanager
    def changing(self, database: Database | None = None) -> Iterator["Change"]:
        """One transaction for any number of changes; what is in memory follows when it is committed.

        Args:
            database: the truth's, if the same transaction is to say there that the index is level.
        """
        with (database or self._database).transaction() as session:
            change = Change(session, self.collection_name)
            yield change
        for step in change.steps:
            self._follow(step)

    def _follow(self, step: "_Step") -> None:
        matrix = self._matrices.peek(step.owner)
        if matrix is None:
            return
        with matrix.lock:
            if (matrix.change, matrix.removed) != (step.change - 1, step.removed - len(step.dropped)):
                return  # another process has written meanwhile: the next search reads what is newer
            if step.vectors is not None:
                matrix.put(step.ids, step.vectors)
            for id in step.dropped:
                matrix.drop(id)
            matrix.change, matrix.removed = step.change, step.removed

    def delete(self, vector_id: str) -> None:
        """Remove one vector, if it is there."""
        self.delete_many([vector_id])

    def delete_many(self, vector_ids: Iterable[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        with self.changing() as change:
            change.remove(vector_ids)

    def search(
        self,
        query: str,
        vectors: Sequence[float] | NDArray[np.float32],
        top_k: int = 5,
        filters: Mapping[str, Any] | None = None,
    ) -> Hits:
        """The `top_k` nearest of `filters["user_id"]` by cosine; only among `filters["ids"]` if given."""
        filters = filters or {}
        matrix = self._level(_hex(filters["user_id"]))
        with matrix.lock:
            vector = np.asarray(vectors, dtype=np.float32)
            within = filters.get("ids")
            if within is None:
                rows, scores = matrix.nearest(vector, top_k)
            else:
                among = matrix.rows(_hex(id) for id in within)
                scores = matrix.similarities_of(among, vector)
                best = top(scores, top_k)
                rows, scores = among[best], scores[best]
            return [Hit(matrix.ids[row], float(score)) for row, score in zip(rows, scores, strict=True)]

    def similarities(self, owner: str, vector: NDArray[np.float32], ids: Iterable[str]) -> dict[str, float]:
        """Cosine of each of the owner's `ids` that are here; keys as hexadecimal ids. Asked right after a `search`."""
        matrix = self._matrices.peek(_hex(owner)) or self._level(_hex(owner))
        with matrix.lock:
            rows = matrix.rows(_hex(id) for id in ids)
            scores = matrix.similarities_of(rows, vector)
            return {matrix.ids[row]: float(score) for row, score in zip(rows, scores, strict=True)}

    def keyword_search(self, query: str, top_k: int = 5, filters: Mapping[str, Any] | None = None) -> Hits:
        """BM25 over the owner's terms; `query` is analysed text. Scores are positive, larger is better."""
        filters = filters or {}
        terms = list(dict.fromkeys(query.split()))
        if not terms:
            return []
        owner = _hex(filters["user_id"])
        mine = f"owner : {_owner_token(owner)}"
        size = len(self._level(owner))
        within = filters.get("ids")
        sql = KEYWORDS.format(within="" if within is None else f"AND v.{OF_THESE}")
        parameters: tuple[Any, ...] = () if within is None else (json.dumps([_hex(id) for id in within]),)
        with self._database.engine.connect() as connection:
            match = f"{mine} AND terms : ({match_expression(_rare(connection, mine, terms, size))})"
            return [Hit(id, score) for id, score in connection.exec_driver_sql(sql, (match, *parameters, top_k))]

    def update(
        self, vector_id: str, vector: Sequence[float] | None = None, payload: Mapping[str, Any] | None = None
    ) -> None:
        """Replace a vector; mem0's interface, `insert` does the same."""
        if vector is not None and payload is not None:
            self.insert([vector], [payload], [vector_id])

    def get(self, vector_id: str) -> Hit | None:
        """The vector's id and owner, None if it is not here."""
        with self._database.engine.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT memory_id, owner_id FROM memory_vectors WHERE memory_id = ?", (_hex(vector_id),)
            ).first()
        return Hit(row[0], 0.0, {"user_id": row[1]}) if row else None

    def list(self, filters: Mapping[str, Any] | None = None, top_k: int | None = None) -> Sequence[Hits]:
        """Ids and owners of the vectors of `filters["user_id"]` (of everybody without it), in a list of one list."""
        owner = (filters or {}).get("user_id")
        sql = f"""SELECT memory_id, owner_id FROM memory_vectors WHERE model = ?
            {"AND owner_id = ?" if owner else ""} ORDER BY seq LIMIT ?"""
        owners = (_hex(owner),) if owner else ()
        with self._database.engine.connect() as connection:
            rows = connection.exec_driver_sql(sql, (self.collection_name, *owners, -1 if top_k is None else top_k))
            return [[Hit(id, 0.0, {"user_id": owned}) for id, owned in rows]]

    def count(self) -> int:
        """How many vectors of this collection there are."""
        with self._database.engine.connect() as connection:
            sql = "SELECT count(*) FROM memory_vectors WHERE model = ?"
            return int(connection.exec_driver_sql(sql, (self.collection_name,)).scalar_one())

    def create_col(self, name: str, vector_size: int, distance: str = "cosine") -> None:
        """Nothing: Alembic made the tables."""

    def list_cols(self) -> Names:
        """The models that have vectors here."""
        with self._database.engine.connect() as connection:
            return [row[0] for row in connection.exec_driver_sql("SELECT DISTINCT model FROM memory_vectors")]

    def delete_col(self) -> None:
        """Remove every vector and every term."""
        with self._database.transaction() as session:
            for statement in EMPTY:
                session.connection().exec_driver_sql(statement)
        self._matrices.clear()

    def col_info(self) -> dict[str, Any]:
        """Name, dimensions and number of vectors."""
        return {"name": self.collection_name, "dimensions": self.dimensions, "count": self.count()}

    def reset(self) -> None:
        """Empty the store."""
        self.delete_col()

    def close(self) -> None:
        """Close the connections."""
        self._database.dispose()

    def _level(self, owner: str) -> Matrix:
        """The owner's matrix, brought level with the database."""
        matrix = self._matrices.get(owner)
        with self._database.engine.connect() as connection:
            row = connection.exec_driver_sql(
                "SELECT change, removed FROM vector_owners WHERE owner_id = ?", (owner,)
            ).first()
            change, removed = (row[0], row[1]) if row else (0, 0)
            with matrix.lock:
                if matrix.change < change:
                    self._catch_up(connection, matrix, owner, change, removed)
        return matrix

    def _catch_up(self, connection: Connection, matrix: Matrix, owner: str, change: int, removed: int) -> None:
        newer = connection.exec_driver_sql(
            "SELECT memory_id, vector FROM memory_vectors WHERE owner_id = ? AND model = ? AND change > ?",
            (owner, self.collection_name, matrix.change),
        )
        for rows in newer.partitions(FETCH):
            matrix.put([row[0] for row in rows], _floats([row[1] for row in rows]))
        if removed != matrix.removed and len(matrix):
            sql = "SELECT memory_id FROM memory_vectors WHERE owner_id = ? AND model = ?"
            matrix.keep({row[0] for row in connection.exec_driver_sql(sql, (owner, self.collection_name))})
        matrix.change, matrix.removed = change, removed


@dataclass(frozen=True, slots=True)
class _Step:
    """One owner's part of a change: the counters after it, what was put and what was dropped."""

    owner: str
    change: int
    removed: int
    ids: Sequence[str] = ()
    vectors: NDArray[np.float32] | None = None
    dropped: Sequence[str] = ()


class Change:
    """Puts and removals in one transaction, which is `session`'s."""

    def __init__(self, session: Session, model: str) -> None:
        self.session = session
        self.steps: list[_Step] = []
        self._connection = session.connection()
        self._model = model

    def put(
        self,
        vectors: Sequence[Sequence[float]] | NDArray[np.float32],
        payloads: Sequence[Mapping[str, Any]],
        ids: Sequence[str],
    ) -> None:
        """Add or replace the vectors `ids`; `payloads[i]["user_id"]` is the owner, `["terms"]` the analysed text."""
        floats = np.asarray(vectors, dtype=np.float32)
        owners = [_hex(payload["user_id"]) for payload in payloads]
        for owner in dict.fromkeys(owners):
            places = [place for place, one in enumerate(owners) if one == owner]
            own, mine = [_hex(ids[place]) for place in places], floats[places]
            change, removed = _bump(self._connection, owner, removed=0)
            rows = [(id, owner, self._model, change, vector.tobytes()) for id, vector in zip(own, mine, strict=True)]
            self._connection.exec_driver_sql(PUT_VECTOR, rows)
            words = [str(payloads[place].get("terms", "")) for place in places]
            terms = [(_owner_token(owner), text, id) for id, text in zip(own, words, strict=True)]
            self._connection.exec_driver_sql(PUT_TERMS, terms)
            self.steps.append(_Step(owner, change, removed, own, mine))

    def remove(self, ids: Iterable[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        wanted = json.dumps([_hex(id) for id in ids])
        sql = f"SELECT seq, memory_id, owner_id FROM memory_vectors WHERE {OF_THESE}"
        found = self._connection.exec_driver_sql(sql, (wanted,)).all()
        if not found:
            return
        for table in ("memory_terms WHERE rowid", "memory_vectors WHERE seq"):
            self._connection.exec_driver_sql(f"DELETE FROM {table} = ?", [(row[0],) for row in found])
        gone: dict[str, list[str]] = {}
        for _, id, owner in found:
            gone.setdefault(owner, []).append(id)
        for owner, dropped in gone.items():
            change, removed = _bump(self._connection, owner, removed=len(dropped))
            self.steps.append(_Step(owner, change, removed, dropped=dropped))


def _floats(vectors: Sequence[bytes]) -> NDArray[np.float32]:
    return np.frombuffer(b"".join(vectors), dtype=np.float32).reshape(len(vectors), -1)


def _hex(id: str | UUID) -> str:
    return id.hex if isinstance(id, UUID) else UUID(id).hex


def _owner_token(owner: str) -> str:
    return f"u{owner}"


def _rare(connection: Connection, mine: str, terms: Names, size: int) -> Names:
    """Those of the terms that at most a quarter of the owner's `size` memories have; all of them if none is."""
    if size < COMMON_FROM or len(terms) < 2:
        return terms
    limit = size // COMMON_SHARE + 1
    rare = [row[0] for row in connection.exec_driver_sql(RARE, (json.dumps(terms), mine, limit, limit))]
    return rare or terms


def _bump(connection: Connection, owner: str, *, removed: int) -> tuple[int, int]:
    row = connection.exec_driver_sql(BUMP, (owner, removed)).one()
    return int(row[0]), int(row[1])
