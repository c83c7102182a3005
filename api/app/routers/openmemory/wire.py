"""OpenMemory's shapes: errors as `{"detail": ...}`; see README.md. Pure: no FastAPI, no I/O."""

import math
from typing import Any

from app import errors
from app.routers.reply import Reply

STATUS: dict[type[errors.CommonplaceError], int] = {
    errors.TooLarge: 413,
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}


class OpenMemoryWire:
    """How this protocol says what went wrong."""

    def failure(self, error: errors.CommonplaceError) -> Reply:
        """A domain error: its text as the detail."""
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        if isinstance(error, errors.RateLimited):
            headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
        kept = {"event_id": str(error.event_id), "status": "FAILED"} if isinstance(error, errors.Kept) else {}
        return Reply(status, {"detail": str(error), **kept}, headers)

    def invalid(self, problems: list[dict[str, Any]]) -> Reply:
        """A request of another shape than declared: FastAPI's list."""
        return Reply(422, {"detail": problems})

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses."""
        return Reply(status, {"detail": text})

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception."""
        return Reply(500, {"detail": "Internal Server Error", "request_id": request_id})
