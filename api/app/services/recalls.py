"""What a space, or a chain of them, answers: lists, recall and single memories, each with where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from app.context import Context
from app.errors import NotFound
from app.models import Memory, State
from app.services import apps, filters, listings, scopes, searches, sessions
from app.services.scopes import Scope
from app.services.searches import MAX_LIMIT, Query
from app.services.sessions import TurnView
from app.services.space_chains import Source
from app.services.spaces import Node, Space
from app.services.views import MemoryView, Window, fetch

NOT_FOUND = "not found"
SURE = 50  # confidence of the best hit with which a recall stops at a space of a chain
ALL = "all"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a space.

    Attributes:
        text: what to look for; None lists.
        fields: in mem0's grammar (`services.filters`).
        state: a state, or `all` for every state that can be shown.
        scans_all: whether a recall goes on behind a space that knows the answer.
    """

    window: Window
    text: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    state: str = State.active
    scans_all: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory of a space, and of which; score (0..1) and confidence (0..100) where it was looked for."""

    memory: MemoryView
    source: Source | None = None
    score: float | None = None
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A window of what there is, and how much there is. A recall counts to one past the window."""

    hits: list[Hit]
    total: int
    window: Window


def ask(ctx: Context, space: Space, asked: Asked) -> Page:
    """A list, newest change first, or with a text what answers it best; logged as shown to the agent's app.

    Raises:
        Invalid: a text or a filter that makes no sense.
    """
    if not _states(ctx, asked.state):
        return Page([], 0, asked.window)
    # The index holds what is active alone, so what has another state is listed.
    is_recall = asked.text is not None and asked.state == State.active
    return _recalled(ctx, space, asked) if is_recall else _listed(ctx, space, asked)


def _states(ctx: Context, named: str) -> tuple[State, ...]:
    """The states that may be listed by that name: a key that is bound to an app sees what is active."""
    shown = (State.active,) if ctx.caller.app else scopes.GOVERNED
    return shown if named == ALL else tuple(state for state in shown if state == named)


def _recalled(ctx: Context, space: Space, asked: Asked) -> Page:
    """The spaces one after another, each with its best first, until one of them is sure."""
    window, hits, total = asked.window, list[Hit](), 0
    if window.offset + window.limit > MAX_LIMIT:
        return Page([], window.offset, window)
    for own, node in space.each(ctx):
        left = max(0, window.offset - total)
        wanted = max(1, window.limit - len(hits))
        query = Query(asked.text or "", wanted, filters=asked.fields, offset=left, looks_ahead=True)
        found = searches.search(own, query, user_id=own.caller.name, app=space.app(own.caller))
        if len(hits) < window.limit:
            hits += [Hit(one.memory, node.source, one.score, one.confidence) for one in found.hits]
        total += found.total
        is_sure = any(one.confidence >= SURE for one in found.hits) or left > 0
        if len(hits) >= window.limit or (is_sure and not asked.scans_all):
            break
    return Page(hits, total, window)


def _listed(ctx: Context, space: Space, asked: Asked) -> Page:
    window, hits, total = asked.window, list[Hit](), 0
    for own, node in space.each(ctx):
        left = Window(window.limit - len(hits), max(0, window.offset - total))
        found, count = _list_of(own, space.app(own.caller), asked, left)
        hits += [Hit(view, node.source) for view in found]
        total += count
    return Page(hits, total, window)


def _list_of(ctx: Context, app: str, asked: Asked, window: Window) -> tuple[list[MemoryView], int]:
    """A window of what one space holds, and how much that is. Four statements at most, whatever it holds."""
    states = _states(ctx, asked.state)
    narrowing = [clause.condition for clause in filters.clauses(_all_fields(asked))]
    scope = scopes.resolve(ctx, ctx.caller.name, app)
    if scope.reader and not scope.reader.is_active:
        return [], 0
    seen = [*scopes.living(scope.owner_id, states), *scopes.allowed(scope.reader), *narrowing]
    newest = select(Memory.id).where(*seen).order_by(Memory.updated_at.desc(), Memory.id.desc())
    ids = ctx.session.scalars(newest.limit(window.limit).offset(window.offset)).all() if window.limit else []
    apps.log_reads(ctx, scope.reader, ids, "list")
    return fetch(ctx, ids), _total(ctx, scope, states, seen, bool(narrowing), window, len(ids))


def _all_fields(asked: Asked) -> dict[str, Any]:
    """The filters; a text in a list of what is not active is a word that it says."""
    said = {} if asked.text is None else {"content": {"icontains": asked.text}}
    return {**asked.fields, **said}


def _total(
    ctx: Context,
    scope: Scope,
    states: Sequence[State],
    seen: Sequence[ColumnElement[bool]],
    is_narrowed: bool,
    window: Window,
    found: int,
) -> int:
    if 0 < found < window.limit or (found == 0 and window.offset == 0 and window.limit):
        return window.offset + found  # the last page knows
    if not is_narrowed and not (scope.reader and scope.reader.has_rules):
        return listings.tallied(ctx, scope.owner_id, states)
    return ctx.session.scalar(select(func.count()).select_from(Memory).where(*seen)) or 0


def get(ctx: Context, space: Space, memory_id: UUID | None) -> Hit:
    """One active memory, of the first space that shows it; logged as shown to the agent's app.

    Raises:
        NotFound: none of them does.
    """
    own, node, scope = find(ctx, space, memory_id)
    apps.log_reads(own, scope.reader, [memory_id] if memory_id else [], "get")
    return Hit(fetch(own, [memory_id] if memory_id else [])[0], node.source)


def find(ctx: Context, space: Space, memory_id: UUID | None) -> tuple[Context, Node, Scope]:
    """The first space that shows an active memory of that id, and as what it does.

    Raises:
        NotFound: none of them does.
    """
    for own, node in space.each(ctx) if memory_id else ():
        scope = scopes.resolve(own, own.caller.name, space.app(own.caller))
        seen = select(Memory.id).where(Memory.id == memory_id, *scopes.visible(scope))
        if own.session.scalar(seen) is not None:
            return own, node, scope
    raise NotFound(NOT_FOUND)


def turns(ctx: Context, space: Space, run_ids: Sequence[str], each: int) -> list[tuple[TurnView, Source | None]]:
    """The raw turns of sessions, at most `each` of a session and a space; logged as shown to the agent's app."""
    found = [
        (turn, node.source)
        for own, node in space.each(ctx)
        for turn in sessions.listing(own, run_ids, each, space.app(own.caller))
    ]
    return sorted(found, key=lambda one: one[0].run_id or "") if len(space.nodes) > 1 else found
