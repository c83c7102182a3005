"""mem9's `/v1alpha2`, `/v1alpha1`, `/healthz` and `/versionz` (README.md is the contract)."""

from fastapi import FastAPI

from app.context import Runtime
from app.routers.mem9 import chains, imports, memories, server, sessions
from app.routers.mem9.wire import Mem9Wire
from app.routers.protocol import protocol

DESCRIPTION = "mem9's REST API over the Commonplace store: a space is a user, its key an API key of theirs."
SPACE = "/mem9s"
TENANT = "/mem9s/{tenant_id}"
ROUTERS = (memories.router, imports.router, sessions.router)


def build(runtime: Runtime) -> FastAPI:
    """The app of `/v1alpha2`, where a header carries the key."""
    app = protocol("Commonplace: mem9 /v1alpha2", DESCRIPTION, Mem9Wire(), runtime)
    for router in (memories.batches, *ROUTERS):  # `/memories/bootstrap` before `/memories/{memory_id}`
        app.include_router(router, prefix=SPACE)
    app.include_router(chains.router)
    app.include_router(server.status_router)
    return app


def build_v1alpha1(runtime: Runtime) -> FastAPI:
    """The app of `/v1alpha1`, where the path carries the key."""
    app = protocol("Commonplace: mem9 /v1alpha1", DESCRIPTION, Mem9Wire(), runtime)
    app.include_router(server.spaces_router)
    for router in ROUTERS:
        app.include_router(router, prefix=TENANT)
    return app


def build_probes(runtime: Runtime) -> FastAPI:
    """The app of `/healthz` and `/versionz`, for a route each: they are paths by themselves, with nothing below."""
    app = protocol("Commonplace: mem9 /healthz, /versionz", DESCRIPTION, Mem9Wire(), runtime)
    app.include_router(server.probes_router)
    return app
