"""Memories in OpenMemory's shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import EllipsisType
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi_pagination import Page
from pydantic import BaseModel, BeforeValidator, Field, model_validator

from app.models import Category, State
from app.routers.openmemory.fields import Expiry, Name, Phrase, Time
from app.routers.openmemory.paging import Paging
from app.services import labels
from app.services.listings import Filter
from app.services.views import Listing, MemoryView

Object = Annotated[dict[str, Any], BeforeValidator(lambda value: {} if value is None else value)]
Ids = Annotated[list[UUID], Field(max_length=10_000)]
Governed = Literal["active", "paused", "archived"]
SomeIds = Annotated[Ids, Field(min_length=1)]
MAX_COMMAS = 3  # in one category's name, where a list of names is separated by commas


class MemoryUpdate(BaseModel):
    """PUT /memories/{id}."""

    memory_content: str | None = Field(None, description="What it says from now on.")
    expires_at: Expiry = Field(None, description="null: never; absent: as it is.")
    metadata: dict[str, Any] | None = Field(None, description="In the place of what there is; absent: as it is.")
    memory_type: Literal["insight", "pinned"] | None = Field(
        None, description="What is `pinned` no model changes and no retention archives."
    )
    user_id: Name | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        said = self.memory_content is not None or self.metadata is not None or self.memory_type is not None
        if not said and "expires_at" not in self.model_fields_set:
            raise ValueError("memory_content, expires_at, metadata or memory_type is required")
        return self

    @property
    def until(self) -> datetime | EllipsisType | None:
        """When it expires; ... if that stays as it is."""
        return self.expires_at if "expires_at" in self.model_fields_set else ...


class MemoriesDelete(BaseModel):
    """DELETE /memories."""

    memory_ids: SomeIds
    user_id: Name | None = None


class OneDelete(BaseModel):
    """DELETE /memories/{id}, whose body clients may leave out."""

    user_id: Name | None = None


class ArchiveRequest(BaseModel):
    """POST /memories/actions/archive, the form with a user in the body."""

    memory_ids: SomeIds
    user_id: Name | None = None


class RestoreManyRequest(BaseModel):
    """POST /memories/actions/restore."""

    memory_ids: Annotated[list[UUID], Field(min_length=1, max_length=1_000)]
    user_id: Name | None = None


class PauseRequest(BaseModel):
    """POST /memories/actions/pause."""

    user_id: Name | None = None
    memory_ids: Ids | None = None
    category_ids: Ids | None = None
    app_id: UUID | None = None
    all_for_app: bool = False
    global_pause: bool = False
    state: State | None = None


class IdsRequest(BaseModel):
    """POST /memories/filter/ids."""

    user_id: Name | None = None
    search_query: Phrase | None = None
    app_ids: Ids | None = None
    category_ids: Ids | None = None
    tags: Annotated[list[Name], Field(max_length=labels.MOST)] = Field([], description="With any of these.")
    from_date: Time = None
    to_date: Time = None
    show_archived: bool | None = False
    states: Annotated[list[Governed], Field(max_length=3)] = Field(
        [], description="Just these states; `show_archived` is not asked then."
    )
    memory_types: Annotated[list[Name], Field(max_length=32)] = []
    agent_id: Name | None = None
    run_id: Name | None = None

    def narrowed(self) -> Filter:
        """What the list is narrowed to."""
        return Filter(
            app_ids=self.app_ids or (),
            category_ids=self.category_ids or (),
            tags=self.tags,
            from_date=self.from_date,
            to_date=self.to_date,
            text=self.search_query,
            states=[State(name) for name in self.states],
            memory_types=self.memory_types,
            agent_id=self.agent_id,
            run_id=self.run_id,
        )


class FilterRequest(IdsRequest):
    """POST /memories/filter."""

    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Field(ge=1, le=100)] = 10
    sort_column: Literal["memory", "categories", "app_name", "created_at", "updated_at"] | None = None
    sort_direction: Literal["asc", "desc"] | None = None


class MemoryItem(BaseModel):
    """A memory in a list. `created_at` is in epoch seconds; our own times carry their zone."""

    id: UUID
    content: str
    created_at: int
    state: str
    app_id: UUID
    app_name: str
    categories: list[str]
    metadata_: dict[str, Any]
    user_id: str
    author: str | None
    agent_id: str | None
    run_id: str | None
    occurred_at: datetime | None
    updated_at: datetime
    version: int
    tags: list[str]


class MemoryPage(Page[MemoryItem]):
    """A page of memories. A list, because pydantic writes `Page`'s Sequence in Python: 1.5 ms for 50 items."""

    items: list[MemoryItem]


