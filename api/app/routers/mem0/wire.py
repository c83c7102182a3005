"""mem0's errors: `{"detail": ...}`, and a code for a provider that failed; see README.md. Pure: no FastAPI, no I/O."""

from typing import Any

from app import errors
from app.errors import Why
from app.routers.reply import Reply
from app.routers.statuses import USUAL, headers_of, status_of

STATUS = {**USUAL, errors.NotConfigured: 503, errors.Unavailable: 502}
CODES: dict[Why, str] = {
    Why.refused: "provider_auth_failed",
    Why.busy: "provider_rate_limited",
    Why.slow: "provider_timeout",
    Why.away: "provider_unavailable",
    Why.misfit: "provider_bad_request",
    Why.unknown: "unknown",
}


class Mem0Wire:
    """How this protocol says what went wrong."""

    def failure(self, error: errors.CommonplaceError) -> Reply:
        """A domain error: its text as the detail."""
        return Reply(status_of(error, STATUS), {"detail": str(error)}, headers_of(error))

    def invalid(self, problems: list[dict[str, Any]]) -> Reply:
        """A request of another shape than declared: FastAPI's list."""
        return Reply(422, {"detail": problems})

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses."""
        return Reply(status, {"detail": text})

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception."""
        return Reply(500, {"detail": "Internal Server Error", "request_id": request_id})


def unavailable(error: errors.Unavailable, request_id: str) -> Reply:
    """A provider or a store that failed: which way, in which request, and the receipt if what was sent is kept."""
    reply = Mem0Wire().failure(error)
    if isinstance(error, errors.NotConfigured):
        return reply
    is_store = isinstance(error, errors.StoreUnavailable)
    code = "vector_store_unavailable" if is_store else CODES[error.why]
    kept = {"event_id": str(error.event_id)} if isinstance(error, errors.Kept) else {}
    return Reply(reply.status, {**reply.body, "code": code, "request_id": request_id, **kept}, reply.headers)
