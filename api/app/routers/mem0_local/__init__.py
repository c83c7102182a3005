"""mem0-local's `/v1`, and `/health`, `/status`, `/metrics` beside it (README.md is the contract)."""

from fastapi import FastAPI

from app.context import Runtime
from app.routers.mem0_local import health, memories
from app.routers.mem0_local.wire import Mem0LocalWire
from app.routers.protocol import protocol

DESCRIPTION = "mem0-local's REST API over the Commonplace store."
UNVERSIONED = ("/health", "/status", "/metrics")
EXAMPLES = {
    "POST /memories": {
        "messages": [{"role": "user", "content": "I love building AI applications with FastAPI"}],
        "user_id": "alice",
        "metadata": {"source": "external_test"},
    },
    "PUT /memories/{memory_id}": {"content": "I love building AI applications with local models"},
}


def build(runtime: Runtime) -> FastAPI:
    """The protocol's app, to be mounted at `/v1`."""
    app = build_unversioned(runtime)
    app.include_router(memories.router)
    return app


def build_unversioned(runtime: Runtime) -> FastAPI:
    """An app with the UNVERSIONED paths alone, which the server answers at its root, too."""
    app = protocol("Commonplace: mem0-local /v1", DESCRIPTION, Mem0LocalWire(), runtime, door="mem0_local")
    app.include_router(health.router)
    return app
