"""What goes wrong before MCP itself begins, as a JSON-RPC error under an HTTP status; see README.md. Pure."""

from typing import Any

from app import errors
from app.routers.reply import Reply
from app.routers.statuses import headers_of, status_of

REFUSED = -32600  # JSON-RPC: the request cannot be served as it came
CRASHED = -32603
SCOPES = "read write"


class McpWire:
    """How this protocol says what went wrong."""

    def failure(self, error: errors.CommonplaceError) -> Reply:
        """A domain error."""
        return Reply(status_of(error), _error(REFUSED, str(error)), headers_of(error, None))

    def invalid(self, problems: list[dict[str, Any]]) -> Reply:
        """A request of another shape than declared."""
        return Reply(400, _error(REFUSED, "The request is not valid", problems))

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses."""
        return Reply(status, _error(REFUSED, text))

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception."""
        return Reply(500, _error(CRASHED, "Internal error", {"request_id": request_id}))

    def challenge(self, error: errors.Unauthenticated, metadata_url: str, *, shown: bool) -> Reply:
        """A 401 that says where a client learns how to sign in (RFC 9728); `shown`: what it came with is not good."""
        fault = 'error="invalid_token", ' if shown else ""
        challenge = f'Bearer {fault}resource_metadata="{metadata_url}", scope="{SCOPES}"'
        return Reply(401, _error(REFUSED, str(error)), {"WWW-Authenticate": challenge})


def _error(code: int, message: str, data: Any = None) -> dict[str, Any]:
    fault = {"code": code, "message": message}
    return {"jsonrpc": "2.0", "id": None, "error": fault if data is None else {**fault, "data": data}}
