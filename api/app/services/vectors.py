"""Vectors for whoever wants to see them: what the index has of a memory, made again from the same text."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from app.context import Context
from app.engine.text import compose
from app.services.views import MemoryView


def of(ctx: Context, views: Sequence[MemoryView]) -> Mapping[UUID, list[float]]:
    """The unit vectors of the memories, embedded in one call; none when the embedder does not answer."""
    if not views:
        return {}
    ctx.release()
    found = ctx.engine.embed([compose(view.content, view.author, view.occurred_at) for view in views])
    return {} if found is None else {view.id: vector.tolist() for view, vector in zip(views, found, strict=True)}
