"""What a door asks about users by their names, where a name is a label: who is unknown has nothing, and is no error."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.context import Context
from app.errors import Forbidden, NotFound
from app.models import App, Memory, State
from app.services import accounts, listings, scopes, searches, states
from app.services.searches import Query, Result
from app.services.views import Listing, MemoryView, Window

BATCH = 1_000  # memories deleted in one transaction


@dataclass(frozen=True, slots=True)
class Figures:
    """How many memories the reading app sees of a user, by the app that wrote them, and from when to when."""

    total: int
    by_app: dict[str, int]
    first_created_at: datetime | None
    last_created_at: datetime | None


def search(ctx: Context, query: Query, user_id: str | None) -> Result:
    """`searches.search` for a user, DEFAULT_USER_ID without a name; nothing for an unknown one."""
    searches.checked(query)
    owner = user_id or accounts.default_owner(ctx)
    if not _is_known(ctx, owner):
        return Result([], query.mode)
    return searches.search(ctx, query, user_id=owner)


def listing(ctx: Context, window: Window, user_id: str) -> Listing[MemoryView]:
    """The user's visible memories, newest first; none of an unknown one."""
    if not _is_known(ctx, user_id):
        return Listing([], 0)
    return listings.shown(ctx, window, user_id=user_id)


def figures(ctx: Context, user_id: str) -> Figures:
    """The figures of what the reading app may see. Two statements, three of another user's."""
    if not _is_known(ctx, user_id):
        return Figures(0, {}, None, None)
    scope = scopes.resolve(ctx, user_id)
    seen = scopes.visible(scope)
    apps = select(App.name, func.count(), func.min(Memory.created_at), func.max(Memory.created_at))
    rows = ctx.rows(apps.join(Memory, Memory.app_id == App.id).where(*seen).group_by(App.name).order_by(App.name))
    firsts, lasts = [row[2] for row in rows], [row[3] for row in rows]
    counts = {name: count for name, count, *_ in rows}
    return Figures(sum(counts.values()), counts, min(firsts, default=None), max(lasts, default=None))


def delete_all(ctx: Context, user_id: str) -> int:
    """Delete what the writing app may see of a user, batch by batch, each in a transaction of its own; how many.

    Raises:
        Forbidden: the app is paused.
    """
    if not _is_known(ctx, user_id):
        return 0
    ctx.release()
    done = 0
    while deleted := _delete_some(ctx, user_id):
        done += deleted
    return done


def _delete_some(ctx: Context, user_id: str) -> int:
    with ctx.runtime.context(ctx.caller, writing=True) as own:
        scope = scopes.resolve(own, user_id)
        if scope.reader and not scope.reader.is_active:
            raise Forbidden(f"App {scope.reader.name} is currently paused.")
        seen = select(Memory.id).where(*scopes.visible(scope)).limit(BATCH)
        ids: Sequence[UUID] = own.session.scalars(seen).all()
        return states.change(own, ids, State.deleted) if ids else 0


def _is_known(ctx: Context, user_id: str) -> bool:
    return accounts.find_user(ctx, user_id) is not None


@contextmanager
def called(shown: str) -> Iterator[None]:
    """Have a memory that is not found called what the caller calls it."""
    try:
        yield
    except NotFound:
        raise NotFound(f"Memory with ID {shown!r} not found") from None
