"""Lists of memories: what a filter selects, in which order, how many there are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, desc, func, select

from app.context import Context
from app.errors import Invalid, NotFound
from app.models import App, Category, Memory, MemoryTally, State, memory_categories
from app.services import apps, pages, scopes, tags
from app.services.scopes import Scope
from app.services.views import Listing, MemoryView, Window, counted, fetch

SortColumn = Literal["memory", "categories", "app_name", "created_at", "updated_at"]
Direction = Literal["asc", "desc"]
RELATED = 5
MOST_IDS = 10_000

_FIRST_CATEGORY = (
    select(func.min(Category.name))
    .join(memory_categories, memory_categories.c.category_id == Category.id)
    .where(memory_categories.c.memory_id == Memory.id)
    .correlate(Memory)
    .scalar_subquery()
)
_APP_NAME = select(App.name).where(App.id == Memory.app_id).correlate(Memory).scalar_subquery()
SORTS: dict[str, ColumnElement[Any]] = {
    "memory": Memory.content.expression,
    "categories": _FIRST_CATEGORY,
    "app_name": _APP_NAME,
    "created_at": Memory.created_at.expression,
    "updated_at": Memory.updated_at.expression,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to; None and empty mean no narrowing."""

    app_ids: Sequence[UUID] = ()
    category_ids: Sequence[UUID] = ()
    category_names: Sequence[str] = ()
    tags: Sequence[str] = ()
    from_date: datetime | None = None
    to_date: datetime | None = None
    text: str | None = None
    states: Sequence[State] = ()
    memory_types: Sequence[str] = ()
    agent_id: str | None = None
    run_id: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it selects everything."""
        return self.is_counted and not self.app_ids

    @property
    def is_counted(self) -> bool:
        """Whether the tallies know how many it selects."""
        places = self.memory_types or self.agent_id or self.run_id or self.tags
        return not (self.category_ids or self.category_names or self.from_date or self.to_date or self.text or places)

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL.

        Raises:
            Invalid: the dates are reversed.
        """
        if self.from_date and self.to_date and self.from_date > self.to_date:
            raise Invalid("from_date is after to_date")
        found: list[ColumnElement[bool]] = []
        if self.app_ids:
            found.append(Memory.app_id.in_(self.app_ids))
        if self.from_date:
            found.append(Memory.created_at >= self.from_date)
        if self.to_date:
            found.append(Memory.created_at <= self.to_date)
        if self.category_ids:
            found.append(Memory.id.in_(_in_categories(Category.id.in_(self.category_ids))))
        if self.category_names:
            found.append(Memory.id.in_(_in_categories(Category.name.in_(self.category_names))))
        if self.tags:
            found.append(tags.having(self.tags))
        if self.memory_types:
            found.append(Memory.memory_type.in_(self.memory_types))
        if self.agent_id:
            found.append(Memory.agent_id == self.agent_id)
        if self.run_id:
            found.append(Memory.run_id == self.run_id)
        if self.text:
            found.append(Memory.content.icontains(self.text, autoescape=True))
        return found


def _in_categories(condition: ColumnElement[bool]) -> Select[UUID]:
    link = memory_categories.c
    return select(link.memory_id).join(Category, Category.id == link.category_id).where(condition)


def shown(
    ctx: Context,
    window: Window,
    *,
    user_id: str | None = None,
    app: str | None = None,
    narrowed: Filter | None = None,
    sort_by: SortColumn = "created_at",
    direction: Direction = "desc",
) -> Listing[MemoryView]:
    """What the reading app may see, and logged as shown to it."""
    scope = scopes.resolve(ctx, user_id, app)
    narrowed = narrowed or Filter()
    page = _page(ctx, scope, lambda: scopes.visible(scope), (State.active,), narrowed, window, sort_by, direction)
    apps.log_reads(ctx, scope.reader, [view.id for view in page.items], "list")
    return page


def governed(
    ctx: Context,
    window: Window,
    *,
    user_id: str | None = None,
    narrowed: Filter | None = None,
    show_archived: bool = False,
    sort_by: SortColumn = "created_at",
    direction: Direction = "desc",
) -> Listing[MemoryView]:
    """What the person sees who governs the memories: paused ones, and archived ones on request; or just some states."""
    scope = scopes.resolve(ctx, user_id)
    narrowed = narrowed or Filter()
    states = _states(ctx, narrowed, show_archived)
    if not states:
        return Listing([], 0)

    def conditions() -> list[ColumnElement[bool]]:
        return [*scopes.governed(ctx, scope), scopes.in_states(scope.owner_id, states)]

    page = _page(ctx, scope, conditions, states, narrowed, window, sort_by, direction)
    if ctx.caller.app:
        apps.log_reads(ctx, scope.reader, [view.id for view in page.items], "list")
    return page


def _states(ctx: Context, narrowed: Filter, show_archived: bool) -> Sequence[State]:
    usual: Sequence[State] = scopes.GOVERNED if show_archived else (State.active, State.paused)
    states = narrowed.states or usual
    return [state for state in states if state == State.active] if ctx.caller.app else states


