"""The one search of all doors: the index answers which and how close; SQL answers what, and whether you may."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, String, cast, or_, select

from app.context import Context
from app.engine.index import Mode, Vectors
from app.engine.ranking import Ranked
from app.errors import Invalid, Unavailable
from app.models import App, Category, Memory, memory_categories
from app.services import apps, scopes
from app.services.drafts import checked_characters, moment
from app.services.views import MemoryView, fetch

SELECTIVE = 2_000  # so many candidates or fewer are handed to the index; more are searched first and sifted after
CHUNK = 1_000  # ids a statement
LOGGED_QUERY = 500  # characters of the query that the access log keeps


@dataclass(frozen=True, slots=True)
class Found:
    """A hit: the memory, its score (0..1), and with `explain` what the score is made of."""

    memory: MemoryView
    score: float
    parts: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Hits, best first. `mode` is what was really searched: `keyword` when the embedder did not answer."""

    hits: list[Found]
    mode: Mode
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for, and where."""

    text: str
    limit: int = 10
    mode: Mode = "hybrid"
    filters: Mapping[str, Any] = field(default_factory=dict)
    threshold: float | None = None
    explain: bool = False


def search(ctx: Context, query: Query, *, user_id: str | None = None, app: str | None = None) -> Result:
    """The memories that answer the query best and that the reading app may see, logged as shown to it.

    Raises:
        NotFound: no such user, or one that the caller may not see.
        Invalid: an unknown filter or a value that it does not take.
        Unavailable: neither leg of the index can answer.
    """
    narrowed = conditions(query.filters)
    vector, mode, warning = _embedded(ctx, query)
    scope = scopes.resolve(ctx, user_id or ctx.caller.name, app)
    if scope.owner_id is None or (scope.reader and not scope.reader.is_active):
        return Result([], mode, warning)
    seen = [*scopes.visible(scope), *narrowed]
    within = _candidates(ctx, seen) if narrowed else None
    ctx.release()
    found = _sift(ctx, scope.owner_id, query, vector, mode, within, seen)
    apps.log_reads(ctx, scope.reader, [hit.memory.id for hit in found], "search", query=query.text[:LOGGED_QUERY])
    return Result(found, mode, warning)


def _embedded(ctx: Context, query: Query) -> tuple[Vectors | None, Mode, str | None]:
    if query.mode == "keyword":
        return None, "keyword", None
    vectors = ctx.engine.embed_query(query.text)
    if vectors is not None:
        return vectors, query.mode, None
    if query.mode == "vector":
        raise Unavailable("The embedder does not answer, so there is no vector search now")
    return None, "keyword", "The embedder does not answer: searched by keywords only"


def _candidates(ctx: Context, seen: Sequence[ColumnElement[bool]]) -> list[UUID] | None:
    """The ids that the filters leave, if they are few; else None."""
    ids = ctx.session.scalars(select(Memory.id).where(*seen).limit(SELECTIVE + 1)).all()
    return None if len(ids) > SELECTIVE else list(ids)


def _sift(
    ctx: Context,
    owner_id: UUID,
    query: Query,
    vector: Vectors | None,
    mode: Mode,
    within: Collection[UUID] | None,
    seen: Sequence[ColumnElement[bool]],
) -> list[Found]:
    """Rank, then let SQL say which of the ranked may be shown; rank deeper until there are enough or no more."""
    depth = query.limit
    while True:
        ranked = ctx.engine.index.rank(owner_id, query.text, vector, mode, depth, within)
        hits = _shown(ctx, query, ranked, seen)
        if len(hits) >= query.limit or len(ranked) < depth:
            return hits[: query.limit]
        if query.threshold is not None and ranked[-1].score < query.threshold:
            return hits
        ctx.release()
        depth *= 4


def _shown(ctx: Context, query: Query, ranked: Sequence[Ranked], seen: Sequence[ColumnElement[bool]]) -> list[Found]:
    least = query.threshold or 0.0
    by_id = {one.id: one for one in ranked if one.score >= least}
    ids, views = list(by_id), []
    for start in range(0, len(ids), CHUNK):
        views += fetch(ctx, ids[start : start + CHUNK], *seen)
        if len(views) >= query.limit:
            break
    return [Found(view, by_id[view.id].score, by_id[view.id].parts if query.explain else None) for view in views]


def conditions(filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """The filters as SQL: each key narrows further, a list means any of its values.

    Raises:
        Invalid: an unknown key or a value of another kind.
    """
    unknown = sorted(set(filters) - set(FILTERS))
    if unknown:
        raise Invalid(f"Unknown filter {unknown[0]!r}; there are: {', '.join(sorted(FILTERS))}")
    found = [FILTERS[key](key, value) for key, value in filters.items() if value is not None]
    for first, last in (("from_date", "to_date"), ("occurred_from", "occurred_to")):
        start, end = moment(filters.get(first)), moment(filters.get(last))
        if start and end and start > end:
            raise Invalid(f"{first} is after {last}")
    return found


def _texts(key: str, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not values or len(values) > 1_000 or not all(isinstance(item, str) for item in values):
        raise Invalid(f"The filter {key!r} takes a text or a list of texts")
    return [checked_characters(item) for item in values]


def _ids(key: str, value: Any) -> list[UUID]:
    try:
        return [UUID(item) for item in _texts(key, value)]
    except ValueError as error:
        raise Invalid(f"The filter {key!r} takes UUIDs") from error


def _when(key: str, value: Any) -> datetime:
    when = moment(value)
    if when is None:
        raise Invalid(f"The filter {key!r} takes a time: epoch seconds or ISO 8601")
    return when


def _of_app(key: str, value: Any) -> ColumnElement[bool]:
    return Memory.app_id.in_(select(App.id).where(App.name.in_(_texts(key, value))))


def _of_categories(key: str, value: Any) -> ColumnElement[bool]:
    link = memory_categories.c
    ids = select(link.memory_id).join(Category, Category.id == link.category_id)
    return Memory.id.in_(ids.where(Category.name.in_(_texts(key, value))))


def _of_tags(key: str, value: Any) -> ColumnElement[bool]:
    # Tags are a JSON list: each stands in it as JSON writes it, which SQLite was given in ASCII and PostgreSQL was not.
    as_text = cast(Memory.tags, String)
    written = [json.dumps(tag, ensure_ascii=ascii) for tag in _texts(key, value) for ascii in (True, False)]
    return or_(*(as_text.contains(one, autoescape=True) for one in dict.fromkeys(written)))


FILTERS: dict[str, Any] = {
    "app": _of_app,
    "app_id": lambda key, value: Memory.app_id.in_(_ids(key, value)),
    "categories": _of_categories,
    "author": lambda key, value: Memory.author.in_(_texts(key, value)),
    "agent_id": lambda key, value: Memory.agent_id.in_(_texts(key, value)),
    "run_id": lambda key, value: Memory.run_id.in_(_texts(key, value)),
    "session_id": lambda key, value: Memory.run_id.in_(_texts(key, value)),
    "memory_type": lambda key, value: Memory.memory_type.in_(_texts(key, value)),
    "tags": _of_tags,
    "from_date": lambda key, value: Memory.created_at >= _when(key, value),
    "to_date": lambda key, value: Memory.created_at <= _when(key, value),
    "occurred_from": lambda key, value: Memory.occurred_at >= _when(key, value),
    "occurred_to": lambda key, value: Memory.occurred_at <= _when(key, value),
}
