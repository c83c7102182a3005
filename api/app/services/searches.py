"""The one search of all doors: the index answers which and how close; SQL answers what, and whether you may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement

from app.context import Context
from app.engine.late import Question
from app.engine.ranking import Mode
from app.errors import Invalid, StoreUnavailable, TooLarge, Unavailable
from app.services import apps, filters, reranks, scopes, surroundings
from app.services.drafts import checked_characters
from app.services.filters import Clause
from app.services.reranks import Order
from app.services.scopes import Scope
from app.services.sifting import LIVING, Look, sift
from app.services.surroundings import Turns
from app.services.views import MemoryView

MAX_QUERY = 10_000  # characters
MAX_LIMIT = 1_000
LOGGED_QUERY = 500  # characters of the query that the access log keeps

Embedded = tuple[Question | None, Mode, str | None]


@dataclass(frozen=True, slots=True)
class Found:
    """A hit: the memory, its score (0..1), and what was asked for beside it.

    Attributes:
        confidence: 0..100, comparable between questions (`engine.confidence`).
        parts: with `explain`, what the ranking's score is made of.
        rerank_score: the reranker's own score, on its own scale; None where it gave none.
        turns: with `neighbours`, what was said before and after.
    """

    memory: MemoryView
    score: float
    confidence: float = 0.0
    parts: Mapping[str, float] | None = None
    rerank_score: float | None = None
    turns: Turns | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """Hits, best first. `mode` is what was really searched: `keyword` when the embedder did not answer.

    `total` is how many hits there are up to the end of this page; one more if another follows and was looked for.
    """

    hits: list[Found]
    mode: Mode
    warning: str | None = None
    total: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for, and where.

    Attributes:
        limit: 1 to 1,000 hits.
        offset: so many better ones are passed; with the limit 1,000 at most.
        looks_ahead: whether to find out if there is one more after the page.
        filters: in mem0's grammar (`services.filters`).
        threshold: 0 to 1; hits below are left out.
        rerank: whether to ask the configured reranker; None is as the configuration says.
        neighbours: 0 to 5 turns before and after each hit.
        show_expired: what has expired, too, until the worker deletes it.
    """

    text: str
    limit: int = 10
    mode: Mode = "hybrid"
    filters: Mapping[str, Any] = field(default_factory=dict)
    threshold: float | None = None
    explain: bool = False
    rerank: bool | None = None
    neighbours: int = 0
    offset: int = 0
    looks_ahead: bool = False
    show_expired: bool = False

    @property
    def end(self) -> int:
        """Where the page ends."""
        return self.offset + self.limit


def search(
    ctx: Context,
    query: Query,
    *,
    user_id: str | None = None,
    app: str | None = None,
    question: Embedded | None = None,
) -> Result:
    """The memories that answer the query best and that the reading app may see, logged as shown to it.

    Args:
        question: what `embedded` made of the query, if it was asked before.

    Raises:
        NotFound: no such user, or one that the caller may not see.
        Invalid: an empty or overlong query, or filters that are not in the grammar.
        Unavailable: neither leg of the index can answer.
    """
    checked(query)
    clauses = filters.clauses(query.filters)
    vector, mode, warning = question or embedded(ctx, query)
    scope = scopes.resolve(ctx, user_id or ctx.caller.name, app, alone=True)
    look = looked(scope, query, vector, mode, clauses)
    if look is None:
        return Result([], mode, warning)
    is_reranked = reranks.is_wanted(ctx, query.rerank)
    looked_at = query.end + query.looks_ahead
    wanted = reranks.depth(ctx, looked_at) if is_reranked else looked_at
    try:
        sifted = sift(ctx, look, wanted)
    except StoreUnavailable:
        if mode == "vector":
            raise
        mode, warning = "keyword", "The vector store does not answer: searched by keywords only"
        sifted = sift(ctx, replace(look, vector=None, mode=mode), wanted)
    order = reranks.ordered(ctx, query.text, sifted, is_reranked)
    hits = _found(ctx, query, scope, order)
    shown = dict.fromkeys(id for hit in hits for id in (hit.memory.id, *(hit.turns.ids if hit.turns else ())))
    apps.log_reads(ctx, scope.reader, list(shown), "search", query=query.text[:LOGGED_QUERY], **_session(query))
    told = " ".join(filter(None, (warning, order.warning))) or None
    return Result(hits, mode, told, min(len(order.hits), query.end + query.looks_ahead))


def _session(query: Query) -> dict[str, str]:
    """The session that the query names, for the access log: what was served to it is not learned from it again."""
    named = query.filters.get("run_id", query.filters.get("session_id"))
    return {"run_id": named} if isinstance(named, str) and named != "*" else {}


def _found(ctx: Context, query: Query, scope: Scope, order: Order) -> list[Found]:
    best = order.hits[query.offset : query.end]
    views = [one.memory for one, _ in best]
    turns = surroundings.around(ctx, views, query.neighbours, scopes.visible(scope)) if query.neighbours else {}
    return [
        Found(
            memory=one.memory,
            score=score,
            confidence=one.ranked.confidence,
            parts=one.ranked.parts if query.explain else None,
            rerank_score=order.reranked.get(one.memory.id),
            turns=turns.get(one.memory.id),
        )
        for one, score in best
    ]


def checked(query: Query) -> None:
    """Pass if there is a query of a sane size.

    Raises:
        Invalid: there is not.
    """
    if not query.text.strip():
        raise Invalid("The query is empty")
    if len(query.text) > MAX_QUERY:
        raise TooLarge(f"The query has {len(query.text)} characters; at most {MAX_QUERY} are taken")
    if not 1 <= query.limit <= MAX_LIMIT:
        raise Invalid(f"The limit is 1 to {MAX_LIMIT}")
    if not 0 <= query.offset <= MAX_LIMIT - query.limit:
        raise Invalid(f"Limit and offset together are {MAX_LIMIT} at most")
    if not 0 <= query.neighbours <= surroundings.MOST:
        raise Invalid(f"There are 0 to {surroundings.MOST} neighbours")
    checked_characters(query.text)


def embedded(ctx: Context, query: Query) -> Embedded:
    """The query's vector, the mode in which can be searched, and a warning if it is another than was asked for.

    Raises:
        Unavailable: the mode is `vector`, and the embedder does not answer.
    """
    if query.mode == "keyword":
        return None, "keyword", None
    vector = ctx.engine.embed_query(query.text)
    if vector is not None:
        return vector, query.mode, None
    if query.mode == "vector":
        raise Unavailable("The embedder does not answer, so there is no vector search now")
    return None, "keyword", "The embedder does not answer: searched by keywords only"


def looked(scope: Scope, query: Query, vector: Question | None, mode: Mode, clauses: Sequence[Clause]) -> Look | None:
    """The question to the index, and the conditions on its answers; None where nothing may be shown at all."""
    if scope.owner_id is None or (scope.reader and not scope.reader.is_active):
        return None
    is_narrowed = bool(clauses) or (scope.reader is not None and scope.reader.has_rules)
    seen: Sequence[ColumnElement[bool]] = LIVING
    if is_narrowed or query.show_expired:
        conditions = (clause.condition for clause in clauses)
        seen = [*scopes.visible(scope, show_expired=query.show_expired), *conditions]
    is_selective = any(clause.is_selective for clause in clauses)
    return Look(scope.owner_id, query.text, vector, mode, seen, is_narrowed, is_selective, query.threshold or 0.0)
