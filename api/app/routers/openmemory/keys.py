"""API keys: /api-keys."""

from uuid import UUID

from fastapi import APIRouter
from fastapi_pagination import Page

from app.routers.openmemory import wire_accounts as wire
from app.routers.openmemory.fields import Name
from app.routers.openmemory.paging import FiftyAPage
from app.routers.protocol import Reading, Writing
from app.services import keys

router = APIRouter(prefix="/api-keys", tags=["api-keys"])


@router.post("", summary="Make a key")
def create(ctx: Writing, body: wire.KeyIn) -> wire.MadeOut:
    """A new key; the answer is the only place where it is ever shown."""
    return wire.made(keys.create(ctx, **body.model_dump()))


@router.get("", summary="List keys")
def listing(ctx: Reading, paging: FiftyAPage, user_id: Name | None = None) -> Page[wire.KeyOut]:
    """The keys of `user_id`, else the caller's (an admin: everybody's), newest first."""
    return wire.page(wire.key, keys.listing(ctx, paging.window, user_id), paging)


@router.delete("/{key_id}", summary="Revoke a key")
def revoke(ctx: Writing, key_id: UUID) -> wire.KeyOut:
    """The key is refused from the next request on."""
    return wire.key(keys.revoke(ctx, key_id))
