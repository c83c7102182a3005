"""Fixtures of MCP's tests: the server behind a real port, and keys for it."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
import uvicorn
from fastapi import FastAPI

from app.services import accounts, keys
from tests.conftest import AsCaller

PATIENCE = 20  # seconds
NewKey = Callable[..., str]


@pytest.fixture
def address(server: FastAPI) -> Iterator[str]:
    """The server's URL on a port of its own; no sweep works beside the test."""
    config = uvicorn.Config(server, host="127.0.0.1", port=0, log_config=None, access_log=False, lifespan="off")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, name="uvicorn")
    thread.start()
    deadline = time.monotonic() + PATIENCE
    while not running.started and time.monotonic() < deadline:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    running.should_exit = True
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.fixture
def new_key(ctx: AsCaller) -> NewKey:
    """`new_key("ann", app=..., scopes=...)`: a key of a user, who is made if need be."""

    def make(name: str, app: str | None = None, scopes: Sequence[str] = ("read", "write")) -> str:
        with ctx(writing=True) as c:
            accounts.ensure_user(c, name)
            return keys.create(c, "test", scopes, app_name=app, user_id=name).secret

    return make
