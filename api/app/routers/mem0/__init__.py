"""mem0's open-source REST API, at the server's root (README.md is the contract)."""

from fastapi import FastAPI, Request, Response

from app.context import Runtime
from app.errors import Unavailable
from app.routers.mem0 import configure, entities, memories
from app.routers.mem0.examples import EXAMPLES
from app.routers.mem0.wire import Mem0Wire, unavailable
from app.routers.protocol import protocol, render

__all__ = ["EXAMPLES", "build"]

DESCRIPTION = "mem0's open-source REST API over the Commonplace store."


def build(runtime: Runtime) -> FastAPI:
    """The protocol's app, to be mounted at "/", after all others."""
    app = protocol("Commonplace: mem0", DESCRIPTION, Mem0Wire(), runtime, door="mem0")

    @app.exception_handler(Unavailable)
    def _unavailable(request: Request, error: Unavailable) -> Response:
        return render(unavailable(error, request.scope.get("state", {}).get("request_id", "")))

    for module in (memories, configure, entities):
        app.include_router(module.router)
    return app
