"""A memory as the doors show it, and pages of them: the ids first, then the rows of just those ids."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select

from app.context import Context
from app.models import App, Category, Memory, User, memory_categories

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
    """One memory with its owner's and its app's names and its categories' names. Times are aware, in UTC."""

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
    categories: list[str] = field(default_factory=list)


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
)

VIEW: Select[*tuple[Any, ...]] = (
    select(*COLUMNS).select_from(Memory).join(App, App.id == Memory.app_id).join(User, User.id == Memory.user_id)
)


def fetch(ctx: Context, ids: Sequence[UUID], *conditions: ColumnElement[bool]) -> list[MemoryView]:
    """The memories `ids` in that order, without those that fail `conditions`. Two statements."""
    if not ids:
        return []
    rows = ctx.session.execute(VIEW.where(Memory.id.in_(ids), *conditions)).all()
    place = {id: position for position, id in enumerate(ids)}
    views = sorted((MemoryView(*row) for row in rows), key=lambda view: place[view.id])
    return with_categories(ctx, views)


def with_categories(ctx: Context, views: list[MemoryView]) -> list[MemoryView]:
    """The same views, their categories filled in by one statement."""
    if not views:
        return views
    names: defaultdict[UUID, list[str]] = defaultdict(list)
    rows = ctx.session.execute(
        select(memory_categories.c.memory_id, Category.name)
        .join(Category, Category.id == memory_categories.c.category_id)
        .where(memory_categories.c.memory_id.in_([view.id for view in views]))
        .order_by(Category.name)
    )
    for id, name in rows:
        names[id].append(name)
    for view in views:
        view.categories = names[view.id]
    return views
