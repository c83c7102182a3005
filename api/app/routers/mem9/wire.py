"""mem9's shapes: errors as `{"error": ...}`, times, and what is left out; see README.md. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app import errors
from app.routers.reply import Reply
from app.routers.statuses import USUAL, status_of
from app.services.space_chains import NoChainKey, Source
from app.services.spaces import Standing

STATUS = {
    **USUAL,
    errors.TooLarge: 400,
    errors.Unauthenticated: 400,  # not 401: clients read the text
    NoChainKey: 401,
    errors.Stale: 412,
    errors.Kept: 500,
}
STANDING = {
    Standing.missing: Reply(401, {"error": "missing or malformed X-API-Key"}),
    Standing.unknown: Reply(404, {"error": "key not found"}),
    Standing.inactive: Reply(200, {"status": "inactive"}),
    Standing.active: Reply(200, {"status": "active"}),
}


class Mem9Wire:
    """How this protocol says what went wrong."""

    def failure(self, error: errors.CommonplaceError) -> Reply:
        """A domain error: its text, or the words that clients know."""
        status = status_of(error, STATUS)
        if isinstance(error, errors.Kept):
            return Reply(status, {"error": "ingest reconciliation failed", "id": str(error.event_id)})
        if isinstance(error, errors.RateLimited):
            return Reply(status, {"error": "rate limit exceeded"})
        return Reply(status, {"error": str(error)})

    def invalid(self, problems: list[dict[str, Any]]) -> Reply:
        """A request of another shape than declared: the first thing that is wrong with it."""
        first = problems[0] if problems else {}
        where = ".".join(str(part) for part in first.get("loc", ())[1:])
        return Reply(400, {"error": f"{where}: {first.get('msg', 'invalid')}"})

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses: an unknown path in words, a wrong method in none."""
        if status == 404:
            return Reply(404, "404 page not found\n", media_type="text/plain; charset=utf-8")
        if status == 405:
            return Reply(405, "", media_type="text/plain; charset=utf-8")
        return Reply(status, {"error": text})

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception."""
        return Reply(500, {"error": "internal server error"})


def moment(when: datetime) -> str:
    """RFC 3339 in UTC, the fraction without its last zeros."""
    text = when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return f"{text.rstrip('0').rstrip('.')}Z"


def filled(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something: nothing that is None or empty."""
    return {name: value for name, value in fields.items() if value is not None and value not in ("", [], {})}


def source(found: Source | None) -> dict[str, Any] | None:
    """From where in a chain something is."""
    if found is None:
        return None
    place = {"chain_id": str(found.chain_id), "node_position": found.position, "tenant_id": str(found.space_id)}
    return place | filled({"external_space_id": found.external_space_id})


def standing(known: Standing) -> Reply:
    """GET /v1alpha2/status, whose refusals are its own."""
    return STANDING[known]


def provisioned(key: str) -> Reply:
    """POST /v1alpha1/mem9s: the key, which is all of the space that a client keeps."""
    return Reply(201, {"id": key})


def health() -> Reply:
    """GET /healthz."""
    return Reply(200, {"status": "ok"})


def version(version: str, started_at: datetime) -> Reply:
    """GET /versionz. The genuine server is written in Go and says with which; this one says what it is instead."""
    return Reply(200, {"go_version": "", "started_at": moment(started_at), "version": version})
