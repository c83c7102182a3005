"""Users: /users. For admins; everybody may see and look after their own."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi_pagination import Page

from app.routers.openmemory import wire_accounts as wire
from app.routers.openmemory.fields import Phrase
from app.routers.openmemory.paging import FiftyAPage
from app.routers.protocol import Reading, Writing
from app.services import departures, users

router = APIRouter(prefix="/users", tags=["users"])

UserId = Annotated[str, Path(min_length=1, max_length=255)]


@router.get("", summary="List users")
def listing(
    ctx: Reading,
    paging: FiftyAPage,
    name: Annotated[Phrase | None, Query(description="Part of the name, the user_id or the email address.")] = None,
) -> Page[wire.UserLine]:
    """All users by `user_id`, with how many memories they have and when they were last seen."""
    return wire.page(wire.user_line, users.listing(ctx, paging.window, name), paging)


@router.post("", summary="Make a user")
def create(ctx: Writing, body: wire.UserIn) -> wire.UserOut:
    """A new user."""
    return wire.user(users.create(ctx, **body.model_dump()))


# `:path`, because a user_id may hold slashes.
@router.get("/{user_id:path}", summary="One user")
def get(ctx: Reading, user_id: UserId) -> wire.UserOut:
    """A user by `user_id`."""
    return wire.user(users.get(ctx, user_id))


@router.put("/{user_id:path}", summary="Change a user")
def change(ctx: Writing, user_id: UserId, body: wire.UserChanges) -> wire.UserOut:
    """Change what the body names; a new password ends the user's logins."""
    return wire.user(users.change(ctx, user_id, body.named()))


@router.delete("/{user_id:path}", summary="Remove a user with all that is theirs")
def delete(ctx: Writing, user_id: UserId) -> wire.DepartedOut:
    """Memories with their history, apps, keys, sessions, receipts: for good."""
    return wire.departed(departures.remove(ctx, user_id))
