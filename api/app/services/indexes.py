"""The index made again from the truth, and how level it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.context import Context, Runtime
from app.engine.sync import Synced, serving, sync_all
from app.models import IndexBuild, Memory, MemoryTally, MemoryTerms, MemoryVector, State, VectorOwner, WordOwner
from app.services import accounts, configs


def forget(runtime: Runtime) -> int:
    """Mark every memory as not indexed and drop the vectors of memories that are gone; how many are to be done."""
    with runtime.database.transaction() as session:
        _drop_orphans(session, counted=runtime.database.is_sqlite)
        session.execute(update(Memory).values(indexed_at=None))
        return session.scalar(select(func.count()).select_from(Memory)) or 0


def pending(runtime: Runtime) -> int:
    """How many memories the index is behind by."""
    with runtime.database.reading() as session:
        query = select(func.count()).select_from(Memory).where(Memory.indexed_at.is_(None))
        return session.scalar(query) or 0


def _drop_orphans(session: Session, *, counted: bool) -> None:
    for noun in (MemoryVector, MemoryTerms):
        gone = delete(noun).where(noun.memory_id.not_in(select(Memory.id)))
        session.execute(gone, execution_options={"synchronize_session": False})
    if not counted:
        return
    # Processes that hold vectors and words in memory look at these counters and read again.
    for owner in (VectorOwner, WordOwner):
        session.execute(update(owner).values(change=owner.change + 1, removed=owner.removed + 1))


def rebuild(runtime: Runtime) -> Iterator[Synced]:
    """Bring every memory level with the engine in use; yields what has been done so far after each batch.

    Raises:
        Unavailable: the engine could not be built.
    """
    yield from sync_all(runtime.relaxed, runtime.engine.index)


def begin(ctx: Context) -> int:
    """Have the sweep make the whole index again, now; how many memories that is. What is indexed serves on meanwhile.

    Raises:
        Forbidden: the caller is no admin.
    """
    accounts.require(ctx.caller, "admin")
    ctx.release()
    count = forget(ctx.runtime)
    ctx.runtime.wake.set()
    return count


@dataclass(frozen=True, slots=True)
class Status:
    """How level the index is with the memories that the caller may govern, and what is built beside it.

    `status` is "ready", "building" or "failed" (then the old index serves on). What is configured is told to admins.
    """

    status: str
    memories: int
    indexed: int
    serving: Mapping[str, str] | None
    build: IndexBuild | None


def status(ctx: Context) -> Status:
    """The index's status. Four statements."""
    config, served = configs.current(ctx), serving(ctx.session)
    mine = [] if ctx.caller.is_admin else [Memory.user_id == ctx.caller.user_id]
    counted = [] if ctx.caller.is_admin else [MemoryTally.user_id == ctx.caller.user_id]
    active = select(func.coalesce(func.sum(MemoryTally.count), 0)).where(MemoryTally.state == State.active, *counted)
    waiting = (
        select(func.count()).select_from(Memory).where(Memory.indexed_at.is_(None), Memory.state == State.active, *mine)
    )
    memories, behind = ctx.rows(select(active.scalar_subquery(), waiting.scalar_subquery()))[0]
    newest = select(IndexBuild).order_by(IndexBuild.created_at.desc(), IndexBuild.id.desc()).limit(1)
    build = ctx.session.scalars(newest.where(IndexBuild.status.in_(("RUNNING", "FAILED")))).first()
    exchanging = served is not None and served.get("identity") != configs.identity(ctx.runtime, config)
    name = "failed" if build and build.status == "FAILED" else "building" if build or exchanging else "ready"
    return Status(name, int(memories), int(memories) - int(behind), _told(ctx, served), build)


def build_error(runtime: Runtime) -> str | None:
    """Why the index that is configured could not be built, if it could not."""
    with runtime.database.reading() as session:
        return session.scalar(select(IndexBuild.error).where(IndexBuild.status == "FAILED").limit(1))


def _told(ctx: Context, served: Mapping[str, Any] | None) -> Mapping[str, str] | None:
    if served is None or not ctx.caller.is_admin or "embedder" not in served:
        return None
    return {
        "model": served["model"],
        "embedder": served["embedder"]["provider"],
        "vector_store": served["vector_store"]["provider"],
    }
