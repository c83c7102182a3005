"""Users: /users. For admins; everybody may see and look after their own."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from app.routers.openmemory import wire_accounts as wire
from app.routers.protocol import Reading, Writing
from app.services import users
from app.services.views import Window

router = APIRouter(prefix="/users", tags=["users"])


def paging(
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1, size: Annotated[int, Query(ge=1, le=100)] = 50
) -> Window:
    """The window that `page` and `size` mean."""
    return Window(size, (page - 1) * size)


Paging = Annotated[Window, Depends(paging)]
UserId = Annotated[str, Path(min_length=1, max_length=255)]


@router.get("", summary="List users")
def listing(ctx: Reading, window: Paging) -> wire.Page[wire.UserOut]:
    """All users by `user_id`."""
    return wire.page(wire.user, users.listing(ctx, window), window)


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
