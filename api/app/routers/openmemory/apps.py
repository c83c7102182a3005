"""/apps."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from app.errors import Invalid
from app.routers.openmemory import wire_apps as wire
from app.routers.openmemory.fields import Name, Phrase
from app.routers.openmemory.paging import TenAPage
from app.routers.protocol import Reading, Writing
from app.services import apps, days

router = APIRouter(prefix="/apps", tags=["apps"])


@router.get("", response_model=wire.Apps, summary="List apps")
def listing(
    ctx: Reading,
    paging: TenAPage,
    user_id: Name | None = None,
    name: Annotated[Phrase | None, Query(description="Part of the name.")] = None,
    is_active: bool | None = None,
    sort_by: Literal["name", "memories", "memories_accessed", "created_at", "last_accessed"] = "name",
    sort_direction: Literal["asc", "desc"] = "asc",
) -> wire.Apps:
    """The caller's apps; everybody's for an admin who names no user."""
    found = apps.listing(
        ctx,
        paging.window,
        user_id=user_id,
        name=name,
        is_active=is_active,
        sort_by=sort_by,
        direction=sort_direction,
    )
    return wire.listing(found, paging)


@router.get("/{app_id}", response_model=wire.AppDetails, summary="Read one app")
def get(ctx: Reading, app_id: UUID) -> wire.AppDetails:
    """Its figures."""
    return wire.details(apps.get(ctx, app_id))


@router.get("/{app_id}/memories", response_model=wire.AppMemories, summary="Memories that an app created")
def memories(ctx: Reading, app_id: UUID, paging: TenAPage) -> wire.AppMemories:
    """Newest first, in every state but deleted."""
    return wire.memories(apps.memories_of(ctx, app_id, paging.window), paging)


@router.get("/{app_id}/accessed", response_model=wire.AppAccessed, summary="Memories that an app was shown")
def accessed(ctx: Reading, app_id: UUID, paging: TenAPage) -> wire.AppAccessed:
    """Most often first."""
    return wire.accessed(apps.accessed_by(ctx, app_id, paging.window), paging)


@router.get("/{app_id}/days", response_model=wire.DaysAnswer, summary="What an app wrote and read, by day")
def by_day(
    ctx: Reading, app_id: UUID, last: Annotated[int, Query(ge=1, le=days.MOST, alias="days")] = 30
) -> wire.DaysAnswer:
    """Up to today, UTC. A key that is bound to an app may not."""
    return wire.DaysAnswer(days=wire.days(days.of_app(ctx, app_id, last)))


@router.put("/{app_id}", response_model=wire.Updated, summary="Pause or resume an app")
def update(
    ctx: Writing, app_id: UUID, is_active: bool | None = None, body: wire.AppUpdate | None = None
) -> wire.Updated:
    """`is_active` as a query parameter or in the body."""
    wanted = is_active if is_active is not None else body.is_active if body else None
    if wanted is None:
        raise Invalid("is_active is missing")
    apps.set_active(ctx, app_id, wanted)
    return wire.Updated()
