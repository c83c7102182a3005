"""The index made again from the truth."""

from collections.abc import Iterator

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.context import Runtime
from app.engine.sync import Synced, adopt, sync_all
from app.models import Memory, MemoryTerms, MemoryVector, VectorOwner, WordOwner


def forget(runtime: Runtime) -> int:
    """Mark every memory as not indexed and drop the vectors of memories that are gone; how many are to be done."""
    with runtime.database.transaction() as session:
        if runtime.database.is_sqlite:
            _drop_orphans(session)
        session.execute(update(Memory).values(indexed_at=None))
        return session.scalar(select(func.count()).select_from(Memory)) or 0


def pending(runtime: Runtime) -> int:
    """How many memories the index is behind by."""
    with runtime.database.reading() as session:
        query = select(func.count()).select_from(Memory).where(Memory.indexed_at.is_(None))
        return session.scalar(query) or 0


def _drop_orphans(session: Session) -> None:
    for noun in (MemoryVector, MemoryTerms):
        session.execute(delete(noun).where(noun.memory_id.not_in(select(Memory.id))))
    # Processes that hold vectors and words in memory look at these counters and read again.
    for owner in (VectorOwner, WordOwner):
        session.execute(update(owner).values(change=owner.change + 1, removed=owner.removed + 1))


def rebuild(runtime: Runtime) -> Iterator[Synced]:
    """Bring every memory level with the engine in use; yields what has been done so far after each batch.

    Raises:
        Unavailable: the engine could not be built.
    """
    adopt(runtime.relaxed, runtime.engine.index.model)
    yield from sync_all(runtime.relaxed, runtime.engine.index)
