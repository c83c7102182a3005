"""The embedded vector store: BLOBs beside the truth in the same SQLite file, searched exactly in memory.

A mem0 `VectorStoreBase`: created by `VectorStoreFactory.create("sqlite", {...})`, payloads carry `user_id` (the owner)
and `terms` (the analysed text of the keyword leg, an FTS5 table). Filters know `user_id` and `ids`. Beyond mem0's
interface: `delete_many`, `similarities`, `count`, `ids`, each one call for many ids.

Several processes may write: each write raises the owner's `change` counter (and `removed` when rows went away), and a
matrix that is behind reads what is newer before it answers.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from mem0.vector_stores.base import VectorStoreBase
from numpy.typing import NDArray
from sqlalchemy import Connection

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
        rows = [_Row(_hex(id), _hex(payload["user_id"]), np.asarray(vector, dtype=np.float32).tobytes(), payload)
                for id, vector, payload in zip(ids or (), vectors, payloads or (), strict=True)]  # fmt: skip
        for owner in dict.fromkeys(row.owner for row in rows):
            self._insert_for(owner, [row for row in rows if row.owner == owner])

    def _insert_for(self, owner: str, rows: Sequence["_Row"]) -> None:
        with self._write() as connection:
            change, removed = _bump(connection, owner, removed=0)
            put = [(row.id, owner, self.collection_name, change, row.vector) for row in rows]
            connection.exec_driver_sql(PUT_VECTOR, put)
            terms = [(_owner_token(owner), str(row.payload.get("terms", "")), row.id) for row in rows]
            connection.exec_driver_sql(PUT_TERMS, terms)
        matrix = self._matrices.peek(owner)
        if matrix is None:
            return
        with matrix.lock:
            if (matrix.change, matrix.removed) == (change - 1, removed):
                for row in rows:
                    matrix.put(row.id, row.vector)
                matrix.change = change

    def delete(self, vector_id: str) -> None:
        """Remove one vector, if it is there."""
        self.delete_many([vector_id])

    def delete_many(self, vector_ids: Iterable[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        wanted = json.dumps([_hex(id) for id in vector_ids])
        with self._write() as connection:
            found = connection.exec_driver_sql(
                f"SELECT seq, memory_id, owner_id FROM memory_vectors WHERE {OF_THESE}", (wanted,)
            ).all()
            if not found:
                return
            connection.exec_driver_sql("DELETE FROM memory_terms WHERE rowid = ?", [(row[0],) for row in found])
            connection.exec_driver_sql("DELETE FROM memory_vectors WHERE seq = ?", [(row[0],) for row in found])
            gone: dict[str, Names] = {}
            for _, id, owner in found:
                gone.setdefault(owner, []).append(id)
            counters = {owner: _bump(connection, owner, removed=len(ids)) for owner, ids in gone.items()}
        for owner, ids in gone.items():
            self._drop(owner, ids, *counters[owner])

    def _drop(self, owner: str, ids: Sequence[str], change: int, removed: int) -> None:
        matrix = self._matrices.peek(owner)
        if matrix is None:
            return
        with matrix.lock:
            if (matrix.change, matrix.removed) == (change - 1, removed - len(ids)):
                for id in ids:
                    matrix.drop(id)
                matrix.change, matrix.removed = change, removed

    def search(
        self,
        query: str,
        vectors: Sequence[float] | NDArray[np.float32],
        top_k: int = 5,
        filters: Mapping[str, Any] | None = None,
    ) -> Hits:
        """The `top_k` nearest of `filters["user_id"]`, exactly, by cosine; only among `filters["ids"]` if given."""
        filters = filters or {}
        matrix = self._level(_hex(filters["user_id"]))
        with matrix.lock:
            scores = matrix.similarities(np.asarray(vectors, dtype=np.float32))
            within = filters.get("ids")
            if within is None:
                return [Hit(matrix.ids[row], float(scores[row])) for row in top(scores, top_k)]
            rows = matrix.rows(_hex(id) for id in within)
            return [Hit(matrix.ids[rows[i]], float(scores[rows[i]])) for i in top(scores[rows], top_k)]

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
        with self._write() as connection:
            connection.exec_driver_sql("DELETE FROM memory_terms")
            connection.exec_driver_sql("DELETE FROM memory_vectors")
            connection.exec_driver_sql("UPDATE vector_owners SET change = change + 1, removed = removed + 1")
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

    def _write(self) -> Any:
        return self._database.engine.execution_options(writing=True).begin()

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
        for id, vector in newer:
            matrix.put(id, vector)
        if removed != matrix.removed and len(matrix):
            sql = "SELECT memory_id FROM memory_vectors WHERE owner_id = ? AND model = ?"
            matrix.keep({row[0] for row in connection.exec_driver_sql(sql, (owner, self.collection_name))})
        matrix.change, matrix.removed = change, removed


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    owner: str
    vector: bytes
    payload: Mapping[str, Any]


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
