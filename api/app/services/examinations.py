"""The review's work: each version of a memory is looked at once, in the background, a batch at a time.

What has not been looked at is what a partial index holds, so a write does nothing for it and a turn reads no more than
it looks at. One process examines at a time, under a lease; a killed one's batch is looked at again, which finds the
same. No transaction is open while the index or a model is asked.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.context import Context, Runtime
from app.database import Database, new_id, now
from app.engine import asking, comparing, likeness, secret_shapes
from app.engine.index import Index, Vectors
from app.engine.likeness import Likeness
from app.engine.llm import Llm, LlmFailure
from app.engine.text import compose
from app.errors import Unavailable
from app.models import Config, Finding, Memory, MemoryVector, State
from app.services import findings, scopes, similars
from app.workers import is_gone, this_worker

KEY = "review"  # the row of `configs` that says which process examines
LEASE = timedelta(minutes=10)  # of a process on another host: on this one its end is seen
BATCH = 50
SPELL = 0.01  # seconds of work between two rests
DEPTH = 40  # neighbours of a memory that are looked at: of many who live somewhere, one is the same person
MOST = 5  # findings of one memory: of a hundred copies nobody wants to see each pair
ASKED = 0.7  # cosine from which a model is asked about a pair
MOST_ASKED = 3  # pairs of one memory that it is asked about
PATIENCE = 2  # times the timeout of one try: the longest that a question may take

READ = (
    *(Memory.id, Memory.user_id, Memory.content, Memory.author, Memory.occurred_at, Memory.created_at),
    *(Memory.memory_type, Memory.version, Memory.content_hash),
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """A memory as it was read to be looked at."""

    id: UUID
    user_id: UUID
    content: str
    author: str | None
    occurred_at: datetime | None
    created_at: datetime
    memory_type: str
    version: int
    content_hash: str

    @property
    def composed(self) -> str:
        """As the index has it."""
        return compose(self.content, self.author, self.occurred_at)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two memories of one owner and their cosine, the one with the smaller id first."""

    one: Read
    other: Read
    similarity: float


class Pace:
    """Works for a moment and rests as long: whoever searches meanwhile waits for a moment, not for a batch.

    `rest` waits for so many seconds; True when there is an end to it.
    """

    def __init__(self, rest: Callable[[float], bool]) -> None:
        self._rest = rest
        self._began = time.monotonic()
        self.is_over = False

    def breathe(self) -> None:
        """Rest if there was work for long enough."""
        worked = time.monotonic() - self._began
        if worked >= SPELL and not self.is_over:
            self.is_over = self._rest(worked)
            self._began = time.monotonic()


def sweep(runtime: Runtime, rest: Callable[[float], bool] = lambda seconds: False) -> int:
    """Look at all that waits, unless another process is at it; how many memories. One read if there is nothing to do.

    Args:
        rest: waits for so many seconds, as many as there was work before (`Pace`). True ends it after the batch.
    """
    done = 0
    if not runtime.engine.is_ready or not _waiting(runtime.database, 1):
        return done
    if not _claim(runtime):
        return done
    pace = Pace(rest)
    try:
        while not pace.is_over and (taken := _turn(runtime, pace)):
            done += taken
            _claim(runtime)
            pace.breathe()
    finally:
        _release(runtime)
    return done


def scan(ctx: Context, user_id: str | None = None) -> int:
    """Have all active memories of the owner, one's own without a name, looked at again; how many there are.

    Raises:
        Forbidden: the key is bound to an app.
    """
    findings.refuse_apps(ctx)
    scope = scopes.resolve(ctx, user_id or ctx.caller.name)
    owner = ctx.caller.user_id if scope.owner_id is None else scope.owner_id
    again = update(Memory).where(Memory.user_id == owner, Memory.state == State.active, Memory.examined_version > 0)
    ctx.session.execute(again.values(examined_version=None).execution_options(synchronize_session=False))
    ctx.after_commit(ctx.runtime.review.set)
    return findings.counts(ctx, user_id or ctx.caller.name).memories


