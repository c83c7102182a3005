"""Departures: a user goes, with all that is theirs, for good.

In this order: the user is deactivated, so that nobody writes for them any more; then their memories, some at a time, as
a purge destroys them (out of the index first, with no transaction open); then the user, with whom the database's
foreign keys take everything else: apps, keys, logins, grants, receipts, raw turns. A departure that was broken off
leaves a deactivated user with fewer memories, and is finished by being asked for again.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, func, select

from app.context import Context
from app.errors import Conflict
from app.models import AccessControl, ApiKey, App, Memory, User
from app.services import files, purges, users


@dataclass(frozen=True, slots=True)
class Departed:
    """Who went, and how many memories, apps and keys with them."""

    user_id: str
    memories: int
    apps: int
    keys: int


def remove(ctx: Context, user_id: str) -> Departed:
    """Remove a user and all that they own. It cannot be taken back.

    Raises:
        Forbidden: no admin asks.
        NotFound: there is no such user.
        Conflict: it is the last active admin, or who asks.
        Unavailable: there is no index to remove the memories from.
    """
    users.require_admin(ctx)
    id = users.find(ctx, user_id).id
    if id == ctx.caller.user_id:
        raise Conflict("Nobody removes themselves: another admin can")
    ctx.release()
    with ctx.runtime.context(ctx.caller, writing=True) as first:
        users.change(first, user_id, {"is_active": False})
    memories = _remove_memories(ctx, id)
    counts = [
        ctx.session.scalar(select(func.count()).select_from(noun).where(owner == id)) or 0
        for noun, owner in ((App, App.owner_id), (ApiKey, ApiKey.user_id))
    ]
    _remove_rules(ctx, id)
    ctx.session.execute(delete(User).where(User.id == id).execution_options(synchronize_session=False))
    files.soil(ctx)
    ctx.after_commit(lambda: files.clean_small(ctx.runtime))
    return Departed(user_id, memories, *counts)


def _remove_memories(ctx: Context, owner_id: UUID) -> int:
    done = 0
    while True:
        with ctx.runtime.database.reading() as session:
            ids = session.scalars(select(Memory.id).where(Memory.user_id == owner_id).limit(purges.BATCH)).all()
        if not ids:
            return done
        purges.withdraw(ctx.runtime, ids)
        with ctx.runtime.context(ctx.caller, writing=True) as some:
            purges.forget_leftovers(some, ids)
            some.session.execute(delete(Memory).where(Memory.id.in_(ids)).execution_options(synchronize_session=False))
        done += len(ids)


def _remove_rules(ctx: Context, owner_id: UUID) -> None:
    # Rules name their subject by kind and id, so no foreign key takes them along.
    mine = select(App.id).where(App.owner_id == owner_id)
    rules = delete(AccessControl).where(AccessControl.subject_type == "app", AccessControl.subject_id.in_(mine))
    ctx.session.execute(rules.execution_options(synchronize_session=False))
