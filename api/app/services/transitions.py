"""The status history of a memory: from which state to which, when, and by whom."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from app.context import Context
from app.errors import NotFound
from app.models import Memory, StatusChange, User
from app.services import memories, scopes
from app.services.views import Listing, Window


@dataclass(frozen=True, slots=True)
class Transition:
    """One step. `changed_by` None: the server itself, or a user who is gone."""

    id: UUID
    old_state: str
    new_state: str
    changed_by: str | None
    changed_at: datetime


def listing(ctx: Context, memory_id: UUID, window: Window) -> Listing[Transition]:
    """The steps of a memory between states, newest first; of a deleted one too, until it is purged.

    A key that is bound to an app is shown those of memories that are visible to it. Three statements, four for it.

    Raises:
        NotFound: no such memory, or one that the caller may not see.
    """
    scope = memories.scope_of(ctx, memory_id, None)
    if ctx.caller.app:
        seen = select(Memory.id).where(Memory.id == memory_id, *scopes.visible(scope))
        if ctx.session.scalar(seen) is None:
            raise NotFound(memories.NO_MEMORY)
    step = StatusChange
    mine = step.memory_id == memory_id
    query = (
        select(step.id, step.old_state, step.new_state, User.user_id, step.changed_at)
        .outerjoin(User, User.id == step.changed_by)
        .where(mine)
        .order_by(step.changed_at.desc(), step.id.desc())
    )
    rows = ctx.rows(query.limit(window.limit).offset(window.offset))
    total = ctx.session.scalar(select(func.count()).select_from(step).where(mine)) or 0
    return Listing([Transition(*row) for row in rows], total)