def all_ids(
    ctx: Context, *, user_id: str | None = None, narrowed: Filter | None = None, show_archived: bool = False
) -> Listing[UUID]:
    """The ids of what `governed` lists, newest first: the first 10,000, and how many there are. Three statements.

    What is to be changed is chosen so, and then changed by its ids: not what matches by the time that it happens.

    Raises:
        as `governed`.
    """
    scope = scopes.resolve(ctx, user_id)
    narrowed = narrowed or Filter()
    states = _states(ctx, narrowed, show_archived)
    if not states:
        return Listing([], 0)
    seen = [*scopes.governed(ctx, scope), scopes.in_states(scope.owner_id, states), *narrowed.conditions()]
    query = select(Memory.id).where(*seen).order_by(Memory.created_at.desc(), Memory.id.desc())
    ids = list(ctx.session.scalars(query.limit(MOST_IDS)))
    return Listing(ids, _total(ctx, scope, seen, states, narrowed, Window(MOST_IDS), len(ids)))


def _page(
    ctx: Context,
    scope: Scope,
    seen: Callable[[], list[ColumnElement[bool]]],
    states: Sequence[State],
    narrowed: Filter,
    window: Window,
    sort_by: str,
    direction: str,
) -> Listing[MemoryView]:
    narrowing = narrowed.conditions()
    if scope.reader and not scope.reader.is_active and (ctx.caller.app or State.paused not in states):
        return Listing([], 0)
    ruled = scope.reader is not None and scope.reader.has_rules
    if scope.owner_id and narrowed.is_open and sort_by == "created_at" and not ruled:
        whole = pages.whole(ctx, scope.owner_id, states, window, direction == "desc")
        if whole is not None:
            return whole
    conditions = [*seen(), *narrowing]  # made only now: the list that everybody asks for needs none
    column = SORTS[sort_by]
    down = direction == "desc"
    order = (desc(column).nulls_last() if sort_by == "categories" else desc(column)) if down else column
    query = select(Memory.id).where(*conditions).order_by(order, desc(Memory.id) if down else Memory.id)
    ids = ctx.session.scalars(query.limit(window.limit).offset(window.offset)).all()
    total = _total(ctx, scope, conditions, states, narrowed, window, len(ids))
    return Listing(fetch(ctx, ids), total)


def _total(
    ctx: Context,
    scope: Scope,
    conditions: list[ColumnElement[bool]],
    states: Sequence[State],
    narrowed: Filter,
    window: Window,
    found: int,
) -> int:
    if 0 < found < window.limit or (found == 0 and window.offset == 0):
        return window.offset + found  # the last page knows
    ruled = scope.reader is not None and scope.reader.has_rules
    if narrowed.is_counted and not ruled:
        return tallied(ctx, scope.owner_id, states, narrowed.app_ids)
    return ctx.session.scalar(select(func.count()).select_from(Memory).where(*conditions)) or 0


def tallied(ctx: Context, owner_id: UUID | None, states: Sequence[State], app_ids: Sequence[UUID] = ()) -> int:
    """How many unexpired memories there are, without counting them: the tallies less the few that have expired."""
    late = _late(owner_id)
    where: list[ColumnElement[bool]] = [MemoryTally.state.in_(states)]
    gone: list[ColumnElement[bool]] = [late.c.state.in_(states)]
    if owner_id is not None:
        where.append(MemoryTally.user_id == owner_id)
    if app_ids:
        where.append(MemoryTally.app_id.in_(app_ids))
        gone.append(late.c.app_id.in_(app_ids))
    counted = select(func.coalesce(func.sum(MemoryTally.count), 0)).where(*where).scalar_subquery()
    expired = select(func.count()).select_from(late).where(*gone).scalar_subquery()
    return ctx.session.scalar(select(counted - expired)) or 0


def _late(owner_id: UUID | None) -> CTE:
    # Materialized, or SQLite would look for the state first, which nearly every row has: 40 ms of 100,000 rows.
    query = select(Memory.state, Memory.app_id).where(scopes.is_expired(Memory, owner_id))
    return query.cte("late").prefix_with("MATERIALIZED")


def related(ctx: Context, memory_id: UUID, user_id: str | None, page: int) -> Listing[MemoryView]:
    """Memories of the same owner that share categories with this one, most shared first, five a page.

    Raises:
        NotFound: no such memory, or one that the caller may not see.
    """
    scope = scopes.resolve(ctx, user_id)
    conditions = scopes.governed(ctx, scope)
    owner = ctx.session.scalar(select(Memory.user_id).where(Memory.id == memory_id, *conditions))
    if owner is None:
        raise NotFound("Memory not found")
    link = memory_categories.c
    mine = select(link.category_id).where(link.memory_id == memory_id)
    shared = (
        select(Memory.id)
        .join(memory_categories, link.memory_id == Memory.id)
        .where(link.category_id.in_(mine), Memory.id != memory_id, Memory.user_id == owner, *conditions)
        .group_by(Memory.id)
    )
    most = shared.order_by(func.count().desc(), Memory.created_at.desc(), Memory.id.desc())
    rows, total = counted(ctx, most, Window(RELATED, (page - 1) * RELATED))
    ids = [row.id for row in rows]
    if ctx.caller.app:
        apps.log_reads(ctx, scope.reader, ids, "related")
    return Listing(fetch(ctx, ids), total)
