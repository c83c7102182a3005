"""Bring the index level with the truth. Three callers, one function: after a request's commit, the sweep, `reindex`.

A memory whose indexed fields changed has `indexed_at` NULL. `sync` embeds and puts the active ones, removes the
others, and marks each as indexed only if it did not change meanwhile; one that did stays NULL for the next sync.
Doing it twice does no harm, and no transaction is open while the embedder or the store is called.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.orm import Session

from app.database import Database, now
from app.engine.index import Entry, Index, Vectors
from app.engine.text import compose
from app.models import Config, Memory, State

BATCH = 256
INDEX_KEY = "index"

PENDING = select(
    Memory.id, Memory.user_id, Memory.content, Memory.author, Memory.occurred_at, Memory.state, Memory.version
).where(Memory.indexed_at.is_(None))

MARK = (
    update(Memory)
    .where(Memory.id == bindparam("b_id"), Memory.version == bindparam("b_version"))
    .values(indexed_at=bindparam("b_now"))
)
# A row that changed while it was put or removed may have been overtaken by another sync: look at it again.
RECHECK = (
    update(Memory)
    .where(Memory.id == bindparam("b_id"), Memory.version != bindparam("b_version"))
    .values(indexed_at=None)
)


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


def sync(
    database: Database, index: Index, ids: Sequence[UUID], ready: Mapping[UUID, tuple[str, Vectors]] | None = None
) -> Synced:
    """Bring the memories `ids` level; those that are level already are passed over.

    Args:
        ready: vectors that were computed before the write, each with the composed text it belongs to.

    Raises:
        whatever the embedder or the store raises; nothing is marked then.
    """
    done = Synced()
    for start in range(0, len(ids), BATCH):
        with database.reading() as session:
            rows = session.execute(PENDING.where(Memory.id.in_(ids[start : start + BATCH]))).all()
        _level(database, index, rows, ready or {}, done)
    return done


def sync_all(database: Database, index: Index) -> Iterator[Synced]:
    """Bring every memory level, a batch at a time; yields what has been done so far after each batch."""
    done = Synced()
    after: UUID | None = None
    while True:
        query = PENDING.order_by(Memory.id).limit(BATCH)
        with database.reading() as session:
            rows = session.execute(query if after is None else query.where(Memory.id > after)).all()
        if not rows:
            return
        after = rows[-1].id
        _level(database, index, rows, {}, done)
        yield done


def _level(
    database: Database,
    index: Index,
    rows: Sequence[Pending],
    ready: Mapping[UUID, tuple[str, Vectors]],
    done: Synced,
) -> None:
    if not rows:
        return
    active = [row for row in rows if row.state == State.active]
    entries = [Entry(row.id, row.user_id, compose(row.content, row.author, row.occurred_at)) for row in active]
    index.put(entries, _vectors(index, entries, ready))
    # A memory that has never been indexed (version 1) and is not active has nothing there; removing is harmless.
    index.remove(row.id for row in rows if row.state != State.active)
    marks = [{"b_id": row.id, "b_version": row.version, "b_now": now()} for row in rows]
    with database.transaction() as session:
        if not _is_adopted(session, index.model):
            return  # another model was adopted meanwhile: these vectors are nobody's, the rows stay pending
        level = session.connection().execute(MARK, marks).rowcount
        if level != len(marks):
            session.connection().execute(RECHECK, [{"b_id": m["b_id"], "b_version": m["b_version"]} for m in marks])
    done.put += len(entries)
    done.removed += len(rows) - len(entries)


def _vectors(index: Index, entries: Sequence[Entry], ready: Mapping[UUID, tuple[str, Vectors]]) -> Vectors:
    """The entries' vectors, (len(entries), dimensions): ready ones as they are, the others in one call."""
    known = {e.id: ready[e.id][1] for e in entries if e.id in ready and ready[e.id][0] == e.composed}
    missing = [entry for entry in entries if entry.id not in known]
    if missing:
        known |= dict(zip((e.id for e in missing), index.embed([e.composed for e in missing]), strict=True))
    return np.stack([known[entry.id] for entry in entries]) if entries else np.empty((0, 0), dtype=np.float32)


def _is_adopted(session: Session, model: str) -> bool:
    """Whether `model` is the index's; so it is too while none has been adopted. Locked until the transaction ends."""
    adopted = session.scalar(select(Config.value).where(Config.key == INDEX_KEY).with_for_update(read=True))
    return adopted is None or adopted.get("model") == model


def adopt(database: Database, model: str) -> bool:
    """Make `model` the one whose vectors the index holds; True if it was another: then all are to be made again."""
    with database.reading() as session:
        known = session.get(Config, INDEX_KEY)
    if known is not None and known.value.get("model") == model:
        return False
    with database.transaction() as session:
        session.merge(Config(key=INDEX_KEY, value={"model": model}))
        if known is not None:
            session.execute(update(Memory).where(Memory.state == State.active).values(indexed_at=None))
    return known is not None
