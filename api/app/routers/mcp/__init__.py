"""The Model Context Protocol at `/mcp`, and the OAuth that goes with it (README.md is the contract)."""

from collections.abc import Sequence

from fastapi import FastAPI
from mcp.server.transport_security import RequestBodyLimitMiddleware
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from app.context import Runtime
from app.routers.mcp import consent, oauth
from app.routers.mcp.document import DOCUMENT
from app.routers.mcp.entrance import PATH, Entrance, caller_of, shown
from app.routers.mcp.server import build_server
from app.routers.mcp.transports import Endpoint, Sse, Streamable
from app.routers.mcp.wire import McpWire
from app.routers.protocol import protocol

MAX_FORM = 64 * 1024  # bytes of what anybody may post without a credential
DESCRIPTION = "The Model Context Protocol over the Commonplace store."


def build(runtime: Runtime) -> FastAPI:
    """The protocol's app. Its paths are whole, because OAuth's lie beside `/mcp`: see `routes`."""
    app = protocol("Commonplace: MCP", DESCRIPTION, McpWire(), runtime, door="mcp", shown=shown, takes_forms=True)
    entrance = Entrance(runtime)
    server = build_server(runtime, caller_of)
    streamable, sse = Streamable(server, entrance), Sse(runtime, server, entrance)
    app.state.sse = sse
    app.router.routes.extend(
        [
            Route(PATH, streamable, methods=["POST"]),
            Route(f"{PATH}/{{client}}/http/{{user}}", streamable, methods=["POST"]),
            Route(f"{PATH}/{{client}}/sse/{{user}}", Endpoint(sse.connect), methods=["GET"]),
            Route(f"{PATH}/messages", Endpoint(sse.message), methods=["POST"]),
            Route(f"{PATH}/{{client}}/sse/{{user}}/messages", Endpoint(sse.message), methods=["POST"]),
            *oauth.routes(runtime),
        ]
    )
    app.include_router(consent.router)
    app.openapi = lambda: DOCUMENT  # type: ignore[method-assign]
    return app


def routes(app: FastAPI) -> Sequence[BaseRoute]:
    """What of the server's paths goes to the protocol's app; before whatever is mounted at `/`."""
    small = RequestBodyLimitMiddleware(app, MAX_FORM)
    doors: dict[str, ASGIApp] = {
        **dict.fromkeys((PATH, f"{PATH}/{{path:path}}"), app),
        **dict.fromkeys((*oauth.PATHS, *consent.PATHS), small),
    }
    return [Route(path, door, include_in_schema=False) for path, door in doors.items()]
