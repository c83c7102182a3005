"""Vectors in any store that mem0 knows: called as all of them can be, in bounded time, with what each needs beside.

The truth and the words stay in the database. What a store says about owners is not believed but asked for; SQL decides.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.engine.stores.sqlite import Hit, Hits
from app.engine.stores.workers import Workers

SEARCH_SECONDS = 3.0
WRITE_SECONDS = 10.0
OPEN_SECONDS = 20.0  # the first call also imports the provider's client
READERS = 8
MOST_IDS = 2_000  # among so many a store is asked for each
WIDE = 1_000  # hits that are asked for when only some ids are wanted and the store cannot be told which

Floats = NDArray[np.float32]
T = TypeVar("T")
Searching = Callable[[Callable[[], list[str]], str], bool]  # whether a search finds an id before long


class Special(Protocol):
    """What one provider's client can do and mem0's interface cannot say."""

    def put(self, store: Any, vectors: list[list[float]], payloads: list[dict[str, str]], ids: list[str]) -> None:
        """Add or replace."""

    def remove(self, store: Any, ids: list[str]) -> None:
        """Remove; unknown ids are passed over."""

    def similarities(self, store: Any, owner: str, vector: Floats, ids: list[str]) -> dict[str, float] | None:
        """Cosine of each of the owner's ids that are there; None if this cannot be asked."""


class Plain:
    """Any provider: mem0's interface alone, in which an insert may or may not replace what is there."""

    def put(self, store: Any, vectors: list[list[float]], payloads: list[dict[str, str]], ids: list[str]) -> None:
        """Remove what is there, then insert."""
        self.remove(store, ids)
        store.insert(vectors=vectors, payloads=payloads, ids=ids)

    def remove(self, store: Any, ids: list[str]) -> None:
        """One by one; a store that fails at an unknown id is forgiven."""
        for id in ids:
            try:
                store.delete(vector_id=id)
            except Exception:  # the store's own error for an id that is not there, which has no common name
                if store.get(vector_id=id) is not None:
                    raise

    def similarities(self, store: Any, owner: str, vector: Floats, ids: list[str]) -> dict[str, float] | None:
        """Cannot be asked."""
        return None


class OfQdrant:
    """Qdrant replaces what it is given, and filters by ids."""

    def put(self, store: Any, vectors: list[list[float]], payloads: list[dict[str, str]], ids: list[str]) -> None:
        """One call."""
        store.insert(vectors=vectors, payloads=payloads, ids=ids)

    def remove(self, store: Any, ids: list[str]) -> None:
        """One call."""
        models = importlib.import_module("qdrant_client.models")
        store.client.delete(collection_name=store.collection_name, points_selector=models.PointIdsList(points=ids))

    def similarities(self, store: Any, owner: str, vector: Floats, ids: list[str]) -> dict[str, float] | None:
        """One search among the ids."""
        models = importlib.import_module("qdrant_client.models")
        owned = models.FieldCondition(key="user_id", match=models.MatchValue(value=owner))
        among = models.Filter(must=[models.HasIdCondition(has_id=ids), owned])
        found = store.client.query_points(store.collection_name, vector.tolist(), query_filter=among, limit=len(ids))
        return {str(point.id): float(point.score) for point in found.points}


class OfChroma:
    """Chroma ignores what is inserted twice, has distances of its own, and gives vectors back."""

    def put(self, store: Any, vectors: list[list[float]], payloads: list[dict[str, str]], ids: list[str]) -> None:
        """One call."""
        store.collection.upsert(ids=ids, embeddings=vectors, metadatas=payloads)

    def remove(self, store: Any, ids: list[str]) -> None:
        """One call."""
        store.collection.delete(ids=ids)

    def similarities(self, store: Any, owner: str, vector: Floats, ids: list[str]) -> dict[str, float] | None:
        """The vectors, fetched and multiplied."""
        found = store.collection.get(ids=ids, include=["embeddings", "metadatas"])
        owned = [place for place, data in enumerate(found["metadatas"]) if data and data.get("user_id") == owner]
        return {found["ids"][place]: float(np.asarray(found["embeddings"][place]) @ vector) for place in owned}


SPECIAL: Mapping[str, Special] = {"qdrant": OfQdrant(), "chroma": OfChroma()}
# Whose scores are no cosines: they are made from the vectors.
RESCORED = frozenset({"chroma"})


