"""Two hundred sessions at once and nothing of them left behind; how many there may be, and how long they live."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI
from mcp.client.client import Client
from mcp.server.sse import SseServerTransport
from mcp.server.streamable_http import StreamableHTTPServerTransport
from mcp.shared.jsonrpc_dispatcher import JSONRPCDispatcher

from app.context import Runtime
from app.routers import mcp
from app.routers.mcp.transports import Session, Sse
from tests.protocols.mcp.conftest import PATIENCE, NewKey
from tests.protocols.mcp.speaking import Address, connected, told, use

MANY = 200  # sessions
ALIKE = 40  # of what keeps no session, each request like the other
KINDS = (Session, SseServerTransport, StreamableHTTPServerTransport, JSONRPCDispatcher)

pytestmark = pytest.mark.one_database


@pytest.fixture
def sse(server: FastAPI) -> Sse:
    """The door's sessions."""
    doors = {route.app for route in server.routes if getattr(route, "path", "") == mcp.PATH}
    (door,) = doors
    found: Sse = door.state.sse
    return found


def alive() -> dict[str, int]:
    """How much there is of what a session is made of, in this process: the server's and the clients'."""
    gc.collect()
    counts = dict.fromkeys(("tasks", *(kind.__name__ for kind in KINDS)), 0)
    for one in gc.get_objects():
        if type(one) in KINDS:
            counts[type(one).__name__] += 1
        elif isinstance(one, asyncio.Task) and not one.done():
            counts["tasks"] += 1
    return counts


def more_than(before: dict[str, int]) -> dict[str, int]:
    """What there is more of than before."""
    return {name: count - before[name] for name, count in alive().items() if count > before[name]}


def settled(sse: Sse) -> bool:
    """Whether no session is left, in a while."""
    deadline = time.monotonic() + PATIENCE
    while sse.count and time.monotonic() < deadline:
        time.sleep(0.02)
    return not sse.count


@pytest.mark.parametrize(("place", "many"), [("/mcp/cursor/http/ann", ALIKE), ("/mcp/cursor/sse/ann", MANY)])
def test_two_hundred_sessions_at_once_leave_nothing_behind(
    address: str, new_key: NewKey, sse: Sse, place: str, many: int
) -> None:
    door = Address(f"{address}{place}", new_key("ann"), mode="legacy")
    told(use(door, "list_memories"))  # a first one begins what is there once: sse-starlette's watcher of the shutdown
    before, threads = alive(), threading.active_count()
    most = 0

    async def one(number: int, open_all: anyio.Event, closing: list[Any]) -> None:
        nonlocal most
        async with connected(door) as client:
            told(await client.call_tool("list_memories", {"limit": number + 1}))
            most = max(most, sse.count)
            closing.append(client)
            if len(closing) == many:
                open_all.set()
            await open_all.wait()
            assert len((await client.list_tools()).tools) == 8

    async def whole() -> None:
        open_all, closing = anyio.Event(), list[Client]()
        async with anyio.create_task_group() as tasks:
            for number in range(many):
                tasks.start_soon(one, number, open_all, closing)

    anyio.run(whole)
    assert most == (many if "/sse/" in place else 0)
    assert settled(sse)
    deadline = time.monotonic() + PATIENCE
    while more_than(before) and time.monotonic() < deadline:
        time.sleep(0.1)  # connections take a moment to close
    assert more_than(before) == {}
    assert threading.active_count() <= threads + 40  # the workers, which all requests share


def opened(http: httpx.Client, address: str, key: str) -> tuple[httpx.Response, Iterator[str]]:
    """A stream of an SSE session and its lines, the first event read."""
    request = http.build_request("GET", f"{address}/mcp/cursor/sse/ann", headers={"Authorization": f"Bearer {key}"})
    stream = http.send(request, stream=True)
    lines = stream.iter_lines()
    if stream.status_code == 200:
        assert next(lines) == "event: endpoint"
    return stream, lines


def test_a_credential_has_only_so_many_sessions(address: str, new_key: NewKey, sse: Sse, runtime: Runtime) -> None:
    runtime.settings.mcp_sessions = 2
    ann, other = new_key("ann"), new_key("ann")
    with httpx.Client(timeout=PATIENCE) as http:
        streams = [opened(http, address, ann) for _ in range(2)]
        refused, _ = opened(http, address, ann)
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) > 0
        refused.close()
        streams.append(opened(http, address, other))
        assert sse.count == 3
        for stream, _ in streams:
            assert stream.status_code == 200
            stream.close()
        assert settled(sse)
        again, lines = opened(http, address, ann)
        assert again.status_code == 200
        assert next(lines).startswith("data: /mcp/messages/")
        again.close()
    assert settled(sse)


def test_a_session_that_is_idle_is_ended(address: str, new_key: NewKey, sse: Sse, runtime: Runtime) -> None:
    runtime.settings.mcp_idle_seconds = 0.3
    with httpx.Client(timeout=PATIENCE) as http:
        stream, lines = opened(http, address, new_key("ann"))
        list(lines)  # until the server ends it
        stream.close()
    assert settled(sse)
