"""Streamable HTTP without sessions, and the older SSE with sessions that are bounded."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.sse import SseServerTransport
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.context import Caller, Runtime
from app.errors import NotFound, RateLimited
from app.routers.mcp.entrance import Entrance, Visit, credential, visit, wire
from app.routers.protocol import render

MESSAGES = "/mcp/messages/"
RETRY = 30  # seconds
NO_SESSION = "Session not found"

SESSION_ID = re.compile(rb"session_id=([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method as an ASGI app: starlette takes bare functions and methods for endpoints of its own kind."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Streamable:
    """POST alone: each is complete by itself, whichever process it reaches, and nothing of it stays behind."""

    def __init__(self, server: Server[Any], entrance: Entrance) -> None:
        self._server = server
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._entrance.refuse(Request(scope, receive))
        if refusal is None and scope["method"] != "POST":
            refusal = render(wire.http(405, "Only POST: the server sends nothing of itself and keeps no session"))
            refusal.headers["Allow"] = "POST"
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        # A manager a request: what it starts ends with the request, even one that is cancelled.
        manager = StreamableHTTPSessionManager(self._server, stateless=True, json_response=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)


@dataclass(slots=True, eq=False)
class Session:
    """An open stream: how its messages come in, the visit that opened it, on whose behalf, and when it ends."""

    transport: SseServerTransport
    visit: Visit
    caller: Caller
    id: str = ""
    is_streaming: bool = False
    life: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class Sse:
    """GET opens a stream, its messages are posted to MESSAGES. A session ends with its stream, or when it is idle."""

    def __init__(self, runtime: Runtime, server: Server[Any], entrance: Entrance) -> None:
        self._runtime = runtime
        self._server = server
        self._entrance = entrance
        self._waiting: list[Session] = []
        self.sessions: dict[str, Session] = {}

    @property
    def count(self) -> int:
        """How many sessions are open."""
        return len(self._waiting) + len(self.sessions)

    async def connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open a stream and serve it until either side ends it."""
        request = Request(scope, receive)
        refusal = await self._entrance.refuse(request)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        with self._opened(request) as session:
            self._extend(session)
            streams = session.transport.connect_sse(scope, receive, self._noting(session, send))
            async with streams as (reads, writes):
                with session.life:
                    await self._server.run(reads, writes, self._server.create_initialization_options())
                await writes.aclose()  # an idle session's stream ends as one that is complete
        if session.is_streaming:  # the server is told to stop: so it ends, too
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    @contextmanager
    def _opened(self, request: Request) -> Iterator[Session]:
        caller, limit = request.state.caller, self._runtime.settings.mcp_sessions
        if sum(_payer(one.caller) == _payer(caller) for one in [*self._waiting, *self.sessions.values()]) >= limit:
            raise RateLimited(f"There are {limit} sessions open with this credential; close one", RETRY)
        session = Session(SseServerTransport(MESSAGES), visit(self._runtime.settings, request), caller)
        self._waiting.append(session)
        try:
            yield session
        finally:
            self.sessions.pop(session.id, None)
            if not session.id:
                self._waiting.remove(session)

    def _noting(self, session: Session, send: Send) -> Send:
        """`send` that reads the session's id from the stream's first event, which tells it to the client."""

        async def noting(message: Message) -> None:
            session.is_streaming = message["type"] == "http.response.start" or message.get("more_body", False)
            if not session.id and (found := SESSION_ID.search(message.get("body", b""))):
                self._waiting.remove(session)
                session.id = found[1].decode()
                self.sessions[session.id] = session
            await send(message)

        return noting

    def _extend(self, session: Session) -> None:
        session.life.deadline = anyio.current_time() + self._runtime.settings.mcp_idle_seconds

    async def message(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A client's message to its session, with the credential that opened it or one that is as good."""
        request = Request(scope, receive)
        session = self.sessions.get(request.query_params.get("session_id", ""))
        if session is None:
            raise NotFound(NO_SESSION)
        # Who has the key in the URL of the stream shows none here: the id, which only that client knows, is enough.
        here = replace(session.visit, shown=credential(request) or session.visit.shown)
        refusal = await self._entrance.refuse(request, here)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if _identity(request.state.caller) != _identity(session.caller):
            raise NotFound(NO_SESSION)
        session.visit = here  # a client by OAuth shows another token every hour
        self._extend(session)
        await session.transport.handle_post_message(scope, receive, send)


def _identity(caller: Caller) -> tuple[object, ...]:
    return (_payer(caller), caller.user_id, caller.app)


def _payer(caller: Caller) -> object:
    return caller.key_id or caller.session_id or caller.user_id
