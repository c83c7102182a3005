"""Pages of all that an owner has, newest or oldest first: the list that everybody asks for, however deep.

A page starts so many rows from the end of an index. Where the tallies say that all those rows are shown, none has to be
looked at on the way there, not even to see whether it still is the owner's: 2 ms for 50,000 rows instead of 10 to 15.
And where a page began and ended is remembered as long as the owner's memories stay where they are, so that the pages
beside it, and the same page again, begin there: page 1,000 then costs what page 1 does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, select, tuple_, union_all

from app.bookmarks import BEGINNING, Bookmark
from app.context import Context
from app.models import Memory, MemoryTally, State
from app.services import scopes
from app.services.scopes import OWNER
from app.services.views import VIEW, Listing, MemoryView, Window, read

MARK: list[ColumnElement[Any]] = [
    bindparam("created_at", type_=Memory.created_at.type),
    bindparam("id", type_=Memory.id.type),
]
FAR = 200  # rows that are passed as fast as a mark is looked up

TALLIES = union_all(
    select(MemoryTally.state, func.sum(MemoryTally.count), func.sum(MemoryTally.changes))
    .where(MemoryTally.user_id == OWNER)
    .group_by(MemoryTally.state),
    select(literal(""), func.count(), literal(0)).select_from(Memory).where(scopes.is_expired(Memory, OWNER)),
)


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbours in an index: all that an owner has, or all of one state."""

    of_one_state: bool
    descending: bool


def whole(
    ctx: Context, owner_id: UUID, states: Sequence[State], window: Window, descending: bool
) -> Listing[MemoryView] | None:
    """A window of the owner's memories in `states` by creation; None when they do not lie side by side in an index.

    They do when all memories of the owner are in `states`, or those in `states` are all in the same one, and none has
    expired. Two statements.
    """
    tallies = ctx.rows(TALLIES, {"owner": owner_id})
    counts = {state: int(count) for state, count, _ in tallies if count}
    asked = [state for state in counts if state in states]
    if "" in counts or (len(asked) > 1 and len(asked) < len(counts)):
        return None
    total = sum(counts[state] for state in asked)
    if window.offset >= total:
        return Listing([], total)
    run = _Run(len(asked) < len(counts), descending)
    changes = sum(int(changed) for _, _, changed in tallies)
    return Listing(_window(ctx, run, owner_id, asked[0], window, changes), total)


def _window(ctx: Context, run: _Run, owner_id: UUID, state: str, window: Window, changes: int) -> list[MemoryView]:
    key = (owner_id, state if run.of_one_state else "", run.descending)
    mark = ctx.runtime.bookmarks.nearest(key, changes, window.offset) if window.offset >= FAR else BEGINNING
    values = {"owner": owner_id, "state": state, "limit": window.limit, "offset": window.offset - mark.position}
    if mark.values:
        values |= {"created_at": mark.values[0], "id": mark.values[1]}
    views = read(ctx, _statement(run, marked=bool(mark.values)), values)
    if views and window.offset >= FAR:
        ends = {window.offset: views[0], window.offset + len(views) - 1: views[-1]}
        found = [Bookmark(position, (view.created_at, view.id)) for position, view in ends.items()]
        ctx.runtime.bookmarks.put(key, changes, found)
    return views


@cache
def _statement(run: _Run, marked: bool) -> Select[*tuple[Any, ...]]:
    order: list[ColumnElement[Any]] = [Memory.created_at.expression, Memory.id.expression]
    start: list[ColumnElement[Any]] = [Memory.user_id.expression]
    values: list[ColumnElement[Any]] = [OWNER]
    if run.of_one_state:
        start.append(Memory.state.expression)
        values.append(bindparam("state"))
    passed = select(Memory.id, *start).order_by(*(_by(column, run) for column in [*start, *order]))
    # Not "equal": that would be asked of every row. Behind the last row others' follow; they are left out after.
    here, place = (start + order, values + MARK) if marked else (start, values)
    edge = tuple_(*here) <= tuple_(*place) if run.descending else tuple_(*here) >= tuple_(*place)
    page = passed.where(edge).limit(bindparam("limit")).offset(bindparam("offset")).subquery()
    own = select(page.c.id).where(*(column == value for column, value in zip(list(page.c)[1:], values, strict=True)))
    return VIEW.where(Memory.id.in_(own)).order_by(*(_by(column, run) for column in order))


def _by(column: ColumnElement[Any], run: _Run) -> ColumnElement[Any]:
    return column.desc() if run.descending else column.asc()
