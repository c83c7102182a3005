"""create_app(): the one place where the pieces meet. The server's topology is its mount lines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from app import __version__
from app.context import Runtime
from app.logs import RequestLog
from app.routers import mem9, openmemory
from app.settings import Settings
from app.sweep import Sweep


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
    app.add_api_route("/health", lambda: health(runtime), methods=["GET"], summary="Is it up")
    app.mount("/api/v1", openmemory.build(runtime))
    app.mount("/v1alpha1", mem9.build_v1alpha1(runtime))
    app.mount("/v1alpha2", mem9.build(runtime))
    app.router.routes += [Route(path, mem9.build_probes(runtime)) for path in ("/healthz", "/versionz")]
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


def health(runtime: Runtime) -> dict[str, Any]:
    """Whether the server answers, and whether its engine is loaded."""
    return {"status": "ok", "version": __version__, "engine": "ready" if runtime.engine.is_ready else "loading"}
