"""State changes: one function that writes the state, its timestamp, the status history and the version.

active <-> paused, active <-> archived, paused <-> archived, any -> deleted; `restores` has the way back from deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, insert, literal, select, update

from app.context import Context
from app.database import asked_last, now, sql_id
from app.errors import Forbidden, Invalid, NotFound
from app.models import Category, Memory, MemoryVersion, State, StatusChange, User, memory_categories
from app.services import apps, scopes
from app.services.scopes import Scope

CHUNK = 5_000
MOST_LINKED = 1_000
SYNC_NOW = 1_000  # more than so many are brought level by the sweep; SQL hides them from now on all the same
EVENTS = {State.active: "RESUME", State.paused: "PAUSE", State.archived: "ARCHIVE", State.deleted: "DELETE"}
VERSION = [
    *["id", "memory_id", "version", "event", "content", "metadata"],
    *["state", "expires_at", "changed_by", "created_at"],
]
NO_MEMORY = "Memory not found"
NO_CATEGORY = "Category not found"


@dataclass(frozen=True, slots=True)
class Cause:
    """What a change is recorded as, and by whom: None is the server itself."""

    event: str
    by: UUID | None


def change(ctx: Context, ids: Sequence[UUID], state: State, cause: Cause | None = None) -> int:
    """Bring the memories `ids` to `state`; those that are there already stay as they are. How many changed.

    The caller of this function has checked that they may. A constant number of statements a chunk of 5,000.
    """
    cause = cause or Cause(EVENTS[state], ctx.caller.user_id)
    changed = 0
    for start in range(0, len(ids), CHUNK):
        changed += _change(ctx, ids[start : start + CHUNK], state, cause)
    if len(ids) <= SYNC_NOW:
        ctx.touch(ids)
    return changed


def _change(ctx: Context, ids: Sequence[UUID], state: State, cause: Cause) -> int:
    when = now()
    by = literal(cause.by, MemoryVersion.changed_by.type)
    these = [Memory.id.in_(ids), Memory.state != state, Memory.state != State.deleted]
    steps = select(sql_id(), Memory.id, Memory.state, literal(state.value), by, literal(when))
    ctx.session.execute(
        insert(StatusChange).from_select(
            ["id", "memory_id", "old_state", "new_state", "changed_by", "changed_at"], steps.where(*these)
        )
    )
    versions = select(
        sql_id(),
        Memory.id,
        Memory.version + 1,
        literal(cause.event),
        Memory.content,
        Memory.metadata_,
        literal(state.value),
        Memory.expires_at,
        by,
        literal(when),
    )
    ctx.session.execute(insert(MemoryVersion).from_select(VERSION, versions.where(*these)))
    over = and_(Memory.expires_at <= when, literal(state == State.deleted))
    result = ctx.session.execute(
        update(Memory)
        .where(*these)
        .values(
            state=state,
            version=Memory.version + 1,
            updated_at=when,
            archived_at=when if state == State.archived else None,
            deleted_at=when if state == State.deleted else None,
            # What is deleted expires no more; lists look at those few that are past their time.
            expires_at=case((over, None), else_=Memory.expires_at),
            superseded_by=None if state == State.active else Memory.superseded_by,
            indexed_at=None,
        )
        .execution_options(synchronize_session=False)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def set_many(ctx: Context, ids: Sequence[UUID], state: State, user_id: str | None = None) -> int:
    """Bring just these memories to `state`, all or none. How many were named (each counted once).

    Raises:
        NotFound: one of them does not exist, is deleted, or is not the caller's.
        Forbidden: the app of the key is paused.
    """
    scope = _scope(ctx, user_id)
    wanted = list(dict.fromkeys(ids))
    known = set(
        ctx.session.scalars(select(Memory.id).where(Memory.id.in_(wanted), asked_last(*scopes.governed(ctx, scope))))
    )
    missing = [id for id in wanted if id not in known]
    if missing:
        raise NotFound(NO_MEMORY if len(wanted) == 1 else f"Memory not found: {missing[0]}")
    change(ctx, wanted, state)
    return len(wanted)


def linked(ctx: Context, ids: Sequence[UUID]) -> list[UUID]:
    """The memories, and those of the caller's that they superseded, and that those did: at most 1,000 more."""
    chain = select(Memory.id).where(Memory.id.in_(ids)).cte("chain", recursive=True)
    chain = chain.union(select(Memory.id).join(chain, Memory.superseded_by == chain.c.id))
    older = select(Memory.id).where(Memory.id.in_(select(chain.c.id)), Memory.id.not_in(ids))
    seen = asked_last(*scopes.governed(ctx, _scope(ctx, None)))
    return [*ids, *ctx.session.scalars(older.where(seen).limit(MOST_LINKED))]


