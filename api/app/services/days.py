"""What each day brought: memories made, changes of memories, reads. Days are UTC's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from app.context import Context
from app.database import now
from app.errors import Forbidden
from app.models import AppDay, Memory, State
from app.services import accesses, apps

MOST = 366


@dataclass(frozen=True, slots=True)
class Day:
    """A day, UTC.

    Attributes:
        created: memories made then that are not deleted.
        written: changes, of memories that are deleted now, too: made, changed, moved to another state, labelled.
        reads: requests that showed memories to an app.
        shown: memories that they showed, each as often as it was shown.
    """

    date: date
    created: int
    written: int
    reads: int
    shown: int


def of_owner(ctx: Context, owner: UUID | None, days: int) -> list[Day]:
    """The days of an owner (None: everybody's) up to today, with reads as they were spread last. Two statements."""
    made: list[ColumnElement[bool]] = [] if owner is None else [Memory.user_id == owner]
    kept: list[ColumnElement[bool]] = [] if owner is None else [AppDay.user_id == owner]
    return _days(ctx, made, kept, days)


def of_app(ctx: Context, app_id: UUID, days: int) -> list[Day]:
    """The days of one app: what it wrote, and what it read, the last read included.

    Raises:
        Forbidden: the key is bound to an app, which is not shown what others made.
        NotFound: no such app, or somebody else's.
    """
    if ctx.caller.app:
        raise Forbidden("A key that is bound to an app may not see figures over time")
    app = apps.get(ctx, app_id)
    made = [Memory.app_id == app.id, Memory.user_id == app.owner_id]
    return _days(ctx, made, [AppDay.app_id == app.id], days)


def _days(
    ctx: Context, made: Sequence[ColumnElement[bool]], kept: Sequence[ColumnElement[bool]], days: int
) -> list[Day]:
    today = now().date()
    first = today - timedelta(days=days - 1)
    created = _created(ctx, made, first)
    sums = _sums(ctx, kept, first)
    wanted = [first + timedelta(days=n) for n in range(days)]
    return [Day(day, created.get(day.isoformat(), 0), *sums.get(day, (0, 0, 0))) for day in wanted]


def _created(ctx: Context, conditions: Sequence[ColumnElement[bool]], first: date) -> dict[str, int]:
    start = datetime(first.year, first.month, first.day, tzinfo=now().tzinfo)
    day = accesses.day_of(Memory.created_at.expression, ctx.runtime.database.is_sqlite)
    those = [*conditions, Memory.created_at >= start, Memory.state != State.deleted]
    return {str(when): int(count) for when, count in ctx.rows(select(day, func.count()).where(*those).group_by(day))}


def _sums(ctx: Context, conditions: Sequence[ColumnElement[bool]], first: date) -> dict[date, tuple[int, int, int]]:
    sums = (func.sum(column) for column in (AppDay.writes, AppDay.reads, AppDay.shown))
    query: Any = select(AppDay.day, *sums).where(*conditions, AppDay.day >= first).group_by(AppDay.day)
    return {day: (int(writes), int(reads), int(shown)) for day, writes, reads, shown in ctx.rows(query)}
