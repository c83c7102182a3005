"""/index."""

from fastapi import APIRouter

from app.routers.openmemory import wire_index as wire
from app.routers.protocol import Reading, Writing
from app.services import indexes

router = APIRouter(prefix="/index", tags=["index"])


@router.get("", response_model=wire.IndexStatus, summary="How level the index is")
def get(ctx: Reading) -> wire.IndexStatus:
    """How many memories are indexed, and how far a new index is that is built beside the one that serves."""
    return wire.status(indexes.status(ctx), is_admin=ctx.caller.is_admin)


@router.post("/rebuild", response_model=wire.Rebuilding, summary="Make the index again")
def rebuild(ctx: Writing) -> wire.Rebuilding:
    """Every memory is embedded again in the background; the vectors that are there serve until theirs are made."""
    return wire.Rebuilding(memories=indexes.begin(ctx))
