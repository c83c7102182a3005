"""Ranking: how well each candidate answers, as a weighted sum of signals.

A signal is one small function in `signals.py`: it sees the whole pool of a query's candidates and gives each a value in
0..1. To add one, write the function and put it with its weight into `SIGNALS`; what it needs to know of a memory
becomes a field of `Trait`. Each has a measured gain (decision 0006).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import numpy as np

from app.engine.keys import Key
from app.engine.ranking import signals
from app.engine.ranking.pool import Candidates, Pool, Trait, Values

__all__ = ["SIGNALS", "Candidates", "Mode", "Pool", "Ranked", "Signal", "Trait", "best", "rank"]

Mode = Literal["hybrid", "vector", "keyword"]


@dataclass(slots=True)
class Ranked:
    """A memory's place: `score` in 0..1 is the sum of `parts`.

    `shares` is what each signal gave to every candidate, `place` which of them this is.
    `confidence` is 0..100 and, unlike the score, means the same for every question (`engine.confidence`).
    """

    key: Key
    score: float
    shares: Mapping[str, Values] = field(compare=False, repr=False)
    place: int = field(compare=False, repr=False)
    confidence: float = 0.0

    @property
    def id(self) -> UUID:
        """The memory's id; made when it is asked for, like `parts`: more are ranked than are shown."""
        return UUID(self.key)

    @property
    def parts(self) -> dict[str, float]:
        """What each signal gave to the score."""
        return {name: float(share[self.place]) for name, share in self.shares.items()}


@dataclass(frozen=True, slots=True)
class Signal:
    """A reason why a candidate may be the answer; `values` gives one value in 0..1 a candidate, in their order."""

    name: str
    weight: float
    values: Callable[[Pool], Values]


# Weights are round figures from the middle of wide optima (decisions 0006, 0041). Where tokens are compared, words
# count for less: a word that both have is a token that both have.
_LEGS = (Signal("similarity", 0.5, signals.nearness), Signal("keyword", 0.5, signals.wording))
_LATE = (
    Signal("similarity", 0.5, signals.nearness),
    Signal("keyword", 0.2, signals.wording),
    Signal("tokens", 0.3, signals.closeness),
)
_AROUND = (
    Signal("context", 0.5, signals.context),
    Signal("session", 0.2, signals.session),
    Signal("author", 0.25, signals.author),
    Signal("date", 0.3, signals.date),
    Signal("length", 0.3, signals.length),
    Signal("statement", 0.15, signals.statement),
)
SIGNALS: dict[Mode, tuple[Signal, ...]] = {
    "hybrid": (*_LEGS, *_AROUND),
    "vector": (Signal("similarity", 1.0, signals.cosine),),
    "keyword": (Signal("keyword", 1.0, signals.wording),),
}
WITH_TOKENS = (*_LATE, Signal("passage", 0.5, signals.passage), *_AROUND)


def rank(pool: Pool, mode: Mode, limit: int | None = None) -> list[Ranked]:
    """The candidates by descending score, at most `limit`; equal scores by id: the same question, the same answer.

    Signals that say nothing of any candidate (no sessions, no author named) leave their weight to the others. Hybrid
    scores compare the candidates of one query with each other; `vector` scores are cosines (negative ones 0).
    """
    chosen = WITH_TOKENS if mode == "hybrid" and pool.has_tokens else SIGNALS[mode]
    given = [(signal, signal.values(pool)) for signal in chosen]
    if mode == "hybrid":
        legs, around = given[:2], given[2:]
        given = [*legs, *((signal, values) for signal, values in around if values.any())]
    total = sum(signal.weight for signal, _ in given)
    shares = {signal.name: signal.weight / total * values for signal, values in given}
    scores, keys = np.clip(sum(shares.values()), 0.0, 1.0), pool.candidates.keys
    order = sorted(zip((-scores).tolist(), keys, range(len(keys)), strict=True))[:limit]
    return [Ranked(key, -score, shares, place) for score, key, place in order]


def best(candidates: Candidates, count: int) -> Sequence[Key]:
    """The `count` best by the two legs alone: of these more is asked before they are ranked."""
    if len(candidates) <= count:
        return candidates.keys
    scores = candidates.nearness + candidates.wording
    return [candidates.keys[place] for place in np.argsort(-scores, kind="stable")[:count].tolist()]
