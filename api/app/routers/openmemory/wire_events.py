"""Receipts in the dashboard's shapes. Pure: no FastAPI, no I/O."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.routers.openmemory.paging import Paging
from app.routers.openmemory.wire_adds import Result
from app.services.receipts import Receipt
from app.services.views import Listing

Status = Literal["PENDING", "RUNNING", "SUCCEEDED", "FAILED"]


class EventItem(BaseModel):
    """A receipt in a list. Times carry their zone."""

    id: UUID
    user_id: str
    app_id: UUID | None
    app_name: str | None
    kind: str
    status: Status
    inference: str | None
    results: list[Result]
    error: str | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    undoes: UUID | None = Field(description="The receipt that this one took back, if it is an undo's.")
    dismissed_at: datetime | None = Field(description="When somebody did not want to see this failed one again.")


class EventOne(EventItem):
    """A receipt by itself: with `input`, what was sent, until it succeeded."""

    input: dict[str, Any] | None = Field(description="`messages`, `metadata` and `prompt`; null once it succeeded.")


class EventPage(BaseModel):
    """GET /events."""

    items: list[EventItem]
    total: int
    page: int
    size: int
    pages: int


class DismissRequest(BaseModel):
    """POST /events/{event_id}/dismiss."""

    is_dismissed: bool = Field(True, description="False: show it again.")


class Retried(BaseModel):
    """POST /events/retry."""

    retried: int


def _fields(receipt: Receipt) -> dict[str, Any]:
    return {name: getattr(receipt, name) for name in EventItem.model_fields}


def one(receipt: Receipt) -> EventOne:
    """A receipt by itself."""
    return EventOne.model_validate({**_fields(receipt), "input": receipt.input})


def page(listing: Listing[Receipt], paging: Paging) -> EventPage:
    """A page of receipts."""
    items = [EventItem.model_validate(_fields(receipt)) for receipt in listing.items]
    pages = -(-listing.total // paging.size)
    return EventPage(items=items, total=listing.total, page=paging.page, size=paging.size, pages=pages)


def retried(count: int) -> Retried:
    """How many the worker is going to try again."""
    return Retried(retried=count)
