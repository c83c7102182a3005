"""/stats."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.routers.openmemory import wire_apps as wire
from app.routers.openmemory.fields import Name
from app.routers.protocol import Reading
from app.services import stats
from app.services.days import MOST

router = APIRouter(prefix="/stats", tags=["stats"])


@router.get("", response_model=wire.StatsAnswer, summary="A user's figures")
def get(ctx: Reading, user_id: Name | None = None) -> wire.StatsAnswer:
    """Memories that are not deleted, and the apps."""
    return wire.stats(stats.get(ctx, user_id))


@router.get("/overview", response_model=wire.OverviewAnswer, summary="Figures over time, by state and by category")
def overview(
    ctx: Reading,
    user_id: Name | None = None,
    days: Annotated[int, Query(ge=1, le=MOST, description="Up to today, UTC.")] = 30,
) -> wire.OverviewAnswer:
    """Days are UTC's. A key that is bound to an app may not."""
    return wire.overview(stats.overview(ctx, user_id, days))
