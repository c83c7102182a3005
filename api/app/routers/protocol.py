"""What every protocol's door is made of: a small FastAPI app that renders all its errors in its own way.

A protocol's `wire.py` gives the four functions of `Wire`; whatever goes wrong behind the door, from a broken body to
a crash, leaves it in that protocol's shape.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from typing import Protocol as Interface

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.context import Caller, Context, Runtime
from app.errors import CommonplaceError, TooLarge
from app.measures import OTHER
from app.routers.bounds import bounded, says_more
from app.routers.habits import Head, NoTrailingSlash, Options, UnnamedJson
from app.routers.hosts import KnownHosts
from app.routers.limiting import RateLimit, Shown, shown_in
from app.routers.measuring import Note
from app.routers.reply import JSON, Reply
from app.services import accounts
from app.services.limits import Door

MAX_BODY = 64 * 1024 * 1024  # bytes of a JSON body: 1,000 of the longest texts fit

logger = logging.getLogger(__name__)


def render(reply: Reply) -> Response:
    """The reply as JSON in pure ASCII: what was wrong may not be valid Unicode."""
    body = json.dumps(reply.body, ensure_ascii=True, default=str) if reply.media_type == JSON else reply.body
    return Response(body, reply.status, dict(reply.headers), media_type=reply.media_type)


def shaped(model: BaseModel, status: int = 200) -> Response:
    """A shape of ours as it goes out: FastAPI would send it to a thread first, to check what it has to be by now."""
    return Response(model.model_dump_json(), status, media_type="application/json")


class Wire(Interface):
    """How a protocol says what went wrong."""

    def failure(self, error: CommonplaceError) -> Reply:
        """A domain error."""

    def invalid(self, errors: list[dict[str, Any]]) -> Reply:
        """A request that does not have the declared shape (pydantic's list)."""

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses: an unknown path, a wrong method, an unreadable body."""

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception; it has been logged under the request id."""


def protocol(
    title: str,
    description: str,
    wire: Wire,
    runtime: Runtime,
    *,
    door: Door | None = None,
    limits_clients: bool = False,
    shown: Shown = shown_in,
    max_body: int = MAX_BODY,
    takes_forms: bool = False,
) -> FastAPI:
    """A FastAPI app for one protocol, with no routes yet.

    Args:
        door: the name under which its requests are limited (RATE_LIMIT_<DOOR>) and measured.
        limits_clients: whether each client address is limited, too, not only each key.
        shown: where requests carry their credential.
        max_body: bytes of a JSON body.
        takes_forms: whether it means a form when it says form; else a body of that name is read as JSON.
    """
    app = FastAPI(title=title, description=description, redirect_slashes=False, docs_url=None, redoc_url=None)
    app.state.runtime = runtime

    @app.exception_handler(CommonplaceError)
    def _failure(_: Request, error: CommonplaceError) -> Response:
        return render(wire.failure(error))

    @app.exception_handler(RequestValidationError)
    def _invalid(_: Request, error: RequestValidationError) -> Response:
        return render(wire.invalid([_brief(item) for item in error.errors()]))

    @app.exception_handler(HTTPException)
    def _http(_: Request, error: HTTPException) -> Response:
        return render(_refusal(wire, error))

    app.add_middleware(Note, door=door or OTHER)  # inside: which route was taken
    app.add_middleware(_LimitBody, wire=wire, most=max_body)
    app.add_middleware(Options, door=app)
    for habit in (Head, NoTrailingSlash, *(() if takes_forms else (UnnamedJson,))):
        app.add_middleware(habit)
    refuse = partial(_refuse, wire)
    if door is not None:
        app.add_middleware(RateLimit, door=door, refuse=refuse, by_client=limits_clients, shown=shown)
    app.add_middleware(KnownHosts, refuse=refuse)
    app.add_middleware(_CatchAll, wire=wire)
    app.add_middleware(Note, door=door or OTHER)  # outside: whose what comes no further is
    return app


def _refusal(wire: Wire, error: HTTPException) -> Reply:
    if isinstance(error.__cause__, CommonplaceError):  # FastAPI calls whatever stops a body unreadable
        return wire.failure(error.__cause__)
    reply = wire.http(error.status_code, str(error.detail))
    return replace(reply, headers={**reply.headers, **(error.headers or {})})


def _refuse(wire: Wire, error: CommonplaceError) -> Response:
    return render(wire.failure(error))


def _brief(item: Mapping[str, Any]) -> dict[str, Any]:
    """A validation error without what cannot be shown: exceptions as text, long inputs cut, NaN (no JSON) as text."""
    brief = {key: item[key] for key in ("type", "loc", "msg") if key in item}
    shown = repr(item.get("input"))
    brief["input"] = item.get("input") if len(shown) <= 200 else f"{shown[:200]}…"
    try:
        json.dumps(brief["input"], allow_nan=False, default=str)
    except ValueError:
        brief["input"] = shown
    return brief


class _LimitBody:
    """Refuse bodies of over `most` bytes; multipart uploads have limits of their own where they are read."""

    def __init__(self, app: ASGIApp, wire: Wire, most: int) -> None:
        self.app = app
        self.wire = wire
        self.most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] != "http" or headers.get(b"content-type", b"").startswith(b"multipart/"):
            await self.app(scope, receive, send)
            return
        if says_more(scope, self.most):
            reply = self.wire.failure(_too_long(self.most))
            await render(reply)(scope, receive, send)
            return
        await self.app(scope, bounded(receive, self.most, _too_long(self.most)), send)


