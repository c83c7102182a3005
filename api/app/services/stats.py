"""The figures of a user's profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from app.context import Context
from app.database import now
from app.errors import Forbidden
from app.models import Category, Memory, MemoryTally, State, memory_categories
from app.services import apps, listings, scopes
from app.services.apps import AppView
from app.services.views import Window

ALL_APPS = Window(limit=10_000)
TOP_CATEGORIES = 12
MAX_DAYS = 366


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
class Day:
    """How many memories were made on a day, UTC; deleted ones are not counted."""

    date: date
    created: int


@dataclass(frozen=True, slots=True)
class Overview:
    """How many memories there are by state and by category (most first), and how many of them each day brought."""

    states: dict[str, int]
    categories: list[tuple[str, int]]
    days: list[Day]


def overview(ctx: Context, user_id: str | None, days: int) -> Overview:
    """The figures of the scope's owner (of everybody for an admin who names none); `days` up to today. Four statements.

    Raises:
        Forbidden: the key is bound to an app, which is not shown what others made.
        NotFound: no such user, or one that the caller may not see.
    """
    if ctx.caller.app:
        raise Forbidden("A key that is bound to an app may not see everybody's figures")
    owner = scopes.resolve(ctx, user_id).owner_id
    return Overview(_states(ctx, owner), _categories(ctx, owner), _days(ctx, owner, days))


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


def _days(ctx: Context, owner: UUID | None, days: int) -> list[Day]:
    today = now().date()
    first = today - timedelta(days=days - 1)
    day = _day(ctx)
    query = select(day, func.count()).where(*_since(owner, first)).group_by(day)
    found = {str(when): int(count) for when, count in ctx.rows(query)}
    wanted = [first + timedelta(days=n) for n in range(days)]
    return [Day(when, found.get(when.isoformat(), 0)) for when in wanted]


def _since(owner: UUID | None, first: date) -> Sequence[ColumnElement[bool]]:
    start = datetime(first.year, first.month, first.day, tzinfo=now().tzinfo)
    conditions: list[ColumnElement[bool]] = [Memory.created_at >= start, Memory.state != State.deleted]
    return conditions if owner is None else [Memory.user_id == owner, *conditions]


def _day(ctx: Context) -> ColumnElement[Any]:
    # Both databases keep UTC; PostgreSQL would take the day of the connection's zone.
    if ctx.runtime.database.is_sqlite:
        return func.date(Memory.created_at)
    return func.date(func.timezone("UTC", Memory.created_at))
