"""Feedback: what a user thinks of a memory that was shown. One opinion a user and memory, the last one."""

from typing import Literal
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from app.context import Context
from app.database import now
from app.errors import TooLarge
from app.models import MemoryFeedback
from app.services import memories
from app.services.drafts import checked_characters

Opinion = Literal["POSITIVE", "NEGATIVE", "VERY_NEGATIVE"]
MAX_REASON = 5_000  # characters


def give(ctx: Context, memory_id: UUID, opinion: Opinion | None, reason: str | None) -> None:
    """Keep the caller's opinion of a memory instead of the one before; None takes it back.

    Raises:
        NotFound: no such memory, a deleted one, or one that the caller may not see.
        TooLarge: the reason is.
    """
    memories.require(ctx, memory_id)
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
