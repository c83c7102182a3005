"""One request = one Context = one transaction, committed before the answer; then the index.

    with runtime.context(caller, writing=True) as ctx:
        memories.add(ctx, ...)

The first statement begins the transaction, so what a verb does before it (embedding, above all) holds none. After the
commit the memories that the verbs touched are brought level in the index, and the reads they logged are written: both
in commits that need not wait for the disk.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Executable, Row, insert
from sqlalchemy.orm import Session

from app import prepared
from app.bookmarks import Bookmarks
from app.database import Database, now
from app.engine.engine import Engine
from app.engine.index import Vectors
from app.engine.ranking.kept import KeptTraits
from app.engine.sync import sync
from app.limiter import Limiter
from app.measures import Measures
from app.models import AccessBatch
from app.prepared import Prepared, Values
from app.settings import Settings

logger = logging.getLogger(__name__)

# One row a read: an insert of 50 log rows took as long as reading the 50 memories.
NOTE_READS = insert(AccessBatch)
# The same for SQLite's driver: nearly every read notes one row, and SQLAlchemy takes twice as long to write it.
NOTE_READ = "INSERT INTO access_batches (app_id, access_type, accessed_at, metadata, memory_ids) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, through what, and what they may.

    Attributes:
        user_id: the user's row.
        name: the `user_id` that protocols carry.
        app: name of the app that a key is bound to, else None.
        scopes: of `read`, `write`, `admin`.
        is_person: signed in on the dashboard: not an app, so their reads are not an app's reads.
        key_id: the key that was used, if one was.
    """

    user_id: UUID
    name: str
    app: str | None
    scopes: frozenset[str]
    is_person: bool = False
    key_id: UUID | None = None
    session_id: UUID | None = None

    @property
    def is_admin(self) -> bool:
        """Whether every user's memories are within reach."""
        return "admin" in self.scopes


class Runtime:
    """What lives as long as the server: settings, database, engine, and what it counts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.url)
        self.relaxed = self.database.relaxed()
        self.bookmarks = Bookmarks()
        self.limiter = Limiter(settings.redis_url)
        self.measures = Measures()
        self.traits = KeptTraits()
        self.wake = threading.Event()  # set it to have the sweep begin now
        self.work = threading.Event()  # set it to have the worker look for adds that wait now
        self.review = threading.Event()  # set it to have the review look for what it has not examined now
        self.engine = Engine(self.relaxed, settings.data_dir, settings.vector_cache_bytes)

    @contextmanager
    def context(self, caller: Caller, *, writing: bool = False) -> Iterator["Context"]:
        """A Context for `caller`: commits and then syncs the index, or rolls back on an exception."""
        with self.database.session(writing=writing) as session:
            ctx = Context(self, caller, session)
            yield ctx
            session.commit()
        ctx.finish()

    def close(self) -> None:
        """Close every connection."""
        self.database.dispose()


@dataclass(slots=True)
class Context:
    """What a verb works with. Verbs read and write through `session` and never commit."""

    runtime: Runtime
    caller: Caller
    session: Session
    _touched: dict[UUID, None] = field(default_factory=dict)
    _ready: dict[UUID, tuple[str, Vectors]] = field(default_factory=dict)
    _reads: list[dict[str, Any]] = field(default_factory=list)
    _after: list[Callable[[], None]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """How this server is deployed."""
        return self.runtime.settings

    @property
    def engine(self) -> Engine:
        """What embeds and searches."""
        return self.runtime.engine

    def acting_as(self, caller: Caller) -> "Context":
        """The same transaction in another caller's name; what is to be done after the commit is done with this one."""
        return replace(self, caller=caller)

    def rows(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Sequence[Row[*tuple[Any, ...]]]:
        """The rows of a statement of columns: past the ORM's loading of entities, which takes as long again."""
        return self.session.connection().execute(statement, values).all()

    def asked(self, statement: Prepared, values: Values, *, alone: bool = False) -> Sequence[prepared.Row]:
        """The rows of a statement that was prepared.

        Args:
            alone: it needs no other statement to see the same state, so where no transaction is open it opens none.
        """
        database, was_open = self.runtime.database, self.session.in_transaction()
        if not database.is_sqlite or statement.has_empty_list(values):
            found = self.rows(statement.statement, values)
            if alone and not was_open:
                self.release()
            return found
        driven = statement.driven(database.dialect, values)
        given = driven.given(values)
        if alone and not was_open:
            return driven.read(database.asked_alone(driven.sql, given))
        return driven.read(database.asked_within(self.session, driven.sql, given))

    def row(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row[*tuple[Any, ...]] | None:
        """The first of `rows`, if there is one."""
        return self.session.connection().execute(statement, values).first()

    def write(self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once for each of `values`: past the ORM's bulk inserts, which take twice as long."""
        self.session.connection().execute(statement, values)

    def release(self) -> None:
        """End a read's transaction before something slow; the next statement begins another."""
        self.session.rollback()

    def touch(self, ids: Iterable[UUID]) -> None:
        """Have these memories brought level in the index after the commit."""
        self._touched.update(dict.fromkeys(ids))

    def ready(self, id: UUID, composed: str, vector: Vectors) -> None:
        """`touch` with a vector that is computed already, of the composed text."""
        self._touched[id] = None
        self._ready[id] = (composed, vector)

    def log_reads(self, app_id: UUID, ids: Sequence[UUID], kind: str, **metadata: Any) -> None:
        """Have these memories logged as shown to the app, in one batch after the read."""
        shown = [id.hex for id in ids]
        self._reads.append(
            {"memory_ids": shown, "app_id": app_id, "access_type": kind, "accessed_at": now(), "metadata": metadata}
        )

    def after_commit(self, act: Callable[[], None]) -> None:
        """Have this done once the transaction is committed; it must not fail."""
        self._after.append(act)

    def finish(self) -> None:
        """After the commit: write the access log, bring the index level. The request has succeeded already."""
        for act in self._after:
            act()
        if self._reads:
            self._write_reads()
        if self._touched:
            self._sync()

    def _write_reads(self) -> None:
        relaxed = self.runtime.relaxed
        if relaxed.is_sqlite and len(self._reads) == 1:
            relaxed.written_alone(NOTE_READ, _as_stored(self._reads[0]))
            return
        with relaxed.writing() as connection:
            connection.execute(NOTE_READS, self._reads)

    def _sync(self) -> None:
        if not self.engine.is_ready:
            return  # the sweep will, once there is an engine; SQL hides what must not be seen all the same
        try:
            sync(self.runtime.relaxed, self.engine.index, list(self._touched), self._ready)
        except Exception:  # any store's any failure: the write is committed, the sweep will catch up
            logger.exception("the index is behind by %d memories until the sweep", len(self._touched))


def _as_stored(read: Mapping[str, Any]) -> tuple[Any, ...]:
    """A read's row as the columns' types would have it."""
    moment = read["accessed_at"].replace(tzinfo=None).isoformat(" ", "microseconds")
    metadata, shown = json.dumps(read["metadata"]), json.dumps(read["memory_ids"])
    return read["app_id"].hex, read["access_type"], moment, metadata, shown
