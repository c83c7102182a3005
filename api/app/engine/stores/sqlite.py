"""The embedded vector store: BLOBs beside the truth in the same SQLite file, searched in memory.

A mem0 `VectorStoreBase`: created by `VectorStoreFactory.create("sqlite", {...})`, payloads carry `user_id` (the owner).
Filters know `user_id` and `ids`. Beyond mem0's interface: `delete_many` and `similarities`, each one call for many ids,
`nearest`, which is `search` in our terms, and `change`, which takes part in a transaction of the truth.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mem0.vector_stores.base import VectorStoreBase
from numpy.typing import NDArray
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.database import Database
from app.engine.keys import Key, key_of
from app.engine.owners import Counters, OwnerCache
from app.engine.stores.matrix import Matrix, top

COUNTERS = Counters("vector_owners")
PUT = """INSERT INTO memory_vectors (memory_id, owner_id, model, change, vector) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (memory_id, model) DO UPDATE SET owner_id = excluded.owner_id, change = excluded.change,
        vector = excluded.vector"""
# Of every model: while a new index is built beside the old one, what is deleted leaves both.
REMOVE = """DELETE FROM memory_vectors WHERE memory_id IN (SELECT value FROM json_each(?))
    RETURNING memory_id, owner_id, model"""
NEWER = "SELECT memory_id, vector FROM memory_vectors WHERE owner_id = ? AND model = ? AND change > ?"
ALL = "SELECT memory_id FROM memory_vectors WHERE owner_id = ? AND model = ?"
FETCH = 2_048  # vectors that are read at once into memory


# mem0's interface has a method called `list`, so the type needs another name inside the class.
Names = list[str]


@dataclass(slots=True)
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
        self._matrices = OwnerCache(lambda: Matrix(embedding_model_dims), cache_bytes, COUNTERS, self._catch_up)

    def insert(
        self,
        vectors: Sequence[Sequence[float]] | NDArray[np.float32],
        payloads: Sequence[Mapping[str, Any]] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        """Add or replace the vectors `ids`; `payloads[i]["user_id"]` is the owner."""
        with self._changing() as change:
            change.put(vectors, payloads or (), ids or ())

    def change(self, session: Session) -> "Change":
        """Changes in the transaction of `session`, which is the truth's."""
        return Change(session, self.collection_name, self._matrices)

    @contextmanager
    def _changing(self) -> Iterator["Change"]:
        with self._database.transaction() as session:
            change = self.change(session)
            yield change
        change.committed()

    def delete(self, vector_id: str) -> None:
        """Remove one vector, if it is there."""
        self.delete_many([vector_id])

    def delete_many(self, vector_ids: Iterable[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        with self._changing() as change:
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
        ids = filters.get("ids")
        within = None if ids is None else [key_of(id) for id in ids]
        found = self.nearest(key_of(filters["user_id"]), np.asarray(vectors, dtype=np.float32), top_k, within)
        return [Hit(key, score) for key, score in found.items()]

    def nearest(
        self, owner: Key, vector: NDArray[np.float32], count: int, within: Iterable[Key] | None = None
    ) -> dict[Key, float]:
        """The `count` of the owner's vectors that are nearest by cosine, nearest first; only among `within` if given.

        What `search` does, without an object a hit.
        """
        matrix = self._matrices.level(self._database, owner)
        with matrix.lock:
            if within is None:
                rows, scores = matrix.nearest(vector, count)
            else:
                among = matrix.rows(within)
                scores = matrix.similarities_of(among, vector)
                best = top(scores, count)
                rows, scores = among[best], scores[best]
            return matrix.named(rows, scores)

    def similarities(self, owner: str, vector: NDArray[np.float32], ids: Iterable[str]) -> dict[str, float]:
        """Cosine of each of the owner's `ids` that are here; keys as hexadecimal ids. Asked right after a `search`."""
        matrix = self._matrices.peek(key_of(owner)) or self._matrices.level(self._database, key_of(owner))
        with matrix.lock:
            rows = matrix.rows(key_of(id) for id in ids)
            return matrix.named(rows, matrix.similarities_of(rows, vector))

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
                "SELECT memory_id, owner_id FROM memory_vectors WHERE memory_id = ?", (key_of(vector_id),)
            ).first()
        return Hit(row[0], 0.0, {"user_id": row[1]}) if row else None

    def list(self, filters: Mapping[str, Any] | None = None, top_k: int | None = None) -> Sequence[Hits]:
        """Ids and owners of the vectors of `filters["user_id"]` (of everybody without it), in a list of one list."""
        owner = (filters or {}).get("user_id")
        sql = f"""SELECT memory_id, owner_id FROM memory_vectors WHERE model = ?
            {"AND owner_id = ?" if owner else ""} ORDER BY seq LIMIT ?"""
        owners = (key_of(owner),) if owner else ()
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
        """Remove this collection's vectors."""
        with self._database.transaction() as session:
            session.connection().exec_driver_sql("DELETE FROM memory_vectors WHERE model = ?", (self.collection_name,))
            COUNTERS.bump_all(session.connection())
        self._matrices.clear()

    def drop_others(self, session: Session) -> None:
        """Remove the vectors of every other collection."""
        sql = "DELETE FROM memory_vectors WHERE model <> ?"
        session.connection().exec_driver_sql(sql, (self.collection_name,))
        COUNTERS.bump_all(session.connection())

    def col_info(self) -> dict[str, Any]:
        """Name, dimensions and number of vectors."""
        return {"name": self.collection_name, "dimensions": self.dimensions, "count": self.count()}

    def reset(self) -> None:
        """Empty the store."""
        self.delete_col()

    def close(self) -> None:
        """Close the connections."""
        self._database.dispose()

    def _catch_up(self, connection: Connection, matrix: Matrix, owner: str, is_thinned: bool) -> None:
        newer = connection.exec_driver_sql(NEWER, (owner, self.collection_name, matrix.change))
        for rows in newer.partitions(FETCH):
            matrix.put([row[0] for row in rows], _floats([row[1] for row in rows]))
        if is_thinned:
            matrix.keep({row[0] for row in connection.exec_driver_sql(ALL, (owner, self.collection_name))})


@dataclass(frozen=True, slots=True)
class _Step:
    """One owner's part of a change: the counters after it, what was put and what was dropped."""

    owner: str
    change: int
    removed: int
    ids: Sequence[str] = ()
    vectors: NDArray[np.float32] | None = None
    dropped: Sequence[str] = ()

    def apply(self, matrix: Matrix) -> None:
        """Do the same to what is held."""
        if self.vectors is not None:
            matrix.put(self.ids, self.vectors)
        for id in self.dropped:
            matrix.drop(id)


class Change:
    """Puts and removals in the transaction of a session."""

    def __init__(self, session: Session, model: str, matrices: OwnerCache[Matrix]) -> None:
        self._connection = session.connection()
        self._model = model
        self._matrices = matrices
        self._steps: list[_Step] = []

    def put(
        self,
        vectors: Sequence[Sequence[float]] | NDArray[np.float32],
        payloads: Sequence[Mapping[str, Any]],
        ids: Sequence[str],
    ) -> None:
        """Add or replace the vectors `ids`; `payloads[i]["user_id"]` is the owner."""
        floats = np.asarray(vectors, dtype=np.float32)
        owners = [key_of(payload["user_id"]) for payload in payloads]
        for owner in dict.fromkeys(owners):
            places = [place for place, one in enumerate(owners) if one == owner]
            own, mine = [key_of(ids[place]) for place in places], floats[places]
            change, removed = COUNTERS.bump(self._connection, owner)
            rows = [(id, owner, self._model, change, vector.tobytes()) for id, vector in zip(own, mine, strict=True)]
            self._connection.exec_driver_sql(PUT, rows)
            self._steps.append(_Step(owner, change, removed, own, mine))

    def remove(self, ids: Iterable[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        found = self._connection.exec_driver_sql(REMOVE, (json.dumps([key_of(id) for id in ids]),)).all()
        gone: dict[str, list[str]] = {}
        for id, owner, model in found:
            gone.setdefault(owner, []).extend([id] if model == self._model else [])
        for owner, dropped in gone.items():
            # At least one: other models' matrices have to look, too.
            change, removed = COUNTERS.bump(self._connection, owner, removed=max(1, len(dropped)))
            self._steps.append(_Step(owner, change, removed, dropped=dropped))

    def committed(self) -> None:
        """The transaction is: have what is held follow."""
        for step in self._steps:
            self._matrices.follow(step.owner, step.change, step.removed, len(step.dropped), step.apply)


def _floats(vectors: Sequence[bytes]) -> NDArray[np.float32]:
    return np.frombuffer(b"".join(vectors), dtype=np.float32).reshape(len(vectors), -1)
