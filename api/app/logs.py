"""Structured logs: one JSON object a line, each with its request's id, never with a secret."""

import logging
import re
import time
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECRET = re.compile(
    r"(?i)(authorization|x-api-key|api[_-]?key|password|secret|token)(\"?\s*[:=]\s*\"?(?:bearer\s+|token\s+)?)([^\s\"&,}]+)"
    r"|(?<=[?&]key=)[^\s\"&]+|(?<=/v1alpha1/mem9s/)[^/\s\"?]+|\b(?:cp|chain)_[A-Za-z0-9_-]{20,}"
    r"|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|\bsk-[A-Za-z0-9_-]{16,}"
)
REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
RESERVED = [*RESERVED_ATTRS, "color_message"]
NOISY = ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "alembic.runtime", "mcp", "sse_starlette")

request_id_of: ContextVar[str | None] = ContextVar("request_id", default=None)
logger = logging.getLogger("commonplace.requests")


def redact(text: str) -> str:
    """`text` with whatever looks like a credential taken out."""
    return SECRET.sub(lambda found: f"{found[1]}{found[2]}[redacted]" if found[1] else "[redacted]", text)


class Formatter(JsonFormatter):
    """A record as one JSON object: time, level, logger, message, request id, what `extra` gives, and the traceback."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            reserved_attrs=RESERVED,
            timestamp=True,
        )

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Add the request's id, take out what looks like a secret."""
        request_id = request_id_of.get()
        if request_id:
            log_data.setdefault("request_id", request_id)
        return {key: redact(value) if isinstance(value, str) else value for key, value in log_data.items()}


def configure(level: str) -> None:
    """Send every logger's records, ours and the libraries', to standard error as JSON lines."""
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter())
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    for noisy in NOISY:
        logging.getLogger(noisy).setLevel("WARNING")


class RequestLog:
    """Gives each request an id (the caller's `X-Request-Id` if it is sane), sends it back, logs one line at the end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500
        started = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
            await send(message)

        token = request_id_of.set(request_id)
        try:
            await self.app(scope, receive, watch)
        finally:
            milliseconds = round(1000 * (time.perf_counter() - started), 1)
            # The path only: a query may hold a key or a person's words.
            answered = {"method": scope["method"], "path": scope["path"], "status": status, "ms": milliseconds}
            logger.info("request", extra=answered)
            request_id_of.reset(token)


def _request_id(scope: Scope) -> str:
    sent = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    return sent if REQUEST_ID.fullmatch(sent) else uuid4().hex
