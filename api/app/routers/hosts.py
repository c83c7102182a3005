"""Under which names a server that asks nobody for a key answers.

Somebody else's page can have its own name lead to this machine (DNS rebinding): the browser then takes this server for
the page's own, and what needs no key is the page's. An address is no name that could be made to lead elsewhere, and a
name without a dot is nobody's on the internet; every other one has to be known.
"""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.context import Runtime
from app.errors import CommonplaceError, Forbidden
from app.settings import Settings

UNKNOWN = "This server asks for no key and does not know the host that the request names; add it to ALLOWED_HOSTS"


class KnownHosts:
    """Refuse a request that names a host which is not this server's, while no key is asked for.

    Args:
        refuse: how the door answers an error.
    """

    def __init__(self, app: ASGIApp, refuse: Callable[[CommonplaceError], Response]) -> None:
        self.app = app
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_known(scope):
            await self.refuse(Forbidden(UNKNOWN))(scope, receive, send)
            return
        await self.app(scope, receive, send)


def _is_known(scope: Scope) -> bool:
    runtime: Runtime = scope["app"].state.runtime
    if not runtime.settings.is_open:
        return True
    host = Headers(scope=scope).get("host")
    return host is None or names_us(host, runtime.settings)  # every browser says one


def names_us(host: str, settings: Settings) -> bool:
    """Whether a `Host` header names this server: by an address, by a name without a dot, or by one it was told of."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    told = {settings.host, urlsplit(settings.public_url or "").hostname, *settings.allowed_hosts}
    return _is_local(name) or name in {known.lower() for known in told if known}


def _is_local(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return ("." not in name and ":" not in name) or name.endswith(".localhost")
    return True
