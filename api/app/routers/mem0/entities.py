"""/entities: users, agents and runs."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.routers.mem0 import wire_memories as wire
from app.routers.mem0.fields import MOST, Text
from app.routers.mem0.memories import DOOR
from app.routers.protocol import Reading, Writing
from app.services import entities, scopes
from app.services.views import Window

router = APIRouter(prefix="/entities", tags=["entities"])


@router.get("", summary="Users, agents and runs of whom memories are")
def listing(
    ctx: Reading,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> list[wire.EntityItem]:
    """Last changed first."""
    return wire.entities(entities.listing(ctx, Window(limit, offset), app=scopes.of_door(ctx, DOOR)))


@router.delete("/{entity_type}/{entity_id:path}", summary="Delete all memories of an entity")
def delete(ctx: Writing, entity_type: str, entity_id: Text) -> wire.Sentence:
    """Admins only; of everybody's memories."""
    kind, app = wire.entity_type(entity_type), scopes.of_door(ctx, DOOR)
    return wire.said(wire.ENTITY_DELETED, entities.delete_everywhere(ctx, kind, entity_id, app=app))
