"""/memories/search."""

from fastapi import APIRouter
from fastapi.responses import Response

from app.routers.openmemory import wire_search as wire
from app.routers.protocol import Reading, shaped
from app.services import searches, whys

router = APIRouter(prefix="/memories/search", tags=["memories"])


@router.post("", response_model=wire.SearchAnswer, summary="Search by relevance")
def search(ctx: Reading, body: wire.SearchRequest) -> Response:
    """The memories that answer the query best; logged as shown to the reading app."""
    return shaped(wire.found(searches.search(ctx, body.asked(), user_id=body.user_id, app=body.app)))


@router.post("/why-not", response_model=wire.WhyNot, summary="Why a search does not find a memory")
def why_not(ctx: Reading, body: wire.WhyNotRequest) -> wire.WhyNot:
    """The state, rule, filter or rank that keeps the memory out of the search's hits; nothing is logged."""
    verdict = whys.why_not(ctx, body.asked(), body.memory_id, user_id=body.user_id, app=body.app)
    return wire.why_not(body.memory_id, verdict)