def _claim(runtime: Runtime) -> bool:
    """Hold, or hold on to, the examination; False while another process does."""
    insert = (sqlite if runtime.database.is_sqlite else postgresql).insert
    free: dict[str, Any] = {"worker": None, "until": now().isoformat()}
    with runtime.relaxed.transaction() as session:
        session.execute(insert(Config).values(key=KEY, value=free).on_conflict_do_nothing())
        held = session.scalars(select(Config.value).where(Config.key == KEY).with_for_update()).one()
        worker = held["worker"]
        is_held = worker not in (None, this_worker()) and not is_gone(worker)
        if is_held and datetime.fromisoformat(held["until"]) > now():
            return False
        session.merge(Config(key=KEY, value={"worker": this_worker(), "until": (now() + LEASE).isoformat()}))
        return True


def _release(runtime: Runtime) -> None:
    with runtime.relaxed.transaction() as session:
        held = session.scalars(select(Config.value).where(Config.key == KEY).with_for_update()).first()
        if held and held["worker"] == this_worker():
            session.merge(Config(key=KEY, value={"worker": None, "until": now().isoformat()}))


def _waiting(database: Database, limit: int) -> list[Read]:
    """Indexed memories that have not been looked at, in the order of owner and id."""
    waits = findings.unexamined(is_sqlite=database.is_sqlite)
    query = select(*READ).where(waits, Memory.indexed_at.is_not(None)).order_by(Memory.user_id, Memory.id)
    with database.reading() as session:
        return [Read(*row) for row in session.execute(query.limit(limit))]


def _turn(runtime: Runtime, pace: Pace) -> int:
    """Look at one batch; how many memories it had."""
    batch = _waiting(runtime.database, BATCH)
    if not batch:
        return 0
    pairs = _pairs(runtime, [one for one in batch if one.memory_type != similars.SESSION], pace)
    judged = _judged(runtime, pairs, pace)
    with runtime.database.transaction() as session:
        _write(session, runtime.database.is_sqlite, batch, judged)
    return len(batch)


def _pairs(runtime: Runtime, batch: Sequence[Read], pace: Pace) -> list[Pair]:
    """What is near to each of the batch, each pair once, nearest first."""
    index = runtime.engine.index
    vectors = _vectors(runtime, index, batch)
    near: dict[UUID, dict[UUID, float]] = {}
    for one in batch:
        if one.id in vectors:
            near[one.id] = index.nearest(one.user_id, vectors[one.id], DEPTH + 1)
            pace.breathe()
    beside = _beside(runtime.database, {id for of_one in near.values() for id, score in of_one.items()})
    found: dict[tuple[UUID, UUID], Pair] = {}
    for one in batch:
        for id, score in near.get(one.id, {}).items():
            other = beside.get(id)
            if other and id != one.id and score >= likeness.LEAST and _are_comparable(one, other):
                first, second = sorted((one, other), key=lambda read: read.id)
                found[first.id, second.id] = Pair(first, second, min(score, 1.0))
    return sorted(found.values(), key=lambda pair: -pair.similarity)


def _are_comparable(one: Read, other: Read) -> bool:
    """Of one owner, and not by two authors: "I live here" of the one is nothing against the other's."""
    return one.user_id == other.user_id and not (one.author and other.author and one.author != other.author)


def _vectors(runtime: Runtime, index: Index, batch: Sequence[Read]) -> dict[UUID, Vectors]:
    """The vectors of the batch, as they are stored where that is beside the memories, else embedded in one call."""
    found: dict[UUID, Vectors] = {}
    if index.is_beside_truth:
        query = select(MemoryVector.memory_id, MemoryVector.vector).where(MemoryVector.model == index.model)
        with runtime.database.reading() as session:
            rows = session.execute(query.where(MemoryVector.memory_id.in_([one.id for one in batch]))).all()
        found = {row.memory_id: _floats(row.vector) for row in rows}
    missing = [one for one in batch if one.id not in found]
    if missing and not index.is_beside_truth:
        found |= dict(zip([one.id for one in missing], index.embed([one.composed for one in missing]), strict=True))
    return found


