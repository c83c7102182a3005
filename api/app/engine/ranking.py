"""Ranking: how well each candidate answers, as a weighted sum of signals.

A signal is one small function: it sees all candidates of a query and gives each a value in 0..1. To add one, write the
function and put it with its weight into `SIGNALS`; what it needs to know of a memory becomes a field of `Candidate`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Mode = Literal["hybrid", "vector", "keyword"]

# A best BM25 below this is a match on words that nearly every memory has: it must not count as much as a real one.
LEAST_BEST_KEYWORD = 1.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """What the legs of the search say about one memory; None where a leg did not return it.

    `similarity` is the cosine of memory and query, `keyword` their BM25: positive, larger is better.
    """

    id: UUID
    similarity: float | None
    keyword: float | None


@dataclass(slots=True)
class Ranked:
    """A memory's place: `score` in 0..1 is the sum of `parts`, what each signal gave to it."""

    id: UUID
    score: float
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class Signal:
    """A reason why a candidate may be the answer; `values` gives one value in 0..1 a candidate, in their order."""

    name: str
    weight: float
    values: Callable[[Sequence[Candidate]], list[float]]


def rank(candidates: Sequence[Candidate], mode: Mode) -> list[Ranked]:
    """The candidates by descending score; equal scores by id, so that the same question has the same answer.

    Hybrid scores compare the candidates of one query with each other; `vector` scores are cosines (negative ones 0).
    """
    signals = SIGNALS[mode]
    total = sum(signal.weight for signal in signals)
    shares = {s.name: [s.weight / total * value for value in s.values(candidates)] for s in signals}
    ranked = [_ranked(c.id, {name: share[i] for name, share in shares.items()}) for i, c in enumerate(candidates)]
    return sorted(ranked, key=lambda one: (-one.score, one.id))


def _ranked(id: UUID, parts: dict[str, float]) -> Ranked:
    return Ranked(id, min(1.0, max(0.0, sum(parts.values()))), parts)


def nearness(candidates: Sequence[Candidate]) -> list[float]:
    """Cosine between the least (0) and the greatest (1) among the candidates; 0 without one."""
    known = [c.similarity for c in candidates if c.similarity is not None]
    if not known:
        return [0.0] * len(candidates)
    least, span = min(known), max(known) - min(known)
    return [_between(c.similarity, least, span) for c in candidates]


def _between(value: float | None, least: float, span: float) -> float:
    if value is None:
        return 0.0
    return (value - least) / span if span else 1.0


def wording(candidates: Sequence[Candidate]) -> list[float]:
    """BM25 over the greatest among the candidates; 0 without one."""
    best = max((c.keyword or 0.0 for c in candidates), default=0.0)
    return [(c.keyword or 0.0) / max(best, LEAST_BEST_KEYWORD) for c in candidates]


def cosine(candidates: Sequence[Candidate]) -> list[float]:
    """The cosine itself, within 0..1: comparable between queries, for thresholds."""
    return [min(1.0, max(0.0, c.similarity or 0.0)) for c in candidates]


SIGNALS: dict[Mode, tuple[Signal, ...]] = {
    "hybrid": (Signal("similarity", 0.5, nearness), Signal("keyword", 0.5, wording)),
    "vector": (Signal("similarity", 1.0, cosine),),
    "keyword": (Signal("keyword", 1.0, wording),),
}
