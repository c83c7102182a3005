"""API keys: /api-keys."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
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
def listing(
    ctx: Reading,
    paging: FiftyAPage,
    user_id: Name | None = None,
    app_id: Annotated[UUID | None, Query(description="Only those that are bound to this app.")] = None,
    is_revoked: Annotated[bool | None, Query(description="Only revoked ones, or only others.")] = None,
) -> Page[wire.KeyOut]:
    """The keys of `user_id`, else the caller's (an admin: everybody's), newest first."""
    found = keys.listing(ctx, paging.window, user_id, app_id=app_id, is_revoked=is_revoked)
    return wire.page(wire.key, found, paging)


@router.put("/{key_id}", summary="Rename a key")
def rename(ctx: Writing, key_id: UUID, body: wire.KeyChanges) -> wire.KeyOut:
    """Have it called something else."""
    return wire.key(keys.rename(ctx, key_id, body.label))


@router.delete("/{key_id}", summary="Revoke a key")
def revoke(ctx: Writing, key_id: UUID) -> wire.KeyOut:
    """The key is refused from the next request on."""
    return wire.key(keys.revoke(ctx, key_id))
