"""/memories."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from app.routers.mem9 import wire_memories as wire
from app.routers.mem9.door import Id, IfMatch, Reading, ReadSpace, Strict, WriteSpace, Writing, answer, sent, takes
from app.services import ingests, recalls, space_edits

router = APIRouter(prefix="/memories", tags=["memories"])
batches = APIRouter(prefix="/memories", tags=["memories"])


@router.post("", summary="Store a content, or learn from messages", openapi_extra=takes(wire.Ingest))
def create(ctx: Writing, space: WriteSpace, body: Annotated[wire.Ingest, Depends(sent(wire.Ingest))]) -> Response:
    """201 with a pinned memory, 202 with a receipt, or 200 with `sync`."""
    ingest = body.checked()
    about, later = ingest.about(), ingest.is_later
    if ingest.messages:
        learned = ingests.add_conversation(ctx, space, ingest.said(), about, infer=not ingest.is_raw, later=later)
        return answer(wire.learned(learned, later))
    if ingest.is_pinned:
        return answer(wire.created(ingests.pin(ctx, space, ingest.content or "", about)))
    return answer(wire.learned(ingests.add(ctx, space, ingest.content or "", about, later=later), later))


@router.get("", summary="List memories, or recall what answers `q`")
def listing(ctx: Reading, space: ReadSpace, request: Request) -> Response:
    """Newest change first, or best answer first."""
    return answer(wire.page(recalls.ask(ctx, space, wire.asked(request.query_params))))


@batches.post("/bulk", summary="Store up to 1,000 memories in one transaction", openapi_extra=takes(wire.Bulk))
def create_many(ctx: Writing, space: WriteSpace, body: Annotated[wire.Bulk, Depends(sent(wire.Bulk))]) -> Response:
    """All or none, as they are."""
    return answer(wire.created_many(ingests.store(ctx, space, body.drafts(space.agent))))


@batches.post("/batch-delete", summary="Delete up to 1,000 memories", openapi_extra=takes(wire.Ids))
def delete_many(ctx: Writing, space: WriteSpace, body: Annotated[wire.Ids, Depends(sent(wire.Ids))]) -> Response:
    """How many of them there were to delete."""
    return answer(wire.deleted(space_edits.delete_many(ctx, space, body.wanted())))


@batches.get("/bootstrap", summary="What an agent should know at its start")
def bootstrap(ctx: Reading, space: ReadSpace, request: Request) -> Response:
    """The memories that changed last."""
    return answer(wire.briefing(recalls.ask(ctx, space, wire.bootstrap(request.query_params))))


@router.get("/{memory_id}", summary="Read one memory")
def get(ctx: Reading, space: ReadSpace, memory_id: Id) -> Response:
    """Logged as shown to the agent's app."""
    return answer(wire.one(recalls.get(ctx, space, wire.identifier(memory_id))))


@router.put("/{memory_id}", summary="Change content, tags or metadata", openapi_extra=takes(wire.Update))
def update(
    ctx: Writing,
    space: WriteSpace,
    memory_id: Id,
    strict: Strict,
    body: Annotated[wire.Update, Depends(sent(wire.Update))],
    if_match: IfMatch = None,
) -> Response:
    """What is left out stays; the old version is kept."""
    changes = body.changes(if_match, strict)
    return answer(wire.updated(space_edits.change(ctx, space, wire.identifier(memory_id), changes)))


@router.delete("/{memory_id}", status_code=204, summary="Delete one memory")
def delete(ctx: Writing, space: WriteSpace, memory_id: Id) -> None:
    """It is found and shown nowhere from now on."""
    space_edits.delete(ctx, space, wire.identifier(memory_id))
