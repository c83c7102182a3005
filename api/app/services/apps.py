"""Apps: the clients through which an owner's memories are written and read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.context import Caller, Context, Runtime
from app.database import new_id, now
from app.errors import Forbidden, NotFound
from app.models import App, AppAccess, Memory, MemoryTally, State
from app.services import accesses, scopes
from app.services.scopes import Reader, Scope
from app.services.views import Listing, MemoryView, Window, counted, fetch

NO_APP = "App not found"


@dataclass(frozen=True, slots=True)
class AppView:
    """An app with its figures: memories it created that are not deleted, distinct memories it has been shown."""

    id: UUID
    owner_id: UUID
    name: str
    description: str | None
    metadata: dict[str, Any]
    is_active: bool
    created_at: datetime
    updated_at: datetime
    accessed: int
    first_accessed_at: datetime | None
    last_accessed_at: datetime | None
    created: int


@dataclass(frozen=True, slots=True)
class Writer:
    """The app that a write comes from."""

    id: UUID
    name: str
    is_active: bool


WRITER = select(App.id, App.name, App.is_active).where(
    App.owner_id == bindparam("owner"), App.name == bindparam("name")
)
CREATED = (
    select(func.coalesce(func.sum(MemoryTally.count), 0))
    .where(MemoryTally.app_id == App.id, MemoryTally.user_id == App.owner_id, MemoryTally.state != State.deleted)
    .correlate(App)
    .scalar_subquery()
)
VIEW: Select[*tuple[Any, ...]] = select(
    App.id,
    App.owner_id,
    App.name,
    App.description,
    App.metadata_,
    App.is_active,
    App.created_at,
    App.updated_at,
    App.accessed_count,
    App.first_accessed_at,
    App.last_accessed_at,
    CREATED.label("created"),
)

SORTS: dict[str, ColumnElement[Any]] = {
    "name": App.name.expression,
    "memories": CREATED,
    "memories_accessed": App.accessed_count.expression,
    "created_at": App.created_at.expression,
    "last_accessed": App.last_accessed_at.expression,
}
Sort = Literal["name", "memories", "memories_accessed", "created_at", "last_accessed"]
Direction = Literal["asc", "desc"]


def ensure(ctx: Context, owner_id: UUID, name: str) -> Writer:
    """The owner's app of that name, created in this transaction if it is missing."""
    values = {"owner": owner_id, "name": name}
    row = ctx.row(WRITER, values)
    if row is None:
        ctx.session.execute(_create(ctx, owner_id, name))
        row = ctx.rows(WRITER, values)[0]
    return Writer(*row)


def for_writing(ctx: Context, owner_id: UUID, name: str | None) -> Writer:
    """The app that the caller writes as.

    Raises:
        Forbidden: it is paused, or the key is bound to another.
    """
    app = ensure(ctx, owner_id, scopes.reading_app(ctx, name) or scopes.DEFAULT_APP)
    if not app.is_active:
        raise Forbidden(f"App {app.name} is currently paused. Cannot create new memories.")
    return app


def require_active(runtime: Runtime, caller: Caller) -> None:
    """Pass unless the app that the caller is bound to is paused. Asked before the transaction of the work begins.

    Raises:
        Forbidden: it is.
    """
    with runtime.database.reading() as session:
        found = session.execute(WRITER, {"owner": caller.user_id, "name": caller.app or ""}).first()
    if found is not None and not found.is_active:
        raise Forbidden(f"App {caller.app} is currently paused: it may neither read nor write memories.")


def log_reads(ctx: Context, reader: Reader | None, ids: Sequence[UUID], kind: str, **metadata: Any) -> None:
    """Have the memories logged as shown to the app that reads, if an app reads."""
    if reader is None or not ids:
        return
    ctx.log_reads(reader.app_id or _first_read(ctx, reader), ids, kind, **metadata)


def _first_read(ctx: Context, reader: Reader) -> UUID:
    # The request only reads, so the app's first appearance is written beside it.
    with ctx.runtime.relaxed.transaction() as session:
        session.execute(_create(ctx, reader.owner_id, reader.name))
        found = session.scalars(select(App.id).where(App.owner_id == reader.owner_id, App.name == reader.name))
        return found.one()


def _create(ctx: Context, owner_id: UUID, name: str) -> Any:
    insert = sqlite.insert if ctx.runtime.database.is_sqlite else postgresql.insert
    return insert(App).values(id=new_id(), owner_id=owner_id, name=name, metadata_={}).on_conflict_do_nothing()


def listing(
    ctx: Context,
    window: Window,
    *,
    user_id: str | None = None,
    name: str | None = None,
    is_active: bool | None = None,
    sort_by: Sort = "name",
    direction: Direction = "asc",
) -> Listing[AppView]:
    """The apps of the scope's owner (of every owner for an admin who names none)."""
    accesses.spread(ctx.runtime)
    return of_scope(ctx, scopes.resolve(ctx, user_id), window, name, is_active, sort_by, direction)


