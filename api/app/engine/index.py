"""The index: an embedder, a store of its vectors, and the words: which memories are near a query, and how near.

It answers ids and scores. What they say and who may read them is asked of SQL (`services.scopes.visible`).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.database import Database
from app.engine import ranking, text
from app.engine.words import Said, Words, WordsChange

Vectors = NDArray[np.float32]
Mode = Literal["hybrid", "vector", "keyword"]

BESIDE = ("database", "sqlite")  # vector stores beside the memories, in their database; the second is its older name
LEAST_DEPTH = 200  # candidates that each leg adds at least, whatever the limit: measured in decision 0006


class Embedder(Protocol):
    """What we use of mem0's `EmbeddingBase`."""

    def embed_batch(self, texts: list[str], memory_action: str = "add") -> list[list[float]]:
        """One vector a text."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A memory as the index wants it: `content` with its author and event time composed in (`text.compose`)."""

    id: UUID
    owner: UUID
    composed: str


class VectorsChange(Protocol):
    """A vector store's puts and removals in a transaction of the truth."""

    def put(self, vectors: Any, payloads: Any, ids: Any) -> None:
        """As the store's `insert`."""

    def remove(self, ids: Iterable[str]) -> None:
        """As the store's `delete_many`."""

    def committed(self) -> None:
        """The transaction is: what is held in memory may follow."""


@dataclass(frozen=True, slots=True)
class Together:
    """What the index changes in one transaction of the truth; `vectors` is None when they lie elsewhere."""

    session: Session
    words: WordsChange
    vectors: VectorsChange | None

    def put(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Add or replace entries; `vectors` (len(entries), dimensions) are theirs."""
        if not entries:
            return
        self.words.put([Said(entry.id, entry.owner, text.terms(entry.composed)) for entry in entries])
        if self.vectors is not None:
            self.vectors.put(vectors, _payloads(entries), _names(entries))

    def remove(self, ids: Sequence[UUID]) -> None:
        """Remove entries; unknown ids are passed over."""
        if not ids:
            return
        self.words.remove(ids)
        if self.vectors is not None:
            self.vectors.remove([str(id) for id in ids])


class Index:
    """One embedder, one store of its vectors, and the words; safe to use from many threads.

    `model` names the vectors, `identity` says where they lie, too. The words lie beside the truth, whatever the store
    is. The store may, too: then it has a method `change`, and its puts and removals are part of the transaction that
    says that the index is level.
    """

    def __init__(self, embedder: Embedder, store: Any, words: Words, model: str, identity: str | None = None) -> None:
        self._embedder = embedder
        self.store = store
        self.words = words
        self.model = model
        self.identity = identity or model

    @property
    def is_beside_truth(self) -> bool:
        """Whether the vectors change in the truth's transactions."""
        return hasattr(self.store, "change")

    @contextmanager
    def together(self, database: Database) -> Iterator[Together]:
        """A transaction of the truth that the index takes part in."""
        with database.transaction() as session:
            vectors = self.store.change(session) if self.is_beside_truth else None
            together = Together(session, self.words.change(session), vectors)
            yield together
        together.words.committed()
        if together.vectors is not None:
            together.vectors.committed()

    def vectors_only(self, session: Session, entries: Sequence[Entry], vectors: Vectors, gone: Sequence[UUID]) -> None:
        """Put vectors and remove some in a transaction of the truth, and leave the words: for an index being built.

        Nobody searches it yet, so what is held in memory need not follow.
        """
        change: VectorsChange = self.store.change(session)
        if entries:
            change.put(vectors, _payloads(entries), _names(entries))
        if gone:
            change.remove([str(id) for id in gone])

    def put_elsewhere(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Add or replace vectors (len(entries), dimensions) in a store that is not beside the truth."""
        if entries:
            self.store.insert(vectors=vectors, payloads=_payloads(entries), ids=_names(entries))

    def remove_elsewhere(self, ids: Sequence[UUID]) -> None:
        """Remove vectors from a store that is not beside the truth; unknown ids are passed over."""
        if ids:
            self.store.delete_many([str(id) for id in ids])

    def check(self) -> None:
        """Pass if the store answers, as far as it can be away.

        Raises:
            StoreUnavailable: it does not.
        """
        if hasattr(self.store, "check"):
            self.store.check()

    def tend(self) -> None:
        """Do what the store has put off, which may take minutes; writes and searches go on meanwhile."""
        if hasattr(self.store, "tend"):
            self.store.tend()

    def close(self) -> None:
        """Close what is open."""
        self.words.close()
        if hasattr(self.store, "close"):
            self.store.close()

    def embed(self, texts: Sequence[str], action: Literal["add", "search"] = "add") -> Vectors:
        """Unit vectors of `texts`: float32 (len(texts), dimensions), in one call to the embedder."""
        encode = getattr(self._embedder, "encode", None)
        if encode is not None:
            vectors: Vectors = encode(texts)
            return vectors
        return _unit(np.asarray(self._embedder.embed_batch(list(texts), action), dtype=np.float32))

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
        keyword: dict[UUID, float] = {}
        if mode != "vector":
            keyword = self.words.search(owner, text.terms(query), depth, within)
        similar = {} if vector is None else self._similar(owner, query, vector, depth, within, keyword)
        candidates = [
            ranking.Candidate(id, similar.get(id), keyword.get(id)) for id in dict.fromkeys([*similar, *keyword])
        ]
        return ranking.rank(candidates, mode)[:limit]

    def _similar(
        self,
        owner: UUID,
        query: str,
        vector: Vectors,
        depth: int,
        within: Collection[UUID] | None,
        others: Collection[UUID],
    ) -> dict[UUID, float]:
        """The `depth` nearest and their cosines, and the cosines of `others`."""
        filters: dict[str, Any] = {"user_id": str(owner)}
        if within is not None:
            filters["ids"] = [str(id) for id in within]
        similar = {UUID(hit.id): hit.score for hit in self.store.search(query, vector, depth, filters)}
        missing = [str(id) for id in others if id not in similar]
        if missing:
            found = self.store.similarities(str(owner), vector, missing)
            similar |= {UUID(id): score for id, score in found.items()}
        return similar


def _payloads(entries: Sequence[Entry]) -> list[dict[str, str]]:
    return [{"user_id": str(entry.owner)} for entry in entries]


def _names(entries: Sequence[Entry]) -> list[str]:
    return [str(entry.id) for entry in entries]


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
