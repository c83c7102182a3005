"""What old clients do and every door understands: HEAD, OPTIONS, JSON that is not called JSON, a slash at the end."""

from collections.abc import Iterator

from fastapi import FastAPI
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What programs call JSON that do not say what they send; curl calls whatever follows -d a form.
UNNAMED = (b"", b"text/plain", b"application/x-www-form-urlencoded", b"application/octet-stream")
CREDENTIALS = (b"authorization", b"x-api-key")


class NoTrailingSlash:
    """Answer `/path/` as `/path`, directly: clients of these protocols use both and not all follow redirects."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path.endswith("/") and path.rstrip("/") != scope.get("root_path", ""):
            scope = {**scope, "path": path.rstrip("/")}
        await self.app(scope, receive, send)


class UnnamedJson:
    """Read a body as JSON that came without a Content-Type, or as text or as a form.

    Not if a web page sent it without a credential: a page of anybody's may send such a body unasked, and where no key
    is needed (AUTH_MODE=open) it would be carried out.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_unnamed(dict(scope["headers"])):
            others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
            scope = {**scope, "headers": [*others, (b"content-type", b"application/json")]}
        await self.app(scope, receive, send)


def _is_unnamed(headers: dict[bytes, bytes]) -> bool:
    named = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    asked_by_a_page = b"origin" in headers and not any(name in headers for name in CREDENTIALS)
    return named in UNNAMED and not asked_by_a_page


class Head:
    """Answer HEAD as GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        is_over = False

        async def without_body(message: Message) -> None:
            nonlocal is_over
            if message["type"] == "http.response.body":
                if is_over:
                    return
                is_over = True  # with its first piece: a stream may have no last one
                message = {**message, "body": b"", "more_body": False}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, without_body)


class Options:
    """Answer OPTIONS with what the path knows (204 and `Allow`), and have a 405 name all of it, not the first route's.

    An unknown path is left to the door. A browser's preflight was answered before it came here.
    """

    def __init__(self, app: ASGIApp, door: FastAPI) -> None:
        self.app = app
        self.door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        known = self._allowed(scope) if scope["method"] == "OPTIONS" else ""
        if known:
            await send({"type": "http.response.start", "status": 204, "headers": [(b"allow", known.encode())]})
            await send({"type": "http.response.body", "body": b""})
            return

        async def with_all(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                others = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"allow"]
                message = {**message, "headers": [*others, (b"allow", self._allowed(scope).encode())]}
            await send(message)

        await self.app(scope, receive, with_all)

    def _allowed(self, scope: Scope) -> str:
        known = list(self._verbs(scope))
        return ", ".join([*known, *(["HEAD"] if "GET" in known else []), "OPTIONS"]) if known else ""

    def _verbs(self, scope: Scope) -> Iterator[str]:
        for verb in VERBS:
            asked = {**scope, "method": verb}
            if any(route.matches(asked)[0] is Match.FULL for route in self.door.router.routes):
                yield verb
