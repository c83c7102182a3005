"""create_app(): the one place where the pieces meet. The server's topology is its mount lines."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app import __version__
from app.context import Runtime
from app.logs import RequestLog
from app.routers import dashboard, mcp, mem0, mem0_local, mem9, memento, openmemory, platform
from app.routers.by_scheme import Doorway
from app.routers.measuring import Measure
from app.routers.reference import Door, merged
from app.settings import Settings
from app.sweep import Sweep

TITLE = "Commonplace"
DESCRIPTION = "A memory server for AI agents: every memory protocol, one store."
RATE_HEADERS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def doors(runtime: Runtime) -> list[Door]:
    """The server's doors in the order in which they are asked: who comes first takes a path that two know."""
    return [
        Door("/api/v1", "OpenMemory", openmemory.build(runtime), openmemory.EXAMPLES),
        Door("/api", "Memento", memento.build(runtime), memento.EXAMPLES),
        Door("/v1", "mem0-local", mem0_local.build(runtime), mem0_local.EXAMPLES),
        Door(platform.PREFIX, "mem0 platform", platform.build(runtime), platform.EXAMPLES),
        Door("/v1alpha1", "mem9", mem9.build_v1alpha1(runtime), mem9.EXAMPLES_V1ALPHA1),
        Door("/v1alpha2", "mem9", mem9.build(runtime), mem9.EXAMPLES),
        Door("", "mem0", mem0.build(runtime), mem0.EXAMPLES),  # last: what no other door takes is answered here
    ]


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
    _mount_dashboard(app, settings)
    unversioned = Door("", "mem0-local", mem0_local.build_unversioned(runtime))
    _serve_at_the_root(app, unversioned.app, mem0_local.UNVERSIONED)
    opened = doors(runtime)
    assistants = Door("", "MCP", mcp.build(runtime))
    app.router.routes.extend(mcp.routes(assistants.app))  # before what is mounted at the root
    hosted = next(door.app for door in opened if door.prefix == platform.PREFIX)
    app.router.routes += [Doorway(prefix, hosted, scheme) for prefix, scheme in platform.DOORWAYS.items()]
    probes = mem9.build_probes(runtime)
    app.router.routes += [Route(path, probes) for path in ("/healthz", "/versionz")]
    for door in opened:
        if door.prefix:  # by itself it is the door's as well, though there is nothing there
            app.router.routes.append(Route(door.prefix, door.app))
        app.mount(door.prefix, door.app)
    all_of_them = [*opened, unversioned, assistants]
    app.openapi = cache(lambda: merged(TITLE, __version__, DESCRIPTION, all_of_them))  # type: ignore[method-assign]
    app.add_middleware(
        _Cors,
        allow_origins=settings.allowed_origins,
        allow_origin_regex=settings.allowed_origin_pattern,
        # A browser must not send its cookies for just anybody's page: with "*" only what carries its own header.
        allow_credentials="*" not in settings.allowed_origins,
        allow_methods=["*"],
        allow_headers=["*"],
        expose_headers=["X-Request-Id", "Retry-After", "Content-Disposition", "WWW-Authenticate", *RATE_HEADERS],
    )
    app.add_middleware(Measure, measures=runtime.measures)
    app.add_middleware(RequestLog)
    return app


def _mount_dashboard(app: FastAPI, settings: Settings) -> None:
    app.state.has_dashboard = settings.has_dashboard
    for path in ("/", dashboard.PREFIX):
        app.add_route(path, dashboard.to_start, include_in_schema=False)
    if settings.has_dashboard:
        app.mount(dashboard.PREFIX, dashboard.build(settings.dashboard))


def _serve_at_the_root(app: FastAPI, door: FastAPI, paths: Iterable[str]) -> None:
    """Some paths of a door without a prefix, with a slash behind them and without; all other paths are others'."""
    for path in paths:
        app.router.routes += [Route(path, door), Route(f"{path}/", door)]


class _Cors(CORSMiddleware):
    """For every door but Memento's, which says itself who may call it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = scope["type"] == "http" and memento.is_mine(scope["path"])
        await (self.app if own else super().__call__)(scope, receive, send)
