"""Fixtures of the doors' tests: the server without its background sweep, asked by whomever."""

from collections.abc import Callable, Sequence

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.context import Runtime
from app.engine.index import Vectors
from app.main import create_app
from app.services import accounts, keys
from tests.conftest import ADMIN_KEY, AsCaller
from tests.protocols.asking import Person


@pytest.fixture
def server(runtime: Runtime) -> FastAPI:
    """The server's app; its lifespan is not run, so no sweep works beside the test."""
    return create_app(runtime.settings, runtime)


@pytest.fixture
def door(server: FastAPI) -> TestClient:
    """The server, asked as the admin."""
    return _client(server, ADMIN_KEY)


@pytest.fixture
def person(server: FastAPI, ctx: AsCaller) -> Person:
    """`person("ann", app=..., scopes=...)`: the server, asked by a user with a new key of those scopes."""

    def ask_as(name: str, app: str | None = None, scopes: Sequence[str] = ("read", "write")) -> TestClient:
        with ctx(writing=True) as c:
            accounts.ensure_user(c, name)
            made = keys.create(c, "test", scopes, app_name=app, user_id=name)
        return _client(server, made.secret)

    return ask_as


@pytest.fixture
def space(server: FastAPI) -> Callable[..., TestClient]:
    """`space(agent=..., key=...)`: the server, asked with a mem9 key, of a new space if none is given."""

    def ask_in(agent: str | None = None, key: str | None = None) -> TestClient:
        plain = TestClient(server, raise_server_exceptions=False)
        shown = key or plain.post("/v1alpha1/mem9s").json()["id"]
        headers = {"X-API-Key": shown} | ({"X-Mnemo-Agent-Id": agent} if agent else {})
        return TestClient(server, headers=headers, raise_server_exceptions=False)

    return ask_in


def _client(server: FastAPI, key: str) -> TestClient:
    return TestClient(server, headers={"Authorization": f"Bearer {key}"}, raise_server_exceptions=False)


@pytest.fixture
def encodes(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts each call to the embedder had, in order."""
    embedder = runtime.engine.index._embedder
    read, seen = embedder.read, []

    def counting(texts: Sequence[str], *outputs: str) -> list[tuple[Vectors, ...]]:
        seen.append(len(texts))
        found: list[tuple[Vectors, ...]] = read(texts, *outputs)
        return found

    monkeypatch.setattr(embedder, "read", counting)
    return seen
