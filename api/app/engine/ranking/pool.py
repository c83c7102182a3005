"""The candidates of one query, and what is known of them, as arrays that the signals read."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine import late
from app.engine.keys import Key
from app.engine.late import Question, Vectors

Values = NDArray[np.float64]
Places = NDArray[np.intp]

# A best BM25 below this is a match on words that nearly every memory has: it must not count as much as a real one.
LEAST_BEST_KEYWORD = 1.0


class Trait(NamedTuple):
    """What the truth says about a memory that may be the answer.

    Attributes:
        run: its session.
        before, after: the memories of the same session that were stored next to it.
        author: who said it.
        day: the day on which it happened, in UTC.
        is_question: whether it ends as a question does.
        length: of the text, in characters.
        tokens: its token vectors as they are stored (`late.pack`); None if the embedder gives none.
    """

    run: str | None = None
    before: Key | None = None
    after: Key | None = None
    author: str | None = None
    day: date | None = None
    is_question: bool = False
    length: int = 0
    tokens: bytes | None = None


class Traits(NamedTuple):
    """The traits of several memories: of each field the values of all, in their order."""

    run: Sequence[str | None] = ()
    before: Sequence[Key | None] = ()
    after: Sequence[Key | None] = ()
    author: Sequence[str | None] = ()
    day: Sequence[date | None] = ()
    is_question: Sequence[bool] = ()
    length: Sequence[int] = ()
    tokens: Sequence[bytes | None] = ()

    @classmethod
    def of(cls, traits: Sequence[Trait]) -> "Traits":
        """Of these."""
        return cls(*zip(*traits, strict=True)) if traits else cls()


@dataclass
class Candidates:
    """What the legs of the search say about memories, each at its place.

    Attributes:
        cosines: of memory and query; NaN where the vector leg says nothing. (len(keys),)
        keywords: their BM25: positive, larger is better; 0 where the keyword leg says nothing. (len(keys),)
    """

    keys: Sequence[Key]
    cosines: Values
    keywords: Values

    @classmethod
    def of(cls, keys: Collection[Key], similar: Mapping[Key, float], keyword: Mapping[Key, float]) -> "Candidates":
        """Those of `keys`, with what either leg says of them."""
        cosines = np.array([similar.get(key, np.nan) for key in keys], dtype=np.float64)
        keywords = np.array([keyword.get(key, 0.0) for key in keys], dtype=np.float64)
        return cls(list(keys), cosines, keywords)

    def __len__(self) -> int:
        return len(self.keys)

    def __add__(self, others: "Candidates") -> "Candidates":
        """Both, which have none in common."""
        cosines = np.concatenate([self.cosines, others.cosines])
        return Candidates([*self.keys, *others.keys], cosines, np.concatenate([self.keywords, others.keywords]))

    @cached_property
    def nearness(self) -> Values:
        """Cosine between the least (0) and the greatest (1) among the candidates; 0 without one."""
        return between(self.cosines)

    @cached_property
    def wording(self) -> Values:
        """BM25 over the greatest among the candidates; 0 without one."""
        return np.asarray(self.keywords / max(self.keywords.max(initial=0.0), LEAST_BEST_KEYWORD))


@dataclass
class Pool:
    """A query's candidates. `traits` are known of the best of them (and of their neighbours), the others have none.

    `text` is the query, `question` what the embedder made of it, `weight` what each of its tokens counts.
    """

    candidates: Candidates
    traits: Mapping[Key, Trait] = field(default_factory=dict)
    text: str = ""
    question: Question | None = None
    weight: Vectors | None = None

    def __len__(self) -> int:
        return len(self.candidates)

    @cached_property
    def known(self) -> Places:
        """The places of the candidates whose traits are known."""
        places = [place for place, key in enumerate(self.candidates.keys) if key in self.traits]
        return np.array(places, dtype=np.intp)

    @cached_property
    def of_known(self) -> Traits:
        """Their traits."""
        return Traits.of([self.traits[key] for key in self.candidates.keys if key in self.traits])

    @cached_property
    def has_tokens(self) -> bool:
        """Whether token vectors of the question and of any candidate are known."""
        return self.weight is not None and any(tokens is not None for tokens in self.of_known.tokens)

    @cached_property
    def closeness(self) -> Values:
        """How near each comes to the question token by token, 0..1; NaN where tokens are not known."""
        return self._weighed(self._nearest)

    @cached_property
    def passages(self) -> Values:
        """As `closeness`, of each together with what stands before and after it in its session, as of one text."""
        none = np.full((1, self._nearest.shape[1]), -1.0, dtype=np.float32)  # the last row: of who has no neighbour
        near = np.concatenate([self._nearest, none])
        rows = np.full(len(self) + 1, -1, dtype=np.intp)
        rows[self._told] = np.arange(len(self._told))
        before, after = rows[self.before][self._is_told], rows[self.after][self._is_told]
        return self._weighed(np.maximum(np.maximum(near[:-1], near[before]), near[after]))

    @cached_property
    def before(self) -> Places:
        """For each known candidate the place of what stands before it; -1 where that is no candidate."""
        return self._places_of(self.of_known.before)

    @cached_property
    def after(self) -> Places:
        """As `before`, of what stands after it."""
        return self._places_of(self.of_known.after)

    def _places_of(self, keys: Sequence[Key | None]) -> Places:
        places: dict[Key | None, int] = self._place
        return np.array([places.get(key, -1) for key in keys], dtype=np.intp)

    @cached_property
    def _is_told(self) -> NDArray[np.bool_]:
        """Whether the tokens of each known candidate can be compared with the question's."""
        if self.question is None or self.weight is None or not len(self.weight):
            return np.zeros(len(self.known), dtype=np.bool_)
        return np.array([bool(tokens) for tokens in self.of_known.tokens], dtype=np.bool_)

    @cached_property
    def _told(self) -> Places:
        """The places of those."""
        return self.known[self._is_told]

    @cached_property
    def _weighty(self) -> Places:
        """The tokens of the question that count at all: those of its common words do not."""
        return np.empty(0, dtype=np.intp) if self.weight is None else np.flatnonzero(self.weight)

    @cached_property
    def _nearest(self) -> Vectors:
        """What `late.nearest` says of them: (told, tokens of the question that count)."""
        if self.question is None or not len(self._told):
            return np.empty((0, 0), dtype=np.float32)
        return late.nearest(self.question.tokens[self._weighty], [tokens for tokens in self.of_known.tokens if tokens])

    def _weighed(self, near: Vectors) -> Values:
        """Of all candidates; NaN for those of which nothing is told."""
        values = np.full(len(self), np.nan)
        if self.weight is not None and len(self._told):
            values[self._told] = late.closeness(near, self.weight[self._weighty])
        return values

    def spread(self, of_known: Values | Sequence[float]) -> Values:
        """Values of the known candidates as values of all; 0 for the others."""
        values = np.zeros(len(self))
        values[self.known] = of_known
        return values

    @cached_property
    def _place(self) -> dict[Key | None, int]:
        return {key: place for place, key in enumerate(self.candidates.keys)}


def between(values: Values) -> Values:
    """Each between the least (0) and the greatest (1) of those that are no NaN, and all 1 if these are equal; 0 for
    NaN."""
    is_known = ~np.isnan(values)
    known = values[is_known]
    found = np.zeros(len(values))
    if len(known):
        least, most = known.min(), known.max()
        found[is_known] = (known - least) / (most - least) if most > least else 1.0
    return found
