"""The hosted mem0's wire, as its official clients speak it (README.md is the contract)."""

from fastapi import FastAPI

from app.context import Runtime
from app.routers.platform import batch, entities, events, extras, memories, projects
from app.routers.platform.auth import shown
from app.routers.platform.examples import EXAMPLES
from app.routers.platform.wire import PlatformWire
from app.routers.protocol import protocol

__all__ = ["DOORWAYS", "EXAMPLES", "PREFIX", "build"]

DESCRIPTION = "What mem0's hosted API answers, over the Commonplace store: for `MemoryClient` with `host=`."
PREFIX = "/platform"
# Where its paths lead to it without that prefix; in two places other protocols live, whose clients show no `Token`.
DOORWAYS: dict[str, str | None] = {"/v1": "token", "/api/v1": "token", "/v2": None, "/v3": None}


def build(runtime: Runtime) -> FastAPI:
    """The protocol's app. Its routes name the whole path, so it is mounted where nothing is taken from it."""
    app = protocol("Commonplace: hosted mem0", DESCRIPTION, PlatformWire(), runtime, door="mem0", shown=shown)
    for module in (memories, batch, entities, events, extras, projects):
        app.include_router(module.router)
    return app
