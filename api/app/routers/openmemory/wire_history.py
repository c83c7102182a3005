"""Versions, and what takes them back, in JSON. Pure: no FastAPI, no I/O."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi_pagination import Page
from pydantic import BaseModel, ConfigDict, Field

from app.routers.openmemory.fields import Name
from app.routers.openmemory.paging import Paging
from app.services.histories import Version
from app.services.purges import Purged
from app.services.sources import Source
from app.services.transitions import Transition
from app.services.undo import Undone
from app.services.views import Listing


class Read(BaseModel):
    """Read from a service's dataclass."""

    model_config = ConfigDict(from_attributes=True)


class StepItem(Read):
    """A piece of text that stayed, went or came; in their order they lead from the old to the new text."""

    op: Literal["equal", "delete", "insert"]
    text: str


class ChangedItem(Read):
    """A value before and after."""

    old: Any
    new: Any


class LabelsItem(BaseModel):
    """Some categories and some tags."""

    categories: list[str]
    tags: list[str]


class LabellingItem(BaseModel):
    """What was put on a memory, and what was taken off."""

    added: LabelsItem
    removed: LabelsItem


class Changes(Read):
    """What a version changed: empty and null where nothing."""

    content: list[StepItem]
    metadata: dict[str, ChangedItem]
    state: ChangedItem | None
    expires_at: ChangedItem | None
    labels: LabellingItem | None


class VersionItem(Read):
    """A memory after one change; `changes` is null where there is nothing before it."""

    version: int
    event: str
    content: str
    metadata: dict[str, Any]
    state: str
    expires_at: datetime | None
    changed_by: str | None
    created_at: datetime
    changes: Changes | None


class History(Page[VersionItem]):
    """A page of versions."""

    items: list[VersionItem]


class TransitionItem(Read):
    """A step between two states; `changed_by` is null where the server did it."""

    id: UUID
    old_state: str
    new_state: str
    changed_by: str | None
    changed_at: datetime


class Transitions(Page[TransitionItem]):
    """A page of the status history."""

    items: list[TransitionItem]


class SourceItem(Read):
    """A turn of a conversation of which a model made the memory."""

    id: UUID
    role: str
    author: str | None
    content: str
    run_id: str | None
    created_at: datetime


class Sources(BaseModel):
    """GET /memories/{id}/sources."""

    items: list[SourceItem]


class RestoreRequest(BaseModel):
    """POST /memories/{id}/restore."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(
        None, description="The version whose text and metadata are wanted; absent: what was deleted is back."
    )
    user_id: Name | None = None


class UndoRequest(BaseModel):
    """POST /events/{id}/undo."""

    force: bool = Field(False, description="Also what was changed since.")


class PurgeRequest(BaseModel):
    """POST /memories/{id}/purge."""

    user_id: Name | None = None


class PurgedAnswer(Read):
    """The receipt of a purge: how much of what was removed."""

    event_id: UUID
    kind: Literal["PURGE"] = "PURGE"
    removed: dict[str, int]


class UndoneAnswer(Read):
    """The receipt of an undo."""

    event_id: UUID
    kind: Literal["UNDO"] = "UNDO"
    undoes: UUID
    results: list[dict[str, Any]]


def history(listing: Listing[Version], paging: Paging) -> History:
    """A page of versions."""
    counted = {"total": listing.total, "page": paging.page, "size": paging.size}
    items = [VersionItem.model_validate(version) for version in listing.items]
    return History(items=items, **counted, pages=-(-listing.total // paging.size))


def transitions(listing: Listing[Transition], paging: Paging) -> Transitions:
    """A page of the status history."""
    counted = {"total": listing.total, "page": paging.page, "size": paging.size}
    items = [TransitionItem.model_validate(step) for step in listing.items]
    return Transitions(items=items, **counted, pages=-(-listing.total // paging.size))


def sources(turns: Sequence[Source]) -> Sources:
    """The turns that a memory comes from."""
    return Sources(items=[SourceItem.model_validate(turn) for turn in turns])


def undone(done: Undone) -> UndoneAnswer:
    """The answer to an undo."""
    return UndoneAnswer.model_validate(done)


def purged(done: Purged) -> PurgedAnswer:
    """The answer to a purge."""
    return PurgedAnswer.model_validate(done)
