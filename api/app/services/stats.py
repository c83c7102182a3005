"""The figures of a user's profile."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from app.context import Context
from app.errors import Forbidden
from app.models import Category, MemoryTally, State, memory_categories
from app.services import accesses, apps, days, listings, scopes
from app.services.apps import AppView
from app.services.days import Day
from app.services.views import Window

ALL_APPS = Window(limit=10_000)
TOP_CATEGORIES = 12


@dataclass(frozen=True, slots=True)
class Stats:
    """Memories that are not deleted, and the apps."""

    total_memories: int
    total_apps: int
    apps: list[AppView]


def get(ctx: Context, user_id: str | None) -> Stats:
    """The figures of the scope's owner (of everybody for an admin who names none)."""
    scope = scopes.resolve(ctx, user_id)
    listing = apps.of_scope(ctx, scope, ALL_APPS)
    memories = listings.tallied(ctx, scope.owner_id, scopes.GOVERNED)
    return Stats(memories, listing.total, listing.items)


@dataclass(frozen=True, slots=True)
class Overview:
    """How many memories there are by state and by category (most first), and what each day brought."""

    states: dict[str, int]
    categories: list[tuple[str, int]]
    days: list[Day]


def overview(ctx: Context, user_id: str | None, last: int) -> Overview:
    """The figures of the scope's owner (of everybody for an admin who names none); the `last` days up to today.

    Six statements, four more when reads wait to be spread.

    Raises:
        Forbidden: the key is bound to an app, which is not shown what others made.
        NotFound: no such user, or one that the caller may not see.
    """
    if ctx.caller.app:
        raise Forbidden("A key that is bound to an app may not see everybody's figures")
    accesses.spread(ctx.runtime)
    owner = scopes.resolve(ctx, user_id).owner_id
    return Overview(_states(ctx, owner), _categories(ctx, owner), days.of_owner(ctx, owner, last))


def _states(ctx: Context, owner: UUID | None) -> dict[str, int]:
    query = select(MemoryTally.state, func.sum(MemoryTally.count)).group_by(MemoryTally.state)
    if owner is not None:
        query = query.where(MemoryTally.user_id == owner)
    found = {str(state): int(count) for state, count in ctx.rows(query)}
    return {state.value: found.get(state.value, 0) for state in State}


def _categories(ctx: Context, owner: UUID | None) -> list[tuple[str, int]]:
    # By category alone the counts come out of one index, however many memories there are; so those that are deleted
    # and not purged yet count, too.
    link = memory_categories.c
    counts = select(link.category_id, func.count().label("count")).group_by(link.category_id)
    if owner is not None:
        counts = counts.where(link.category_id.in_(select(Category.id).where(Category.user_id == owner)))
    by_id = counts.subquery()
    total = func.sum(by_id.c.count)
    query = select(Category.name, total).join(by_id, by_id.c.category_id == Category.id).group_by(Category.name)
    rows = ctx.rows(query.order_by(total.desc(), Category.name).limit(TOP_CATEGORIES))
    return [(str(name), int(count)) for name, count in rows]
