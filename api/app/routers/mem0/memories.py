"""/memories and /search."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.routers.mem0 import wire_adds
from app.routers.mem0 import wire_memories as wire
from app.routers.mem0.fields import MOST, Count, Identifier, MemoryId
from app.routers.protocol import Reading, Writing
from app.services import chains, inference, memories, scopes, selections
from app.services.views import Window

DOOR = "mem0"  # the app of a key that is bound to none

router = APIRouter(tags=["memories"])


async def _identifiers(
    user_id: Identifier = None, agent_id: Identifier = None, run_id: Identifier = None
) -> dict[str, str | None]:
    return {"user_id": user_id, "agent_id": agent_id, "run_id": run_id}


# Async, though it waits for nothing: FastAPI would send a plain function to a thread and back.
Identifiers = Annotated[dict[str, str | None], Depends(_identifiers)]
ShowExpired = Annotated[bool, Query(description="What has expired, too.")]


@router.post("/memories", response_model_exclude_unset=True, summary="Store a conversation")
def add(ctx: Writing, body: wire_adds.MemoryCreate) -> wire_adds.Results:
    """What was made of it; a receipt stays (`GET /api/v1/events`)."""
    app = scopes.writer_of_door(ctx, DOOR)
    return wire_adds.added(inference.add(ctx, body.user_id, body.taken_in(), app=app))


@router.get("/memories", response_model_exclude_unset=True, summary="List memories")
def listing(
    ctx: Reading,
    identifiers: Identifiers,
    top_k: Annotated[Count, Query(description="Most memories.")] = MOST,
    show_expired: ShowExpired = False,
) -> wire.Memories:
    """Newest first; without an identifier everybody's, for an admin."""
    selection = selections.of_list(ctx, identifiers)
    app = scopes.of_door(ctx, DOOR)
    page = selections.listing(ctx, selection, Window(top_k), app=app, show_expired=show_expired, is_counted=False)
    return wire.memories(page)


@router.delete("/memories", summary="Delete all memories of an identifier")
def delete_all(ctx: Writing, identifiers: Identifiers) -> wire.Sentence:
    """Admins only; never more than the identifiers say."""
    selection = selections.of_delete(ctx, identifiers)
    return wire.said(wire.ALL_DELETED, selections.delete(ctx, selection, app=scopes.of_door(ctx, DOOR)))


@router.get("/memories/{memory_id}", response_model_exclude_unset=True, summary="Read one memory")
def get(ctx: Reading, memory_id: MemoryId, show_expired: ShowExpired = False) -> wire.MemoryItem:
    """An unknown id is 404."""
    return wire.item(selections.get(ctx, memory_id, door=DOOR, show_expired=show_expired))


@router.put("/memories/{memory_id}", summary="Change a memory")
def update(ctx: Writing, memory_id: MemoryId, body: wire_adds.MemoryUpdate) -> wire.Sentence:
    """Only what is sent is changed; metadata is laid over what there is."""
    return wire.said(wire.UPDATED, memories.change(ctx, memory_id, body.wanted(), door=DOOR))


@router.delete("/memories/{memory_id}", summary="Delete one memory")
def delete(ctx: Writing, memory_id: MemoryId) -> wire.Sentence:
    """Its history stays."""
    return wire.said(wire.DELETED, selections.delete_one(ctx, memory_id, door=DOOR))


@router.get("/memories/{memory_id}/history", summary="Every change of a memory")
def history(ctx: Reading, memory_id: MemoryId) -> list[wire.Change]:
    """Oldest first; it ends with the memory, and stays when that is deleted."""
    return wire.history(chains.chain(ctx, memory_id, door=DOOR))


@router.post("/search", response_model_exclude_unset=True, summary="Search by relevance")
def search(ctx: Reading, body: wire.SearchRequest) -> wire.Hits:
    """Best first."""
    selection = selections.chosen(ctx, body.identifiers, body.filters)
    found = selections.search(ctx, body.asked(), selection, app=scopes.of_door(ctx, DOOR))
    return wire.hits(found, body.asked())


@router.post("/reset", summary="Delete everybody's memories")
def reset(ctx: Writing) -> wire.Sentence:
    """Admins only."""
    return wire.said(wire.RESET, selections.reset(ctx, app=scopes.of_door(ctx, DOOR)))
