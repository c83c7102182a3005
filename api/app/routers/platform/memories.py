"""/v1/memories/, /v2/memories/, /v3/memories/: adds, lists, searches, single memories."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from app.routers.platform import wire, wire_adds, wire_memories, wire_search
from app.routers.platform.auth import Reading, Writing
from app.routers.platform.fields import MemoryId
from app.services import chains, edits, inference, memories, scopes, selections

DOOR = "mem0"  # the app of who names none, as in mem0's other wire
router = APIRouter(tags=["memories"], strict_content_type=False)

Listed = Annotated[wire_memories.ListRequest, Query()]
Paged = Annotated[wire_memories.Paging, Query()]


@router.post("/v3/memories/add", summary="Add memories")
def add(ctx: Writing, body: wire_adds.AddRequest) -> Any:
    """Left to the worker, unless `async_mode` is false: `GET /v1/event/{id}/` tells how it went."""
    named = body.named
    app = named["app_id"] or scopes.writer_of_door(ctx, DOOR)
    learned = inference.add(ctx, named["user_id"], body.taken_in(), app=app, later=wire_adds.later(body))
    return wire_adds.added(learned, body)


@router.post("/v1/memories", summary="Add memories, as clients before 2.0 do")
def add_before(ctx: Writing, body: wire_adds.AddRequest) -> Any:
    """Done before the answer, unless `async_mode` is true."""
    named = body.named
    app = named["app_id"] or scopes.writer_of_door(ctx, DOOR)
    learned = inference.add(ctx, named["user_id"], body.taken_in(), app=app, later=bool(body.async_mode))
    return wire_adds.added_before(learned, body)


@router.post("/v3/memories/search", summary="Search")
def search(ctx: Reading, body: wire_search.SearchRequest) -> Any:
    """What answers the query best; logged as shown to the reading app."""
    chosen = selections.chosen(ctx, body.identifiers, body.which)
    return wire_search.found(selections.search(ctx, body.asked(), chosen, app=scopes.of_door(ctx, DOOR)), body)


@router.post("/v1/memories/search", summary="Search, as clients before 1.0 do")
@router.post("/v2/memories/search", summary="Search, as clients before 2.0 do")
def search_before(ctx: Reading, body: wire_search.SearchRequest) -> Any:
    """The same, answered as a list."""
    chosen = selections.chosen(ctx, body.identifiers, body.which)
    return wire_search.found_before(selections.search(ctx, body.asked(), chosen, app=scopes.of_door(ctx, DOOR)), body)


@router.post("/v3/memories", summary="List memories")
def listing(ctx: Reading, request: Request, body: wire_memories.ListRequest, paging: Paged) -> Any:
    """Newest first, 100 a page; logged as shown to the reading app."""
    asked = body.paged(paging)
    chosen = selections.chosen(ctx, asked.identifiers, asked.which)
    app = scopes.of_door(ctx, DOOR)
    found = selections.listing(ctx, chosen, asked.window(), app=app, show_expired=asked.show_expired)
    return wire_memories.listed_page(found, asked, str(request.url))


@router.post("/v2/memories", summary="List memories, as clients before 2.0 do")
def listing_v2(ctx: Reading, request: Request, body: wire_memories.ListRequest, paging: Paged) -> Any:
    """The same; without a page in the query all of them, 1,000 at most."""
    asked = body.paged(paging)
    chosen = selections.chosen(ctx, asked.identifiers, asked.which)
    app = scopes.of_door(ctx, DOOR)
    found = selections.listing(ctx, chosen, asked.piece, app=app, show_expired=asked.show_expired)
    return wire_memories.listed(found, asked, str(request.url))


@router.get("/v1/memories", summary="List memories, as clients before 1.0 do")
def listing_v1(ctx: Reading, request: Request, asked: Listed) -> Any:
    """The same, asked in the query."""
    chosen = selections.chosen(ctx, asked.identifiers, asked.which)
    app = scopes.of_door(ctx, DOOR)
    found = selections.listing(ctx, chosen, asked.piece, app=app, show_expired=asked.show_expired)
    return wire_memories.listed(found, asked, str(request.url))


@router.delete("/v1/memories", summary="Delete all that is selected")
def delete_all(ctx: Writing, asked: Annotated[wire_memories.DeleteRequest, Query()]) -> dict[str, str]:
    """All or nothing, with receipts; whoever selects nothing deletes nothing."""
    chosen = selections.chosen(ctx, asked.identifiers, asked.which)
    selections.delete(ctx, chosen, app=scopes.of_door(ctx, DOOR))
    return wire.said("Memories deleted successfully!")


@router.get("/v1/memories/{memory_id}", summary="Read one memory")
def get(ctx: Reading, memory_id: MemoryId) -> Any:
    """Logged as shown to the reading app."""
    return wire_memories.memory(memories.get(ctx, memory_id, door=DOOR))


@router.put("/v1/memories/{memory_id}", summary="Change one memory")
def update(ctx: Writing, memory_id: MemoryId, body: wire_memories.MemoryUpdate) -> Any:
    """What is not sent stays as it is; the old version is kept."""
    return wire_memories.updated(memories.change(ctx, memory_id, body.edit(), door=DOOR))


@router.delete("/v1/memories/{memory_id}", summary="Delete one memory")
def delete(ctx: Writing, memory_id: MemoryId, delete_linked: bool = False) -> dict[str, str]:
    """With `delete_linked` also those that it superseded, and that those did."""
    edits.delete_many(ctx, [memory_id], door=DOOR, linked=delete_linked)
    return wire.said("Memory deleted successfully!")


@router.get("/v1/memories/{memory_id}/history", summary="What a memory said")
def history(ctx: Reading, memory_id: MemoryId) -> Any:
    """Oldest first; of a deleted memory too, until it is purged."""
    return wire_memories.history(chains.chain(ctx, memory_id, door=DOOR))
