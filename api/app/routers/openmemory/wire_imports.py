"""Shapes of /imports: pure."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.routers.openmemory.fields import Name
from app.routers.openmemory.paging import Paging
from app.services.import_pieces import Options
from app.services.import_previews import Preview
from app.services.import_tasks import ImportView
from app.services.import_undos import TakenBack as Undone
from app.services.views import Listing

Format = Literal["openmemory", "chatgpt", "claude", "mem0", "mem9", "session", "json", "csv", "markdown"]
Status = Literal["pending", "processing", "done", "partial", "failed", "cancelled", "undone"]
Label = Annotated[Name, Field(max_length=100)]


class ImportOptions(BaseModel):
    """The form's field `options`; all of it may be left out."""

    model_config = ConfigDict(extra="forbid")

    user_id: Name | None = Field(None, description="Whose the memories will be; the key's own user without it.")
    app: Name | None = Field(None, description="The app that is said to have written them.")
    format: Format | None = Field(None, description="What the file is; told by its contents without it.")
    mode: Literal["skip", "overwrite"] = Field("skip", description="Of a backup: what becomes of what is there.")
    memories: bool = Field(True, description="Whether memories are taken in.")
    conversations: Literal["learn", "keep", "skip"] = Field(
        "skip", description="`learn` from conversations (needs a model), `keep` what the user said, or `skip` them."
    )
    conversation_ids: list[Name] | None = Field(None, max_length=100_000, description="Only these; all without it.")
    tags: list[Label] = Field([], max_length=20, description="Given to everything.")
    categories: list[Label] = Field([], max_length=20, description="Given to memories.")


class PreviewItem(BaseModel):
    """A memory as it would be stored."""

    content: str
    created_at: datetime | None
    tags: list[str]
    categories: list[str]
    is_known: bool = Field(description="Whether a memory says the same, word for word (in a backup: has the same id).")


class PreviewConversation(BaseModel):
    """A conversation to choose."""

    id: str
    title: str
    started_at: datetime | None
    messages: int
    by_user: int


class Problem(BaseModel):
    """What could not be read."""

    where: str
    why: str


class ImportPreview(BaseModel):
    """POST /imports/preview. The counts are of the whole file; the lists show the first of each."""

    format: Format
    label: str
    app: str = Field(
        description="The app that is written as when none is chosen; empty for a backup, which has its own."
    )
    has_model: bool
    memories: int
    duplicates: int = Field(description="Of the memories, those that are there already or twice in the file.")
    conversations: int
    messages: int
    unreadable: int
    apps: int
    categories: int
    items: list[PreviewItem]
    talks: list[PreviewConversation] = Field(description="The conversations, newest first.")
    problems: list[Problem]
    warnings: list[str]


class ImportFailure(BaseModel):
    """A piece that failed."""

    event_id: UUID
    reason: str


class ImportItem(BaseModel):
    """An import. `total`, `done`, `failed`, `undone` count pieces; `imported`, `updated`, `duplicates` memories."""

    id: UUID
    user_id: str
    filename: str
    format: str
    app_id: UUID | None
    app_name: str | None
    status: Status
    total: int
    done: int
    failed: int
    undone: int
    memories: int = Field(description="Memories that were read in the file.")
    conversations: int
    unreadable: int
    imported: int
    updated: int
    duplicates: int
    error: str | None
    created_at: datetime
    cancelled_at: datetime | None


class ImportOne(ImportItem):
    """An import by itself."""

    failures: list[ImportFailure] = Field(description="The first 20 pieces that failed.")


class ImportPage(BaseModel):
    """GET /imports."""

    items: list[ImportItem]
    total: int
    page: int
    size: int
    pages: int


class TakeBack(BaseModel):
    """POST /imports/{id}/undo."""

    force: bool = Field(False, description="Pieces with memories that were changed since, too.")


class TakenBack(BaseModel):
    """Pieces: taken back now, still to be, and left because memories of them were changed since."""

    undone: int
    left: int
    changed: int


def options(sent: ImportOptions) -> Options:
    """As the services take them."""
    return Options(
        user_id=sent.user_id,
        app=sent.app,
        format=sent.format,
        mode=sent.mode,
        memories=sent.memories,
        conversations=sent.conversations,
        chosen=None if sent.conversation_ids is None else frozenset(sent.conversation_ids),
        tags=tuple(sent.tags),
        categories=tuple(sent.categories),
    )


def preview(found: Preview) -> ImportPreview:
    """What a file holds."""
    return ImportPreview.model_validate(asdict(found))


def one(view: ImportView) -> ImportOne:
    """An import by itself."""
    failures = [ImportFailure(event_id=one.event_id, reason=one.reason) for one in view.failures]
    return ImportOne(**item(view).model_dump(), failures=failures)


def item(view: ImportView) -> ImportItem:
    """An import in a list."""
    own = {name: getattr(view, name) for name in ImportItem.model_fields if name not in READ}
    return ImportItem(**own, **{name: view.details.get(name, 0) for name in READ})


READ = ("memories", "conversations", "unreadable")


def page(listing: Listing[ImportView], paging: Paging) -> ImportPage:
    """A page of imports."""
    items = [item(view) for view in listing.items]
    pages = -(-listing.total // paging.size)
    return ImportPage(items=items, total=listing.total, page=paging.page, size=paging.size, pages=pages)


def taken_back(done: Undone) -> TakenBack:
    """What was undone."""
    return TakenBack(undone=done.undone, left=done.left, changed=done.changed)
