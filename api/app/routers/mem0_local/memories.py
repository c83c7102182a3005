"""/memories."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from app.context import Context
from app.models import State
from app.routers.mem0_local import wire_memories as wire
from app.routers.mem0_local.wire import Envelope
from app.routers.protocol import reading_as, shaped, writing_as
from app.services import accounts, inference, memories, selections, states, subjects, vectors
from app.services.searches import Query as Question
from app.services.views import MemoryView, Window

APP = "mem0-local"
MANY = 2**31

Reading = Annotated[Context, Depends(reading_as(APP), scope="function")]
Writing = Annotated[Context, Depends(writing_as(APP), scope="function")]
Limit = Annotated[int, Query(ge=1, le=MANY, description="Over SEARCH_LIMIT it is SEARCH_LIMIT.")]
Offset = Annotated[int, Query(ge=0, le=MANY)]
Include = Annotated[str | None, Query(max_length=100, description="`embedding`: the memories' vectors, too.")]

router = APIRouter(prefix="/memories", tags=["memories"])


@router.post("", status_code=201, response_model=Envelope[wire.Added], summary="Add a memory")
def create(ctx: Writing, body: wire.MemoryCreate) -> Response:
    """What was made of it, and the receipt's id."""
    owner = body.user_id or accounts.default_owner(ctx)
    taken_in = body.taken_in(ctx.settings.max_memory_size)
    return shaped(wire.added(inference.add(ctx, owner, taken_in, app=None)), 201)


@router.get("/search", response_model=Envelope[wire.Hits], summary="Search by relevance")
def search(
    ctx: Reading,
    query: Annotated[str, Query(min_length=1, max_length=10_000)],
    user_id: wire.Name | None = None,
    limit: Limit = 10,
    include: Include = None,
) -> Response:
    """The memories that answer the query best."""
    question = Question(query, min(limit, ctx.settings.search_limit))
    result = selections.search(ctx, question, subjects.of(ctx, user_id), app=None)
    return shaped(wire.found(result, _vectors(ctx, include, [hit.memory for hit in result.hits])))


@router.get("/user/{user_id}", response_model=Envelope[wire.Page], summary="A user's memories")
def of_user(
    ctx: Reading, user_id: wire.Name, limit: Limit = 50, offset: Offset = 0, include: Include = None
) -> Response:
    """Newest first."""
    window = Window(min(limit, ctx.settings.search_limit), offset)
    listing = selections.listing(ctx, subjects.of(ctx, user_id), window, app=None)
    return shaped(wire.page(listing, window, _vectors(ctx, include, listing.items)))


@router.delete("/user/{user_id}", response_model=Envelope[wire.DeletedMany], summary="Delete a user's memories")
def delete_of_user(ctx: Writing, user_id: wire.Name) -> Response:
    """All that this key may see of them."""
    return shaped(wire.deleted_many(user_id, selections.delete(ctx, subjects.of(ctx, user_id), app=None)))


@router.get("/user/{user_id}/stats", response_model=Envelope[wire.Stats], summary="A user's statistics")
def stats(ctx: Reading, user_id: wire.Name) -> Response:
    """How many, by which apps, from when to when."""
    return shaped(wire.stats(user_id, subjects.figures(ctx, user_id)))


@router.get("/{memory_id}", response_model=Envelope[wire.MemoryOut], summary="One memory")
def get(ctx: Reading, memory_id: str, include: Include = None) -> Response:
    """By its id, with `mem_` before it or without."""
    with subjects.called(wire.name_of(memory_id)):
        view = memories.get(ctx, wire.memory_id(memory_id))
    return shaped(wire.one(view, _vectors(ctx, include, [view])))


@router.put("/{memory_id}", response_model=Envelope[wire.MemoryOut], summary="Change a memory")
def update(ctx: Writing, memory_id: str, body: wire.MemoryUpdate) -> Response:
    """The old version is kept."""
    edit = body.edit(ctx.settings.max_memory_size)
    with subjects.called(wire.name_of(memory_id)):
        return shaped(wire.updated(memories.change(ctx, wire.memory_id(memory_id), edit)))


@router.delete("/{memory_id}", response_model=Envelope[wire.Deleted], summary="Delete a memory")
def delete(ctx: Writing, memory_id: str) -> Response:
    """It is found and shown nowhere from now on."""
    with subjects.called(wire.name_of(memory_id)):
        states.set_many(ctx, [wire.memory_id(memory_id)], State.deleted)
    return shaped(wire.deleted(wire.memory_id(memory_id)))


def _vectors(ctx: Context, include: str | None, views: list[MemoryView]) -> wire.Vectors:
    return vectors.of(ctx, views) if wire.wants_embedding(include) else {}
