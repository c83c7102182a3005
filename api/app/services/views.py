"""A memory as the doors show it, and pages of them: the ids first, then the rows of just those ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, select

from app.context import Context
from app.database import asked_last
from app.models import App, Category, Memory, User, memory_categories
from app.prepared import Prepared

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of a list: at most `limit` items after `offset`."""

    limit: int
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Listing(Generic[Item]):
    """A window's items, and how many there are in all."""

    items: list[Item]
    total: int


@dataclass(slots=True)
class MemoryView:
    """One memory with its owner's and its app's names and its categories' names. Times are aware, in UTC.

    `provenance` only where one memory is read by itself.
    """

    id: UUID
    user_id: str
    app_id: UUID
    app_name: str
    content: str
    state: str
    metadata: dict[str, Any]
    agent_id: str | None
    run_id: str | None
    author: str | None
    memory_type: str
    tags: list[str]
    priority: str | None
    source: str | None
    version: int
    occurred_at: datetime | None
    expires_at: datetime | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    deleted_at: datetime | None
    updated_by: str | None = None
    categories: list[str] = field(default_factory=list)
    provenance: dict[str, Any] | None = None


COLUMNS = (
    Memory.id,
    User.user_id,
    Memory.app_id,
    App.name,
    Memory.content,
    Memory.state,
    Memory.metadata_,
    Memory.agent_id,
    Memory.run_id,
    Memory.author,
    Memory.memory_type,
    Memory.tags,
    Memory.priority,
    Memory.source,
    Memory.version,
    Memory.occurred_at,
    Memory.expires_at,
    Memory.created_at,
    Memory.updated_at,
    Memory.archived_at,
    Memory.deleted_at,
    Memory.updated_by,
)

SEPARATOR = "\x1f"  # no name holds it: it is a control character
CATEGORIES = (
    select(func.aggregate_strings(Category.name, SEPARATOR))
    .join(memory_categories, memory_categories.c.category_id == Category.id)
    .where(memory_categories.c.memory_id == Memory.id)
    .correlate(Memory)
    .scalar_subquery()
)
VIEW: Select[*tuple[Any, ...]] = (
    select(*COLUMNS, CATEGORIES)
    .select_from(Memory)
    .join(App, App.id == Memory.app_id)
    .join(User, User.id == Memory.user_id)
)
OF_THESE = VIEW.where(Memory.id.in_(bindparam("ids", expanding=True)))  # made once: that costs more than running it
FETCHED = Prepared(OF_THESE)


def fetch(ctx: Context, ids: Sequence[UUID], *conditions: ColumnElement[bool]) -> list[MemoryView]:
    """The memories `ids` in that order, without those that fail `conditions`. One statement."""
    return pick(ctx, narrowed(*conditions) if conditions else FETCHED, ids, {})


def narrowed(*conditions: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """`OF_THESE` as far as they fulfil all the conditions."""
    return OF_THESE.where(asked_last(*conditions))


def pick(
    ctx: Context,
    statement: Select[*tuple[Any, ...]] | Prepared,
    ids: Sequence[UUID],
    values: Mapping[str, Any],
    *,
    alone: bool = False,
) -> list[MemoryView]:
    """The memories `ids` in that order, as far as an `OF_THESE` that was narrowed has them.

    Args:
        alone: as in `Context.asked`, for a statement that was prepared.
    """
    if not ids:
        return []
    rows = _rows(ctx, statement, {"ids": ids, **values}, alone=alone)
    views = {view.id: view for view in map(_view, rows)}
    return [views[id] for id in dict.fromkeys(ids) if id in views]


def _rows(
    ctx: Context, statement: Select[*tuple[Any, ...]] | Prepared, values: Mapping[str, Any], *, alone: bool
) -> Sequence[Sequence[Any]]:
    if isinstance(statement, Prepared):
        return ctx.asked(statement, values, alone=alone)
    return ctx.rows(statement, values)


def read(ctx: Context, statement: Select[*tuple[Any, ...]], values: Mapping[str, Any]) -> list[MemoryView]:
    """The memories of a `VIEW` that has been narrowed, in its order."""
    return [_view(row) for row in ctx.rows(statement, values)]


def read_beside(ctx: Context, statement: Select[*tuple[Any, ...]], beside: int) -> list[tuple[Any, ...]]:
    """As `read`, for a `VIEW` to which `beside` columns were added: the memories, each with those values."""
    rows = [tuple(row) for row in ctx.rows(statement)]
    return [(_view(row[:-beside]), *row[-beside:]) for row in rows]


def _view(row: Sequence[Any]) -> MemoryView:
    *columns, names = row
    values = (*columns, sorted(names.split(SEPARATOR)) if names else [])
    return MemoryView(*values)


def counted(
    ctx: Context, query: Select[*tuple[Any, ...]], window: Window
) -> tuple[Sequence[Row[*tuple[Any, ...]]], int]:
    """A window of the rows of `query`, and how many there are in all. One statement, two beyond the last page.

    The window makes the database walk all the rows, so this is for lists that are short or have to be walked anyway.
    """
    rows = ctx.session.execute(query.add_columns(func.count().over()).limit(window.limit).offset(window.offset)).all()
    if rows:
        return rows, rows[0][-1]
    if not window.offset:
        return [], 0
    return [], ctx.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
