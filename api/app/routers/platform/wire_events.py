"""Receipts in the hosted mem0's shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from app.routers.platform.fields import End, Name, Time
from app.routers.platform.wire_adds import as_event
from app.routers.platform.wire_memories import Paging
from app.services.receipts import Filter, Receipt
from app.services.views import Window

ENDED = ("SUCCEEDED", "FAILED")
Status = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]


class EventsRequest(Paging):
    """What a list of receipts is narrowed to; null is no narrowing."""

    page_size: int | None = Field(None, ge=1, le=100)
    event_type: Name | None = None
    status: Status | None = None
    start_date: Time = None
    end_date: End = None

    @property
    def piece(self) -> Window:
        """50 a page, unless it says otherwise."""
        return self.window(50)

    def narrowed(self) -> Filter:
        """As services take it."""
        return Filter(self.status, self.event_type, None, self.start_date, self.end_date)


def event(receipt: Receipt) -> dict[str, Any]:
    """One receipt; `latency` is in milliseconds. `payload` is what was sent, until it succeeded."""
    is_over = receipt.status in ENDED
    took = (receipt.updated_at - receipt.created_at).total_seconds() * 1000
    return {
        "id": str(receipt.id),
        "event_type": receipt.kind,
        "status": receipt.status,
        "payload": receipt.input or {},
        "metadata": {"app_id": receipt.app_name, "attempts": receipt.attempts, "inference": receipt.inference},
        "results": [_result(result, receipt.user_id) for result in receipt.results],
        "error": receipt.error,
        "created_at": receipt.created_at.isoformat(),
        "updated_at": receipt.updated_at.isoformat(),
        "started_at": None if receipt.status == "PENDING" else receipt.created_at.isoformat(),
        "completed_at": receipt.updated_at.isoformat() if is_over else None,
        "latency": round(took, 3) if is_over else None,
    }


def _result(result: Mapping[str, Any], owner: str) -> dict[str, Any]:
    return {
        "id": result.get("id"),
        "event": as_event(str(result.get("event"))),
        "user_id": owner,
        "data": {"memory": result.get("memory")},
        **({"reason": result["reason"]} if result.get("reason") else {}),
    }