def of_scope(
    ctx: Context,
    scope: Scope,
    window: Window,
    name: str | None = None,
    is_active: bool | None = None,
    sort_by: Sort = "name",
    direction: Direction = "asc",
) -> Listing[AppView]:
    """`listing` of a scope that is resolved, with accesses as they were spread last."""
    conditions: list[ColumnElement[bool]] = [] if scope.owner_id is None else [App.owner_id == scope.owner_id]
    if name:
        conditions.append(App.name.icontains(name, autoescape=True))
    if is_active is not None:
        conditions.append(App.is_active == is_active)
    column = SORTS[sort_by]
    order = column.desc().nulls_last() if direction == "desc" else column.asc().nulls_last()
    query = VIEW.where(*conditions).order_by(order, App.id).limit(window.limit).offset(window.offset)
    total = ctx.session.scalar(select(func.count()).select_from(App).where(*conditions)) or 0
    return Listing([AppView(*row) for row in ctx.session.execute(query)], total)


def get(ctx: Context, app_id: UUID) -> AppView:
    """One app with its figures, those of the last read included.

    Raises:
        NotFound: no such app, or somebody else's.
    """
    accesses.spread(ctx.runtime)
    return find(ctx, app_id)


def find(ctx: Context, app_id: UUID) -> AppView:
    """One app, for verbs that write (they hold the lock that spreading accesses takes) or do not look at accesses.

    Raises:
        NotFound: no such app, or somebody else's.
    """
    row = ctx.session.execute(VIEW.where(App.id == app_id, *_own(ctx))).first()
    if row is None:
        raise NotFound(NO_APP)
    return AppView(*row)


def owner_of(ctx: Context, app_id: UUID) -> UUID:
    """Whose app it is.

    Raises:
        NotFound: no such app, or somebody else's.
    """
    owner = ctx.session.scalar(select(App.owner_id).where(App.id == app_id, *_own(ctx)))
    if owner is None:
        raise NotFound(NO_APP)
    return owner


def _own(ctx: Context) -> list[ColumnElement[bool]]:
    return [] if ctx.caller.is_admin else [App.owner_id == ctx.caller.user_id]


def memories_of(ctx: Context, app_id: UUID, window: Window) -> Listing[MemoryView]:
    """The memories that an app created and that are not deleted, newest first."""
    app = find(ctx, app_id)
    scope = _scope_of(ctx, app)
    made = select(Memory.id).where(Memory.app_id == app_id, *scopes.governed(ctx, scope))
    newest = made.order_by(Memory.created_at.desc(), Memory.id.desc())
    if ctx.caller.app:
        rows, total = counted(ctx, newest, window)
        ids = [row.id for row in rows]
        log_reads(ctx, scope.reader, ids, "list")
        return Listing(fetch(ctx, ids), total)
    known = ctx.session.scalars(newest.limit(window.limit).offset(window.offset)).all()
    return Listing(fetch(ctx, known), app.created - _expired(ctx, app))


def _expired(ctx: Context, app: AppView) -> int:
    late = [Memory.app_id == app.id, Memory.id.in_(scopes.expired(app.owner_id)), Memory.state != State.deleted]
    return ctx.session.scalar(select(func.count()).select_from(Memory).where(*late)) or 0


def _scope_of(ctx: Context, app: AppView) -> Scope:
    name = scopes.reading_app(ctx, None) if ctx.caller.app else None
    if name is None:
        return Scope(app.owner_id, None)
    reader = ctx.session.scalar(select(App).where(App.owner_id == app.owner_id, App.name == name))
    return Scope(app.owner_id, Reader(app.owner_id, name, reader.id, reader.is_active, True) if reader else None)


def accessed_by(ctx: Context, app_id: UUID, window: Window) -> Listing[tuple[MemoryView, int]]:
    """The memories that an app has been shown, most often first, each with how often."""
    scope = _scope_of(ctx, get(ctx, app_id))
    conditions = [AppAccess.app_id == app_id, *scopes.governed(ctx, scope)]
    shown = (
        select(AppAccess.memory_id, AppAccess.access_count)
        .join(Memory, Memory.id == AppAccess.memory_id)
        .where(*conditions)
        .order_by(AppAccess.access_count.desc(), AppAccess.memory_id.desc())
    )
    rows, total = counted(ctx, shown, window)
    counts = {row.memory_id: row.access_count for row in rows}
    if ctx.caller.app:
        log_reads(ctx, scope.reader, list(counts), "list")
    return Listing([(view, counts[view.id]) for view in fetch(ctx, list(counts))], total)


def set_active(ctx: Context, app_id: UUID, is_active: bool) -> AppView:
    """Pause or resume an app: a paused one reads nothing and may not write.

    Raises:
        NotFound: no such app, or somebody else's.
        Forbidden: an app asks, which may not free itself.
    """
    if ctx.caller.app:
        raise Forbidden("An app's key may not change apps")
    changed = ctx.session.execute(
        update(App).where(App.id == app_id, *_own(ctx)).values(is_active=is_active, updated_at=now()).returning(App.id)
    ).first()
    if changed is None:
        raise NotFound(NO_APP)
    return find(ctx, app_id)
