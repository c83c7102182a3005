"""mem0-local's shapes: an envelope for what went well, one for what did not. Pure: no FastAPI, no I/O."""

from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from app import errors
from app.database import now
from app.routers.reply import Reply
from app.routers.statuses import headers_of
from app.routers.times import written

Data = TypeVar("Data")

CODES: dict[type[errors.CommonplaceError], tuple[int, str]] = {
    errors.Invalid: (400, "INVALID_REQUEST"),
    errors.Unauthenticated: (401, "UNAUTHORIZED"),
    errors.Forbidden: (403, "FORBIDDEN"),
    errors.NotFound: (404, "MEMORY_NOT_FOUND"),
    errors.Conflict: (409, "CONFLICT"),
    errors.RateLimited: (429, "RATE_LIMIT_EXCEEDED"),
    errors.Unavailable: (503, "SERVICE_UNAVAILABLE"),
}
REFUSED = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


class Envelope(BaseModel, Generic[Data]):
    """Every answer to what went well."""

    success: Literal[True] = True
    data: Data
    message: str = "Operation completed successfully"
    timestamp: str = Field(default_factory=lambda: written(now()), description="ISO 8601, UTC.")


def refused(status: int, code: str, message: str, details: Any = None, headers: dict[str, str] | None = None) -> Reply:
    """Every answer to what did not."""
    error = {"code": code, "message": message, "details": details or {}}
    return Reply(status, {"success": False, "error": error, "timestamp": written(now())}, headers or {})


class Mem0LocalWire:
    """How this protocol says what went wrong."""

    def failure(self, error: errors.CommonplaceError) -> Reply:
        """A domain error: its text as the message."""
        status, code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
        kept = {"event_id": str(error.event_id)} if isinstance(error, errors.Kept) else {}
        return refused(status, code, str(error), kept, headers_of(error))

    def invalid(self, problems: list[dict[str, Any]]) -> Reply:
        """A request of another shape than declared: the fields that offend."""
        fields = [{"field": _path(one), "message": one["msg"], "input": one.get("input")} for one in problems]
        named = ", ".join(dict.fromkeys(one["field"] for one in fields))
        return refused(400, "INVALID_REQUEST", f"The request is malformed: {named}", {"fields": fields})

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses."""
        return refused(status, REFUSED.get(status, "INVALID_REQUEST"), text)

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception."""
        return refused(500, "INTERNAL_ERROR", "Internal server error", {"request_id": request_id})


def _path(problem: dict[str, Any]) -> str:
    place = problem["loc"][:1] if problem["type"] == "json_invalid" else problem["loc"]
    return ".".join(str(part) for part in place)
