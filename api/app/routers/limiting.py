"""A door's rate limit: one middleware, told in the door's own wire.

It stands before the door's routes, so that a path that does not exist is counted and answered with its headers, too.
Where a door has no limit it costs a look at a setting.
"""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.context import Caller, Runtime
from app.errors import CommonplaceError, Unauthenticated
from app.limiter import Verdict
from app.services import accounts, limits
from app.services.limits import Door

Shown = Callable[[Scope], str | None]


def shown_in(scope: Scope) -> str | None:
    """The credential of a request: `Authorization: Bearer`, else `X-API-Key`."""
    headers = Headers(scope=scope)
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials.strip():
        return credentials.strip()
    return headers.get("x-api-key")


class RateLimit:
    """Count each request for its key (and its client's address, if `by_client`); refuse the one too many.

    Args:
        door: whose setting `RATE_LIMIT_<DOOR>` holds.
        refuse: how the door answers an error.
        shown: where the door's requests carry their credential.
    """

    def __init__(
        self,
        app: ASGIApp,
        door: Door,
        refuse: Callable[[CommonplaceError], Response],
        by_client: bool = False,
        shown: Shown = shown_in,
    ) -> None:
        self.app = app
        self.door = door
        self.refuse = refuse
        self.by_client = by_client
        self.shown = shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not limits.are_set(scope["app"].state.runtime, self.door):
            await self.app(scope, receive, send)
            return
        verdict = await run_in_threadpool(self._count, scope)
        if verdict is None:
            await self.app(scope, receive, send)
        elif verdict.is_allowed:
            await self.app(scope, receive, _telling(verdict, send))
        else:
            await self.refuse(limits.refusal(verdict))(scope, receive, _telling(verdict, send))

    def _count(self, scope: Scope) -> Verdict | None:
        runtime: Runtime = scope["app"].state.runtime
        shown = self.shown(scope)
        granted = limits.by_grant(runtime, shown)
        caller = None if granted else _caller(runtime, scope, shown)
        client = scope.get("client")
        whose = [granted] if granted else [limits.by_key(caller)] if caller else []
        whose += [limits.by_client(client[0] if client else None)] if self.by_client else []
        return limits.count(runtime, self.door, whose)


def _caller(runtime: Runtime, scope: Scope, shown: str | None) -> Caller | None:
    try:
        caller = accounts.authenticate(runtime, shown)
    except Unauthenticated:
        return None
    scope.setdefault("state", {})["caller"] = (shown, caller)  # the route need not ask again who this is
    return caller


def _telling(verdict: Verdict, send: Send) -> Send:
    async def telling(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(verdict.headers)
        await send(message)

    return telling
