"""/memories."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Query, Response

from app.models import State
from app.routers.openmemory import wire_accesses, wire_adds
from app.routers.openmemory import wire_memories as wire
from app.routers.openmemory.fields import Name, Phrase, Time
from app.routers.openmemory.paging import FiftyAPage, PageNumber, Paging, TenAPage
from app.routers.protocol import Reading, Writing, shaped
from app.services import access_logs, categories, inference, listings, memories, states
from app.services.listings import Filter

router = APIRouter(prefix="/memories", tags=["memories"])

OfUser = Annotated[Name | None, Query(description="The owner; without it the key's own user, for an admin everybody.")]


@router.post(
    "",
    response_model=wire_adds.MemoryCreated | wire_adds.Answer,
    responses={202: {"model": wire_adds.Answer, "description": "Left to the worker"}},
    summary="Store a memory",
)
def create(ctx: Writing, body: wire_adds.MemoryCreate) -> Response:
    """The memory in the page's form, with its receipt. Without an LLM `infer: true` stores the text verbatim."""
    learned = inference.add(ctx, body.user_id, body.taken_in(), app=body.app, later=body.later)
    return shaped(wire_adds.created(learned), wire_adds.status(learned))


@router.post("/bulk", response_model=wire_adds.BulkCreated, summary="Store up to 1,000 memories in one transaction")
def create_many(ctx: Writing, body: wire_adds.BulkCreate) -> wire_adds.BulkCreated:
    """All or none; a result per item, in their order. No LLM is asked; `infer: true` leaves duplicates out."""
    return wire_adds.bulk_created(inference.add_many(ctx, body.user_id, body.drafts(), app=body.app, infer=body.infer))


@router.get("", response_model=wire.MemoryPage, summary="List memories")
def listing(
    ctx: Reading,
    paging: FiftyAPage,
    user_id: OfUser = None,
    app_id: UUID | None = None,
    from_date: Annotated[Time, Query(description="Epoch seconds or ISO 8601.")] = None,
    to_date: Annotated[Time, Query(description="Epoch seconds or ISO 8601.")] = None,
    category_names: Annotated[Phrase | None, Query(alias="categories", description="Comma-separated names.")] = None,
    search_query: Annotated[Phrase | None, Query(description="Text that the memory contains.")] = None,
    sort_column: Literal["memory", "categories", "app_name", "created_at", "updated_at"] = "created_at",
    sort_direction: Literal["asc", "desc"] = "desc",
) -> Response:
    """The active memories that the reading app may see; logged as shown to it."""
    narrowed = Filter(
        app_ids=[app_id] if app_id else (),
        category_names=wire.names(category_names),
        from_date=from_date,
        to_date=to_date,
        text=search_query,
    )
    page = listings.shown(
        ctx, paging.window, user_id=user_id, narrowed=narrowed, sort_by=sort_column, direction=sort_direction
    )
    return shaped(wire.page(page, paging))


@router.delete("", response_model=wire.Sentence, summary="Delete memories")
def delete_many(ctx: Writing, body: wire.MemoriesDelete) -> wire.Sentence:
    """All or none."""
    return wire.deleted(states.set_many(ctx, body.memory_ids, State.deleted, body.user_id))


@router.post("/filter", response_model=wire.MemoryPage, summary="List what a person governs")
def filtered(ctx: Reading, body: wire.FilterRequest) -> Response:
    """Paused memories too, and archived ones on request."""
    paging = Paging(page=body.page, size=body.size)
    page = listings.governed(
        ctx,
        paging.window,
        user_id=body.user_id,
        narrowed=body.narrowed(),
        show_archived=bool(body.show_archived),
        sort_by=body.sort_column or "created_at",
        direction=body.sort_direction or "desc",
    )
    return shaped(wire.page(page, paging))


@router.get("/categories", response_model=wire.Categories, summary="The categories of a user's memories")
def of_user(ctx: Reading, user_id: OfUser = None) -> wire.Categories:
    """Those that at least one memory has."""
    return wire.categories(categories.listing(ctx, user_id))


@router.post("/actions/archive", response_model=wire.Sentence, summary="Archive memories")
def archive(
    ctx: Writing,
    body: Annotated[wire.ArchiveRequest | wire.SomeIds, Body()],
    user_id: OfUser = None,
) -> wire.Sentence:
    """A bare list of ids, or an object with `memory_ids` and `user_id`; the user by either id. All or none."""
    request = wire.ArchiveRequest(memory_ids=body, user_id=user_id) if isinstance(body, list) else body
    return wire.archived(states.archive(ctx, request.memory_ids, request.user_id or user_id))


@router.post("/actions/pause", response_model=wire.Sentence, summary="Pause, resume, archive or delete memories")
def pause(ctx: Writing, body: wire.PauseRequest) -> wire.Sentence:
    """By ids, by app, by categories or all of the user's; `state` is what they become, paused without it."""
    sentence = states.pause(
        ctx,
        body.user_id,
        state=body.state or State.paused,
        memory_ids=body.memory_ids,
        category_ids=body.category_ids,
        app_id=body.app_id,
        all_for_app=body.all_for_app,
        global_pause=body.global_pause,
    )
    return wire.Sentence(message=sentence)


@router.get("/{memory_id}", response_model=wire.MemoryOne, summary="Read one memory")
def get(ctx: Reading, memory_id: UUID, user_id: OfUser = None) -> wire.MemoryOne:
    """Logged as shown to the reading app."""
    return wire.one(memories.get(ctx, memory_id, user_id))


@router.put("/{memory_id}", response_model=wire.MemoryOne, summary="Change a memory")
def update(ctx: Writing, memory_id: UUID, body: wire.MemoryUpdate) -> wire.MemoryOne:
    """The old version is kept; index and categories follow."""
    edited = memories.edit(
        ctx,
        memory_id,
        body.memory_content,
        body.user_id,
        expires_at=body.until,
        metadata=body.metadata,
        memory_type=body.memory_type,
    )
    return wire.one(edited)


@router.delete("/{memory_id}", response_model=wire.Sentence, summary="Delete one memory")
def delete(ctx: Writing, memory_id: UUID, body: wire.OneDelete | None = None) -> wire.Sentence:
    """It is found and shown nowhere from now on."""
    states.set_many(ctx, [memory_id], State.deleted, body.user_id if body else None)
    return wire.Sentence(message="Successfully deleted memory")


@router.get("/{memory_id}/access-log", response_model=wire_accesses.AccessLogs, summary="Who was shown a memory")
def access_log(ctx: Reading, memory_id: UUID, paging: TenAPage) -> wire_accesses.AccessLogs:
    """Newest first."""
    return wire_accesses.access_logs(access_logs.listing(ctx, memory_id, paging.window), paging)


@router.get("/{memory_id}/related", response_model=wire.MemoryPage, summary="Memories that share categories")
def related(ctx: Reading, memory_id: UUID, user_id: OfUser = None, page: PageNumber = 1) -> wire.MemoryPage:
    """Most shared categories first, five a page."""
    found = listings.related(ctx, memory_id, user_id, page)
    return wire.page(found, Paging(page=page, size=listings.RELATED))
