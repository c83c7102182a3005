"""MCP over this process's own standard input and output, on the database directly."""

from typing import Any

import anyio
from mcp.server.stdio import stdio_server

from app.context import Caller, Runtime
from app.routers.mcp.server import build_server
from app.services import accounts


def serve(runtime: Runtime, user_id: str | None, client: str) -> None:
    """Serve until standard input ends, as the local admin acting for a user through the app `client`."""
    caller = accounts.acting(runtime, accounts.admin(runtime), user_id, client)
    anyio.run(_serve, runtime, caller)


async def _serve(runtime: Runtime, caller: Caller) -> None:
    def always(_: Any) -> Caller:
        return caller

    server = build_server(runtime, always)
    async with stdio_server() as (reads, writes):
        await server.run(reads, writes, server.create_initialization_options())
