"""Memento's own CORS: pages of any origin may call it, as its page says; its answers say so always."""

import re
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import Forbidden
from app.routers.memento.wire import MementoWire
from app.routers.protocol import render
from app.settings import Settings

ALLOWED: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Authorization, x-api-key",
}
STRANGER = "AUTH_MODE is open: pages of this origin may not call the server unless CORS_ORIGINS names it"


class AnyOrigin:
    """Put the three headers on every answer, with an Origin or without, and answer preflights.

    Where everybody is the admin (AUTH_MODE=open) a page of a stranger is refused, whatever the headers say
    (decision 0027).
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(ALLOWED)
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await Response(status_code=204)(scope, receive, telling)
        elif _is_stranger(headers.get("origin"), scope["app"].state.runtime.settings):
            await render(MementoWire().failure(Forbidden(STRANGER)))(scope, receive, telling)
        else:
            await self.app(scope, receive, telling)


def _is_stranger(origin: str | None, settings: Settings) -> bool:
    if origin is None or not settings.is_open or {"*", origin} & set(settings.allowed_origins):
        return False
    pattern = settings.allowed_origin_pattern
    return pattern is None or re.fullmatch(pattern, origin) is None
