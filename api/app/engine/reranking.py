"""A reranker in bounded time: one that is late, fails or makes things up leaves the order as it was, and it is said.

A reranker is a mem0 `BaseReranker` (`providers.build_reranker` makes it). It cannot be interrupted, so each call has a
thread of its own, and so few may be at work that a reranker which hangs costs no more than those.
"""

import logging
import math
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

AT_WORK = 4  # calls at once, those that are late already among them

logger = logging.getLogger(__name__)


class Reranks(Protocol):
    """What we use of mem0's `BaseReranker`."""

    def rerank(self, query: str, documents: list[dict[str, Any]], top_k: int | None = None) -> list[dict[str, Any]]:
        """The documents, best first, each with a `rerank_score`."""


@dataclass(frozen=True, slots=True)
class Reranked:
    """All the ids that were given, best first; the reranker's own scores; what went wrong, if something did."""

    order: list[UUID]
    scores: Mapping[UUID, float] = field(default_factory=dict)
    warning: str | None = None


class Reranker:
    """One reranker; safe to use from many threads."""

    def __init__(self, reranks: Reranks, name: str) -> None:
        self._reranks = reranks
        self._free = threading.BoundedSemaphore(AT_WORK)
        self.name = name

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """The reranker's own score of each text, -inf for one that it leaves out; in whatever time that takes.

        Raises:
            Exception: whatever the reranker raises.
        """
        documents = [{"id": str(place), "memory": text} for place, text in enumerate(texts)]
        found = dict(_read(self._reranks.rerank(query, documents, len(documents))))
        return [-math.inf if (score := found.get(str(place))) is None else score for place in range(len(texts))]

    def rerank(self, query: str, texts: Mapping[UUID, str], seconds: float) -> Reranked:
        """`texts`, which come best first, in the reranker's order; as they came if it has none after `seconds`.

        What the reranker leaves out follows what it names; what it makes up is passed over.
        """
        as_it_was = list(texts)
        if not self._free.acquire(blocking=False):
            return Reranked(as_it_was, warning=f"The reranker is still busy with {AT_WORK} searches: not reranked")
        call = _Call(self._reranks, query, texts, self._free)
        threading.Thread(target=call.run, name="rerank", daemon=True).start()
        if not call.done.wait(seconds):
            return Reranked(as_it_was, warning=f"The reranker did not answer within {seconds:g} s: not reranked")
        if call.answer is None:
            return Reranked(as_it_was, warning="The reranker failed: not reranked")
        return _merged(as_it_was, call.answer)


@dataclass(slots=True)
class _Call:
    """One call in its thread."""

    reranks: Reranks
    query: str
    texts: Mapping[UUID, str]
    free: threading.BoundedSemaphore
    done: threading.Event = field(default_factory=threading.Event)
    answer: list[tuple[str, float | None]] | None = None

    def run(self) -> None:
        """Ask, and give the place back."""
        documents = [{"id": str(id), "memory": text} for id, text in self.texts.items()]
        try:
            self.answer = _read(self.reranks.rerank(self.query, documents, len(documents)))
        except Exception:  # any provider's any failure; logged, and the search goes on without it
            logger.exception("the reranker failed")
        finally:
            self.free.release()
            self.done.set()


def _read(documents: list[dict[str, Any]]) -> list[tuple[str, float | None]]:
    return [(str(document["id"]), _finite(document.get("rerank_score"))) for document in documents]


def _finite(score: Any) -> float | None:
    number = None if score is None else float(score)
    return number if number is not None and math.isfinite(number) else None


def _merged(as_it_was: list[UUID], answer: list[tuple[str, float | None]]) -> Reranked:
    known = {str(id): id for id in as_it_was}
    named: dict[UUID, float | None] = {}
    for name, score in answer:
        if name in known:
            named.setdefault(known[name], score)
    scores = {id: score for id, score in named.items() if score is not None}
    # mem0's rerankers answer a failure of theirs with the same score for all: that is no order.
    if len(scores) > 1 and len(set(scores.values())) == 1:
        return Reranked(as_it_was, warning="The reranker found all hits alike, or failed: not reranked")
    return Reranked([*named, *(id for id in as_it_was if id not in named)], scores)
