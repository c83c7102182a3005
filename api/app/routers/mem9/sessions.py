"""/session-messages."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.routers.mem9 import wire_sessions as wire
from app.routers.mem9.door import Reading, ReadSpace, answer
from app.services import recalls

router = APIRouter(prefix="/session-messages", tags=["sessions"])


@router.get("", summary="The raw turns of sessions, oldest first")
def listing(
    ctx: Reading,
    space: ReadSpace,
    session_id: Annotated[list[str] | None, Query(description="One or more, repeated.")] = None,
    limit_per_session: str | None = None,
) -> Response:
    """At most 500 of each session."""
    each = wire.each(limit_per_session)
    return answer(wire.turns(recalls.turns(ctx, space, wire.wanted(session_id or ()), each), each))
