"""The database: declarative base, naming convention, engines and their sessions.

SQLite is used as it wants to be: WAL, foreign keys on, explicit `BEGIN` (the driver's own transactions would let two
statements of one request see two states), and one writer at a time, queued fairly in this process by a lock instead
of by SQLite's sleeping busy handler.
"""

import json
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from pydantic_core import from_json
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Dialect,
    Engine,
    FunctionElement,
    MetaData,
    String,
    Uuid,
    and_,
    case,
    create_engine,
    event,
    literal,
    make_url,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeDecorator
from uuid_utils.compat import uuid7

BUSY_SECONDS = 60  # an import of 100,000 memories holds the write lock for half a minute on a slow machine
POOL_SIZE = 48  # more than the 40 threads that answer requests, so that none waits for a connection

_write_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A new time-ordered UUID (version 7): rows born together lie together in every index."""
    return uuid7()


class sql_id(FunctionElement[UUID]):  # named like the SQL functions it stands for
    """A new UUID for every row of a statement, made by the database; time-ordered on SQLite."""

    type = Uuid()
    inherit_cache = True


@compiles(sql_id, "sqlite")
def _in_sqlite(*_: Any, **__: Any) -> str:
    # Version 7 by hand: milliseconds, then chance. At random, a log's rows would lie all over its index.
    milliseconds = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)"
    chance = "hex(randomblob(10))"
    return f"lower(printf('%012x7%.3s8%.15s', {milliseconds}, {chance}, {chance}))"


@compiles(sql_id)
def _in_postgresql(*_: Any, **__: Any) -> str:
    return "gen_random_uuid()"


class id_key(FunctionElement[str]):
    """An id as its 32 hexadecimal digits, written by the database: no UUID is made of it."""

    type = String()
    inherit_cache = True


@compiles(id_key, "sqlite")
def _key_in_sqlite(element: id_key, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)  # so it is stored


@compiles(id_key)
def _key_in_postgresql(element: id_key, compiler: SQLCompiler, **kw: Any) -> str:
    return f"replace(CAST({compiler.process(element.clauses, **kw)} AS text), '-', '')"


def asked_last(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """All of the conditions, for rows that others find by their ids.

    Without statistics SQLite takes an index over two equal columns for better than ten ids, and so walked through all
    that an owner has (30 ms of 100,000). It uses no index for what is inside a CASE.
    """
    return case((and_(*conditions), literal(1)), else_=literal(0)) == 1


class UtcDateTime(TypeDecorator[datetime]):
    """Aware in Python, UTC in the database; SQLite, which has no zones, stores it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times: nobody can tell what they mean."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime reached the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give every time its zone back."""
        return None if value is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """On SQLite straight from the stored text: six times a memory, past two layers of Python."""
        return _read_utc if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _read_json(stored: str) -> Any:
    """Four times as fast as the standard library's, which knows more: half surrogate pairs, which others wrote."""
    try:
        return from_json(stored)
    except ValueError:
        return json.loads(stored)