class ElsewhereStore:
    """A mem0 vector store as the index wants it; safe to use from many threads.

    Writes are done one after the other by one thread, so that one that hangs is not overtaken by a newer one. A store
    in this process (`is_local`) is read by that thread, too: none of them bears two.
    """

    def __init__(self, provider: str, open_store: Callable[[], Any], *, is_local: bool) -> None:
        self._special = SPECIAL.get(provider, Plain())
        self._is_rescored = provider in RESCORED
        self._open_store = open_store
        self._opened: Any = None
        self._writer = Workers(1)
        self._readers = self._writer if is_local else Workers(READERS)

    def check(self) -> None:
        """Pass if the store can be opened and asked.

        Raises:
            StoreUnavailable: it cannot; the message says what went wrong, in a word.
        """
        self._writer.ask(self._open, OPEN_SECONDS)

    def probe(self, vector: Floats, owner: str, id: str, is_found: Searching) -> bool:
        """Whether a vector that is put is found; then the collection is dropped, so it must be one that nobody uses.

        Raises:
            Exception: whatever the store's client raises, in its own words, which may quote a secret.
        """
        store = self._open()
        try:
            self._special.put(store, [vector.tolist()], [{"user_id": owner}], [id])
            found = is_found(lambda: [hit.id for hit in self._nearest(store, owner, vector, 1)], id)
            self._special.remove(store, [id])
            return found
        finally:
            store.delete_col()

    def insert(
        self, vectors: Sequence[Any] | Floats, payloads: Sequence[Mapping[str, str]], ids: Sequence[str]
    ) -> None:
        """Add or replace the vectors `ids`; `payloads[i]["user_id"]` is the owner."""
        floats = np.asarray(vectors, dtype=np.float32)
        last = {id: place for place, id in enumerate(ids)}
        given = (
            [floats[at].tolist() for at in last.values()],
            [dict(payloads[at]) for at in last.values()],
            list(last),
        )
        self._write(lambda store: self._special.put(store, *given))

    def delete_many(self, vector_ids: Iterable[str]) -> None:
        """Remove vectors; unknown ids are passed over."""
        ids = list(vector_ids)
        self._write(lambda store: self._special.remove(store, ids))

    def search(self, query: str, vectors: Floats, top_k: int, filters: Mapping[str, Any]) -> Hits:
        """The `top_k` nearest of `filters["user_id"]`; only among `filters["ids"]` if given."""
        owner, within = filters["user_id"], filters.get("ids")
        if within is None:
            return self._read(lambda store: self._nearest(store, owner, vectors, top_k))
        return self._read(lambda store: self._among(store, owner, vectors, _written(within)))[:top_k]

    def similarities(self, owner: str, vector: Floats, ids: Iterable[str]) -> dict[str, float]:
        """Cosine of each of the owner's `ids` that are here; none when the store cannot be asked for it."""
        wanted = _written(ids)
        return self._read(lambda store: self._special.similarities(store, owner, vector, wanted)) or {}

    def drop_others(self, session: Session) -> None:
        """Remove the vectors that lay beside the memories before; a store elsewhere keeps what it was given."""
        session.connection().exec_driver_sql("DELETE FROM memory_vectors")

    def close(self) -> None:
        """Have the threads end."""
        self._writer.close()
        self._readers.close()

    def _read(self, act: Callable[[Any], T]) -> T:
        return self._readers.ask(lambda: act(self._open()), SEARCH_SECONDS)

    def _write(self, act: Callable[[Any], T]) -> T:
        return self._writer.ask(lambda: act(self._open()), WRITE_SECONDS)

    def _open(self) -> Any:
        """The store, opened by whoever needs it first: one that is not there when the server starts may come later."""
        if self._opened is None:
            self._opened = self._open_store()
        return self._opened

    def _nearest(self, store: Any, owner: str, vector: Floats, top_k: int) -> Hits:
        found = store.search(query="", vectors=vector.tolist(), top_k=top_k, filters={"user_id": owner})
        hits = [Hit(str(UUID(str(hit.id))), float(hit.score or 0.0)) for hit in found if _is_of(hit, owner)]
        if not (self._is_rescored and hits):
            return hits
        scores = self._special.similarities(store, owner, vector, [hit.id for hit in hits]) or {}
        return _best(scores)

    def _among(self, store: Any, owner: str, vector: Floats, ids: list[str]) -> Hits:
        if not ids:
            return []
        scores = self._special.similarities(store, owner, vector, ids) if len(ids) <= MOST_IDS else None
        if scores is not None:
            return _best(scores)
        wanted = set(ids)
        return [hit for hit in self._nearest(store, owner, vector, WIDE) if hit.id in wanted]


def _written(ids: Iterable[str]) -> list[str]:
    """Ids as the stores were given them: with hyphens."""
    return [str(UUID(id)) for id in ids]


def _is_of(hit: Any, owner: str) -> bool:
    payload = getattr(hit, "payload", None) or {}
    return bool(hit.id) and payload.get("user_id", owner) == owner


def _best(scores: Mapping[str, float]) -> Hits:
    return [Hit(id, score) for id, score in sorted(scores.items(), key=lambda one: -one[1])]
