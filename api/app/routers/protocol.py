"""What every protocol's door is made of: a small FastAPI app that renders all its errors in its own way.

A protocol's `wire.py` gives the four functions of `Wire`; whatever goes wrong behind the door, from a broken body to
a crash, leaves it in that protocol's shape.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
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
from app.routers.habits import Head, NoTrailingSlash, Options, UnnamedJson
from app.routers.reply import JSON, Reply
from app.services import accounts

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


def protocol(title: str, description: str, wire: Wire, runtime: Runtime, *, takes_forms: bool = False) -> FastAPI:
    """A FastAPI app for one protocol, with no routes yet.

    Args:
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
        reply = wire.http(error.status_code, str(error.detail))
        return render(replace(reply, headers={**reply.headers, **(error.headers or {})}))

    app.add_middleware(_LimitBody, wire=wire)
    app.add_middleware(Options, door=app)
    for habit in (Head, NoTrailingSlash, *(() if takes_forms else (UnnamedJson,))):
        app.add_middleware(habit)
    app.add_middleware(_CatchAll, wire=wire)
    return app


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
    """Refuse bodies over MAX_BODY; multipart uploads have limits of their own where they are read."""

    def __init__(self, app: ASGIApp, wire: Wire) -> None:
        self.app = app
        self.wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        if scope["type"] != "http" or headers.get(b"content-type", b"").startswith(b"multipart/"):
            await self.app(scope, receive, send)
            return
        length = headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > MAX_BODY:
            reply = self.wire.failure(TooLarge(f"The body is longer than {MAX_BODY} bytes"))
            await render(reply)(scope, receive, send)
            return
        await self.app(scope, _limited(receive), send)


def _limited(receive: Receive) -> Receive:
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MAX_BODY:
            raise TooLarge(f"The body is longer than {MAX_BODY} bytes")
        return message

    return limited


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


def _identify(request: Request, shown: str | None, scope: str) -> Caller:
    caller = accounts.authenticate(runtime_of(request), shown)
    accounts.require(caller, scope)
    request.state.user_id = caller.name
    return caller


def reading(request: Request, shown: Credential) -> Iterator[Context]:
    """A Context that only reads."""
    with runtime_of(request).context(_identify(request, shown, "read")) as ctx:
        yield ctx


def writing(request: Request, shown: Credential) -> Iterator[Context]:
    """A Context that writes, committed before the answer goes out."""
    with runtime_of(request).context(_identify(request, shown, "write"), writing=True) as ctx:
        yield ctx


# scope="function": without it FastAPI would leave the generator, and so commit, only after the answer is sent.
Reading = Annotated[Context, Depends(reading, scope="function")]
Writing = Annotated[Context, Depends(writing, scope="function")]
