"""The index: an embedder and a vector store that know which memories are near a query, and how near.

It answers ids and scores. What they say and who may read them is asked of SQL (`services.memories.visible`).
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.database import Database
from app.engine import ranking, text

Vectors = NDArray[np.float32]
Mode = Literal["hybrid", "vector", "keyword"]

LEAST_DEPTH = 200  # candidates that each leg adds at least, whatever the limit: measured in decision 0006


class Embedder(Protocol):
    """What we use of mem0's `EmbeddingBase`."""

    def embed_batch(self, texts: list[str], memory_action: str = "add") -> list[list[float]]:
        """One vector a text."""


class Together(Protocol):
    """A store's changes in a transaction of the truth, which is `session`'s."""

    session: Session

    def put(self, vectors: Any, payloads: Any, ids: Any) -> None:
        """As the store's `insert`."""

    def remove(self, ids: Iterable[str]) -> None:
        """As the store's `delete_many`."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A memory as the index wants it: `content` with its author and event time composed in (`text.compose`)."""

    id: UUID
    owner: UUID
    composed: str


class Index:
    """One embedder and one store of its vectors; safe to use from many threads. `model` names the vectors."""

    def __init__(self, embedder: Embedder, store: Any, model: str) -> None:
        self._embedder = embedder
        self.store = store
        self.model = model

    def embed(self, texts: Sequence[str], action: Literal["add", "search"] = "add") -> Vectors:
        """Unit vectors of `texts`: float32 (len(texts), dimensions), in one call to the embedder."""
        encode = getattr(self._embedder, "encode", None)
        if encode is not None:
            vectors: Vectors = encode(texts)
            return vectors
        return _unit(np.asarray(self._embedder.embed_batch(list(texts), action), dtype=np.float32))

    @property
    def is_beside_truth(self) -> bool:
        """Whether the store can change in a transaction of the truth: `together` gives one."""
        return getattr(self.store, "changing", None) is not None

    def together(self, database: Database) -> AbstractContextManager["Together"]:
        """A transaction of the truth that the store takes part in."""
        changing: AbstractContextManager[Together] = self.store.changing(database)
        return changing

    def put(self, entries: Sequence[Entry], vectors: Vectors, together: "Together | None" = None) -> None:
        """Add or replace entries; `vectors` (len(entries), dimensions) are theirs."""
        if not entries:
            return
        payloads = [{"user_id": str(e.owner), "terms": " ".join(text.terms(e.composed))} for e in entries]
        put = self.store.insert if together is None else together.put
        put(vectors=vectors, payloads=payloads, ids=[str(entry.id) for entry in entries])

    def remove(self, ids: Iterable[UUID], together: "Together | None" = None) -> None:
        """Remove entries; unknown ids are passed over."""
        names = [str(id) for id in ids]
        if names:
            (self.store.delete_many if together is None else together.remove)(names)

    def search(
        self, owner: UUID, query: str, mode: Mode, limit: int, within: Collection[UUID] | None = None
    ) -> list[ranking.Ranked]:
        """The owner's entries that answer `query` best, at most `limit`; only among `within` if it is given.

        Embeds the query once (not at all in mode `keyword`). Scores lie in 0..1.
        """
        vector = self.embed([query], "search")[0] if mode != "keyword" else None
        return self.rank(owner, query, vector, mode, limit, within)

    def rank(
        self,
        owner: UUID,
        query: str,
        vector: Vectors | None,
        mode: Mode,
        limit: int,
        within: Collection[UUID] | None = None,
    ) -> list[ranking.Ranked]:
        """`search` for a query that is embedded already."""
        depth = max(LEAST_DEPTH, 2 * limit)
        filters: dict[str, Any] = {"user_id": str(owner)}
        if within is not None:
            filters["ids"] = [str(id) for id in within]
        keyword: dict[str, float] = {}
        if mode != "vector":
            hits = self.store.keyword_search(" ".join(text.terms(query)), depth, filters)
            keyword = {hit.id: hit.score for hit in hits}
        similar: dict[str, float] = {}
        if vector is not None:
            similar = {hit.id: hit.score for hit in self.store.search(query, vector, depth, filters)}
            missing = keyword.keys() - similar.keys()
            if missing:
                similar |= self.store.similarities(str(owner), vector, missing)
        candidates = [
            ranking.Candidate(UUID(id), similar.get(id), keyword.get(id)) for id in dict.fromkeys([*similar, *keyword])
        ]
        return ranking.rank(candidates, mode)[:limit]


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
