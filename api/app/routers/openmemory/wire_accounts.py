"""Shapes of logins, API keys and users: ours, beside OpenMemory's. Pure: no FastAPI, no I/O."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar
from uuid import UUID

from fastapi_pagination import Page
from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.routers.openmemory.paging import Paging
from app.services.departures import Departed
from app.services.grants import GrantView
from app.services.keys import KeyView, Made
from app.services.logins import LoginView, Me, SignedIn
from app.services.users import Line, UserView
from app.services.views import Listing

Item = TypeVar("Item")
Shape = TypeVar("Shape")

NO_NUL = r"^[^\x00]*$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_NUL)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=255, pattern=r"^[^@\s\x00]+@[^@\s\x00]+$")]
Password = Annotated[str, StringConstraints(min_length=8, max_length=1024)]
Shown = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Scope = Literal["read", "write", "admin"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class LoginIn(_In):
    """`user_id` (or `username`) and `password`, or `api_key`. A page's scripts need no refresh token: `cookie_only`."""

    user_id: Annotated[Name | None, Field(validation_alias=AliasChoices("user_id", "username"))] = None
    password: Shown | None = None
    api_key: Shown | None = None
    cookie_only: bool = Field(False, description="Leave the refresh token to the cookie, which no script can read.")

    @model_validator(mode="after")
    def _one_way(self) -> "LoginIn":
        by_password = self.user_id is not None and self.password is not None
        if by_password == (self.api_key is not None):
            raise ValueError("Send user_id and password, or api_key")
        return self


class RefreshIn(_In):
    """The refresh token, for who does not keep it in the cookie."""

    refresh_token: Shown | None = None


class KeyIn(_In):
    """A new key. `user_id` is for admins; `app_name` binds the key to that app, `app_id` to that one, its owner's."""

    label: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)] = ["read", "write"]
    app_name: Name | None = None
    app_id: UUID | None = None
    user_id: Name | None = None
    expires_at: Annotated[AwareDatetime | None, Field(lt=datetime(9999, 1, 1, tzinfo=UTC))] = None


class KeyChanges(_In):
    """What a key is called."""

    label: Name


class UserIn(_In):
    """A new user; without a password they cannot sign in, only use keys."""

    user_id: Name
    name: Name | None = None
    email: Email | None = None
    password: Password | None = None
    is_admin: bool = False


class UserChanges(_In):
    """What is named is changed; `password: null` takes the password away."""

    name: Name | None = None
    email: Email | None = None
    password: Password | None = None
    is_active: bool = True
    is_admin: bool = False

    def named(self) -> dict[str, Any]:
        """Only what the request named."""
        return self.model_dump(exclude_unset=True)


class UserOut(_Out):
    """A user; never the password."""

    id: UUID
    user_id: str
    name: str | None
    email: str | None
    is_admin: bool
    is_active: bool
    has_password: bool
    created_at: datetime
    updated_at: datetime


class UserLine(UserOut):
    """A user in the list. `last_seen_at`: when they signed in or a program of theirs asked, to some minutes."""

    memories: int
    last_seen_at: datetime | None


class DepartedOut(_Out):
    """Who was removed, and how much with them."""

    user_id: str
    memories: int
    apps: int
    keys: int


class LoginOut(BaseModel):
    """A login's tokens; `expires_in` is in seconds. No `refresh_token` where it is in the cookie alone."""

    access_token: str
    refresh_token: str | None
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 -- the name of a scheme
    expires_in: int
    user: UserOut


class MeOut(_Out):
    """Who asks, and what they may."""

    user: UserOut
    scopes: list[str]
    app: str | None
    is_person: bool


class Message(BaseModel):
    """That it is done."""

    message: str


class LoginLine(_Out):
    """Where somebody is signed in; `last_used_at` is when its tokens were last renewed."""

    id: UUID
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_this_one: bool


class Ended(BaseModel):
    """How many sessions were ended."""

    ended: int


class KeyOut(_Out):
    """A key without its secret."""

    id: UUID
    prefix: str
    label: str
    scopes: list[str]
    app_id: UUID | None
    app_name: str | None
    user_id: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class MadeOut(KeyOut):
    """A key that was just made; `key` is shown now and never again."""

    key: str


class GrantOut(_Out):
    """What a client may do for a user: as which app, at which address, since and until when."""

    id: UUID
    user_id: str
    client_name: str
    app_name: str
    scopes: list[str]
    resource: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime
    revoked_at: datetime | None


def user(view: UserView) -> UserOut:
    """A user."""
    return UserOut.model_validate(view)


def user_line(view: Line) -> UserLine:
    """A user in the list."""
    return UserLine.model_validate(view)


def departed(view: Departed) -> DepartedOut:
    """Who was removed."""
    return DepartedOut.model_validate(view)


def login_line(view: LoginView) -> LoginLine:
    """Where somebody is signed in."""
    return LoginLine.model_validate(view)


def login(signed_in: SignedIn, *, in_body: bool) -> LoginOut:
    """A login's tokens."""
    return LoginOut(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token if in_body else None,
        expires_in=signed_in.expires_in,
        user=user(signed_in.user),
    )


def me(view: Me) -> MeOut:
    """The caller."""
    return MeOut.model_validate(view)


def key(view: KeyView) -> KeyOut:
    """A key."""
    return KeyOut.model_validate(view)


def made(new: Made) -> MadeOut:
    """A new key with its secret."""
    return MadeOut(**key(new.view).model_dump(), key=new.secret)


def grant(view: GrantView) -> GrantOut:
    """A grant."""
    return GrantOut.model_validate(view)


def page(shape: Callable[[Item], Shape], listing: Listing[Item], paging: Paging) -> Page[Shape]:
    """A page of a listing, each item shaped."""
    return Page(
        items=[shape(item) for item in listing.items],
        total=listing.total,
        page=paging.page,
        size=paging.size,
        pages=-(-listing.total // paging.size),
    )
