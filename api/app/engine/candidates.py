"""The candidates of a question: what either leg of the index finds, each with the scores of both."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from app.engine import late, text
from app.engine.keys import Key, key_of
from app.engine.late import Question, Vectors
from app.engine.ranking import Candidates
from app.engine.words import Level, Words
from app.engine.words.rarity import is_common

Mode = Literal["hybrid", "vector", "keyword"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the legs are asked it.

    Attributes:
        vector: without the owner's common words; None when the vector leg is not asked.
        weight: what each token of the question counts, (tokens,); None without tokens.
        rarity: what all its words weigh together, in BM25's terms.
        size: how many memories the owner has, if the question has words.
        level: what the words were level with when they were asked for these.
    """

    owner: UUID
    terms: Sequence[str]
    vector: Vectors | None = None
    weight: Vectors | None = None
    rarity: float = 0.0
    size: int = 0
    level: Level | None = None


class Legs:
    """Both legs of an index."""

    def __init__(self, store: Any, words: Words) -> None:
        self._store = store
        self._words = words

    def asked(self, owner: UUID, query: str, question: Question | None, mode: Mode) -> Asked:
        """The question, weighed by how many of the owner's memories have its words."""
        terms = text.terms(query)
        vector = None if question is None else question.vector
        if not terms:
            return Asked(owner, terms, vector)
        having, size = self._words.frequencies(owner, list(dict.fromkeys(terms)))
        level = self._words.level(owner)
        common = {term: is_common(count, size) for term, count in having.items()}
        weight = {term: 0.0 if common[term] else _rarity(count, size) for term, count in having.items()}
        rarity = sum(weight.values())
        if question is None or mode != "hybrid" or not len(question.states):
            return Asked(owner, terms, vector, None, rarity, size, level)
        without, weights = late.vector_without(question, common), late.weights(question, weight)
        return Asked(owner, terms, without, weights, rarity, size, level)

    def search(self, asked: Asked, mode: Mode, depth: int, within: Collection[Key] | None) -> Candidates:
        """The `depth` best of each leg that the mode asks; only among `within` if it is given."""
        keyword: dict[Key, float] = {}
        if mode != "vector":
            keyword = self._words.search(asked.owner, asked.terms, depth, within, asked.level)
        similar: dict[Key, float] = {}
        if asked.vector is not None and mode != "keyword":
            similar = self._nearest(asked.owner, asked.vector, depth, within)
            similar |= self._similarities(asked.owner, asked.vector, keyword.keys() - similar.keys())
        return Candidates.of(dict.fromkeys([*similar, *keyword]), similar, keyword)

    def of(self, asked: Asked, keys: Collection[Key]) -> Candidates:
        """Just these as candidates; those that the index does not hold are left out."""
        keyword = self._words.scores(asked.owner, asked.terms, keys)
        similar = {} if asked.vector is None else self._similarities(asked.owner, asked.vector, keys)
        return Candidates.of(sorted(similar.keys() | keyword.keys()), similar, keyword)

    def _nearest(self, owner: UUID, vector: Vectors, depth: int, within: Collection[Key] | None) -> dict[Key, float]:
        nearest = getattr(self._store, "nearest", None)
        if nearest is not None:
            found: dict[Key, float] = nearest(owner.hex, vector, depth, within)
            return found
        filters: dict[str, Any] = {"user_id": str(owner)}
        if within is not None:
            filters["ids"] = within
        return {key_of(hit.id): hit.score for hit in self._store.search("", vector, depth, filters)}

    def _similarities(self, owner: UUID, vector: Vectors, keys: Collection[Key]) -> dict[Key, float]:
        if not keys:
            return {}
        found = self._store.similarities(str(owner), vector, keys)
        return {key_of(id): score for id, score in found.items()}


def _rarity(having: int, size: int) -> float:
    return math.log1p((size - having + 0.5) / (having + 0.5))
