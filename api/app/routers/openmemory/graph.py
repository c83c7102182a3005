"""/graph."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response

from app.models import State
from app.routers.openmemory import wire_graph as wire
from app.routers.openmemory.fields import Name, Phrase, Time
from app.routers.openmemory.wire_memories import Governed
from app.routers.protocol import Reading, shaped
from app.services import graphs
from app.services.listings import Filter

router = APIRouter(prefix="/graph", tags=["memories"])

Ids = Annotated[list[UUID] | None, Query(max_length=100)]
Around = Annotated[
    str | None,
    Query(
        max_length=300,
        description="Only what lies around `memory:<id>`, `entity:<name>`, `category:<name>` or `app:<id>`.",
    ),
]


@router.get("", response_model=wire.GraphAnswer, summary="Memories, and what joins them")
def get(
    ctx: Reading,
    user_id: Name | None = None,
    app_id: Ids = None,
    category_id: Ids = None,
    state: Annotated[list[Governed] | None, Query(max_length=3, description="Active and paused without it.")] = None,
    from_date: Annotated[Time, Query(description="Epoch seconds or ISO 8601.")] = None,
    to_date: Annotated[Time, Query(description="Epoch seconds or ISO 8601.")] = None,
    search_query: Annotated[Phrase | None, Query(description="Text that the memory contains.")] = None,
    limit: Annotated[int, Query(ge=1, le=graphs.MOST, description="Memories, the newest.")] = 500,
    around: Around = None,
) -> Response:
    """What the caller governs, with the entities that at least two of the memories speak of."""
    narrowed = Filter(
        app_ids=app_id or (),
        category_ids=category_id or (),
        states=[State(name) for name in state or ()],
        from_date=from_date,
        to_date=to_date,
        text=search_query,
    )
    return shaped(wire.graph(graphs.picture(ctx, user_id=user_id, narrowed=narrowed, limit=limit, around=around)))
