"""Where a memory comes from: the raw turns of the conversation of which a model made it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from app.context import Context
from app.models import Memory, SessionMessage
from app.services import apps, memories, scopes
from app.services.scopes import Scope

MOST = 100


@dataclass(frozen=True, slots=True)
class Source:
    """A turn: in whose role and by whom it was said, in which session."""

    id: UUID
    role: str
    author: str | None
    content: str
    run_id: str | None
    created_at: datetime


def listing(ctx: Context, memory_id: UUID) -> list[Source]:
    """The turns of which a model made the memory, in their order: 100 at most, none if no model made it.

    A turn that is remembered by itself says what that memory says, and is left out where it may not be seen.

    Raises:
        NotFound: no such memory, or one that the caller may not see.
    """
    scope = memories.scope_of(ctx, memory_id, None)
    memories.require(ctx, memory_id)
    provenance = ctx.session.scalar(select(Memory.provenance).where(Memory.id == memory_id)) or {}
    ids = [id for one in provenance.get("messages", [])[:MOST] if (id := _id(one))]
    rows = _turns(ctx, scope, ids) if ids else []
    apps.log_reads(ctx, scope.reader, [row.memory_id for row in rows if row.memory_id], "session")
    return [Source(*row[:-1]) for row in rows]


def _id(written: Any) -> UUID | None:
    try:
        return UUID(written)
    except (TypeError, ValueError, AttributeError):  # what an import brought
        return None


def _turns(ctx: Context, scope: Scope, ids: Sequence[UUID]) -> Sequence[Any]:
    turn = SessionMessage
    said = func.coalesce(Memory.content, turn.content)
    query = (
        select(turn.id, turn.role, turn.author, said, turn.run_id, turn.created_at, Memory.id.label("memory_id"))
        .outerjoin(Memory, Memory.id == turn.id)
        .where(turn.id.in_(ids), turn.user_id == scope.owner_id, _is_shown(ctx, scope))
        .order_by(turn.created_at, turn.seq, turn.id)
    )
    return ctx.rows(query)


def _is_shown(ctx: Context, scope: Scope) -> ColumnElement[bool]:
    as_memory = and_(Memory.id.is_not(None), *scopes.governed(ctx, scope))
    ruled = scope.reader is not None and scope.reader.has_rules
    return as_memory if ruled else or_(Memory.id.is_(None), as_memory)
