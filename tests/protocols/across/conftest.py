"""Fixtures of the tests over all doors: a server with its lifespan, and its doors as one user finds them."""

from collections.abc import Callable, Iterator, Sequence

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.context import Runtime
from app.main import create_app
from app.services import accounts, keys
from tests.conftest import AsCaller
from tests.protocols.across.doors import Door

Opened = Callable[..., Door]


@pytest.fixture
def running(runtime: Runtime) -> Iterator[FastAPI]:
    """The server's app with its lifespan: MCP's sessions live in it."""
    app = create_app(runtime.settings, runtime)
    with TestClient(app):
        yield app


@pytest.fixture
def opened(running: FastAPI, ctx: AsCaller) -> Opened:
    """`opened(Mem9, "ann")`: the door as that user finds it, by a new key of those scopes, bound to `app` if given."""

    def open_door(
        kind: type[Door], user: str = "ann", scopes: Sequence[str] = ("read", "write"), app: str | None = None
    ) -> Door:
        with ctx(writing=True) as c:
            accounts.ensure_user(c, user)
            made = keys.create(c, "test", scopes, app_name=app, user_id=user)
        return kind(running, made.secret, user)

    return open_door


@pytest.fixture
def door(request: pytest.FixtureRequest, opened: Opened) -> Door:
    """The door that the test is about, as Ann finds it."""
    return opened(request.param)
