"""Vectors beside the memories in PostgreSQL: pgvector, exact within the owner unless a graph is cheaper.

A mem0 `VectorStoreBase`, created by `VectorStoreFactory.create("postgresql", {...})`; not mem0's own class for
pgvector, which finds one in twenty of a small owner's memories behind the graph of everybody's. Filters know `user_id`
and `ids`. Beyond mem0's interface as the embedded store (`stores.sqlite`), and `tend`, which makes the graph.
"""

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from mem0.vector_stores.base import VectorStoreBase
from numpy.typing import NDArray
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.database import Database
from app.engine.stores.sqlite import Hit, Hits, Names

PUT = """INSERT INTO memory_vectors (memory_id, owner_id, model, vector)
    SELECT id, owner, %(model)s, vector::vector
    FROM unnest(%(ids)s::uuid[], %(owners)s::uuid[], %(vectors)s::text[]) AS given (id, owner, vector)
    ON CONFLICT (memory_id, model) DO UPDATE SET owner_id = excluded.owner_id, vector = excluded.vector"""
# Of every model: while a new index is built beside the old one, what is deleted leaves both.
REMOVE = "DELETE FROM memory_vectors WHERE memory_id = ANY(%(ids)s::uuid[])"

OWNED = "FROM memory_vectors WHERE owner_id = %(owner)s AND model = %(model)s"
EXACT = "SELECT memory_id, 1 - (vector <=> %(vector)s::vector) " + OWNED
AMONG = EXACT + " AND memory_id = ANY(%(ids)s::uuid[])"
NEAREST = " ORDER BY vector <=> %(vector)s::vector LIMIT %(limit)s"
GRAPH = f"""SELECT memory_id, 1 - ({{column}} <=> %(vector)s::{{type}}) {OWNED}
    ORDER BY {{column}} <=> %(vector)s::{{type}} LIMIT %(limit)s"""

# The owner's memories by the tallies, everybody's vectors by the planner's statistics, and whether there is a graph.
SIZES = """SELECT
    (SELECT coalesce(sum(count), 0) FROM memory_tallies WHERE user_id = %(owner)s AND state = 'active'),
    (SELECT reltuples FROM pg_class WHERE oid = 'memory_vectors'::regclass),
    coalesce((SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%(graph)s)), false)"""
# Strictly in order, going on behind what the filter drops; and a plan for these values, which alone tell that the graph
# is of this model.
TUNE = """SELECT set_config('hnsw.iterative_scan', 'strict_order', true), set_config('hnsw.ef_search', %(ef)s, true),
    set_config('hnsw.max_scan_tuples', '100000', true), set_config('plan_cache_mode', 'force_custom_plan', true)"""

# What one step through the graph costs, in vectors compared one after the other: measured in docs/scaling.md.
STEP = 30
EF = 400  # steps at least: with 100 the graph finds .93 of the nearest, and an owner who waits for it wants them all
MOST_EF = 1_000
GRAPH_DIMENSIONS, HALF_DIMENSIONS = 2_000, 4_000  # pgvector's limits of a graph over floats, and over half floats
GRAPHS = "ix_memory_vectors_hnsw_"
LOCK = 0x67726170  # "grap": one process at a time makes a graph

logger = logging.getLogger(__name__)