def archive(ctx: Context, ids: Sequence[UUID], user_id: str | None = None) -> int:
    """Archive these memories, all or none; `user_id` may be the user's UUID, which the genuine server's archive takes.

    Raises:
        as `set_many`.
    """
    return set_many(ctx, ids, State.archived, _external(ctx, user_id))


def _external(ctx: Context, user_id: str | None) -> str | None:
    try:
        internal = UUID(user_id)
    except (TypeError, ValueError):
        return user_id
    return ctx.session.scalar(select(User.user_id).where(User.id == internal)) or user_id


def _scope(ctx: Context, user_id: str | None) -> Scope:
    scope = scopes.resolve(ctx, user_id)
    if ctx.caller.app and scope.reader and not scope.reader.is_active:
        raise Forbidden(f"App {scope.reader.name} is currently paused.")
    return scope


def pause(
    ctx: Context,
    user_id: str | None,
    *,
    state: State = State.paused,
    memory_ids: Sequence[UUID] | None = None,
    category_ids: Sequence[UUID] | None = None,
    app_id: UUID | None = None,
    all_for_app: bool = False,
    global_pause: bool = False,
) -> str:
    """The page's pause in all its forms; the sentence that it answers, which says "paused" whatever the state.

    All memories of the owner, of one of its apps, or in categories: archived ones stay archived unless named.

    Raises:
        Invalid: nothing says what to pause.
        NotFound: a memory, app, category or user that does not exist, or is not that user's.
    """
    if global_pause:
        # An admin without a name in hand means themselves here: nobody pauses a whole server by leaving a field out.
        _set_where(ctx, user_id or ctx.caller.name, state)
        return "Successfully paused all memories"
    if app_id:
        _set_app(ctx, user_id, state, app_id)
        return f"Successfully paused all memories for app {app_id}"
    if memory_ids:
        count = set_many(ctx, memory_ids, state, user_id)
        return "Successfully paused all memories" if all_for_app else f"Successfully paused {count} memories"
    if category_ids:
        _set_categories(ctx, user_id, state, category_ids)
        return f"Successfully paused memories in {len(category_ids)} categories"
    raise Invalid("Invalid pause request parameters")


def _set_app(ctx: Context, user_id: str | None, state: State, app_id: UUID) -> None:
    owner = _scope(ctx, user_id).owner_id
    if owner not in (None, apps.find(ctx, app_id).owner_id):
        raise NotFound(apps.NO_APP)
    _set_where(ctx, user_id, state, Memory.app_id == app_id)


def _set_categories(ctx: Context, user_id: str | None, state: State, ids: Sequence[UUID]) -> None:
    owner = _scope(ctx, user_id).owner_id
    known = select(Category.id).where(Category.id.in_(ids))
    found = set(ctx.session.scalars(known if owner is None else known.where(Category.user_id == owner)))
    missing = [id for id in ids if id not in found]
    if missing:
        raise NotFound(f"{NO_CATEGORY}: {missing[0]}")
    link = memory_categories.c
    _set_where(ctx, user_id, state, Memory.id.in_(select(link.memory_id).where(link.category_id.in_(ids))))


def _set_where(ctx: Context, user_id: str | None, state: State, *conditions: ColumnElement[bool]) -> None:
    scope = _scope(ctx, user_id)
    living = Memory.state.in_((State.active, State.paused))
    others = [*scopes.governed(ctx, scope), living, Memory.state != state, *conditions]
    while ids := ctx.session.scalars(select(Memory.id).where(*others).limit(CHUNK)).all():
        change(ctx, ids, state)
