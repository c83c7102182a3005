"""create_app(): the one place where the pieces meet. The server's topology is its mount lines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app import __version__
from app.context import Runtime
from app.logs import RequestLog
from app.routers import mem0_local, memento, openmemory
from app.routers.measuring import Measure
from app.settings import Settings
from app.sweep import Sweep

RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


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

    app = FastAPI(title="Commonplace", version=__version__, lifespan=lifespan, redirect_slashes=False)
    app.state.runtime = runtime
    app.mount("/api/v1", openmemory.build(runtime))
    app.mount("/api", memento.build(runtime))
    _mount_mem0_local(app, mem0_local.build(runtime))
    app.add_middleware(
        _Cors,
        allow_origins=settings.allowed_origins,
        allow_origin_regex=settings.allowed_origin_pattern,
        # A browser must not send its cookies for just anybody's page: with "*" only what carries its own header.
        allow_credentials="*" not in settings.allowed_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["X-Request-Id", "Retry-After", "Content-Disposition", *RATE_HEADERS],
    )
    app.add_middleware(Measure, measures=runtime.measures)
    app.add_middleware(RequestLog)
    return app


def _mount_mem0_local(app: FastAPI, door: FastAPI) -> None:
    """At `/v1`, and its paths that need no version at the root, with a slash behind them and without."""
    app.mount("/v1", door)
    for path in mem0_local.UNVERSIONED:
        app.router.routes += [Route(path, door), Route(f"{path}/", door)]


class _Cors(CORSMiddleware):
    """For every door but Memento's, which says itself who may call it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] == "http" and memento.is_mine(scope["path"])
        await (self.app if own else super().__call__)(scope, receive, send)
