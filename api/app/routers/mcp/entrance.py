"""Who comes in: first the host and origin that a browser names, then the credential, then for whom and as which app."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import anyio.to_thread
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from app.context import Caller, Runtime
from app.errors import Unauthenticated
from app.routers.mcp.wire import McpWire
from app.routers.protocol import render
from app.services import accounts, grants
from app.settings import Settings

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

wire = McpWire()


@dataclass(frozen=True, slots=True)
class Visit:
    """What a request shows and where it wants to go; `base` is the server's URL as the client knows it."""

    base: str
    path: str
    shown: str | None
    client: str | None
    user: str | None

    @property
    def metadata_url(self) -> str:
        """Where a client that has no credential learns how to get one."""
        return f"{self.base}{METADATA}{self.path}"


def base_url(settings: Settings, request: Request) -> str:
    """The server's URL without a slash at its end: PUBLIC_URL, else as this request came."""
    return settings.public_url or str(request.base_url).rstrip("/")


def credential(request: Request) -> str | None:
    """`Authorization: Bearer`, else `X-API-Key`, else `?key=` for clients that cannot send headers."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    return request.headers.get("x-api-key") or request.query_params.get("key")


def shown(scope: Scope) -> str | None:
    """`credential` of a request that has not come in yet."""
    return credential(Request(scope))


def visit(settings: Settings, request: Request) -> Visit:
    """The request's visit."""
    named: Mapping[str, str] = request.path_params
    client = named.get("client") or request.query_params.get("client")
    return Visit(base_url(settings, request), request.url.path, credential(request), client, named.get("user"))


def identify(runtime: Runtime, visit: Visit) -> Caller:
    """The caller, bound to the owner and the app that the URL names.

    Raises:
        Unauthenticated: the credential is none, or not good here.
        NotFound: the URL names a user that is not the credential's.
        Forbidden: the credential is bound to another app.
    """
    caller = grants.authenticate(runtime, visit.shown, _resources(visit)) if visit.shown else None
    return accounts.acting(runtime, caller or accounts.authenticate(runtime, visit.shown), visit.user, visit.client)


def _resources(visit: Visit) -> set[str]:
    # A token is for one address; that of the whole door is good at every address behind it.
    return {f"{visit.base}{PATH}", f"{visit.base}{visit.path}"}


class Entrance:
    """Lets requests in, each with its caller in `request.state.caller`."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._security = TransportSecurityMiddleware(security(runtime.settings))

    async def refuse(self, request: Request, kept: Visit | None = None) -> Response | None:
        """The refusal; None if the request may come in. `kept`: the visit that began its session."""
        refusal = await self._security.validate_request(request)
        if refusal is not None:
            return render(wire.http(refusal.status_code, bytes(refusal.body).decode()))
        here = kept or visit(self._runtime.settings, request)
        try:
            caller = await anyio.to_thread.run_sync(partial(identify, self._runtime, here))
        except Unauthenticated as error:
            return render(wire.challenge(error, here.metadata_url, shown=here.shown is not None))
        request.state.caller = caller
        request.state.user_id = caller.name
        return None


def caller_of(asking: Any) -> Caller:
    """On whose behalf a message over HTTP is."""
    caller: Caller = asking.request.state.caller
    return caller


def security(settings: Settings) -> TransportSecuritySettings:
    """Which `Host` and `Origin` headers are answered. Where a key is needed a page that rebinds a name gets nowhere."""
    if not settings.is_open and not settings.allowed_hosts:
        return TransportSecuritySettings(enable_dns_rebinding_protection=False)
    named = [*LOOPBACK, *settings.allowed_hosts, *([settings.host] if settings.host not in {"0.0.0.0", "::"} else [])]  # noqa: S104
    public = urlsplit(settings.public_url or "").netloc
    hosts = [*named, *([public] if public else [])]
    return TransportSecuritySettings(
        allowed_hosts=[form for host in hosts for form in (host, f"{host}:*")],
        allowed_origins=[
            *(f"{scheme}://{form}" for host in hosts for form in (host, f"{host}:*") for scheme in ("http", "https")),
            *settings.cors_origins,
        ],
    )
