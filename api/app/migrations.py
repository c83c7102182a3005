"""Bring the database to the newest schema. Alembic is the only authority; it is not even imported when there is
nothing to do, since every start asks."""

import importlib
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text

from app.database import Database
from app.errors import Conflict
from app.settings import ROOT

VERSIONS = ROOT / "alembic" / "versions"
REVISION = re.compile(r'^(revision|down_revision)(?:\s*:[^=]+)?\s*=\s*["\']([^"\']+)["\']', re.MULTILINE)
LOCK = 0x6D696772617465  # "migrate": one migrating process at a time on PostgreSQL


@cache
def _revisions(folder: Path = VERSIONS) -> dict[str, str | None]:
    """Each revision and the one before it."""
    found = [dict(REVISION.findall(path.read_text())) for path in sorted(folder.glob("*.py"))]
    return {names["revision"]: names.get("down_revision") for names in found}


def head() -> str:
    """The newest revision that this code knows."""
    revisions = _revisions()
    (newest,) = revisions.keys() - set(revisions.values())
    return newest


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None if it is empty."""
    with engine.connect() as connection:
        return _current(connection)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(url: str) -> bool:
    """Bring the database at `url` to the newest revision, all of it or nothing; whether there was anything to do.

    Several processes may do this at once: one migrates, the others wait and find it done.

    Raises:
        Conflict: a newer Commonplace has been here.
    """
    database = Database(url)
    try:
        if current(database.engine) == head():
            return False
        with _alone(database) as connection:
            return _upgrade(connection)
    finally:
        database.dispose()


def _upgrade(connection: Connection) -> bool:
    at = _current(connection)
    if at == head():
        return False
    if at is not None and at not in _revisions():
        raise Conflict(f"The database is of a newer Commonplace (revision {at}); this one knows up to {head()}")
    config: Any = importlib.import_module("alembic.config").Config(ROOT / "alembic.ini")
    config.attributes["connection"] = connection
    importlib.import_module("alembic.command").upgrade(config, "head")
    return True


@contextmanager
def _alone(database: Database) -> Iterator[Connection]:
    """A connection in a transaction that no other migrating process can be in."""
    if database.is_sqlite:
        with database.engine.execution_options(writing=True).connect() as connection, _without_keys(connection):
            yield connection
        return
    with database.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        yield connection


@contextmanager
def _without_keys(connection: Connection) -> Iterator[None]:
    """Foreign keys off until the end, and checked then: SQLite changes a table by making it anew, and dropping the old
    one would take with it every row that points there."""
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)  # noqa: S101 -- what SQLAlchemy's dialect gives
    raw.execute("PRAGMA foreign_keys = OFF")
    with connection.begin():
        yield
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise Conflict(f"The migration would leave rows of {broken[0]} that point nowhere; nothing was changed")
    raw.execute("PRAGMA foreign_keys = ON")
