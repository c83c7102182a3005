"""A memory's history as mem0 tells it: a chain from what it said to what it says, which ends when it is deleted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, bindparam, select

from app.context import Context
from app.errors import NotFound
from app.models import Memory, MemoryVersion, State, User
from app.services import apps, memories, scopes

MOST = 1_000  # versions, the newest
VERSIONS = (
    select(
        MemoryVersion.id,
        MemoryVersion.content,
        MemoryVersion.metadata_,
        MemoryVersion.state,
        MemoryVersion.expires_at,
        MemoryVersion.created_at,
    )
    .where(MemoryVersion.memory_id == bindparam("id"))
    .order_by(MemoryVersion.version.desc())
    .limit(MOST + 1)
)
_Versions = Sequence[Row[*tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Link:
    """One change: what the memory said before (None: it was not there) and after (None: it is deleted).

    Attributes:
        created_at: the memory's.
        updated_at: when it changed; None for what the memory began with.
        metadata: after the change.
        owner: the name of the memory's owner.
    """

    id: UUID
    memory_id: UUID
    event: Literal["ADD", "UPDATE", "DELETE"]
    old: str | None
    new: str | None
    created_at: datetime
    updated_at: datetime | None
    author: str | None
    metadata: dict[str, Any]
    owner: str


def chain(ctx: Context, memory_id: UUID, *, door: str) -> list[Link]:
    """The changes of a memory, oldest first, the last thousand; logged as shown to the app that reads through `door`.

    A deleted memory has one until it is purged; a paused or archived one is not shown. A pause is no change here.

    Raises:
        NotFound: no such memory, or one that the caller may not see.
    """
    scope = memories.scope_of(ctx, memory_id, None, door)
    shown = [Memory.state.in_((State.active, State.deleted)), *scopes.allowed(scope.reader)]
    whose = select(Memory.created_at, Memory.author, User.user_id.label("owner")).join(User, User.id == Memory.user_id)
    row = ctx.row(whose.where(Memory.id == memory_id, *shown))
    if row is None:
        raise NotFound(memories.NO_MEMORY)
    versions = ctx.rows(VERSIONS, {"id": memory_id})[::-1]
    apps.log_reads(ctx, scope.reader, [memory_id], "history")
    return list(_links(memory_id, row, versions))


def _links(memory_id: UUID, memory: Row[*tuple[Any, ...]], versions: _Versions) -> Iterator[Link]:
    before = versions[0] if len(versions) > MOST else None
    for now in versions[1:] if before is not None else versions:
        if before is None or _says(before) != _says(now):
            old, new = _text(before), _text(now)
            event: Literal["ADD", "UPDATE", "DELETE"] = "DELETE" if new is None else "UPDATE" if old else "ADD"
            changed_at = None if before is None else now.created_at
            beside = (memory.created_at, changed_at, memory.author, now.metadata, memory.owner)
            yield Link(now.id, memory_id, event, old, new, *beside)
        before = now


def _text(version: Row[*tuple[Any, ...]] | None) -> str | None:
    return None if version is None or version.state == State.deleted else version.content


def _says(version: Row[*tuple[Any, ...]]) -> tuple[Any, ...]:
    # What a deleted one would say, or when it would expire, concerns nobody.
    text = _text(version)
    return (None,) if text is None else (text, version.metadata, version.expires_at)
