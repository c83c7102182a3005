"""create_app(): the one place where the pieces meet. The server's topology is its mount lines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from app import __version__
from app.context import Runtime
from app.logs import RequestLog
from app.routers import dashboard, openmemory
from app.routers.reference import Door, merged
from app.settings import Settings
from app.sweep import Sweep

TITLE = "Commonplace"
DESCRIPTION = "A memory server for AI agents: every memory protocol, one store."


def doors(runtime: Runtime) -> list[Door]:
    """The server's doors in the order in which they are asked: who comes first takes a path that two know."""
    return [Door("/api/v1", "OpenMemory", openmemory.build(runtime))]


def create_app(settings: Settings, runtime: Runtime | None = None) -> FastAPI:
    """The server as an ASGI app. The database must be migrated; the engine loads in the background.

    Args:
        runtime: one whose engine is built already; its owner closes it.
    """
    own = runtime is None
    runtime = runtime or Runtime(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweep = Sweep(runtime)
        sweep.start()
        yield
        sweep.stop()
        if own:
            runtime.close()

    # Its /docs and /redoc come with their scripts: a page of this server asks no other.
    app = FastAPIOffline(title=TITLE, version=__version__, lifespan=lifespan, redirect_slashes=False)
    app.state.runtime = runtime
    app.add_api_route("/health", lambda: health(runtime), methods=["GET"], summary="Is it up")
    _mount_dashboard(app, settings)
    opened = doors(runtime)
    for door in opened:
        app.mount(door.prefix, door.app)
    app.openapi = cache(lambda: merged(TITLE, __version__, DESCRIPTION, opened))  # type: ignore[method-assign]
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_origin_regex=settings.allowed_origin_pattern,
        # A browser must not send its cookies for just anybody's page: with "*" only what carries its own header.
        allow_credentials="*" not in settings.allowed_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["X-Request-Id", "Retry-After", "Content-Disposition"],
    )
    app.add_middleware(RequestLog)
    return app


def _mount_dashboard(app: FastAPI, settings: Settings) -> None:
    app.state.has_dashboard = settings.has_dashboard
    app.add_route("/", dashboard.to_start, include_in_schema=False)
    if settings.has_dashboard:
        app.add_route(dashboard.PREFIX, dashboard.to_start, include_in_schema=False)
        app.mount(dashboard.PREFIX, dashboard.build(settings.dashboard))


def health(runtime: Runtime) -> dict[str, Any]:
    """Whether the server answers, and whether its engine is loaded."""
    return {"status": "ok", "version": __version__, "engine": "ready" if runtime.engine.is_ready else "loading"}
