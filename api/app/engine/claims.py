"""Which process is at which pending memory: none is embedded twice, and none is lost with the process that had it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.database import Database, now
from app.models import IndexClaim, Memory
from app.workers import is_gone, this_worker

LEASE = timedelta(minutes=10)  # of a process on another host: on this one its end is seen


def take(
    database: Database, pending: Select[*tuple[Any, ...]], after: UUID | None, limit: int
) -> Sequence[Row[*tuple[Any, ...]]]:
    """The next pending rows in the order of their ids that no other process has; claimed for this one."""
    free = pending.where(~_taken()).order_by(Memory.id).limit(limit)
    if after is not None:
        free = free.where(Memory.id > after)
    with database.reading() as session:
        if session.execute(free.limit(1)).first() is None:
            return []
    with database.transaction() as session:
        rows = session.execute(free.with_for_update(of=Memory, skip_locked=True)).all()
        ours = _claim(session, [row.id for row in rows], database.is_sqlite)
    return [row for row in rows if row.id in ours]


def give_back(database: Database, ids: Sequence[UUID]) -> None:
    """Claim these no longer."""
    with database.transaction() as session:
        session.execute(delete(IndexClaim).where(IndexClaim.memory_id.in_(ids), IndexClaim.worker == this_worker()))


def _taken() -> Any:
    return exists().where(
        IndexClaim.memory_id == Memory.id, IndexClaim.until > now(), IndexClaim.worker != this_worker()
    )


def _claim(session: Session, ids: Sequence[UUID], is_sqlite: bool) -> set[UUID]:
    """Those of the ids that nobody else claimed a moment before."""
    if not ids:
        return set()
    insert = (sqlite if is_sqlite else postgresql).insert(IndexClaim)
    rows = [{"memory_id": id, "worker": this_worker(), "until": now() + LEASE} for id in ids]
    claim = insert.values(rows).on_conflict_do_update(
        index_elements=[IndexClaim.memory_id],
        set_={"worker": insert.excluded.worker, "until": insert.excluded.until},
        where=(IndexClaim.until <= now()) | (IndexClaim.worker == this_worker()),
    )
    return set(session.scalars(claim.returning(IndexClaim.memory_id)))


def free_the_gone(database: Database) -> None:
    """Free what processes of this host had that are not there any more."""
    with database.reading() as session:
        gone = [worker for worker in session.scalars(select(IndexClaim.worker).distinct()) if is_gone(worker)]
    if gone:
        with database.transaction() as session:
            session.execute(delete(IndexClaim).where(IndexClaim.worker.in_(gone)))
