"""The hosted mem0's shapes: errors as `{"detail": ...}`; see README.md. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

from app import errors
from app.routers.reply import Reply
from app.routers.statuses import headers_of, status_of

OF_THE_FRAMEWORK = {404: "Not found.", 405: "Method not allowed."}
PLACES = ("body", "query", "path")  # where pydantic found it, which the clients do not ask


class PlatformWire:
    """How this protocol says what went wrong."""

    def failure(self, error: errors.CommonplaceError) -> Reply:
        """A domain error: its text as the detail."""
        kept = {"event_id": str(error.event_id), "status": "FAILED"} if isinstance(error, errors.Kept) else {}
        return Reply(status_of(error), {"detail": str(error), **kept}, headers_of(error, "Token"))

    def invalid(self, problems: list[dict[str, Any]]) -> Reply:
        """A request of another shape than declared: each field with its errors, and all of it as the detail."""
        fields: dict[str, list[str]] = {}
        for problem in problems:
            told = str(problem.get("msg")).removeprefix("Value error, ")
            fields.setdefault(_field(problem.get("loc", ())), []).append(told)
        detail = "; ".join(f"{name}: {' '.join(found)}" for name, found in fields.items())
        return Reply(400, {**fields, "detail": detail})

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses."""
        return Reply(status, {"detail": OF_THE_FRAMEWORK.get(status, text)})

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception."""
        return Reply(500, {"detail": "Internal server error.", "request_id": request_id})


def _field(loc: Sequence[Any]) -> str:
    named = loc[1:] if loc and loc[0] in PLACES else loc
    return ".".join(map(str, named)) or "non_field_errors"


def said(sentence: str) -> dict[str, str]:
    """An answer that is a sentence."""
    return {"message": sentence}


def not_here(what: str) -> Reply:
    """What the hosted mem0 has and this server has not."""
    return Reply(501, {"detail": f"This server has no {what}."})


def only(fields: Sequence[str] | None, shape: Mapping[str, Any]) -> dict[str, Any]:
    """Of a shape the `fields` that were asked for, and always the id; all of it without any."""
    return {name: value for name, value in shape.items() if not fields or name in fields or name == "id"}
