"""/stats."""

from fastapi import APIRouter

from app.routers.openmemory import wire_apps as wire
from app.routers.openmemory.fields import Name
from app.routers.protocol import Reading
from app.services import stats

router = APIRouter(prefix="/stats", tags=["stats"])


@router.get("", response_model=wire.StatsAnswer, summary="A user's figures")
def get(ctx: Reading, user_id: Name | None = None) -> wire.StatsAnswer:
    """Memories that are not deleted, and the apps."""
    return wire.stats(stats.get(ctx, user_id))
