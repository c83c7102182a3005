"""What the tests of a process share because making it takes longer than most of them: routes, SQL, a loop, TLS.

Every test still has a server, a runtime and a database of its own. FastAPI makes a door's routes when the first request
comes, SQLAlchemy compiles a statement once an engine, and a test client starts an event loop in a thread for every
request: together half of a test's time (decision 0040).
"""

import copy
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import anyio.from_thread
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from starlette.datastructures import State

from app import database
from app.context import Runtime
from app.routers import mem0, mem0_local, mem9, memento, openmemory, platform

STATEMENTS = 1_000  # compiled ones that are kept, for each kind of database
# Not `mem0_local.build_unversioned`: `mem0_local.build` adds routes to what it gives, and copies share their routes.
DOORS = (
    (openmemory, "build"),
    (memento, "build"),
    (mem0_local, "build"),
    (platform, "build"),
    (mem9, "build_v1alpha1"),
    (mem9, "build"),
    (mem9, "build_probes"),
    (mem0, "build"),
)

Build = Callable[[Runtime], FastAPI]


def doors(patch: pytest.MonkeyPatch) -> None:
    """Have each door's app be built once, and every server get a copy with a state of its own."""
    for module, name in DOORS:
        patch.setattr(module, name, _copied(getattr(module, name)))


def _copied(build: Build) -> Build:
    built: list[FastAPI] = []

    def again(runtime: Runtime) -> FastAPI:
        if not built:
            built.append(build(runtime))
            built[0].state = State()
        app = copy.copy(built[0])
        app.state, app.middleware_stack = State({"runtime": runtime}), None
        return app

    return again


def statements(patch: pytest.MonkeyPatch) -> None:
    """Have all engines of a kind share one dialect, and so what SQLAlchemy has compiled for it."""
    for name in ("_sqlite_engine", "_server_engine"):
        patch.setattr(database, name, _sharing(getattr(database, name)))


def _sharing(make: Callable[[str], Engine]) -> Callable[[str], Engine]:
    shared: dict[str, Any] = {}

    def sharing(url: str) -> Engine:
        engine = make(url)
        engine.dialect = engine.pool._dialect = shared.setdefault("dialect", engine.dialect)
        engine.update_execution_options(compiled_cache=shared.setdefault("compiled", LRUCache(STATEMENTS)))
        return engine

    return sharing


def certificates(patch: pytest.MonkeyPatch) -> None:
    """Have the clients of providers share a TLS context: reading the certificates takes 20 ms each time."""
    patch.setattr(ssl, "create_default_context", lru_cache(ssl.create_default_context))


@contextmanager
def loop(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the test clients that run no lifespan send their requests through one event loop."""
    with anyio.from_thread.start_blocking_portal() as portal:

        @contextmanager
        def shared(client: TestClient) -> Iterator[anyio.from_thread.BlockingPortal]:
            yield client.portal or portal

        patch.setattr(TestClient, "_portal_factory", shared)
        yield
