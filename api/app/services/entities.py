"""What mem0 calls entities: the users, agents, runs and apps of whom memories are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all

from app.context import Context
from app.errors import Invalid, NotFound
from app.models import App, Memory, User
from app.services import accounts, scopes, selections
from app.services.selections import Selection
from app.services.views import Listing, Window

Kind = Literal["user", "agent", "run", "app"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NAMES: dict[Kind, ColumnElement[Any]] = {
    "user": User.user_id.expression,
    "agent": Memory.agent_id.expression,
    "run": Memory.run_id.expression,
    "app": App.name.expression,
}
OF_MEM0: tuple[Kind, ...] = ("user", "agent", "run")
NO_ENTITY = "Entity not found"


@dataclass(frozen=True, slots=True)
class Entity:
    """A user, agent, run or app: how many memories there are of it, since when, and when one of them last changed."""

    kind: Kind
    name: str
    total: int
    created_at: datetime
    updated_at: datetime


def listing(
    ctx: Context, window: Window, *, app: str | None, kinds: Sequence[Kind] = OF_MEM0, name: str | None = None
) -> Listing[Entity]:
    """The entities of the caller's memories (an admin's: everybody's) that are visible to `app`, last changed first.

    Agents, runs and apps that are called alike are one, whosever memories they have. Three statements at most.

    Args:
        name: only what is called so.
    """
    scope = scopes.resolve(ctx, None, app)
    seen = scopes.visible(scope)
    parts = union_all(*(_of_kind(kind, seen, name) for kind in kinds)).subquery()
    query = select(parts, func.count().over().label("all"))
    newest = query.order_by(parts.c.updated_at.desc(), parts.c.kind, parts.c.name)
    rows = ctx.rows(newest.limit(window.limit).offset(window.offset))
    if rows:
        return Listing([Entity(*row[:-1]) for row in rows], rows[0][-1])
    return Listing([], _total(ctx, parts) if window.offset or not window.limit else 0)


def _of_kind(kind: Kind, seen: Sequence[ColumnElement[bool]], name: str | None) -> Select[*tuple[Any, ...]]:
    column = NAMES[kind]
    query = select(
        literal(kind).label("kind"),
        column.label("name"),
        func.count().label("total"),
        func.min(Memory.created_at).label("created_at"),
        func.max(Memory.updated_at).label("updated_at"),
    ).select_from(Memory)
    if kind == "user":
        query = query.join(User, User.id == Memory.user_id)
    if kind == "app":
        query = query.join(App, App.id == Memory.app_id)
    named = column.is_not(None) if name is None else column == name
    return query.where(*seen, named).group_by(column)


def _total(ctx: Context, parts: Any) -> int:
    return ctx.session.scalar(select(func.count()).select_from(parts)) or 0


def get(ctx: Context, kind: str, name: str, *, app: str | None) -> Entity:
    """One entity of the caller's memories (an admin's: everybody's).

    Raises:
        Invalid: there is no such kind.
        NotFound: no memory that the caller may see is of it.
    """
    found = listing(ctx, Window(1), app=app, kinds=[known(kind)], name=name)
    if not found.items:
        raise NotFound(NO_ENTITY)
    return found.items[0]


def known(kind: str) -> Kind:
    """The kind that is called so.

    Raises:
        Invalid: there is none.
    """
    for one in KINDS:
        if kind == one:
            return one
    raise Invalid(f"Unknown entity type {kind!r}; there are: {', '.join(KINDS)}")


def delete(ctx: Context, kind: str, name: str, *, app: str | None) -> int:
    """Delete all memories of an entity within the caller's reach (an admin's: everybody's); how many there were.

    As `selections.delete`: with versions and receipts, all or nothing. The user itself, and its keys, stay.

    Raises:
        Invalid: there is no such kind.
        Forbidden: the app of the key is paused.
    """
    kind = known(kind)
    if kind == "user":
        selection = selections.chosen(ctx, {"user_id": name})
    else:
        field = "app" if kind == "app" else f"{kind}_id"
        selection = selections.chosen(ctx, {field: name}, all_users=True)
    return selections.delete(ctx, Selection(selection.users, selection.filters), app=app)


def delete_everywhere(ctx: Context, kind: str, name: str, *, app: str | None) -> int:
    """`delete` by an admin, of everybody's memories.

    Raises:
        Forbidden: the caller is no admin.
    """
    accounts.require(ctx.caller, "admin")
    return delete(ctx, kind, name, app=app)
