"""Fixtures of the hosted wire's tests: the server asked with `Authorization: Token`."""

from collections.abc import Callable, Sequence

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from tests.conftest import ADMIN_KEY
from tests.protocols.asking import Person

Hosted = Callable[..., TestClient]


@pytest.fixture
def hosted(server: FastAPI) -> TestClient:
    """The server, asked as mem0's clients do, by the admin."""
    return TestClient(server, headers={"Authorization": f"Token {ADMIN_KEY}"}, raise_server_exceptions=False)


@pytest.fixture
def someone(person: Person) -> Hosted:
    """`someone("ann", app=..., scopes=...)`: the same by a user with a new key of those scopes."""

    def ask_as(name: str, app: str | None = None, scopes: Sequence[str] = ("read", "write")) -> TestClient:
        client = person(name, app=app, scopes=scopes)
        client.headers["Authorization"] = client.headers["Authorization"].replace("Bearer", "Token")
        return client

    return ask_as