def _floats(stored: bytes | str) -> Vectors:
    """A stored vector: float32 in bytes, or pgvector's text."""
    values = np.frombuffer(stored, np.float32) if isinstance(stored, bytes) else json.loads(stored)
    return np.asarray(values, dtype=np.float32)


def _beside(database: Database, ids: Iterable[UUID]) -> dict[UUID, Read]:
    """Those of the memories that are active and no raw turns."""
    query = select(*READ).where(
        Memory.id.in_(list(ids)), Memory.state == State.active, Memory.memory_type != similars.SESSION
    )
    with database.reading() as session:
        return {row.id: Read(*row) for row in session.execute(query)}


def _judged(runtime: Runtime, pairs: Sequence[Pair], pace: Pace) -> list[tuple[Pair, Likeness]]:
    """What each pair is: by its words, and by the LLM where there is one; at most so many of one memory."""
    by_words: dict[Pair, Likeness | None] = {}
    for pair in pairs:
        by_words[pair] = likeness.judge(pair.one.content, pair.other.content, pair.similarity)
        pace.breathe()
    llm = _llm(runtime) if pairs else None
    if llm is not None:
        by_words |= _asked(llm, [pair for pair in pairs if by_words[pair] != likeness.SAME_WORDS])
    many: dict[UUID, int] = {}
    kept: list[tuple[Pair, Likeness]] = []
    for pair, found in by_words.items():
        if found is not None and max(many.get(pair.one.id, 0), many.get(pair.other.id, 0)) < MOST:
            kept.append((pair, found))
            many |= {read.id: many.get(read.id, 0) + 1 for read in (pair.one, pair.other)}
    return kept


def _llm(runtime: Runtime) -> Llm | None:
    with runtime.database.reading() as session:
        if not findings.asks_llm(session):
            return None
    try:
        return runtime.engine.llm
    except Unavailable as error:
        logger.warning("reviewed by words alone: %s", error)
        return None


def _asked(llm: Llm, pairs: Sequence[Pair]) -> dict[Pair, Likeness | None]:
    """What the model says of the nearest pairs of each memory; of those it could not be asked about nothing."""
    many: dict[UUID, int] = {}
    asked = []
    for pair in pairs:
        if pair.similarity >= ASKED and min(many.get(pair.one.id, 0), many.get(pair.other.id, 0)) < MOST_ASKED:
            asked.append(pair)
            many |= {read.id: many.get(read.id, 0) + 1 for read in (pair.one, pair.other)}
    said: dict[Pair, Likeness | None] = {}
    for start in range(0, len(asked), comparing.MOST):
        group = asked[start : start + comparing.MOST]
        try:
            said |= dict(zip(group, _verdicts(llm, group), strict=True))
        except LlmFailure as error:
            logger.warning("reviewed by words alone: %s", error)
            break
    return said


def _verdicts(llm: Llm, pairs: Sequence[Pair]) -> list[Likeness | None]:
    shown = [(_dated(pair.one), _dated(pair.other)) for pair in pairs]
    until = time.monotonic() + PATIENCE * llm.timeout
    return asking.ask(llm, comparing.prompt(shown), until, lambda answer: comparing.read(answer, len(shown)))


def _dated(read: Read) -> str:
    return f"({(read.occurred_at or read.created_at).date().isoformat()}) {read.composed}"


