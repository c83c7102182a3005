"""What a memory said, and how it stood, after each change of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, select

from app.context import Context
from app.errors import NotFound
from app.models import Memory, MemoryVersion, User
from app.services import apps, diffs, memories, scopes
from app.services.diffs import Budget, Changed, Step
from app.services.views import Listing, Window

VERSIONS = (
    select(
        MemoryVersion.version,
        MemoryVersion.event,
        MemoryVersion.content,
        MemoryVersion.metadata_,
        MemoryVersion.state,
        MemoryVersion.expires_at,
        User.user_id,
        MemoryVersion.created_at,
        MemoryVersion.labels,
    )
    .outerjoin(User, User.id == MemoryVersion.changed_by)
    .where(MemoryVersion.memory_id == bindparam("id"))
    .order_by(MemoryVersion.version.desc())
    .limit(bindparam("limit"))
    .offset(bindparam("offset"))
)
TOTAL = select(func.count()).select_from(MemoryVersion).where(MemoryVersion.memory_id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class Changes:
    """What a version changed of the one before it."""

    content: list[Step]
    metadata: dict[str, Changed]
    state: Changed | None
    expires_at: Changed | None
    labels: dict[str, Any] | None  # `services.labels`: what was added and taken off


@dataclass(frozen=True, slots=True)
class Version:
    """A memory after one change. `changed_by` None: the server itself; `changes` None: there is nothing before it."""

    version: int
    event: str
    content: str
    metadata: dict[str, Any]
    state: str
    expires_at: datetime | None
    changed_by: str | None
    created_at: datetime
    changes: Changes | None


def listing(ctx: Context, memory_id: UUID, window: Window, user_id: str | None = None) -> Listing[Version]:
    """The versions of a memory, newest first, each with what it changed; of a deleted one too, until it is purged.

    A key that is bound to an app is shown those of memories that are visible to it.

    Raises:
        NotFound: no such memory, or one that the caller may not see.
    """
    scope = memories.scope_of(ctx, memory_id, user_id)
    if ctx.caller.app:
        seen = ctx.session.scalar(select(Memory.id).where(Memory.id == memory_id, *scopes.visible(scope)))
        if seen is None:
            raise NotFound(memories.NO_MEMORY)
    # One more than is shown: what the last one is compared with.
    rows = ctx.rows(VERSIONS, {"id": memory_id, "limit": window.limit + 1, "offset": window.offset})
    total = ctx.session.scalar(TOTAL, {"id": memory_id}) or 0
    apps.log_reads(ctx, scope.reader, [memory_id], "history")
    return Listing(_compared(rows)[: window.limit], total)


def _compared(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Version]:
    budget = Budget()
    pairs = zip_longest(rows, rows[1:])
    found = []
    for row, before in pairs:
        values: tuple[Any, ...] = (*row[:-1], None if before is None else _changes(before, row, budget))
        found.append(Version(*values))
    return found


def _changes(old: Row[*tuple[Any, ...]], new: Row[*tuple[Any, ...]], budget: Budget) -> Changes:
    return Changes(
        content=diffs.words(old.content, new.content, budget),
        metadata=diffs.keys(old.metadata, new.metadata),
        state=_change(old.state, new.state),
        expires_at=_change(old.expires_at, new.expires_at),
        labels=new.labels,
    )


def _change(old: Any, new: Any) -> Changed | None:
    return None if old == new else Changed(old, new)