class MemoryOne(MemoryItem):
    """A memory by itself: `text` and `content` say the same, for the page and for the genuine server's clients."""

    text: str
    memory_type: str
    archived_at: datetime | None
    expires_at: datetime | None
    provenance: dict[str, Any] | None = Field(
        None, description="Of one that a model wrote: `event_id`, `messages`, `model`, `prompt_version`."
    )


class CategoryItem(BaseModel):
    """A category; times as the genuine server writes them, UTC without a zone."""

    id: UUID
    name: str
    description: str | None
    created_at: str
    updated_at: str


class Categories(BaseModel):
    """GET /memories/categories."""

    categories: list[CategoryItem]
    total: int


class FoundIds(BaseModel):
    """The ids that a filter selects, newest first, 10,000 at most; `total` is how many there are."""

    ids: list[UUID]
    total: int


class Sentence(BaseModel):
    """An answer that is a sentence."""

    message: str


def naive(when: datetime) -> str:
    """ISO 8601 in UTC without a zone."""
    return when.astimezone(UTC).replace(tzinfo=None).isoformat()


def columns(view: MemoryView) -> dict[str, Any]:
    """A memory's values in a list, by their names."""
    return {
        "id": view.id,
        "content": view.content,
        "created_at": int(view.created_at.timestamp()),
        "state": view.state,
        "app_id": view.app_id,
        "app_name": view.app_name,
        "categories": view.categories,
        "metadata_": view.metadata,
        "user_id": view.user_id,
        "author": view.author,
        "agent_id": view.agent_id,
        "run_id": view.run_id,
        "occurred_at": view.occurred_at,
        "updated_at": view.updated_at,
        "version": view.version,
        "tags": view.tags,
    }


def fields_of_one(view: MemoryView) -> dict[str, Any]:
    """The fields of `MemoryOne`."""
    return columns(view) | {
        "text": view.content,
        "memory_type": view.memory_type,
        "archived_at": view.archived_at,
        "expires_at": view.expires_at,
        "provenance": view.provenance,
    }


def item(view: MemoryView) -> MemoryItem:
    """A memory in a list."""
    return MemoryItem.model_validate(columns(view))


def one(view: MemoryView) -> MemoryOne:
    """A memory by itself."""
    return MemoryOne.model_validate(fields_of_one(view))


def page(listing: Listing[MemoryView], paging: Paging) -> MemoryPage:
    """A page of memories, as fastapi-pagination counts pages."""
    items = [columns(view) for view in listing.items]
    counted = {"total": listing.total, "page": paging.page, "size": paging.size}
    return MemoryPage.model_validate({"items": items, **counted, "pages": -(-listing.total // paging.size)})


def categories(listing: Listing[Category]) -> Categories:
    """The categories of a user."""
    items = [
        CategoryItem(
            id=one.id,
            name=one.name,
            description=one.description,
            created_at=naive(one.created_at),
            updated_at=naive(one.updated_at),
        )
        for one in listing.items
    ]
    return Categories(categories=items, total=listing.total)


def deleted(count: int) -> Sentence:
    """The answer to a delete of many."""
    return Sentence(message=f"Successfully deleted {count} memories")


def archived(count: int) -> Sentence:
    """The answer to an archive."""
    return Sentence(message=f"Successfully archived {count} memories")


def restored(count: int) -> Sentence:
    """The answer to a restore of many."""
    return Sentence(message=f"Successfully restored {count} memories")


def names(comma_separated: str | None) -> Sequence[str]:
    """The page's lists in a query: `a,b`. A name may have commas ("ai, ml & technology"), so runs of parts count."""
    parts = (comma_separated or "").split(",")
    runs = (",".join(parts[i : i + length]).strip() for length in range(1, MAX_COMMAS + 2) for i in range(len(parts)))
    return [name for name in dict.fromkeys(runs) if name]
