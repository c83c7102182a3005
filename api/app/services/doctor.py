"""The doctor: looks whether everything that is kept twice agrees, and changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, text, union_all
from sqlalchemy.orm import Session

from app import migrations
from app.context import Runtime
from app.engine.index import BESIDE
from app.engine.sync import INDEX_KEY
from app.models import App, AppAccess, Config, Memory, MemoryTally, MemoryTerms, MemoryVector, State


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, in one line."""

    name: str
    is_well: bool
    text: str


Check = Callable[[Session], Finding]


def examine(runtime: Runtime) -> Iterator[Finding]:
    """Every check's finding; the others are not made on a database of another schema than this code's."""
    at, wanted = migrations.current(runtime.database.engine), migrations.head()
    yield Finding("migrations", at == wanted, f"at {at or 'nothing'}, the newest is {wanted}")
    if at != wanted:
        return
    with runtime.database.reading() as session:
        checks = [*ALWAYS, *(SQLITE if runtime.database.is_sqlite else []), *(VECTORS if _is_beside(session) else [])]
    for check in checks:
        with runtime.database.reading() as session:
            yield check(session)


def _is_beside(session: Session) -> bool:
    """Whether the vectors lie beside the memories; elsewhere they are not looked at."""
    index = session.get(Config, INDEX_KEY)
    store = index.value.get("vector_store", {}) if index else {}
    return store.get("provider", BESIDE[0]) in BESIDE


def _integrity(session: Session) -> Finding:
    lines = [str(line) for line in session.scalars(text("PRAGMA integrity_check"))]
    return Finding("database file", lines == ["ok"], "; ".join(lines[:3]))


def _references(session: Session) -> Finding:
    broken = session.execute(text("PRAGMA foreign_key_check")).all()
    return _none("references", len(broken), "rows point at rows that are not there")


def _pending(session: Session) -> Finding:
    # The index may lag: that is no illness, the sweep brings it level.
    waiting = _count(session, Memory.indexed_at.is_(None))
    return Finding("pending", True, f"{waiting} memories wait for the next sweep")


def _missing(session: Session) -> Finding:
    index = session.get(Config, INDEX_KEY)
    model = index.value.get("model") if index else None
    held = exists().where(MemoryVector.memory_id == Memory.id, MemoryVector.model == model)
    count = _count(session, Memory.state == State.active, Memory.indexed_at.is_not(None), ~held)
    return _none("missing vectors", count, "active memories are marked as indexed and have no vector")


def _orphans(session: Session) -> Finding:
    known = Memory.id == MemoryVector.memory_id
    level = or_(Memory.state == State.active, Memory.indexed_at.is_(None))
    query = select(func.count()).select_from(MemoryVector).where(~exists().where(known, level))
    return _none("orphan vectors", session.scalar(query) or 0, "vectors belong to no active memory")


def _strangers(session: Session) -> Finding:
    owned = and_(Memory.id == MemoryVector.memory_id, Memory.user_id != MemoryVector.owner_id)
    query = select(func.count()).select_from(MemoryVector).join(Memory, owned)
    return _none("owners of vectors", session.scalar(query) or 0, "vectors have another owner than their memory")


def _terms(session: Session) -> Finding:
    spoken = exists().where(MemoryTerms.memory_id == Memory.id)
    missing = _count(session, Memory.state == State.active, Memory.indexed_at.is_not(None), ~spoken)
    known = exists().where(
        Memory.id == MemoryTerms.memory_id,
        Memory.user_id == MemoryTerms.owner_id,
        or_(Memory.state == State.active, Memory.indexed_at.is_(None)),
    )
    excess = session.scalar(select(func.count()).select_from(MemoryTerms).where(~known)) or 0
    return _none("keywords", missing + excess, "memories without their words, or words without their memory")


def _tallies(session: Session) -> Finding:
    kept = select(MemoryTally.user_id, MemoryTally.app_id, MemoryTally.state, MemoryTally.count.label("n"))
    real = select(Memory.user_id, Memory.app_id, Memory.state, (-func.count()).label("n"))
    both = union_all(kept, real.group_by(Memory.user_id, Memory.app_id, Memory.state)).subquery()
    keys = (both.c.user_id, both.c.app_id, both.c.state)
    wrong = select(both.c.user_id).group_by(*keys).having(func.sum(both.c.n) != 0)
    return _none("tallies", _rows(session, wrong), "counts of memories differ from the memories")


def _accesses(session: Session) -> Finding:
    real = select(func.count()).where(AppAccess.app_id == App.id).correlate(App).scalar_subquery()
    wrong = select(App.id).where(App.accessed_count != real)
    return _none("access counts", _rows(session, wrong), "apps have another count than accesses")


ALWAYS: list[Check] = [_pending, _tallies, _accesses, _terms]
SQLITE: list[Check] = [_integrity, _references]
VECTORS: list[Check] = [_missing, _orphans, _strangers]


def _none(name: str, count: int, what: str) -> Finding:
    return Finding(name, count == 0, "none" if count == 0 else f"{count} {what}")


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Memory).where(*conditions)) or 0


def _rows(session: Session, query: Select[*tuple[object, ...]]) -> int:
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0
