"""mem0-local's `/v1`, and `/health`, `/status`, `/metrics` beside it (README.md is the contract)."""

from fastapi import FastAPI

from app.context import Runtime
from app.routers.mem0_local import health, memories
from app.routers.mem0_local.wire import Mem0LocalWire
from app.routers.protocol import protocol

DESCRIPTION = "mem0-local's REST API over the Commonplace store."
UNVERSIONED = ("/health", "/status", "/metrics")


def build(runtime: Runtime) -> FastAPI:
    """The protocol's app, to be mounted at `/v1`; it answers the UNVERSIONED paths at the server's root, too."""
    app = protocol("Commonplace: mem0-local /v1", DESCRIPTION, Mem0LocalWire(), runtime, door="mem0_local")
    for module in (memories, health):
        app.include_router(module.router)
    return app
