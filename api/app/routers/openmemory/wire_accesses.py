"""The access log in OpenMemory's shape. Pure: no FastAPI, no I/O."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel

from app.routers.openmemory.paging import Paging
from app.routers.openmemory.wire_memories import naive
from app.services.access_logs import Access
from app.services.views import Listing


class AccessItem(BaseModel):
    """One access; `accessed_at` is UTC without a zone: the genuine dashboard appends the Z."""

    id: UUID
    memory_id: UUID
    app_id: UUID
    app_name: str
    access_type: str
    accessed_at: str
    metadata_: dict[str, Any]


class AccessLogs(BaseModel):
    """GET /memories/{id}/access-log."""

    total: int
    page: int
    page_size: int
    logs: list[AccessItem]


def access_logs(listing: Listing[Access], paging: Paging) -> AccessLogs:
    """A page of a memory's accesses."""
    logs = [
        AccessItem(
            id=access.id,
            memory_id=access.memory_id,
            app_id=access.app_id,
            app_name=access.app_name,
            access_type=access.access_type,
            accessed_at=naive(access.accessed_at),
            metadata_=access.metadata,
        )
        for access in listing.items
    ]
    return AccessLogs(total=listing.total, page=paging.page, page_size=paging.size, logs=logs)
