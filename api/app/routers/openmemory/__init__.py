"""OpenMemory's `/api/v1`, and beside it what the dashboard needs of ours (README.md is the contract)."""

from fastapi import FastAPI

from app.context import Runtime
from app.routers.openmemory import (
    apps,
    auth,
    backup,
    config,
    events,
    graph,
    history,
    imports,
    index,
    keys,
    labels,
    memories,
    retention,
    review,
    rules,
    search,
    stats,
    users,
)
from app.routers.openmemory.examples import EXAMPLES
from app.routers.openmemory.wire import OpenMemoryWire
from app.routers.protocol import protocol

__all__ = ["EXAMPLES", "build"]

DESCRIPTION = "OpenMemory's REST API over the Commonplace store, and the dashboard's own endpoints."


def build(runtime: Runtime) -> FastAPI:
    """The protocol's app, to be mounted at `/api/v1`."""
    app = protocol("Commonplace: OpenMemory /api/v1", DESCRIPTION, OpenMemoryWire(), runtime, door="openmemory")
    # `labels` before `memories`, which would take `tags` for an id.
    for module in (labels, memories, search, events, apps, stats, index, backup, config, auth, keys, users):
        app.include_router(module.router)
    for module in (history, retention, rules, graph, review, imports):
        app.include_router(module.router)
    return app
