"""How the tests speak MCP: the SDK's own client, over real HTTP, from a test that is not asynchronous."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import httpx2
from mcp import types
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

TRUST = ssl.create_default_context()  # once: making it takes longer than a request
Talk = Callable[[Client], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Address:
    """A door: where it is, and what its client sends along."""

    url: str
    key: str | None = None
    auth: httpx2.Auth | None = None
    mode: str = "auto"

    @property
    def headers(self) -> dict[str, str]:
        """The key as a header."""
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    @property
    def is_sse(self) -> bool:
        """Whether it is the older transport."""
        return "/sse/" in self.url


def http_client(
    headers: dict[str, str] | None = None, timeout: httpx2.Timeout | None = None, auth: httpx2.Auth | None = None
) -> httpx2.AsyncClient:
    """As the SDK makes its own."""
    return httpx2.AsyncClient(headers=headers, timeout=timeout, auth=auth, verify=TRUST)


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Client]:
    """A client of the SDK, connected."""
    mode: Any = address.mode
    if address.is_sse:
        transport = sse_client(address.url, address.headers, auth=address.auth, httpx_client_factory=http_client)
        async with Client(transport, mode=mode) as client:
            yield client
        return
    async with (
        http_client(address.headers, httpx2.Timeout(30), address.auth) as http,
        Client(streamable_http_client(address.url, http_client=http), mode=mode) as client,
    ):
        yield client


def talk(address: Address, say: Talk) -> Any:
    """What `say` returns of a connected client."""

    async def whole() -> Any:
        async with connected(address) as client:
            return await say(client)

    return anyio.run(whole)


def use(address: Address, tool: str, **arguments: Any) -> types.CallToolResult:
    """One call of a tool."""

    async def say(client: Client) -> types.CallToolResult:
        return await client.call_tool(tool, arguments)

    result: types.CallToolResult = talk(address, say)
    return result


def told(result: types.CallToolResult) -> Any:
    """What a call that went well says, as JSON."""
    assert not result.is_error, words(result)
    return json.loads(words(result))


def words(result: types.CallToolResult) -> str:
    """The first text of a result."""
    first = result.content[0]
    assert isinstance(first, types.TextContent)
    return first.text


def refusal(result: types.CallToolResult) -> str:
    """What a call that did not go well says."""
    assert result.is_error
    return words(result)
