"""One MCP server for every session: it holds nothing of a session, each message brings who asks."""

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio.to_thread
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from app import __version__
from app.context import Caller, Runtime
from app.routers.mcp.tools import TOOLS, call

INSTRUCTIONS = (
    "A memory that outlives this conversation and is shared with the user's other agents. Search it before you answer "
    "what may have been talked about before; add to it what is worth knowing later."
)

Asking = ServerRequestContext[Any, Any]


def build_server(runtime: Runtime, caller_of: Callable[[Asking], Caller]) -> Server[Any]:
    """The MCP server; `caller_of` says on whose behalf a message is."""

    async def call_tool(asking: Asking, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = TOOLS.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:100]}")
        work = partial(call, runtime, caller_of(asking), tool, params.arguments or {})
        return await anyio.to_thread.run_sync(work)

    return Server(
        "commonplace",
        title="Commonplace",
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=_list_tools,
        on_call_tool=call_tool,
        # OpenMemory's server had both, empty; there are clients that ask without looking at the capabilities.
        on_list_resources=_list_resources,
        on_list_prompts=_list_prompts,
    )


async def _list_tools(_: Asking, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[tool.described for tool in TOOLS.values()])


async def _list_resources(_: Asking, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
    return types.ListResourcesResult(resources=[])


async def _list_prompts(_: Asking, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
    return types.ListPromptsResult(prompts=[])
