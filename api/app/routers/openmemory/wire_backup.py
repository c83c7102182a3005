"""Shapes of /backup: pure."""

import re
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, Field

from app.routers.openmemory.fields import Name
from app.services.backups import Wanted

MAX_EPOCH = 253_402_300_799  # the last second of the year 9999


class ExportRequest(BaseModel):
    """What to export. Vectors are made again by the importing server, so `include_vectors` changes nothing."""

    user_id: Name
    app_id: UUID | None = None
    from_date: int | None = Field(None, ge=0, le=MAX_EPOCH, description="Epoch seconds; created then or later.")
    to_date: int | None = Field(None, ge=0, le=MAX_EPOCH, description="Epoch seconds; created then or earlier.")
    include_vectors: bool = True
    memory_ids: Annotated[list[UUID], Field(min_length=1, max_length=10_000)] | None = Field(
        None, description="Just these, as far as they are there."
    )

    def wanted(self) -> Wanted:
        """Which memories these are."""
        return Wanted(self.app_id, self.from_date, self.to_date, self.memory_ids)


class ExportCount(BaseModel):
    """POST /backup/export/count."""

    memories: int


class ImportAnswer(BaseModel):
    """What the import did; the numbers count memories, but `apps` and `categories` those that it created."""

    message: str
    imported: int
    updated: int
    unchanged: int
    skipped: int
    apps: int
    categories: int


def imported(user_id: str, **counts: int) -> ImportAnswer:
    """The page's sentence, and the counts."""
    return ImportAnswer(message=f'Import completed into user "{user_id}"', **counts)


def disposition(user_id: str) -> dict[str, str]:
    """The header that names the file; RFC 5987 beside a plain form for names that are not plain themselves."""
    plain = re.sub(r"[^A-Za-z0-9._@+-]", "_", user_id)
    value = f'attachment; filename="memories_export_{plain}.zip"'
    if plain != user_id:
        value += f"; filename*=UTF-8''{quote(f'memories_export_{user_id}.zip', safe='')}"
    return {"Content-Disposition": value}
