"""/v1/batch/: up to 1,000 memories at once, all or none."""

from typing import Any

from fastapi import APIRouter

from app.routers.platform import wire_extras as wire
from app.routers.platform.auth import Writing
from app.routers.platform.memories import DOOR
from app.services import edits

router = APIRouter(prefix="/v1/batch", tags=["batch"], strict_content_type=False)


@router.put("", summary="Change memories")
def update(ctx: Writing, body: wire.BatchUpdate) -> Any:
    """The old versions are kept."""
    return wire.counted("updated", edits.change_many(ctx, body.edits(), door=DOOR))


@router.delete("", summary="Delete memories")
def delete(ctx: Writing, body: wire.BatchDelete) -> Any:
    """Their versions are kept until they are purged."""
    return wire.counted("deleted", edits.delete_many(ctx, body.ids, door=DOOR))
