"""/v1/event/ and /v1/events/: the receipts of writes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from app.routers.platform import wire_events as wire
from app.routers.platform import wire_memories
from app.routers.platform.auth import Reading
from app.routers.platform.fields import MemoryId
from app.services import receipts

router = APIRouter(tags=["events"], strict_content_type=False)


@router.get("/v1/event/{event_id}", summary="Read one receipt")
def get(ctx: Reading, event_id: MemoryId) -> Any:
    """How an add went, and what it did."""
    return wire.event(receipts.get(ctx, event_id))


@router.get("/v1/events", summary="List receipts")
def listing(ctx: Reading, request: Request, asked: Annotated[wire.EventsRequest, Query()]) -> Any:
    """Newest first, 50 a page."""
    found = receipts.listing(ctx, asked.piece, None, asked.narrowed())
    return wire_memories.page(found, asked.piece, str(request.url), wire.event)