def _read_utc(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(f"{stored}+00:00")


class Base(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    """An engine and its sessions.

    With `durable=False` a commit on SQLite is not flushed to the disk: right for what can be made again from the
    truth (the index) or is worth less than a write's wait (access logs). It survives a killed process all the same;
    only a power cut can lose it, and WAL keeps the order, so the truth is never behind its copy.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self._open(url, _sqlite_engine(url) if _is_sqlite(url) else _server_engine(url), durable)

    def _open(self, url: str, engine: Engine, durable: bool) -> None:
        self.url = url
        self.is_sqlite = _is_sqlite(url)
        self._plain, self._durable = engine, durable
        self._write_lock = _write_locks[_file(url)]
        self.engine = engine if durable else engine.execution_options(durable=False)
        self._writing = self.engine.execution_options(writing=True)  # made once: that costs as much as a statement
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    def relaxed(self) -> "Database":
        """The same database over the same connections, its commits not flushed.

        The same connections, because SQLite empties a connection's cache when another one has written: a list that
        logged its read through a connection of its own took twice as long.
        """
        other = Database.__new__(Database)
        other._open(self.url, self._plain, durable=False)
        return other

    def session(self, *, writing: bool = False) -> Session:
        """A new session; its first statement begins the transaction, `writing` ones take the write lock then."""
        return self._sessions(bind=self._writing if writing else self.engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for a few reads, given back at the end."""
        with self.session() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A writing session: committed at the end, rolled back on an exception."""
        with self.session(writing=True) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """`transaction` without a session, which takes as long again as one statement.

        Its options are the connection's: an engine with options asks for its listeners by two detours at each event.
        """
        with self._plain.connect() as connection:
            connection.execution_options(writing=True, durable=self._durable)
            with connection.begin():
                yield connection

    def written_alone(self, sql: str, values: tuple[Any, ...]) -> None:
        """One statement that writes, on SQLite, by the driver without a transaction around it: it commits itself.

        A third of what `writing` takes, which is most of what a search pays for its line in the access log.
        """
        connection = self._plain.raw_connection()
        try:
            _take(self._write_lock)
            try:
                _flush_commits(connection, self._durable)
                self._driven(connection.dbapi_connection, sql, values)
            finally:
                self._write_lock.release()
        finally:
            connection.close()

    def asked_alone(self, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The rows of one statement that only reads, on SQLite, by the driver without a transaction around it."""
        connection = self._plain.raw_connection()
        try:
            return self._driven(connection.dbapi_connection, sql, values)
        finally:
            connection.close()

    def asked_within(self, session: Session, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """`asked_alone` in the transaction of a session, which it begins if there is none yet."""
        return self._driven(_raw(session.connection()), sql, values)

    def _driven(self, connection: Any, sql: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """One statement by SQLite's driver.

        Who listens to SQLAlchemy's statements hears of it, too: without a connection, a cursor and a context.
        """
        for listener in self._plain.dispatch.before_cursor_execute:
            listener(None, None, sql, values, None, False)
        raw: sqlite3.Connection = connection
        try:
            return raw.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise DBAPIError.instance(sql, values, error, sqlite3.Error, dialect=self.dialect) from error

    @property
    def dialect(self) -> Dialect:
        """What statements are compiled for."""
        return self._plain.dialect

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _file(url: str) -> str:
    return make_url(url).database or url


def _is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"


def _is_durable(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("durable", True))


def _server_engine(url: str) -> Engine:
    engine = create_engine(url, pool_size=POOL_SIZE, max_overflow=0, pool_pre_ping=True, json_deserializer=_read_json)

    @event.listens_for(engine, "begin")
    def relax(connection: Connection) -> None:
        if not _is_durable(connection):
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    return engine


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=0,
        json_deserializer=_read_json,
        pool_use_lifo=True,  # each connection has a cache of its own: the last one used has the warmest
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    lock = _write_locks[_file(url)]

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        _set_pragmas(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writing"):
            _begin_write(connection, lock)
        else:
            _raw(connection).execute("BEGIN").close()  # of the driver: it cannot fail, and costs a tenth so

    @event.listens_for(engine, "commit")
    def release_after_commit(connection: Connection) -> None:
        # The event comes before the commit itself: commit here, while the lock is still ours.
        if connection.info.get("writes"):
            _finish_write(connection, lock, "COMMIT")

    @event.listens_for(engine, "rollback")
    def release_after_rollback(connection: Connection) -> None:
        if connection.info.get("writes"):
            _finish_write(connection, lock, "ROLLBACK")

    return engine


def _raw(connection: Connection) -> sqlite3.Connection:
    raw: Any = connection.connection.dbapi_connection
    return cast(sqlite3.Connection, raw)


def _set_pragmas(connection: Any) -> None:
    raw: sqlite3.Connection = connection
    raw.isolation_level = None  # no implicit transactions: `begin` below says when one starts
    _use_wal(raw)
    for pragma in (
        "foreign_keys = ON",
        "cache_size = -1000",  # KiB a connection, of up to 96; the system caches the file for all of them
        "temp_store = MEMORY",
        "secure_delete = ON",  # what is deleted is overwritten; some builds of SQLite do so anyway
    ):
        raw.execute(f"PRAGMA {pragma}").close()


def _use_wal(raw: sqlite3.Connection) -> None:
    """Switch the file to WAL, once in its life. Two first starts at once collide here, and SQLite does not wait."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL").close()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _begin_write(connection: Connection, lock: threading.Lock) -> None:
    _take(lock)
    try:
        _flush_commits(connection.connection, _is_durable(connection))
        _raw(connection).execute("BEGIN IMMEDIATE").close()  # of the driver, as reads' `BEGIN` is
    except sqlite3.OperationalError as error:
        lock.release()
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error
    except BaseException:
        lock.release()
        raise
    connection.info["writes"] = True


def _take(lock: threading.Lock) -> None:
    if not lock.acquire(timeout=BUSY_SECONDS):
        cause = sqlite3.OperationalError("database is locked by another writer of this process")
        raise OperationalError("BEGIN IMMEDIATE", None, cause)


def _flush_commits(connection: PoolProxiedConnection, durable: bool) -> None:
    """Have SQLite wait for the disk at each commit of this connection, or not."""
    raw = connection.dbapi_connection
    if isinstance(raw, sqlite3.Connection) and connection.info.get("durable") is not durable:
        raw.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}").close()
        connection.info["durable"] = durable


def _finish_write(connection: Connection, lock: threading.Lock, statement: str) -> None:
    raw = connection.connection.dbapi_connection
    try:
        if isinstance(raw, sqlite3.Connection) and raw.in_transaction:
            raw.execute(statement)
    except sqlite3.Error:
        # A failed COMMIT leaves the transaction open; the rollback that follows ends it and frees the lock.
        if statement == "ROLLBACK":
            connection.info.pop("writes", None)
            lock.release()
        raise
    connection.info.pop("writes", None)
    lock.release()
