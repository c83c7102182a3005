"""Reranking of a search's hits: when it is wanted, how many, and what their scores are afterwards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.context import Context
from app.services.sifting import Sifted

NO_RERANKER = "No reranker is configured (mem0.reranker): not reranked"


@dataclass(frozen=True, slots=True)
class Order:
    """Hits in their final order, each with its score; the reranker's own scores; a warning if it was not asked."""

    hits: list[tuple[Sifted, float]]
    reranked: Mapping[UUID, float]
    warning: str | None = None


def is_wanted(ctx: Context, asked: bool | None) -> bool:
    """Whether to rerank: as the request says, else as the configuration does."""
    return bool(_knob(ctx, "rerank", False)) if asked is None else asked


def depth(ctx: Context, limit: int) -> int:
    """How many hits to look at, so that the best `limit` of them can be shown."""
    return max(limit, int(_knob(ctx, "rerank_depth", 20)))


def ordered(ctx: Context, query: str, sifted: Sequence[Sifted], is_asked: bool) -> Order:
    """The hits as the reranker orders them, if it does in time; else as they came, and a warning.

    The reranker sees the first `rerank_depth`. The scores stay where they are, best first, so that they fall with the
    order and a threshold means what it means without a reranker.
    """
    as_it_was = [(one, one.ranked.score) for one in sifted]
    if not is_asked or len(sifted) < 2:
        return Order(as_it_was, {})
    reranker = ctx.engine.built.reranker
    if reranker is None:
        return Order(as_it_was, {}, NO_RERANKER)
    ctx.release()
    first, rest = sifted[: depth(ctx, 0)], sifted[depth(ctx, 0) :]
    texts = {one.memory.id: one.memory.content for one in first}
    found = reranker.rerank(query, texts, int(_knob(ctx, "rerank_budget_ms", 800)) / 1000)
    by_id = {one.memory.id: one for one in first}
    order = [*(by_id[id] for id in found.order), *rest]
    scores = [one.ranked.score for one in sifted]
    return Order(list(zip(order, scores, strict=True)), found.scores, found.warning)


def _knob(ctx: Context, name: str, default: Any) -> Any:
    return ((ctx.engine.config or {}).get("openmemory") or {}).get(name, default)
