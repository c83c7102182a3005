"""Memento's `/api` (README.md is the contract)."""

from fastapi import FastAPI

from app.context import Runtime
from app.routers.memento import entries
from app.routers.memento.cors import AnyOrigin
from app.routers.memento.wire import MAX_BODY, MementoWire
from app.routers.protocol import protocol

DESCRIPTION = "Memento's REST API over the Commonplace store: a namespace is an app."
EXAMPLES = {
    "POST /save": {
        "content": "Use PostgreSQL for production",
        "tags": ["decision", "architecture"],
        "namespace": "myproject",
        "priority": "high",
    },
    "POST /recall": {"query": "database architecture decisions", "namespace": "myproject", "searchMode": "hybrid"},
    "POST /search": {"query": "authentication OAuth", "limit": 10},
}
PREFIX = "/api"
OTHERS = ("/api/v1",)


def build(runtime: Runtime) -> FastAPI:
    """The protocol's app, to be mounted at `/api` behind `/api/v1`."""
    app = protocol(
        "Commonplace: Memento /api",
        DESCRIPTION,
        MementoWire(),
        runtime,
        door="memento",
        max_body=MAX_BODY,
    )
    app.include_router(entries.router)
    app.add_middleware(AnyOrigin)
    return app


def is_mine(path: str) -> bool:
    """Whether a path of the server is this door's."""
    return _is_below(PREFIX, path) and not any(_is_below(other, path) for other in OTHERS)


def _is_below(prefix: str, path: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
