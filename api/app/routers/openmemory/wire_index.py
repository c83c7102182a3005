"""The index's status. Pure: no FastAPI, no I/O."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.services.indexes import Status


class Serving(BaseModel):
    """The index that serves; told to admins."""

    model: str
    embedder: str
    vector_store: str


class Building(BaseModel):
    """The index that is made beside it. `error` is told to admins."""

    done: int = Field(description="Memories that have been taken over, changed ones again.")
    total: int
    percent: float
    attempts: int
    error: str | None
    started_at: datetime
    updated_at: datetime


class IndexStatus(BaseModel):
    """GET /index."""

    status: Literal["ready", "building", "failed"]
    memories: int = Field(description="Active memories of the caller's; of everybody's for an admin.")
    indexed: int = Field(description="Those of them that the index has as they are now.")
    serving: Serving | None
    building: Building | None


class Rebuilding(BaseModel):
    """POST /index/rebuild."""

    memories: int = Field(description="How many are embedded again, of every state.")


def status(found: Status, *, is_admin: bool) -> IndexStatus:
    """The index's status."""
    build = found.build
    building = build and Building(
        done=build.done,
        total=max(build.total, build.done),
        percent=round(100 * min(1.0, build.done / max(build.total, 1)), 1),
        attempts=build.attempts,
        error=build.error if is_admin else None,
        started_at=build.created_at,
        updated_at=build.updated_at,
    )
    return IndexStatus(
        status=found.status,
        memories=found.memories,
        indexed=found.indexed,
        serving=Serving(**found.serving) if found.serving else None,
        building=building,
    )
