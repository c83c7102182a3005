"""/retention."""

from fastapi import APIRouter

from app.routers.openmemory import wire_retention as wire
from app.routers.protocol import Reading, Writing
from app.services import retention

router = APIRouter(prefix="/retention", tags=["time"])


@router.get("/preview", response_model=wire.Preview, summary="What the retention rules would archive")
def preview(ctx: Reading) -> wire.Preview:
    """Of each rule of `openmemory.retention` the number, and the oldest ten. Nothing is changed."""
    return wire.preview(retention.preview(ctx))


@router.post("/run", response_model=wire.RunAnswer, summary="Archive by the retention rules now")
def run(ctx: Writing) -> wire.RunAnswer:
    """What the worker does once an hour; at most 10,000 memories a request."""
    return wire.ran(retention.run(ctx))
