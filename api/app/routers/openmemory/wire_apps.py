"""Apps and statistics in OpenMemory's shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.routers.openmemory.paging import Paging
from app.routers.openmemory.wire_memories import naive
from app.services.apps import AppView
from app.services.days import Day
from app.services.stats import Overview, Stats
from app.services.views import Listing, MemoryView


class AppItem(BaseModel):
    """An app in a list; times carry no zone, like the genuine server's."""

    id: UUID
    name: str
    is_active: bool
    total_memories_created: int
    total_memories_accessed: int
    first_accessed: str | None
    last_accessed: str | None


class Apps(BaseModel):
    """GET /apps."""

    total: int
    page: int
    page_size: int
    apps: list[AppItem]


class AppDetails(AppItem):
    """GET /apps/{id}."""


class AppMemory(BaseModel):
    """A memory of an app. `created_at` is UTC without a zone: the genuine dashboard appends the Z.

    Without `app_name`: the genuine dashboard shows "View Details" on a card that has none, as it should here.
    """

    id: UUID
    content: str
    created_at: str
    state: str
    app_id: UUID
    categories: list[str]
    metadata_: dict[str, Any]


class AppMemories(BaseModel):
    """GET /apps/{id}/memories."""

    total: int
    page: int
    page_size: int
    memories: list[AppMemory]


class AccessedMemory(AppMemory):
    """A memory that an app has been shown; it may be another app's."""

    app_name: str


class Accessed(BaseModel):
    """A memory with how often the app has been shown it."""

    memory: AccessedMemory
    access_count: int


class AppAccessed(BaseModel):
    """GET /apps/{id}/accessed."""

    total: int
    page: int
    page_size: int
    memories: list[Accessed]


class AppUpdate(BaseModel):
    """PUT /apps/{id}, when it has a body."""

    is_active: bool | None = None


class Updated(BaseModel):
    """The answer to a change of an app."""

    status: str = "success"
    message: str = "Updated app details successfully"


class StatsApp(BaseModel):
    """An app in a user's statistics; `metadata` as the page has it, `metadata_` as the genuine server wrote it."""

    id: UUID
    owner_id: UUID
    name: str
    description: str | None
    metadata: dict[str, Any]
    metadata_: dict[str, Any]
    is_active: bool
    created_at: str
    updated_at: str


class StatsAnswer(BaseModel):
    """GET /stats."""

    total_memories: int
    total_apps: int
    apps: list[StatsApp]


class CategoryCount(BaseModel):
    """A category of that name, and how many memories have it."""

    name: str
    count: int


class DayCount(BaseModel):
    """A day (UTC): memories made that are not deleted, changes of memories, reads, and memories that these showed."""

    date: date
    created: int
    written: int
    reads: int
    shown: int


class DaysAnswer(BaseModel):
    """GET /apps/{id}/days."""

    days: list[DayCount]


class OverviewAnswer(BaseModel):
    """GET /stats/overview."""

    states: dict[str, int]
    categories: list[CategoryCount]
    days: list[DayCount]


def _naive(when: datetime | None) -> str | None:
    return naive(when) if when else None


def _item(view: AppView) -> dict[str, Any]:
    return {
        "id": view.id,
        "name": view.name,
        "is_active": view.is_active,
        "total_memories_created": view.created,
        "total_memories_accessed": view.accessed,
        "first_accessed": _naive(view.first_accessed_at),
        "last_accessed": _naive(view.last_accessed_at),
    }


def listing(apps: Listing[AppView], paging: Paging) -> Apps:
    """A page of apps."""
    items = [AppItem(**_item(view)) for view in apps.items]
    return Apps(total=apps.total, page=paging.page, page_size=paging.size, apps=items)


def details(view: AppView) -> AppDetails:
    """One app."""
    return AppDetails(**_item(view))


def _memory(view: MemoryView) -> dict[str, Any]:
    return {
        "id": view.id,
        "content": view.content,
        "created_at": naive(view.created_at),
        "state": view.state,
        "app_id": view.app_id,
        "categories": view.categories,
        "metadata_": view.metadata,
    }


def memories(found: Listing[MemoryView], paging: Paging) -> AppMemories:
    """A page of the memories that an app created."""
    items = [AppMemory.model_construct(**_memory(view)) for view in found.items]
    return AppMemories(total=found.total, page=paging.page, page_size=paging.size, memories=items)


def accessed(found: Listing[tuple[MemoryView, int]], paging: Paging) -> AppAccessed:
    """A page of the memories that an app has been shown."""
    items = [
        Accessed(
            memory=AccessedMemory.model_construct(**_memory(view), app_name=view.app_name),
            access_count=count,
        )
        for view, count in found.items
    ]
    return AppAccessed(total=found.total, page=paging.page, page_size=paging.size, memories=items)


def stats(figures: Stats) -> StatsAnswer:
    """A user's statistics."""
    apps = [
        StatsApp(
            id=view.id,
            owner_id=view.owner_id,
            name=view.name,
            description=view.description,
            metadata=view.metadata,
            metadata_=view.metadata,
            is_active=view.is_active,
            created_at=naive(view.created_at),
            updated_at=naive(view.updated_at),
        )
        for view in figures.apps
    ]
    return StatsAnswer(total_memories=figures.total_memories, total_apps=figures.total_apps, apps=apps)


def days(found: Sequence[Day]) -> list[DayCount]:
    """What each day brought."""
    return [DayCount(**asdict(day)) for day in found]


def overview(figures: Overview) -> OverviewAnswer:
    """Figures over time, by state and by category."""
    return OverviewAnswer(
        states=figures.states,
        categories=[CategoryCount(name=name, count=count) for name, count in figures.categories],
        days=days(figures.days),
    )
