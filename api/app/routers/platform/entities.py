"""Who asks, and of whom there are memories: /v1/ping/, /v1/entities/, /v2/entities/."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from app.routers.platform import wire, wire_entities, wire_extras, wire_memories
from app.routers.platform.auth import Reading, Writing
from app.routers.platform.fields import Name
from app.routers.platform.memories import DOOR
from app.services import entities, scopes, users

router = APIRouter(tags=["entities"], strict_content_type=False)


@router.get("/v1/ping", summary="Whose key it is")
def ping(ctx: Reading) -> Any:
    """Every client asks this first."""
    return wire_entities.ping(users.get(ctx, ctx.caller.name).email, ctx.caller.name)


@router.get("/v1/entities", summary="List users, agents, apps and runs")
def listing(ctx: Reading, request: Request, paging: Annotated[wire_memories.Paging, Query()]) -> Any:
    """Of the caller's memories, an admin's: of everybody's; last changed first."""
    window = paging.window()
    found = entities.listing(ctx, window, app=scopes.of_door(ctx, DOOR), kinds=entities.KINDS)
    return wire_memories.page(found, window, str(request.url), wire_entities.entity)


@router.get("/v2/entities/user/{entity_id:path}/profile", summary="A user's profile")
def profile(ctx: Reading, entity_id: Name) -> Any:
    """Nobody has one: the status says `not_enabled`."""
    return wire_extras.profile(entity_id)


@router.get("/v1/entities/{kind}/{name:path}", summary="One user, agent, app or run")
def get(ctx: Reading, kind: Name, name: Name) -> Any:
    """With how many memories there are of it."""
    return wire_entities.entity(entities.get(ctx, kind, name, app=scopes.of_door(ctx, DOOR)))


@router.delete("/v1/entities/{kind}/{name:path}", summary="Delete all memories of one, as clients before 0.1.40 do")
@router.delete("/v2/entities/{kind}/{name:path}", summary="Delete all memories of a user, agent, app or run")
def delete(ctx: Writing, kind: Name, name: Name) -> dict[str, str]:
    """The user itself, and its keys, stay."""
    entities.delete(ctx, kind, name, app=scopes.of_door(ctx, DOOR))
    return wire.said("Entity deleted successfully!")
