"""What the review found and nobody has decided yet, or what was decided: lists and counts.

A finding is about what its memories said. It is shown as open only while they are active and say just that still, which
the query asks; so whatever changes, deletes or hides a memory needs to know nothing of findings.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, TextClause, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from app.context import Context
from app.engine import secret_shapes
from app.errors import Forbidden
from app.models import UNEXAMINED, Event, Finding, Memory, MemoryTally, State, User
from app.services import apps, configs, diffs, receipts, scopes
from app.services.diffs import Budget, Step
from app.services.scopes import NOW, Scope
from app.services.views import Listing, MemoryView, Window, fetch

KINDS = ("duplicate", "contradiction", "secret")
SECRET = KINDS[2]
_ONE, _OTHER = aliased(Memory), aliased(Memory)
_RESOLVER = aliased(User)
COLUMNS = (
    *(Finding.id, User.user_id, Finding.kind, Finding.memory_id, Finding.other_id, Finding.score, Finding.detail),
    *(Finding.created_at, Finding.resolved_at, Finding.resolution, Finding.event_id),
)


@dataclass(slots=True)
class Found:
    """One finding with its memories; None for one that is deleted. A secret's memory is shown masked.

    `changes` lead from the first memory's text to the other's.
    """

    id: UUID
    user_id: str
    kind: str
    memory_id: UUID
    other_id: UUID | None
    score: float | None
    detail: dict[str, Any]
    created_at: datetime
    resolved_at: datetime | None
    resolution: str | None
    event_id: UUID | None
    resolved_by: str | None
    memory: MemoryView | None = None
    other: MemoryView | None = None
    changes: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Counts:
    """What waits for a decision, by kind and of failed receipts; and how far the review is, in active memories.

    `asks_llm`: whether a model is asked about contradictions; without one only plain ones are found.
    """

    open: dict[str, int]
    failed: int
    examined: int
    memories: int
    asks_llm: bool


def refuse_apps(ctx: Context) -> None:
    """Pass unless the key is bound to an app: what an agent wrote is not the agent's to review.

    Raises:
        Forbidden: it is.
    """
    if ctx.caller.app is not None:
        raise Forbidden("A key that is bound to an app may not review")


def of_owner(scope: Scope) -> list[ColumnElement[bool]]:
    """Whose findings are meant."""
    return [] if scope.owner_id is None else [Finding.user_id == scope.owner_id]


def open_ones(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Those that are open: unresolved, and what they were found in is active and says it still."""
    return (
        select(*columns)
        .select_from(Finding)
        .join(_ONE, _ONE.id == Finding.memory_id)
        .outerjoin(_OTHER, _OTHER.id == Finding.other_id)
        .where(Finding.resolved_at.is_(None), *_is_so(_ONE, Finding.memory_hash))
        .where(or_(Finding.other_id.is_(None), and_(*_is_so(_OTHER, Finding.other_hash))))
    )


def _is_so(memory: type[Memory], said: Any) -> list[ColumnElement[bool]]:
    unexpired = or_(memory.expires_at.is_(None), memory.expires_at > NOW)
    return [memory.state == State.active, memory.content_hash == said, unexpired]


def listing(
    ctx: Context, window: Window, user_id: str | None = None, *, kind: str | None = None, is_resolved: bool = False
) -> Listing[Found]:
    """Findings of the scope's owner (of everybody for an admin who names none), newest first. Four statements.

    Raises:
        Forbidden: the key is bound to an app.
    """
    refuse_apps(ctx)
    scope = scopes.resolve(ctx, user_id)
    narrowed = of_owner(scope) + ([Finding.kind == kind] if kind else [])
    which = _resolved if is_resolved else open_ones
    newest = Finding.resolved_at if is_resolved else Finding.created_at
    query = which(*COLUMNS, _RESOLVER.user_id).join(User, User.id == Finding.user_id)
    query = query.outerjoin(_RESOLVER, _RESOLVER.id == Finding.resolved_by).where(*narrowed)
    rows = ctx.rows(query.order_by(newest.desc(), Finding.id.desc()).limit(window.limit).offset(window.offset))
    total = ctx.session.scalar(which(func.count()).where(*narrowed)) or 0
    items = [Found(*row) for row in rows]
    _add_memories(ctx, scope, items)
    return Listing(items, total)


def _resolved(*columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns).select_from(Finding).where(Finding.resolved_at.is_not(None))


def _add_memories(ctx: Context, scope: Scope, items: Sequence[Found]) -> None:
    ids = dict.fromkeys(id for item in items for id in (item.memory_id, item.other_id) if id)
    views = {view.id: view for view in fetch(ctx, list(ids), *scopes.governed(ctx, scope))}
    budget = Budget()
    for item in items:
        item.memory = views.get(item.memory_id)
        item.other = views.get(item.other_id) if item.other_id else None
        if not item.memory or (item.other_id and not item.other):
            item.detail = {}  # a model's reason may quote what is deleted
        elif item.kind == SECRET:
            hidden = secret_shapes.find(item.memory.content)
            item.memory.content = secret_shapes.masked(item.memory.content, hidden)
        elif item.other:
            item.changes = diffs.words(item.memory.content, item.other.content, budget)
    apps.log_reads(ctx, scope.reader, list(views), "review")


def asks_llm(source: Session | Context) -> bool:
    """Whether a configured model may be asked about what reads alike. One statement."""
    return bool(configs.current(source)["openmemory"]["review_with_llm"])


def counts(ctx: Context, user_id: str | None = None) -> Counts:
    """What waits, and how far the review is. Three statements, with an LLM four.

    Raises:
        Forbidden: the key is bound to an app.
    """
    refuse_apps(ctx)
    scope = scopes.resolve(ctx, user_id)
    found = dict(ctx.rows(open_ones(Finding.kind, func.count()).where(*of_owner(scope)).group_by(Finding.kind)))
    failed, memories, waiting = ctx.rows(select(*_figures(ctx, scope)))[0]
    return Counts(
        {kind: found.get(kind, 0) for kind in KINDS},
        failed=int(failed),
        examined=max(0, int(memories) - int(waiting)),
        memories=int(memories),
        asks_llm=ctx.engine.in_use.llm is not None and asks_llm(ctx),
    )


def _figures(ctx: Context, scope: Scope) -> list[ScalarSelect[Any]]:
    """Failed receipts, active memories, and those of them that are not examined yet."""
    owner = scope.owner_id
    failed = select(func.count()).where(Event.status == receipts.FAILED, Event.dismissed_at.is_(None))
    active = select(func.coalesce(func.sum(MemoryTally.count), 0)).where(MemoryTally.state == State.active)
    waiting = select(func.count()).select_from(Memory).where(unexamined(is_sqlite=ctx.runtime.database.is_sqlite))
    if owner is not None:
        failed = failed.where(Event.user_id == owner)
        active = active.where(MemoryTally.user_id == owner)
        waiting = waiting.where(Memory.user_id == owner)
    return [failed.scalar_subquery(), active.scalar_subquery(), waiting.scalar_subquery()]


def unexamined(*, is_sqlite: bool) -> TextClause:
    """Whether a memory is active and the review has not looked at this version of it: as the partial index has it."""
    return text(UNEXAMINED.format(differs="IS NOT" if is_sqlite else "IS DISTINCT FROM"))
