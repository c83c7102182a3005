"""/events: the receipts of writes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.routers.openmemory import wire_adds, wire_events
from app.routers.openmemory.fields import Name, Time
from app.routers.openmemory.paging import FiftyAPage
from app.routers.protocol import Reading, Writing, shaped
from app.services import inference, receipts
from app.services.receipts import Filter

router = APIRouter(prefix="/events", tags=["events"])

OfUser = Annotated[Name | None, Query(description="The owner; without it the key's own user, for an admin everybody.")]
Mine = Annotated[Name | None, Query(description="The owner; the key's own user without it.")]


@router.get("", response_model=wire_events.EventPage, summary="List receipts")
def listing(
    ctx: Reading,
    paging: FiftyAPage,
    user_id: OfUser = None,
    status: wire_events.Status | None = None,
    kind: Name | None = None,
    app: Annotated[Name | None, Query(description="The app that wrote.")] = None,
    from_date: Annotated[Time, Query(description="Epoch seconds or ISO 8601.")] = None,
    to_date: Annotated[Time, Query(description="Epoch seconds or ISO 8601.")] = None,
    is_dismissed: Annotated[
        bool | None, Query(description="Only failed ones that were dismissed, or were not.")
    ] = None,
) -> Response:
    """Newest first. A key that is bound to an app sees that app's."""
    narrowed = Filter(status, kind, app, from_date, to_date, is_dismissed)
    return shaped(wire_events.page(receipts.listing(ctx, paging.window, user_id, narrowed), paging))


@router.post("/retry", response_model=wire_events.Retried, summary="Try all failed adds again")
def retry_all(ctx: Writing, user_id: Mine = None) -> wire_events.Retried:
    """The worker does it; each receipt says how it went."""
    return wire_events.retried(inference.retry_all(ctx, user_id))


@router.get("/{event_id}", response_model=wire_events.EventOne, summary="Read one receipt")
def get(ctx: Reading, event_id: UUID) -> wire_events.EventOne:
    """With what was sent until it succeeded, and the texts of the memories that the caller may read."""
    return wire_events.one(receipts.get(ctx, event_id))


@router.post("/{event_id}/retry", response_model=wire_adds.Answer, summary="Try a failed add again")
def retry(ctx: Writing, event_id: UUID) -> wire_adds.Answer:
    """At once; `status` says how it went this time."""
    return wire_adds.answer(inference.retry(ctx, event_id))


@router.post("/{event_id}/dismiss", response_model=wire_events.EventOne, summary="Dismiss a failed add")
def dismiss(ctx: Writing, event_id: UUID, body: wire_events.DismissRequest | None = None) -> wire_events.EventOne:
    """It waits for nobody any more; what was sent is kept, and it can be tried again."""
    asked = body or wire_events.DismissRequest()
    receipts.dismiss(ctx, event_id, is_dismissed=asked.is_dismissed)
    return wire_events.one(receipts.get(ctx, event_id))