def _write(session: Session, is_sqlite: bool, batch: Sequence[Read], judged: Sequence[tuple[Pair, Likeness]]) -> None:
    """What was found, in the place of what was found in what the memories said before; and that they were looked at.

    Only of memories that did not change meanwhile: the others wait still.
    """
    ids = sorted({one.id for one in batch} | {read.id for pair, _ in judged for read in (pair.one, pair.other)})
    rows = session.execute(
        select(Memory.id, Memory.version)
        .where(Memory.id.in_(ids))
        .order_by(Memory.id)
        .with_for_update(skip_locked=True)
    )
    versions = {row.id: row.version for row in rows}
    level = {one.id: one for one in batch if versions.get(one.id) == one.version}
    _forget_stale(session, list(level))
    found = [_pair_row(pair, kind) for pair, kind in judged if _is_level(pair, versions)]
    _put(session, is_sqlite, found, [Finding.memory_id, Finding.other_id], Finding.other_id.is_not(None))
    secret = [row for one in level.values() if (row := _secret_row(one))]
    _put(session, is_sqlite, secret, [Finding.memory_id], Finding.other_id.is_(None))
    looked = update(Memory).where(Memory.id.in_(list(level))).values(examined_version=Memory.version)
    session.execute(looked.execution_options(synchronize_session=False))


def _is_level(pair: Pair, versions: dict[UUID, int]) -> bool:
    return all(versions.get(read.id) == read.version for read in (pair.one, pair.other))


def _forget_stale(session: Session, ids: Sequence[UUID]) -> None:
    """Remove what is unresolved and was found in what these memories say no more."""

    def said(id: Any) -> Any:
        return select(Memory.content_hash).where(Memory.id == id).correlate(Finding).scalar_subquery()

    stale = or_(
        and_(Finding.memory_id.in_(ids), Finding.memory_hash != said(Finding.memory_id)),
        and_(Finding.other_id.in_(ids), Finding.other_hash != said(Finding.other_id)),
    )
    gone = delete(Finding).where(Finding.resolved_at.is_(None), stale)
    session.execute(gone.execution_options(synchronize_session=False))


def _pair_row(pair: Pair, found: Likeness) -> dict[str, Any]:
    return {
        "user_id": pair.one.user_id,
        "kind": found.kind.value,
        "memory_id": pair.one.id,
        "other_id": pair.other.id,
        "memory_hash": pair.one.content_hash,
        "other_hash": pair.other.content_hash,
        "score": pair.similarity,
        "detail": {"why": found.why},
    }


def _secret_row(one: Read) -> dict[str, Any] | None:
    found = secret_shapes.find(one.content)
    if not found:
        return None
    return {
        "user_id": one.user_id,
        "kind": findings.SECRET,
        "memory_id": one.id,
        "memory_hash": one.content_hash,
        "detail": {"secrets": [asdict(secret) for secret in found]},
    }


def _put(session: Session, is_sqlite: bool, rows: Sequence[dict[str, Any]], key: Sequence[Any], where: Any) -> None:
    """Add what was found. What is known already stays as it is: open, or kept by somebody, unless a text changed."""
    if not rows:
        return
    insert = (sqlite if is_sqlite else postgresql).insert(Finding)
    new = insert.excluded
    changed = or_(
        Finding.memory_hash != new.memory_hash,
        Finding.other_hash.is_distinct_from(new.other_hash),
        Finding.resolution.is_distinct_from("keep") & (Finding.resolved_at.is_not(None) | (Finding.kind != new.kind)),
    )
    again = {
        name: getattr(new, name) for name in ("kind", "memory_hash", "other_hash", "score", "detail", "created_at")
    }
    over = dict.fromkeys(("resolved_at", "resolution", "resolved_by", "event_id"))
    when = now()
    values = [
        {"id": new_id(), "created_at": when, "other_id": None, "other_hash": None, "score": None} | r for r in rows
    ]
    session.execute(
        insert.values(values).on_conflict_do_update(
            index_elements=key, index_where=where, set_={**again, **over}, where=changed
        )
    )