class PgVectorStore(VectorStoreBase):  # type: ignore[misc]  # mem0 is untyped
    """One collection (a `model`) in the table `memory_vectors` of `database`."""

    def __init__(self, collection_name: str, embedding_model_dims: int, database: Database) -> None:
        self.collection_name = collection_name
        self.dimensions = embedding_model_dims
        self._database = database
        self._graph = GRAPHS + hashlib.sha256(collection_name.encode()).hexdigest()[:12]
        self._wants_graph = False

    def insert(
        self,
        vectors: Sequence[Sequence[float]] | NDArray[np.float32],
        payloads: Sequence[Mapping[str, Any]] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        """Add or replace the vectors `ids`; `payloads[i]["user_id"]` is the owner."""
        with self._database.transaction() as session:
            self.change(session).put(vectors, payloads or (), ids or ())

    def change(self, session: Session) -> "Change":
        """Changes in the transaction of `session`, which is the truth's."""
        return Change(session, self.collection_name)

    def delete(self, vector_id: str) -> None:
        """Remove one vector, if it is there."""
        self.delete_many([vector_id])

    def delete_many(self, vector_ids: Iterable[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        with self._database.transaction() as session:
            self.change(session).remove(vector_ids)

    def search(
        self,
        query: str,
        vectors: Sequence[float] | NDArray[np.float32],
        top_k: int = 5,
        filters: Mapping[str, Any] | None = None,
    ) -> Hits:
        """The `top_k` nearest of `filters["user_id"]` by cosine; only among `filters["ids"]` if given."""
        filters = filters or {}
        asked = self._asked(filters["user_id"], vectors) | {"limit": top_k}
        with self._database.reading() as session:
            connection = session.connection()
            if filters.get("ids") is not None:
                return _hits(connection, AMONG + NEAREST, asked | {"ids": [UUID(id) for id in filters["ids"]]})
            return self._by_graph(connection, asked) or _hits(connection, EXACT + NEAREST, asked)

    def similarities(self, owner: str, vector: NDArray[np.float32], ids: Iterable[str]) -> dict[str, float]:
        """Cosine of each of the owner's `ids` that are here."""
        asked = self._asked(owner, vector) | {"ids": [UUID(id) for id in ids]}
        with self._database.reading() as session:
            return {hit.id: hit.score for hit in _hits(session.connection(), AMONG, asked)}

    def _asked(self, owner: str, vector: Sequence[float] | NDArray[np.float32]) -> dict[str, Any]:
        written = _texts(np.asarray(vector, dtype=np.float32)[None])[0]
        return {"owner": UUID(owner), "model": self.collection_name, "vector": written}

    def _by_graph(self, connection: Connection, asked: Mapping[str, Any]) -> Hits | None:
        """The nearest by the graph; None when there is none, comparing all of the owner's costs less, or it gave up."""
        limit = asked["limit"]
        sizes = connection.exec_driver_sql(SIZES, {"owner": asked["owner"], "graph": self._graph}).one()
        own, everybodys, is_made = int(sizes[0]), max(float(sizes[1]), float(sizes[0])), bool(sizes[2])
        # Each hit takes as many steps as there are vectors to one of the owner's.
        if own <= STEP * max(EF, limit * everybodys / max(own, 1)) or self.dimensions > HALF_DIMENSIONS:
            return None
        if not is_made:
            self._wants_graph = True
            return None
        connection.exec_driver_sql(TUNE, {"ef": str(min(max(limit, EF), MOST_EF))})
        found = _hits(connection, GRAPH.format(column=self._column, type=self._type), asked)
        return found if len(found) == min(limit, own) else None

    @property
    def _type(self) -> str:
        return f"{'vector' if self.dimensions <= GRAPH_DIMENSIONS else 'halfvec'}({self.dimensions})"

    @property
    def _column(self) -> str:
        return f"(vector::{self._type})"

    def tend(self) -> None:
        """Make the graph if a search has missed it; writes and searches go on meanwhile.

        It is not made before there is an owner who is found sooner by it: each vector put would pay for it.
        """
        if self._wants_graph:
            self._wants_graph = False
            self._make_graph()

    def _make_graph(self) -> None:
        engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT", durable=True)
        with engine.connect() as connection:
            if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({LOCK})").scalar():
                return  # another process is at it
            try:
                self._drop_broken(connection)
                logger.info("making the graph of the vectors", extra={"model": self.collection_name})
                connection.exec_driver_sql("SET maintenance_work_mem = '512MB'")
                connection.exec_driver_sql(self._creation())
            finally:
                connection.exec_driver_sql("RESET maintenance_work_mem")
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({LOCK})")

    def _creation(self) -> str:
        operators = self._type.partition("(")[0] + "_cosine_ops"
        model = self.collection_name.replace("'", "''").replace("%", "%%")
        return f"""CREATE INDEX CONCURRENTLY IF NOT EXISTS {self._graph} ON memory_vectors
            USING hnsw ({self._column} {operators}) WITH (ef_construction = 128) WHERE model = '{model}'"""

    def _drop_broken(self, connection: Connection) -> None:
        """A process that was killed while it made the graph has left half of one, which nobody uses."""
        broken = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%(graph)s) AND NOT indisvalid"
        if connection.exec_driver_sql(broken, {"graph": self._graph}).first():
            connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {self._graph}")

    def update(
        self, vector_id: str, vector: Sequence[float] | None = None, payload: Mapping[str, Any] | None = None
    ) -> None:
        """Replace a vector; mem0's interface, `insert` does the same."""
        if vector is not None and payload is not None:
            self.insert([vector], [payload], [vector_id])

    def get(self, vector_id: str) -> Hit | None:
        """The vector's id and owner, None if it is not here."""
        rows = self._rows("SELECT memory_id, owner_id FROM memory_vectors WHERE memory_id = %(id)s", id=UUID(vector_id))
        return Hit(str(rows[0][0]), 0.0, {"user_id": str(rows[0][1])}) if rows else None

    def list(self, filters: Mapping[str, Any] | None = None, top_k: int | None = None) -> Sequence[Hits]:
        """Ids and owners of the vectors of `filters["user_id"]` (of everybody without it), in a list of one list."""
        owner = (filters or {}).get("user_id")
        sql = f"""SELECT memory_id, owner_id FROM memory_vectors WHERE model = %(model)s
            {"AND owner_id = %(owner)s" if owner else ""} ORDER BY memory_id LIMIT %(limit)s"""
        rows = self._rows(sql, model=self.collection_name, owner=UUID(owner) if owner else None, limit=top_k)
        return [[Hit(str(id), 0.0, {"user_id": str(owned)}) for id, owned in rows]]

    def count(self) -> int:
        """How many vectors of this collection there are."""
        sql = "SELECT count(*) FROM memory_vectors WHERE model = %(model)s"
        return int(self._rows(sql, model=self.collection_name)[0][0])

    def create_col(self, name: str, vector_size: int, distance: str = "cosine") -> None:
        """Nothing: Alembic made the table."""

    def list_cols(self) -> Names:
        """The models that have vectors here."""
        return [row[0] for row in self._rows("SELECT DISTINCT model FROM memory_vectors")]

    def delete_col(self) -> None:
        """Remove this collection's vectors."""
        with self._database.transaction() as session:
            sql = "DELETE FROM memory_vectors WHERE model = %(model)s"
            session.connection().exec_driver_sql(sql, {"model": self.collection_name})

    def drop_others(self, session: Session) -> None:
        """Remove the vectors of every other collection, and their graphs."""
        connection = session.connection()
        graphs = (
            "SELECT indexname FROM pg_indexes WHERE tablename = 'memory_vectors' AND starts_with(indexname, %(all)s)"
        )
        for (name,) in connection.exec_driver_sql(graphs, {"all": GRAPHS}).all():
            if name != self._graph:
                connection.exec_driver_sql(f'DROP INDEX IF EXISTS "{name}"')
        others = "DELETE FROM memory_vectors WHERE model <> %(model)s"
        connection.exec_driver_sql(others, {"model": self.collection_name})

    def col_info(self) -> dict[str, Any]:
        """Name, dimensions and number of vectors."""
        return {"name": self.collection_name, "dimensions": self.dimensions, "count": self.count()}

    def reset(self) -> None:
        """Empty the store."""
        self.delete_col()

    def _rows(self, sql: str, **values: Any) -> Sequence[Any]:
        with self._database.reading() as session:
            return session.connection().exec_driver_sql(sql, values).all()


class Change:
    """Puts and removals in the transaction of a session."""

    def __init__(self, session: Session, model: str) -> None:
        self._connection = session.connection()
        self._model = model

    def put(
        self,
        vectors: Sequence[Sequence[float]] | NDArray[np.float32],
        payloads: Sequence[Mapping[str, Any]],
        ids: Sequence[str],
    ) -> None:
        """Add or replace the vectors `ids`, the last one where an id comes twice; the payloads' `user_id` own them."""
        texts = _texts(np.asarray(vectors, dtype=np.float32))
        last = {UUID(id): place for place, id in enumerate(ids)}
        given = {
            "model": self._model,
            "ids": list(last),
            "owners": [UUID(payloads[place]["user_id"]) for place in last.values()],
            "vectors": [texts[place] for place in last.values()],
        }
        self._connection.exec_driver_sql(PUT, given)

    def remove(self, ids: Iterable[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        self._connection.exec_driver_sql(REMOVE, {"ids": [UUID(id) for id in ids]})

    def committed(self) -> None:
        """Nothing is held in memory."""


def _hits(connection: Connection, sql: str, asked: Mapping[str, Any]) -> Hits:
    return [Hit(str(id), float(score)) for id, score in connection.exec_driver_sql(sql, dict(asked))]


def _texts(vectors: NDArray[np.float32]) -> list[str]:
    """Each row as pgvector reads it."""
    rows = np.ascontiguousarray(vectors)
    return [orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY).decode() for row in rows]
