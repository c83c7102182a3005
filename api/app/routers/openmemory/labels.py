"""Labels of memories, and what is done with chosen ones: /memories/tags, /memories/filter/ids, /memories/actions/..."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from app.routers.openmemory import wire_labels as wire
from app.routers.openmemory import wire_memories
from app.routers.openmemory.fields import Name
from app.routers.protocol import Reading, Writing, shaped
from app.services import labels, lines, listings, tags

router = APIRouter(prefix="/memories", tags=["memories"])

JSON_LINES = "application/x-ndjson"


@router.get("/tags", response_model=wire.Tags, summary="The tags of a user's memories")
def of_user(
    ctx: Reading,
    user_id: Name | None = None,
    prefix: Annotated[Name | None, Query(description="What they begin with, in whatever case.")] = None,
    size: Annotated[int, Query(ge=1, le=tags.MOST)] = tags.MOST,
) -> wire.Tags:
    """Of memories that are not deleted, each with how many carry it, most first."""
    return wire.tags(tags.listing(ctx, user_id, prefix or "", size))


@router.post("/filter/ids", response_model=wire_memories.FoundIds, summary="The ids of what a filter selects")
def ids(ctx: Reading, body: wire_memories.IdsRequest) -> Response:
    """Newest first, 10,000 at most: what is to be changed is chosen so, and then changed by its ids."""
    found = listings.all_ids(
        ctx, user_id=body.user_id, narrowed=body.narrowed(), show_archived=bool(body.show_archived)
    )
    return shaped(wire_memories.FoundIds(ids=found.items, total=found.total))


@router.post("/actions/label", response_model=wire.LabelledAnswer, summary="Add and remove categories and tags")
def label(ctx: Writing, body: wire.LabelRequest) -> wire.LabelledAnswer:
    """All or none. Each memory that changes has a new version; the receipts can be undone."""
    return wire.labelled(labels.change(ctx, body.memory_ids, body.wanted(), body.user_id))


@router.post("/actions/export", response_class=StreamingResponse, summary="Memories as lines of JSON")
def export(ctx: Reading, body: wire.LinesRequest) -> StreamingResponse:
    """One object a line, in the order of the ids; all or none. A backup, which can be restored, is `/backup/export`."""
    found = lines.export(ctx, body.memory_ids, body.user_id)
    named = {"Content-Disposition": 'attachment; filename="memories.jsonl"'}
    return StreamingResponse(found, media_type=JSON_LINES, headers=named)
