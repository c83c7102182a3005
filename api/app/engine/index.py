"""The index: an embedder, a store of its vectors, and the words: which memories are near a query, and how near.

It answers ids and scores. What they say and who may read them is asked of SQL (`services.scopes.visible`).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.database import Database
from app.engine import ranking, text
from app.engine.candidates import Legs, Mode
from app.engine.confidence import confidences
from app.engine.keys import Key
from app.engine.late import Question
from app.engine.ranking import Ranked, Trait
from app.engine.tokens import Tokens, TokensChange
from app.engine.words import Level, Said, Words, WordsChange

Vectors = NDArray[np.float32]
LEAST_DEPTH = 100  # candidates that each leg adds at least, whatever the limit: 200 find no more (decision 0006)
ASKED_ABOUT = 64  # the best of them by both legs, of which more is asked before they are ranked

BESIDE = ("database", "sqlite")  # vector stores beside the memories, in their database; the second is its older name
Ask = Callable[[str, Sequence[Key], Level | None, int], Mapping[Key, Trait]]
"""What `rank` asks for the traits of memories and of their neighbours (`services.features.asker`); the tokens
are to be of the model that is named, and all of it as new as the level of the words. Last comes how many memories the
owner has, about."""


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
    tokens: TokensChange
    vectors: VectorsChange | None

    def put(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Add or replace entries; `vectors` (len(entries), dimensions) are theirs."""
        if not entries:
            return
        self.words.put([Said(entry.id, entry.owner, text.terms(entry.composed)) for entry in entries])
        self.tokens.put([(entry.id, entry.composed) for entry in entries])
        if self.vectors is not None:
            self.vectors.put(vectors, _payloads(entries), _names(entries))

    def remove(self, ids: Sequence[UUID]) -> None:
        """Remove entries; unknown ids are passed over."""
        if not ids:
            return
        self.words.remove(ids)
        self.tokens.remove(ids)
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
        self.tokens = Tokens(embedder, model)

    @property
    def is_beside_truth(self) -> bool:
        """Whether the vectors change in the truth's transactions."""
        return hasattr(self.store, "change")

    @contextmanager
    def together(self, database: Database) -> Iterator[Together]:
        """A transaction of the truth that the index takes part in."""
        with database.transaction() as session:
            vectors = self.store.change(session) if self.is_beside_truth else None
            together = Together(session, self.words.change(session), self.tokens.change(session), vectors)
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
            self.tokens.change(session).put([(entry.id, entry.composed) for entry in entries])
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
        if self.tokens.are_given and action == "add":
            return self.tokens.encode(texts)
        encode = getattr(self._embedder, "encode", None)
        if encode is not None:
            vectors: Vectors = encode(texts)
            return vectors
        return _unit(np.asarray(self._embedder.embed_batch(list(texts), action), dtype=np.float32))

    def question(self, query: str) -> Question:
        """The query as the embedder reads it, in one call."""
        read = getattr(self._embedder, "question", None)
        if read is not None:
            question: Question = read(query)
            return question
        return Question(self.embed([query], "search")[0])

    def search(
        self, owner: UUID, query: str, mode: Mode, limit: int, within: Collection[UUID] | None = None
    ) -> list[ranking.Ranked]:
        """The owner's entries that answer `query` best, at most `limit`; only among `within` if it is given.

        Embeds the query once (not at all in mode `keyword`). Scores lie in 0..1.
        """
        question = self.question(query) if mode != "keyword" else None
        return self.rank(owner, query, question, mode, limit, within)

    def nearest(self, owner: UUID, vector: Vectors, limit: int) -> dict[UUID, float]:
        """The owner's memories whose vectors are nearest to one, with their cosines; the words are not asked.

        Raises:
            whatever the store raises.
        """
        hits = self.store.search("", vector, limit, {"user_id": str(owner)})
        return {UUID(hit.id): float(hit.score) for hit in hits}

    def rank(
        self,
        owner: UUID,
        query: str,
        question: Question | Vectors | None,
        mode: Mode,
        limit: int,
        within: Collection[UUID] | None = None,
        ask: Ask | None = None,
    ) -> list[Ranked]:
        """`search` for a query that is embedded already; `ask` tells more of the best candidates than the legs can."""
        if isinstance(question, np.ndarray):
            question = Question(question)
        legs = Legs(self.store, self.words)
        asked = legs.asked(owner, query, question, mode)
        among = None if within is None else {id.hex for id in within}
        candidates = legs.search(asked, mode, max(LEAST_DEPTH, 2 * limit), among)
        # Before the truth is asked: what it says is as new as this or newer.
        level = self.words.level(owner)
        traits: Mapping[Key, Trait] = {}
        if mode == "hybrid" and ask is not None and candidates:
            traits = ask(self.tokens.model, ranking.best(candidates, ASKED_ABOUT), level, asked.size)
            beside = traits.keys() - set(candidates.keys)  # what is said next to the best may answer, too
            if beside := beside if among is None else beside & among:
                candidates += legs.of(asked, beside)
        pool = ranking.Pool(candidates, traits, query, question, asked.weight)
        ranked, sure = ranking.rank(pool, mode, limit), confidences(pool, asked.rarity).tolist()
        for one in ranked:
            one.confidence = sure[one.place]
        return ranked


def _payloads(entries: Sequence[Entry]) -> list[dict[str, str]]:
    return [{"user_id": str(entry.owner)} for entry in entries]


def _names(entries: Sequence[Entry]) -> list[str]:
    return [str(entry.id) for entry in entries]


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
