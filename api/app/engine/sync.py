"""Bring the index level with the truth. Three callers, one function: after a request's commit, the sweep, `reindex`.

A memory whose indexed fields changed has `indexed_at` NULL. `sync` embeds and puts the active ones, removes the
others, and marks each as indexed only if it did not change meanwhile; one that did stays NULL for the next sync.
Doing it twice does no harm, and no transaction is open while the embedder or the store is called.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session

from app.database import Database, now
from app.engine import claims
from app.engine.index import Entry, Index, Vectors
from app.engine.text import compose
from app.errors import StoreUnavailable
from app.models import Config, Memory, State

BATCH = 256
INDEX_KEY = "index"

IS_PENDING = Memory.indexed_at.is_(None)
PENDING = select(
    Memory.id, Memory.user_id, Memory.content, Memory.author, Memory.occurred_at, Memory.state, Memory.version
).where(IS_PENDING)

OF_THESE = PENDING.where(Memory.id.in_(bindparam("ids", expanding=True)))
LOCKED = OF_THESE.with_for_update()
NOTHING: tuple[str | None, None] = (None, None)
ADOPTED = select(Config.value).where(Config.key == INDEX_KEY).with_for_update(read=True)

MARK = (
    update(Memory)
    .where(Memory.id == bindparam("b_id"), Memory.version == bindparam("b_version"))
    .values(indexed_at=bindparam("b_now"))
)
AGAIN = update(Memory).where(Memory.id.in_(bindparam("ids", expanding=True))).values(indexed_at=None)


@dataclass(slots=True)
class Synced:
    """What a sync did, in memories."""

    put: int = 0
    removed: int = 0

    @property
    def total(self) -> int:
        """All that were brought level."""
        return self.put + self.removed


Pending = Row[UUID, UUID, str, str | None, datetime | None, str, int]
Known = Mapping[UUID, tuple[str, Vectors]]  # by memory: a composed text and its vector


def sync(database: Database, index: Index, ids: Sequence[UUID], ready: Known | None = None) -> Synced:
    """Bring the memories `ids` level; those that are level already are passed over.

    Args:
        ready: vectors that were computed before the write, each with the composed text it belongs to.

    Raises:
        whatever the embedder or the store raises; nothing is marked then.
    """
    done, known = Synced(), ready or {}
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        if index.is_beside_truth and all(id in known for id in batch):
            _mark(database, index, batch, known, done)
        else:
            with database.reading() as session:
                rows = session.execute(OF_THESE, {"ids": batch}).all()
            _level(database, index, rows, known, done)
    return done


def sync_all(database: Database, index: Index) -> Iterator[Synced]:
    """Bring every memory level, a batch at a time; yields what has been done so far after each batch.

    Each batch is claimed first: several processes may sweep at once, and none does what another is at.
    """
    done = Synced()
    after: UUID | None = None
    claims.free_the_gone(database)
    while rows := claims.take(database, PENDING, after, BATCH):
        after = rows[-1].id
        try:
            _level(database, index, rows, {}, done)
        finally:
            claims.give_back(database, [row.id for row in rows])
        yield done


def _level(database: Database, index: Index, rows: Sequence[Pending], ready: Known, done: Synced) -> None:
    if not rows:
        return
    known = _embedded(index, rows, ready)
    if not index.is_beside_truth:
        _put_elsewhere(database, index, rows, known)
    _mark(database, index, [row.id for row in rows], known, done)


def _put_elsewhere(database: Database, index: Index, rows: Sequence[Pending], known: Known) -> None:
    active = _active(rows)
    try:
        index.put_elsewhere(_entries(active, known), _stacked(active, known))
        # A memory that has never been indexed (version 1) and is not active has nothing there; removing is harmless.
        index.remove_elsewhere([row.id for row in rows if row.state != State.active])
    except StoreUnavailable:
        # Found by its words meanwhile; it stays pending, and the next sync does both.
        _mark(database, index, [row.id for row in rows], known, Synced(), level=False)
        raise


def _mark(
    database: Database, index: Index, ids: Sequence[UUID], known: Known, done: Synced, *, level: bool = True
) -> None:
    """Look, put and mark in one transaction, on SQLite with the write lock: nothing can change in between.

    One that says something else by now stays pending: its vector is not made yet. And one that another sync brought
    level meanwhile becomes pending again if the vectors lie elsewhere: ours may have been put over the newer one.
    With `level` false nothing is marked: only the words are put.
    """
    with index.together(database) as together:
        connection = together.session.connection()
        if not _is_adopted(together.session, index):
            return  # another index serves by now: these vectors are nobody's, the rows stay pending
        pending = connection.execute(LOCKED, {"ids": ids}).all()
        rows = [row for row in pending if row.state != State.active or known.get(row.id, NOTHING)[0] == _composed(row)]
        active = _active(rows)
        together.put(_entries(active, known), _stacked(active, known))
        together.remove([row.id for row in rows if row.state != State.active])
        if not level:
            return
        if rows:
            connection.execute(MARK, [{"b_id": row.id, "b_version": row.version, "b_now": now()} for row in rows])
        overtaken = set(ids) - {row.id for row in pending}
        if overtaken and not index.is_beside_truth:
            connection.execute(AGAIN, {"ids": list(overtaken)})
    done.put += len(active)
    done.removed += len(rows) - len(active)


def _active(rows: Sequence[Pending]) -> list[Pending]:
    return [row for row in rows if row.state == State.active]


def _entries(rows: Sequence[Pending], known: Known) -> list[Entry]:
    return [Entry(row.id, row.user_id, known[row.id][0]) for row in rows]


def _stacked(rows: Sequence[Pending], known: Known) -> Vectors:
    return np.stack([known[row.id][1] for row in rows]) if rows else np.empty((0, 0), dtype=np.float32)


def _embedded(index: Index, rows: Sequence[Pending], ready: Known) -> Known:
    """The active rows' texts and vectors: ready ones as they are, the others in one call."""
    texts = {row.id: _composed(row) for row in _active(rows)}
    known = {id: ready[id] for id, text in texts.items() if id in ready and ready[id][0] == text}
    missing = [id for id in texts if id not in known]
    if missing:
        vectors = index.embed([texts[id] for id in missing])
        known |= {id: (texts[id], vector) for id, vector in zip(missing, vectors, strict=True)}
    return known


def _composed(row: Pending) -> str:
    return compose(row.content, row.author, row.occurred_at)


def _is_adopted(session: Session, index: Index) -> bool:
    """Whether `index` is the one that serves; so it is too while none does. Locked until the transaction ends."""
    adopted = session.connection().execute(ADOPTED).scalar()
    return adopted is None or adopted.get("identity", index.identity) == index.identity


def serving(session: Session) -> Mapping[str, Any] | None:
    """What the index that serves was built from: `identity`, `model`, and the sections of the configuration."""
    return session.scalar(select(Config.value).where(Config.key == INDEX_KEY))


def serve(session: Session, index: Index, sections: Mapping[str, Any]) -> None:
    """Have this index be the one that serves, in every process; who is at syncing another one finds that out."""
    session.execute(select(Config).where(Config.key == INDEX_KEY).with_for_update()).all()
    session.merge(Config(key=INDEX_KEY, value={"identity": index.identity, "model": index.model, **sections}))
    session.flush()
