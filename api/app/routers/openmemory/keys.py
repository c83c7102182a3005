"""API keys: /api-keys."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.routers.openmemory import wire_accounts as wire
from app.routers.openmemory.users import Paging
from app.routers.protocol import Reading, Writing
from app.services import keys

router = APIRouter(prefix="/api-keys", tags=["api-keys"])


@router.post("", summary="Make a key")
def create(ctx: Writing, body: wire.KeyIn) -> wire.MadeOut:
    """A new key; the answer is the only place where it is ever shown."""
    return wire.made(keys.create(ctx, **body.model_dump()))


@router.get("", summary="List keys")
def listing(
    ctx: Reading, window: Paging, user_id: Annotated[str | None, Query(max_length=255)] = None
) -> wire.Page[wire.KeyOut]:
    """The keys of `user_id`, else the caller's (an admin: everybody's), newest first."""
    return wire.page(wire.key, keys.listing(ctx, window, user_id), window)


@router.delete("/{key_id}", summary="Revoke a key")
def revoke(ctx: Writing, key_id: UUID) -> wire.KeyOut:
    """The key is refused from the next request on."""
    return wire.key(keys.revoke(ctx, key_id))
