"""Feedback: what a user thinks of a memory that was shown. One opinion a user and memory, the last one."""

from typing import Literal
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite

from app.context import Context
from app.database import now
from app.errors import NotFound, TooLarge
from app.models import Memory, MemoryFeedback
from app.services import memories, scopes
from app.services.drafts import checked_characters

Opinion = Literal["POSITIVE", "NEGATIVE", "VERY_NEGATIVE"]
MAX_REASON = 5_000  # characters


def give(ctx: Context, memory_id: UUID, opinion: Opinion | None, reason: str | None, *, door: str) -> None:
    """Keep the caller's opinion of a memory instead of the one before; None takes it back.

    Raises:
        NotFound: no such memory, or one that is not visible through the door.
        TooLarge: the reason is.
    """
    seen = scopes.visible(memories.scope_of(ctx, memory_id, None, door))
    if ctx.session.scalar(select(Memory.id).where(Memory.id == memory_id, *seen)) is None:
        raise NotFound(memories.NO_MEMORY)
    if opinion is None:
        mine = [MemoryFeedback.memory_id == memory_id, MemoryFeedback.user_id == ctx.caller.user_id]
        ctx.session.execute(delete(MemoryFeedback).where(*mine))
        return
    values = {"feedback": opinion, "reason": _checked(reason), "updated_at": now()}
    insert = sqlite.insert if ctx.runtime.database.is_sqlite else postgresql.insert
    row = {"memory_id": memory_id, "user_id": ctx.caller.user_id, "created_at": values["updated_at"], **values}
    written = insert(MemoryFeedback).values(row)
    ctx.session.execute(written.on_conflict_do_update(index_elements=["memory_id", "user_id"], set_=values))


def _checked(reason: str | None) -> str | None:
    if reason is not None and len(reason) > MAX_REASON:
        raise TooLarge(f"The reason has {len(reason)} characters; at most {MAX_REASON} are kept")
    return checked_characters(reason) if reason else None