def _too_long(most: int) -> TooLarge:
    return TooLarge(f"The body is longer than {most} bytes")


class _CatchAll:
    """Whatever nobody expected: logged once, answered as this protocol's 500 without its text."""

    def __init__(self, app: ASGIApp, wire: Wire) -> None:
        self.app = app
        self.wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception:  # the last net: nothing may leave this door unshaped
            if started:
                raise
            logger.exception("unexpected failure")
            request_id = scope.get("state", {}).get("request_id", "")
            await render(self.wire.crash(request_id))(scope, receive, send)


bearer = HTTPBearer(auto_error=False, description="An API key or an access token.")
api_key = APIKeyHeader(name="X-API-Key", auto_error=False, description="An API key.")


async def credential(
    authorization: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    key: Annotated[str | None, Depends(api_key)],
) -> str | None:
    """What the request shows: `Authorization: Bearer`, else `X-API-Key`. Async to spare a trip to a thread."""
    return authorization.credentials if authorization else key


Credential = Annotated[str | None, Depends(credential)]


def runtime_of(request: Request) -> Runtime:
    """The runtime that the protocol's app was made with."""
    runtime: Runtime = request.app.state.runtime
    return runtime


def identify(request: Request, shown: str | None, scope: str) -> Caller:
    """Who shows this credential, if they may do that: `read`, `write` or `admin`."""
    known, caller = getattr(request.state, "caller", (None, None))  # by the rate limit, if this door has one
    if caller is None or known != shown:
        caller = accounts.authenticate(runtime_of(request), shown)
    accounts.require(caller, scope)
    request.state.user_id = caller.name
    return caller


def reading(request: Request, shown: Credential) -> Iterator[Context]:
    """A Context that only reads."""
    with runtime_of(request).context(identify(request, shown, "read")) as ctx:
        yield ctx


def writing(request: Request, shown: Credential) -> Iterator[Context]:
    """A Context that writes, committed before the answer goes out."""
    with runtime_of(request).context(identify(request, shown, "write"), writing=True) as ctx:
        yield ctx


def _acting_as(app: str, caller: Caller) -> Caller:
    return replace(caller, app=caller.app or app)


def reading_as(app: str) -> Callable[[Request, str | None], Iterator[Context]]:
    """As `reading`, for a door whose callers all are apps: a key that is bound to none reads as `app`."""

    def reading_as_app(request: Request, shown: Credential) -> Iterator[Context]:
        with runtime_of(request).context(_acting_as(app, identify(request, shown, "read"))) as ctx:
            yield ctx

    return reading_as_app


def writing_as(app: str) -> Callable[[Request, str | None], Iterator[Context]]:
    """As `writing`, for a door whose callers all are apps: a key that is bound to none writes as `app`."""

    def writing_as_app(request: Request, shown: Credential) -> Iterator[Context]:
        with runtime_of(request).context(_acting_as(app, identify(request, shown, "write")), writing=True) as ctx:
            yield ctx

    return writing_as_app


def peeking(request: Request, shown: Credential) -> Iterator[Context | None]:
    """A Context that only reads; None for who shows nothing where a credential is required."""
    if shown is None and not runtime_of(request).settings.is_open:
        yield None
        return
    with runtime_of(request).context(identify(request, shown, "read")) as ctx:
        yield ctx


# scope="function": without it FastAPI would leave the generator, and so commit, only after the answer is sent.
Reading = Annotated[Context, Depends(reading, scope="function")]
Writing = Annotated[Context, Depends(writing, scope="function")]
Peeking = Annotated[Context | None, Depends(peeking, scope="function")]
