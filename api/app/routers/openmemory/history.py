"""/memories/{id}/history and what takes changes back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.routers.openmemory import wire_history as wire
from app.routers.openmemory import wire_memories
from app.routers.openmemory.fields import Name
from app.routers.openmemory.paging import TenAPage
from app.routers.protocol import Reading, Writing, shaped
from app.services import histories, purges, restores, sources, transitions, undo

router = APIRouter()

OfUser = Annotated[Name | None, Query(description="The owner; without it whoever owns it.")]


@router.get("/memories/{memory_id}/history", response_model=wire.History, summary="What a memory said", tags=["time"])
def history(ctx: Reading, memory_id: UUID, paging: TenAPage, user_id: OfUser = None) -> Response:
    """Every version, newest first, with what it changed; of a deleted memory too."""
    return shaped(wire.history(histories.listing(ctx, memory_id, paging.window, user_id), paging))


@router.get(
    "/memories/{memory_id}/status-history",
    response_model=wire.Transitions,
    summary="Between which states a memory went",
    tags=["time"],
)
def status_history(ctx: Reading, memory_id: UUID, paging: TenAPage) -> Response:
    """Newest first, with who did it; of a deleted memory too."""
    return shaped(wire.transitions(transitions.listing(ctx, memory_id, paging.window), paging))


@router.get(
    "/memories/{memory_id}/sources", response_model=wire.Sources, summary="The turns a memory comes from", tags=["time"]
)
def sources_of(ctx: Reading, memory_id: UUID) -> Response:
    """Of a memory that a model made of a conversation: what was said, in its order, 100 turns at most."""
    return shaped(wire.sources(sources.listing(ctx, memory_id)))


# Before the one below, which would take `actions` for an id.
@router.post(
    "/memories/actions/restore",
    response_model=wire_memories.Sentence,
    summary="Bring deleted memories back",
    tags=["time"],
)
def restore_many(ctx: Writing, body: wire_memories.RestoreManyRequest) -> wire_memories.Sentence:
    """Each to the state that it had; all or none."""
    return wire_memories.restored(restores.undelete(ctx, body.memory_ids, body.user_id))


@router.post(
    "/memories/{memory_id}/restore",
    response_model=wire_memories.MemoryOne,
    summary="Bring an older version, or a deleted memory, back",
    tags=["time"],
)
def restore(ctx: Writing, memory_id: UUID, body: wire.RestoreRequest | None = None) -> wire_memories.MemoryOne:
    """As a new version; index and categories follow."""
    asked = body or wire.RestoreRequest()
    return wire_memories.one(restores.restore(ctx, memory_id, asked.version, asked.user_id))


@router.post(
    "/memories/{memory_id}/purge", response_model=wire.PurgedAnswer, summary="Destroy a deleted memory", tags=["time"]
)
def purge(ctx: Writing, memory_id: UUID, body: wire.PurgeRequest | None = None) -> wire.PurgedAnswer:
    """For good, and now: neither its text nor its versions are anywhere afterwards."""
    return wire.purged(purges.purge(ctx, memory_id, body.user_id if body else None))


@router.post(
    "/events/{event_id}/undo", response_model=wire.UndoneAnswer, summary="Undo all that a receipt did", tags=["time"]
)
def undo_event(ctx: Writing, event_id: UUID, body: wire.UndoRequest | None = None) -> wire.UndoneAnswer:
    """All or nothing; a receipt that can itself be undone."""
    asked = body or wire.UndoRequest()
    return wire.undone(undo.undo(ctx, event_id, force=asked.force))
