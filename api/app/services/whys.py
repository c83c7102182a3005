"""Why a memory is no hit of a search: the first state, rule, filter or rank that keeps it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import and_, select, true

from app.context import Context
from app.engine.ranking import Mode, Ranked
from app.errors import NotFound
from app.models import Memory, State
from app.services import filters, scopes, searches, sifting
from app.services.filters import Clause
from app.services.memories import NO_MEMORY
from app.services.scopes import Scope
from app.services.searches import Query
from app.services.sifting import Look

Rule = Literal[
    "found",
    "deleted",
    "paused",
    "archived",
    "expired",
    "app_paused",
    "access_rule",
    "filter",
    "not_indexed",
    "no_match",
    "threshold",
    "limit",
]
HIDING: dict[str, tuple[Rule, str]] = {
    State.deleted: ("deleted", "It is deleted"),
    State.paused: ("paused", "It is paused: no app is shown it until it is resumed"),
    State.archived: ("archived", "It is archived: no search finds it until it is active again"),
}
APP_PAUSED: tuple[Rule, str] = ("app_paused", "The app that reads is paused: it is shown nothing")
NO_MATCH: dict[Mode, str] = {
    "keyword": "None of the query's words is in it; words that most memories have do not count",
    "vector": "It is too far from the query by its meaning",
    "hybrid": "It is too far from the query, both by its meaning and by its words",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which rule decided, in a word and in a sentence; where the memory was ranked, its place and score.

    Attributes:
        rank: its place, from 1, among the `of` that were ranked.
        score: 0..1, made of `parts`.
        mode: what was searched in the end; `warning` says why, if it is not what was asked for.
    """

    rule: Rule
    detail: str
    mode: Mode
    rank: int | None = None
    of: int | None = None
    score: float | None = None
    parts: Mapping[str, float] | None = None
    warning: str | None = None


@dataclass(frozen=True, slots=True)
class _Facts:
    """What SQL knows of the memory."""

    state: str
    is_indexed: bool
    is_expired: bool
    is_allowed: bool
    passed: Sequence[bool]


def why_not(
    ctx: Context, query: Query, memory_id: UUID, *, user_id: str | None = None, app: str | None = None
) -> Verdict:
    """What `searches.search` would do with the memory, before any reranking. Not logged: nothing of it is shown.

    Raises:
        NotFound: no such memory, or one that the caller may not see; a key that is bound to an app sees what its app
            sees and nothing else.
        Invalid, Unavailable: as `searches.search`.
    """
    searches.checked(query)
    clauses = filters.clauses(query.filters)
    vector, mode, warning = searches.embedded(ctx, query)
    scope = scopes.resolve(ctx, user_id or ctx.caller.name, app)
    facts = _facts(ctx, scope, memory_id, clauses)
    hidden = _hidden(scope, facts, clauses)
    look = searches.looked(scope, query, vector, mode, clauses)
    if hidden or look is None:
        return Verdict(*(hidden or APP_PAUSED), mode, warning=warning)
    return _placed(ctx, query, look, memory_id, facts.is_indexed, warning)


def _facts(ctx: Context, scope: Scope, memory_id: UUID, clauses: Sequence[Clause]) -> _Facts:
    asked: list[Any] = [
        Memory.state,
        Memory.indexed_at.is_not(None),
        and_(Memory.expires_at.is_not(None), Memory.expires_at <= scopes.NOW),
        and_(true(), *scopes.allowed(scope.reader)),
        *(clause.condition for clause in clauses),
    ]
    query = select(*asked).where(Memory.id == memory_id, Memory.user_id == scope.owner_id)
    if ctx.caller.app:
        query = query.where(*scopes.visible(scope))
    row = ctx.row(query)
    if row is None:
        raise NotFound(NO_MEMORY)
    state, is_indexed, is_expired, is_allowed, *passed = row
    return _Facts(state, bool(is_indexed), bool(is_expired), bool(is_allowed), [bool(one) for one in passed])


def _hidden(scope: Scope, facts: _Facts, clauses: Sequence[Clause]) -> tuple[Rule, str] | None:
    if facts.state in HIDING:
        return HIDING[facts.state]
    if facts.is_expired:
        return "expired", "It has expired"
    if scope.reader and not scope.reader.is_active:
        return APP_PAUSED
    if scope.reader and not facts.is_allowed:
        return "access_rule", f"An access rule keeps it from the app {scope.reader.name}"
    failed = [clause.text for clause, passed in zip(clauses, facts.passed, strict=True) if not passed]
    return ("filter", f"It does not fulfil the filters: {'; '.join(failed)}") if failed else None


def _placed(ctx: Context, query: Query, look: Look, memory_id: UUID, is_indexed: bool, warning: str | None) -> Verdict:
    # First as the search itself looks, then as deep as any search may.
    for wanted in (query.limit, searches.MAX_LIMIT):
        ranked = sifting.passing(ctx, look, sifting.rank(ctx, look, wanted))
        place = next((place for place, one in enumerate(ranked, 1) if one.id == memory_id), None)
        if place is not None:
            rule, detail = _of_rank(query, ranked[place - 1], place, len(ranked))
            one = ranked[place - 1]
            return Verdict(rule, detail, look.mode, place, len(ranked), one.score, one.parts, warning)
    if not is_indexed:
        return Verdict("not_indexed", "It is not indexed yet; that takes seconds", look.mode, warning=warning)
    return Verdict("no_match", NO_MATCH[look.mode], look.mode, of=len(ranked), warning=warning)


def _of_rank(query: Query, ranked: Ranked, place: int, of: int) -> tuple[Rule, str]:
    if ranked.score < (query.threshold or 0.0):
        return "threshold", f"Its score {ranked.score:.3f} is below the threshold {query.threshold:g}"
    if place > query.limit:
        return "limit", f"It is number {place} of {of}, and the limit is {query.limit}"
    return "found", f"It is hit number {place}"
