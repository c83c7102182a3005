"""The hosted mem0's wire, as its official clients speak it (README.md is the contract)."""

from fastapi import FastAPI

from app.context import Runtime
from app.routers.platform import batch, entities, events, extras, memories, projects
from app.routers.platform.wire import PlatformWire
from app.routers.protocol import protocol

DESCRIPTION = "What mem0's hosted API answers, over the Commonplace store: for `MemoryClient` with `host=`."


def build(runtime: Runtime) -> FastAPI:
    """The protocol's app. Its routes name the whole path, so it is mounted where nothing is taken from it."""
    app = protocol("Commonplace: hosted mem0", DESCRIPTION, PlatformWire(), runtime)
    for module in (memories, batch, entities, events, extras, projects):
        app.include_router(module.router)
    return app
