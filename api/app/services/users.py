"""Users: the owners of memories. An admin manages them; each may look after their own account."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from app.context import Context
from app.database import new_id, now
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import ApiKey, Grant, LoginSession, MemoryTally, State, User
from app.services import accounts, passwords
from app.services.views import Listing, Window

NO_USER = "User not found"
OWN = frozenset({"name", "email", "password"})
ALL = OWN | {"is_active", "is_admin"}


@dataclass(frozen=True, slots=True)
class UserView:
    """A user without secrets; `user_id` is the name that protocols carry."""

    id: UUID
    user_id: str
    name: str | None
    email: str | None
    is_admin: bool
    is_active: bool
    created_at: datetime
    updated_at: datetime
    has_password: bool


@dataclass(frozen=True, slots=True)
class Line(UserView):
    """A user in the list: `memories` that are not deleted, and when they or a program of theirs were noted last."""

    memories: int
    last_seen_at: datetime | None


MEMORIES = (
    select(func.coalesce(func.sum(MemoryTally.count), 0))
    .where(MemoryTally.user_id == User.id, MemoryTally.state != State.deleted)
    .correlate(User)
    .scalar_subquery()
)
SEEN = [
    select(func.max(noun.last_used_at)).where(noun.user_id == User.id).correlate(User).scalar_subquery()
    for noun in (ApiKey, LoginSession, Grant)
]


def view(user: User) -> UserView:
    """The row as it may be shown."""
    return UserView(**_shown(user))


def _shown(user: User) -> dict[str, Any]:
    values = {field.name: getattr(user, field.name) for field in fields(UserView) if field.name != "has_password"}
    return values | {"has_password": user.password_hash is not None}


def listing(ctx: Context, window: Window, name: str | None = None) -> Listing[Line]:
    """All users by name, for an admin; with `name`, those in whose name, user_id or address it is. Two statements."""
    require_admin(ctx)
    conditions: list[ColumnElement[bool]] = []
    if name:
        conditions = [
            or_(*(column.icontains(name, autoescape=True) for column in (User.user_id, User.name, User.email)))
        ]
    page = select(User, MEMORIES, *SEEN).where(*conditions).order_by(User.user_id)
    rows = ctx.session.execute(page.limit(window.limit).offset(window.offset))
    total = ctx.session.scalar(select(func.count()).select_from(User).where(*conditions)) or 0
    return Listing([_line(*row) for row in rows], total)


def _line(user: User, memories: int, *seen: datetime | None) -> Line:
    last = max((when for when in seen if when), default=None)
    return Line(**_shown(user), memories=int(memories), last_seen_at=last)


def create(
    ctx: Context,
    user_id: str,
    name: str | None = None,
    email: str | None = None,
    password: str | None = None,
    is_admin: bool = False,
) -> UserView:
    """A new user, by an admin. Without a password they cannot sign in, only use keys.

    Raises:
        Conflict: there is one of that `user_id`.
        Invalid: a name, an address or a password that cannot be one.
    """
    require_admin(ctx)
    values = {"name": name, "email": email, "is_admin": is_admin, "password": password}
    row = {"id": new_id(), "user_id": accounts.check_name(user_id), "metadata_": {}, **_columns(values)}
    insert = sqlite.insert if ctx.runtime.database.is_sqlite else postgresql.insert
    made = ctx.session.scalar(insert(User).values(**row).on_conflict_do_nothing().returning(User.id))
    if made is None:
        raise Conflict(f"There is a user {user_id!r} already")
    return view(ctx.session.get_one(User, made))


def get(ctx: Context, user_id: str) -> UserView:
    """One user: anyone for an admin, else oneself.

    Raises:
        NotFound: no such user, or not the caller's to see.
    """
    return view(find(ctx, user_id))


def change(ctx: Context, user_id: str, changes: Mapping[str, Any]) -> UserView:
    """Change `name`, `email`, `password`, and as an admin `is_active`, `is_admin`. A new password ends all logins.

    Raises:
        Conflict: it would leave no active admin.
        Forbidden: the caller may not change that.
        Invalid: a name, an address or a password that cannot be one.
        NotFound: no such user, or not the caller's to see.
    """
    _check_changes(ctx, changes)
    columns = _columns(changes)
    user = find(ctx, user_id)
    if changes.get("is_admin") is False or changes.get("is_active") is False:
        _keep_an_admin(ctx, user.id)
    for column, value in columns.items():
        setattr(user, column, value)
    if "password" in changes or changes.get("is_active") is False:
        _end_logins(ctx, user.id)
    ctx.session.flush()
    return view(user)


def require_admin(ctx: Context) -> None:
    """Pass if an admin asks, and not through a key that is bound to an app.

    Raises:
        Forbidden: otherwise.
    """
    accounts.require_unbound(ctx.caller)
    accounts.require(ctx.caller, "admin")


def _check_changes(ctx: Context, changes: Mapping[str, Any]) -> None:
    accounts.require_unbound(ctx.caller)
    if not changes.keys() <= ALL:
        raise Invalid(f"What can be changed is {', '.join(sorted(ALL))}")
    if not changes.keys() <= OWN:
        accounts.require(ctx.caller, "admin")
    # A password signs in with all that its user may: a key of fewer scopes must not get there by setting one.
    if "password" in changes and not (ctx.caller.is_person or ctx.caller.is_admin):
        raise Forbidden("Sign in, or ask an admin, to change a password")


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that hold these values; hashing a password takes its time, so this comes before any statement."""
    for key in ("name", "email"):
        if values.get(key) is not None:
            accounts.check_name(values[key])
    if values.get("email") is not None and "@" not in values["email"]:
        raise Invalid("An email address has an @ in it")
    columns = {key: value for key, value in values.items() if key != "password"}
    if "password" in values:
        password = values["password"]
        columns["password_hash"] = None if password is None else passwords.hashed(password)
    return columns


def find(ctx: Context, user_id: str) -> User:
    """A user's row, for verbs.

    Raises:
        NotFound: no such user, or not the caller's to see.
    """
    id = accounts.find_user(ctx, user_id)
    if id is None:
        raise NotFound(NO_USER)
    return ctx.session.get_one(User, id)


def _keep_an_admin(ctx: Context, user_id: UUID) -> None:
    # Locked, so that on PostgreSQL two admins cannot demote each other at the same moment.
    admins = ctx.session.scalars(select(User.id).where(User.is_admin, User.is_active).with_for_update()).all()
    if list(admins) == [user_id]:
        raise Conflict("This is the last active admin")


def _end_logins(ctx: Context, user_id: UUID) -> None:
    living = update(LoginSession).where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
    ctx.session.execute(living.values(revoked_at=now()))
