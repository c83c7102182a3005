"""mem9's `/v1alpha2`, `/v1alpha1`, `/healthz` and `/versionz` (README.md is the contract)."""

from fastapi import FastAPI

from app.context import Runtime
from app.routers.mem9 import chains, imports, memories, server, sessions
from app.routers.mem9.door import shown_in_path
from app.routers.mem9.wire import Mem9Wire
from app.routers.protocol import protocol

DESCRIPTION = "mem9's REST API over the Commonplace store: a space is a user, its key an API key of theirs."
SPACE = "/mem9s"
TENANT = "/mem9s/{tenant_id}"
MEMORY = {"content": "Alice prefers window seats", "tags": ["travel"], "sync": True}
CHANGE = {"content": "Alice prefers aisle seats"}
EXAMPLES = {
    "POST /mem9s/memories": MEMORY,
    "PUT /mem9s/memories/{memory_id}": CHANGE,
    "POST /mem9s/memories/bulk": {"memories": [{"content": "Alice prefers window seats"}]},
    "POST /mem9s/memories/batch-delete": {"ids": ["00000000-0000-4000-8000-000000000000"]},
    "POST /space-chains": {"name": "team"},
    "PATCH /space-chains/{chain_id}": {"name": "crew"},
    "PUT /space-chains/{chain_id}/nodes": {"nodes": []},
    "PATCH /space-chains/{chain_id}/bindings/{key_id}": {"disabled": True},
}
EXAMPLES_V1ALPHA1 = {
    "POST /mem9s/{tenant_id}/memories": MEMORY,
    "PUT /mem9s/{tenant_id}/memories/{memory_id}": CHANGE,
}
ROUTERS = (memories.router, imports.router, sessions.router)


def build(runtime: Runtime) -> FastAPI:
    """The app of `/v1alpha2`, where a header carries the key."""
    app = protocol("Commonplace: mem9 /v1alpha2", DESCRIPTION, Mem9Wire(), runtime, door="mem9", limits_clients=True)
    for router in (memories.batches, *ROUTERS):  # `/memories/bootstrap` before `/memories/{memory_id}`
        app.include_router(router, prefix=SPACE)
    app.include_router(chains.router)
    app.include_router(server.status_router)
    return app


def build_v1alpha1(runtime: Runtime) -> FastAPI:
    """The app of `/v1alpha1`, where the path carries the key."""
    title = "Commonplace: mem9 /v1alpha1"
    app = protocol(title, DESCRIPTION, Mem9Wire(), runtime, door="mem9", limits_clients=True, shown=shown_in_path)
    app.include_router(server.spaces_router)
    for router in ROUTERS:
        app.include_router(router, prefix=TENANT)
    return app


def build_probes(runtime: Runtime) -> FastAPI:
    """The app of `/healthz` and `/versionz`, for a route each: they are paths by themselves, with nothing below."""
    app = protocol("Commonplace: mem9 /healthz, /versionz", DESCRIPTION, Mem9Wire(), runtime)
    app.include_router(server.probes_router)
    return app
