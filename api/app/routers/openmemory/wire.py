"""OpenMemory's shapes: errors as `{"detail": ...}`; see README.md. Pure: no FastAPI, no I/O."""

from typing import Any

from app import errors
from app.routers.reply import Reply
from app.routers.statuses import headers_of, status_of


class OpenMemoryWire:
    """How this protocol says what went wrong."""

    def failure(self, error: errors.CommonplaceError) -> Reply:
        """A domain error: its text as the detail."""
        kept = {"event_id": str(error.event_id), "status": "FAILED"} if isinstance(error, errors.Kept) else {}
        return Reply(status_of(error), {"detail": str(error), **kept}, headers_of(error))

    def invalid(self, problems: list[dict[str, Any]]) -> Reply:
        """A request of another shape than declared: FastAPI's list."""
        return Reply(422, {"detail": problems})

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses."""
        return Reply(status, {"detail": text})

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception."""
        return Reply(500, {"detail": "Internal Server Error", "request_id": request_id})
