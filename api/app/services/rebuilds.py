"""A new index beside the old one: made in the background, exchanged when it is complete.

After the embedder or the vector store was changed, the old index serves and is kept level as ever while the new one is
filled: first with every active memory, then, pass by pass, with what has changed since the pass before began, which
`indexed_at` tells. When a pass finds little, the two are exchanged in one transaction; what changed since that pass
began is pending then, and the sweep brings it level. One process builds, by lease; a killed one's build goes on where
it was. The words are not touched: they are the same for every embedder.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import ColumnElement, Row, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.context import Runtime
from app.database import now
from app.engine.engine import Built
from app.engine.index import Entry, Index
from app.engine.sync import BATCH, serve, serving
from app.engine.text import compose
from app.errors import CommonplaceError, Invalid
from app.models import IndexBuild, Memory, MemoryTokens, State
from app.services import config_secrets, configs
from app.services.config_rules import Json
from app.workers import is_gone, this_worker

LEASE = timedelta(minutes=10)
RETRY = timedelta(seconds=30)  # after a failure, times the attempts, at most an hour
SKEW = timedelta(minutes=1)  # by which clocks of several machines may differ
MAX_PASSES = 10
FEW = 2 * BATCH  # so few changes in a pass: time to exchange
GRACE = timedelta(minutes=5)  # in which other processes find out; then the old vectors go

COLUMNS = (Memory.id, Memory.user_id, Memory.content, Memory.author, Memory.occurred_at, Memory.state)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the build is, in memories."""

    done: int
    total: int


def run(runtime: Runtime) -> Iterator[Progress]:
    """Build what is to be built, if no other process does; yields after each batch and may be left at any time."""
    with runtime.database.reading() as session:
        config, served = configs.current(session), serving(session)
    wanted = configs.identity(runtime, config)
    if served is None or served.get("identity") == wanted:
        _tidy(runtime)
        return
    build = _lease(runtime, wanted)
    if build is None:
        return
    try:
        built = runtime.engine.prepared(config)
        yield from _fill(runtime, built, build)
    except Exception as error:  # noqa: BLE001 -- any provider's any failure: the old index serves on, tried again
        _fail(runtime, build, _reason(error, config))
        return
    _exchange(runtime, built, build, config)


def _lease(runtime: Runtime, wanted: str) -> UUID | None:
    """The build that this process works on from now; None if another does, or it is too early after a failure."""
    with runtime.relaxed.transaction() as session:
        other = update(IndexBuild).where(IndexBuild.status.in_(("RUNNING", "FAILED")), IndexBuild.identity != wanted)
        session.execute(other.values(status="CANCELLED", worker=this_worker()))
        query = select(IndexBuild).where(IndexBuild.identity == wanted, IndexBuild.status.in_(("RUNNING", "FAILED")))
        build = session.scalars(query.with_for_update()).first()
        if build is None:
            build = IndexBuild(identity=wanted, model="", total=_active(session))
            session.add(build)
        elif not _is_free(build):
            return None
        build.status, build.worker, build.leased_until = "RUNNING", this_worker(), now() + LEASE
        session.flush()
        return build.id


def _is_free(build: IndexBuild) -> bool:
    if build.status == "FAILED":
        return build.updated_at + min(RETRY * build.attempts, timedelta(hours=1)) <= now()
    return (
        build.worker in (None, this_worker())
        or is_gone(build.worker or "")
        or build.leased_until is None
        or build.leased_until <= now()
    )


def _active(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Memory).where(Memory.state == State.active)) or 0


def _fill(runtime: Runtime, built: Built, id: UUID) -> Iterator[Progress]:
    """Passes until one finds few changes."""
    for _ in range(MAX_PASSES):
        build = _read(runtime, id)
        started, found = now(), 0
        cursor = build.cursor if build.since is None else None  # when a later pass began is not known any more
        while rows := _batch(runtime, build.since, cursor):
            _take_over(runtime, built, rows)
            cursor, found = rows[-1].id, found + len(rows)
            build = _note(runtime, id, cursor=cursor, done=build.done + len(rows), model=built.index.model)
            yield Progress(build.done, max(build.total, build.done))
        since = build.created_at if build.since is None else started  # the first pass may have begun in another process
        _note(runtime, id, cursor=None, since=since - SKEW, done=build.done, model=built.index.model)
        if build.since is not None and found <= FEW:
            return


def _read(runtime: Runtime, id: UUID) -> IndexBuild:
    with runtime.database.reading() as session:
        return session.scalars(select(IndexBuild).where(IndexBuild.id == id)).one()


