"""The candidates of one query, and what is known of them, as arrays that the signals read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import late
from app.engine.keys import Key
from app.engine.late import Question, Tokens, Vectors

Values = NDArray[np.float64]
Places = NDArray[np.intp]

# A best BM25 below this is a match on words that nearly every memory has: it must not count as much as a real one.
LEAST_BEST_KEYWORD = 1.0


class Candidate(NamedTuple):
    """What the legs of the search say about one memory; None where a leg did not return it.

    `similarity` is the cosine of memory and query, `keyword` their BM25: positive, larger is better.
    """

    key: Key
    similarity: float | None
    keyword: float | None


class Trait(NamedTuple):
    """What the truth says about a memory that may be the answer.

    Attributes:
        run: its session.
        before, after: the memories of the same session that were stored next to it.
        author: who said it.
        occurred_at: when it happened.
        is_question: whether it ends as a question does.
        length: of the text, in characters.
        tokens: its token vectors; None if the embedder gives none.
    """

    run: str | None = None
    before: Key | None = None
    after: Key | None = None
    author: str | None = None
    occurred_at: datetime | None = None
    is_question: bool = False
    length: int = 0
    tokens: Tokens | None = None


@dataclass
class Pool:
    """A query's candidates. `traits` are known of the best of them (and of their neighbours), the others have none.

    `text` is the query, `question` what the embedder made of it, `weight` what each of its tokens counts.
    """

    candidates: Sequence[Candidate]
    traits: Mapping[Key, Trait] = field(default_factory=dict)
    text: str = ""
    question: Question | None = None
    weight: Vectors | None = None

    @cached_property
    def known(self) -> Places:
        """The places of the candidates whose traits are known."""
        places = [place for place, one in enumerate(self.candidates) if one.key in self.traits]
        return np.array(places, dtype=np.intp)

    @cached_property
    def of_known(self) -> list[Trait]:
        """Their traits."""
        return [self.traits[self.candidates[place].key] for place in self.known.tolist()]

    @cached_property
    def has_tokens(self) -> bool:
        """Whether token vectors of the question and of any candidate are known."""
        return self.weight is not None and any(trait.tokens is not None for trait in self.of_known)

    @cached_property
    def cosines(self) -> Values:
        """What the vector leg says of each; NaN where it says nothing."""
        return np.array([np.nan if c.similarity is None else c.similarity for c in self.candidates], dtype=np.float64)

    @cached_property
    def keywords(self) -> Values:
        """What the keyword leg says of each; 0 where it says nothing."""
        return np.array([c.keyword or 0.0 for c in self.candidates], dtype=np.float64)

    @cached_property
    def nearness(self) -> Values:
        """Cosine between the least (0) and the greatest (1) among the candidates; 0 without one."""
        found = self.cosines
        if not len(found) or np.isnan(found).all():
            return np.zeros(len(found))
        least, most = np.nanmin(found), np.nanmax(found)
        spread = (found - least) / (most - least) if most > least else np.ones(len(found))
        return np.asarray(np.where(np.isnan(found), 0.0, spread))

    @cached_property
    def wording(self) -> Values:
        """BM25 over the greatest among the candidates; 0 without one."""
        return np.asarray(self.keywords / max(self.keywords.max(initial=0.0), LEAST_BEST_KEYWORD))

    @cached_property
    def closeness(self) -> Values:
        """How near each comes to the question token by token, 0..1; NaN where tokens are not known."""
        return self._weighed(self._nearest)

    @cached_property
    def passages(self) -> Values:
        """As `closeness`, of each together with what stands before and after it in its session, as of one text."""
        rows = {self.candidates[place].key: row for row, place in enumerate(self._told.tolist())}
        none = np.full((1, self._nearest.shape[1]), -1.0, dtype=np.float32)  # the last row: of who has no neighbour
        near = np.concatenate([self._nearest, none])
        traits = [self.traits[key] for key in rows]
        before = [rows.get(trait.before, -1) if trait.before else -1 for trait in traits]
        after = [rows.get(trait.after, -1) if trait.after else -1 for trait in traits]
        return self._weighed(np.maximum(np.maximum(near[:-1], near[before]), near[after]))

    @cached_property
    def _told(self) -> Places:
        """The places of the candidates whose tokens can be compared with the question's."""
        if self.question is None or self.weight is None or not len(self.weight):
            return np.empty(0, dtype=np.intp)
        known = zip(self.known.tolist(), self.of_known, strict=True)
        return np.array([place for place, trait in known if trait.tokens is not None and len(trait.tokens)], np.intp)

    @cached_property
    def _nearest(self) -> Vectors:
        """What `late.nearest` says of them: (told, tokens of the question)."""
        if self.question is None or not len(self._told):
            return np.empty((0, 0), dtype=np.float32)
        tokens = [self.traits[self.candidates[place].key].tokens for place in self._told.tolist()]
        return late.nearest(self.question, [one for one in tokens if one is not None])

    def _weighed(self, near: Vectors) -> Values:
        """Of all candidates; NaN for those of which nothing is told."""
        values = np.full(len(self.candidates), np.nan)
        if self.weight is not None and len(self._told):
            values[self._told] = late.closeness(near, self.weight)
        return values

    def beside(self, values: Values, neighbours: Sequence[Key | None]) -> Values:
        """For each known candidate the value of its neighbour, which is given by key; 0 without one."""
        extended = np.append(values, 0.0)  # a place that is not there is the last
        return np.asarray(extended[[self._place.get(key, -1) if key else -1 for key in neighbours]])

    def spread(self, of_known: Values | Sequence[float]) -> Values:
        """Values of the known candidates as values of all; 0 for the others."""
        values = np.zeros(len(self.candidates))
        values[self.known] = of_known
        return values

    @cached_property
    def _place(self) -> dict[Key, int]:
        return {one.key: place for place, one in enumerate(self.candidates)}
