"""Purge: what was deleted is destroyed, and its text is nowhere any more (docs/retention.md says where that is).

In this order: the index, with no transaction open; then everything else in one transaction with the receipt, which
says how much of what was removed; then the database's own files, which keep what was deleted until they are told.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from app.context import Context, Runtime
from app.database import asked_last, now
from app.errors import Conflict, Forbidden, Invalid
from app.models import (
    AccessLog,
    Memory,
    MemoryFeedback,
    MemoryTerms,
    MemoryVector,
    MemoryVersion,
    State,
    StatusChange,
    memory_categories,
)
from app.services import accesses, chores, configs, files, memories, restores, traces

KIND = "PURGE"
KEY = "purge"  # the row of `configs` that says when the worker did it last
EVERY = timedelta(days=1)
BATCH = 200
PARTS: dict[str, Any] = {
    "versions": MemoryVersion.memory_id,
    "states": StatusChange.memory_id,
    "accesses": AccessLog.memory_id,
    "categories": memory_categories.c.memory_id,
    "feedback": MemoryFeedback.memory_id,
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Purged:
    """The receipt of a purge, and how much of what was removed."""

    event_id: UUID
    removed: dict[str, int]


def purge(ctx: Context, memory_id: UUID, user_id: str | None = None) -> Purged:
    """Destroy a deleted memory now.

    Raises:
        NotFound: no such memory, or somebody else's.
        Forbidden: neither a person who signed in nor an admin asks.
        Conflict: it is not deleted.
    """
    restores.refuse_apps(ctx)
    if not (ctx.caller.is_person or ctx.caller.is_admin):
        raise Forbidden("Only a person who signed in, or an admin, may purge")
    memories.scope_of(ctx, memory_id, user_id)
    _require_deleted(ctx, memory_id)
    ctx.release()
    withdraw(ctx.runtime, [memory_id])
    done = _destroy(ctx, [memory_id])
    if not done:
        _require_deleted(ctx, memory_id)
        raise Conflict("The memory is being purged already")
    ctx.after_commit(lambda: files.clean_small(ctx.runtime))
    return done[0]


def _require_deleted(ctx: Context, memory_id: UUID) -> None:
    if ctx.session.scalar(select(Memory.state).where(Memory.id == memory_id)) != State.deleted:
        raise Conflict("Only a deleted memory can be purged")


def due(runtime: Runtime, days: int | None = None) -> int:
    """How many memories `run` would purge."""
    with runtime.database.reading() as session:
        before = _before(session, days)
        query = select(func.count()).select_from(Memory).where(*_deleted_before(before))
        return session.scalar(query) or 0


def run(runtime: Runtime, days: int | None = None) -> int:
    """Purge what was deleted longer ago than `days`, or than the configuration says; how many there were.

    Raises:
        Invalid: neither says how long.
    """
    with runtime.database.reading() as session:
        before = _before(session, days)
    done = _purge_before(runtime, before)
    files.clean(runtime)
    return done


def sweep(runtime: Runtime) -> None:
    """The worker's turn: purge once a day, whatever the number of processes; clean the files if they need it."""
    with runtime.database.reading() as session:
        is_asked = configs.current(session)["openmemory"]["purge_after_days"] is not None
        is_time = is_asked and chores.is_time(session, KEY, EVERY)
    if is_time and chores.claim(runtime, KEY, EVERY):
        with runtime.database.reading() as session:
            before = _before(session, None)
        done = _purge_before(runtime, before)
        logger.info("purged", extra={"memories": done})
    files.clean(runtime, patient=True)


def _before(session: Session, days: int | None) -> datetime:
    days = configs.current(session)["openmemory"]["purge_after_days"] if days is None else days
    if days is None:
        raise Invalid("openmemory.purge_after_days is not set: nothing is purged by itself")
    return now() - timedelta(days=days)


def _deleted_before(before: datetime) -> list[ColumnElement[bool]]:
    return [Memory.deleted_at <= before, asked_last(Memory.state == State.deleted)]


def _purge_before(runtime: Runtime, before: datetime) -> int:
    done = 0
    while True:
        with runtime.database.reading() as session:
            late = select(Memory.id).where(*_deleted_before(before)).order_by(Memory.deleted_at, Memory.id).limit(BATCH)
            ids = session.scalars(late).all()
        if not ids:
            return done
        withdraw(runtime, ids)
        with runtime.context(chores.SERVER, writing=True) as ctx:
            taken = sum(purged.removed["memories"] for purged in _destroy(ctx, ids, *_deleted_before(before)))
        done += taken
        if not taken:
            return done


def withdraw(runtime: Runtime, ids: Sequence[UUID]) -> None:
    """What cannot be done in the transaction that destroys memories: the index, and reads that are not in the log."""
    index = runtime.engine.index
    if not index.is_beside_truth:
        index.remove_elsewhere(ids)
    with index.together(runtime.relaxed) as together:
        together.remove(ids)
    accesses.spread(runtime)


def _destroy(ctx: Context, ids: Sequence[UUID], *still: ColumnElement[bool]) -> list[Purged]:
    """Remove those of the memories that are deleted, with all that they left; a receipt an owner."""
    these = select(Memory.id, Memory.user_id, Memory.content).where(Memory.id.in_(ids), Memory.state == State.deleted)
    # Another process may be at the same: each takes what the other has not.
    rows = ctx.session.execute(these.where(*still).with_for_update(skip_locked=True)).all()
    return [_destroy_of(ctx, owner, [r for r in rows if r.user_id == owner]) for owner in {r.user_id for r in rows}]


def _destroy_of(ctx: Context, owner_id: UUID, rows: Sequence[Any]) -> Purged:
    ids = [row.id for row in rows]
    said = select(MemoryVersion.content).where(MemoryVersion.memory_id.in_(ids)).distinct()
    texts = {*(row.content for row in rows), *ctx.session.scalars(said)}
    counts = {name: _counts(ctx, column, ids) for name, column in PARTS.items()}
    removed = {"memories": len(ids), **{name: counted.total() for name, counted in counts.items()}}
    removed |= traces.remove(ctx, owner_id, ids, texts)
    forget_leftovers(ctx, ids)
    # Versions, states, accesses and links to categories go with it, by the database's foreign keys.
    ctx.session.execute(delete(Memory).where(Memory.id.in_(ids)).execution_options(synchronize_session=False))
    files.soil(ctx)
    results = [
        {"id": str(id), "event": KIND, "removed": {name: counted[id] for name, counted in counts.items()}} for id in ids
    ]
    return Purged(chores.receipt(ctx, owner_id, KIND, results), removed)


def _counts(ctx: Context, column: Any, ids: Sequence[UUID]) -> Counter[UUID]:
    return Counter(dict(ctx.rows(select(column, func.count()).where(column.in_(ids)).group_by(column))))


def forget_leftovers(ctx: Context, ids: Sequence[UUID]) -> None:
    """What an index that serves no more may have left beside the truth."""
    if ctx.runtime.database.is_sqlite:
        for noun in (MemoryVector, MemoryTerms):
            ctx.session.execute(delete(noun).where(noun.memory_id.in_(ids)))