def _batch(runtime: Runtime, since: datetime | None, after: UUID | None) -> Sequence[Row[*tuple[Any, ...]]]:
    query: Select[*tuple[Any, ...]] = select(*COLUMNS).order_by(Memory.id).limit(BATCH)
    query = query.where(Memory.state == State.active) if since is None else query.where(_changed(since))
    with runtime.database.reading() as session:
        return session.execute(query if after is None else query.where(Memory.id > after)).all()


def _changed(since: datetime) -> ColumnElement[bool]:
    return or_(Memory.indexed_at.is_(None), Memory.indexed_at >= since)


def _take_over(runtime: Runtime, built: Built, rows: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """Put the active ones, remove the others."""
    index = built.index
    entries = [
        Entry(row.id, row.user_id, compose(row.content, row.author, row.occurred_at))
        for row in rows
        if row.state == State.active
    ]
    gone = [row.id for row in rows if row.state != State.active]
    vectors = index.embed([entry.composed for entry in entries]) if entries else np.empty((0, 0), dtype=np.float32)
    if not index.is_beside_truth:
        index.put_elsewhere(entries, vectors)
        index.remove_elsewhere(gone)
        return
    with runtime.relaxed.transaction() as session:
        index.vectors_only(session, entries, vectors, gone)


def _note(runtime: Runtime, id: UUID, **values: Any) -> IndexBuild:
    with runtime.relaxed.transaction() as session:
        build = session.scalars(select(IndexBuild).where(IndexBuild.id == id).with_for_update()).one()
        if build.status != "RUNNING" or build.worker != this_worker():
            raise _TakenOver
        for name, value in values.items():
            setattr(build, name, value)
        build.leased_until = now() + LEASE
        session.flush()
        return build


class _TakenOver(CommonplaceError):
    """Another process has the build, or nobody wants it any more."""


def _exchange(runtime: Runtime, built: Built, id: UUID, config: Json) -> None:
    since = _read(runtime, id).since
    with runtime.relaxed.transaction() as session:
        if configs.current(session) != config:
            return  # changed meanwhile: the next run sees what is wanted now
        serve(session, built.index, configs.sections(config))
        # From here on nobody marks for the old index: whoever is at it waits for the row that `serve` has locked.
        session.execute(update(Memory).where(Memory.indexed_at >= since).values(indexed_at=None))
        session.execute(update(IndexBuild).where(IndexBuild.id == id).values(status="SUCCEEDED", error=None))
    logger.info("the new index serves", extra={"model": built.index.model})
    runtime.engine.use(built)
    runtime.wake.set()


def _reason(error: Exception, config: Json) -> str:
    text = str(error) if isinstance(error, Invalid) else f"{type(error).__name__}: {error}"
    return config_secrets.scrub(text, config["mem0"]["embedder"])


def _fail(runtime: Runtime, id: UUID, reason: str) -> None:
    with runtime.relaxed.transaction() as session:
        mine = update(IndexBuild).where(
            IndexBuild.id == id, IndexBuild.status == "RUNNING", IndexBuild.worker == this_worker()
        )
        failed = session.execute(
            mine.values(status="FAILED", error=reason[:2_000], attempts=IndexBuild.attempts + 1, updated_at=now())
        )
    if failed.rowcount:  # type: ignore[attr-defined]
        logger.error("the new index cannot be built; the old one serves on: %s", reason)


def _tidy(runtime: Runtime) -> None:
    """Cancel builds that nobody wants any more, and drop the vectors of indexes that have been left for a while."""
    with runtime.database.reading() as session:
        open_ = select(IndexBuild.id).where(IndexBuild.status.in_(("RUNNING", "FAILED"))).limit(1)
        left = select(IndexBuild.id).where(
            IndexBuild.status.in_(("SUCCEEDED", "CANCELLED")),
            IndexBuild.worker.is_not(None),
            IndexBuild.updated_at <= now() - GRACE,
        )
        unwanted, old = session.scalar(open_), session.scalars(left).all()
    if unwanted is None and not old:
        return
    with runtime.relaxed.transaction() as session:
        running = update(IndexBuild).where(IndexBuild.status.in_(("RUNNING", "FAILED")))
        session.execute(running.values(status="CANCELLED", worker=this_worker()))
        session.execute(update(IndexBuild).where(IndexBuild.id.in_(old)).values(worker=None))
        if old:
            _drop_others(session, runtime.engine.index)


def _drop_others(session: Session, index: Index) -> None:
    """Remove what lies beside the memories of other indexes than this one."""
    if hasattr(index.store, "drop_others"):
        index.store.drop_others(session)
    session.execute(delete(MemoryTokens).where(MemoryTokens.model != index.tokens.model))
