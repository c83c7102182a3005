"""API keys: made, listed, renamed, revoked. Nobody gives more than they have."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, update

from app.context import Context
from app.database import new_id, now
from app.errors import Forbidden, Invalid, NotFound
from app.models import ApiKey, App, LoginSession, User
from app.services import accounts, apps, credentials
from app.services.views import Listing, Window

NO_USER = "User not found"
NO_KEY = "API key not found"


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key without its secret. `user_id` is its owner's name, `app_id` and `app_name` the app that it is bound to."""

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


@dataclass(frozen=True, slots=True)
class Made:
    """A new key; `secret` is shown now and never again."""

    secret: str
    view: KeyView


VIEW: Select[*tuple[Any, ...]] = (
    select(
        ApiKey.id,
        ApiKey.prefix,
        ApiKey.label,
        ApiKey.scopes,
        ApiKey.app_id,
        App.name,
        User.user_id,
        ApiKey.created_at,
        ApiKey.last_used_at,
        ApiKey.expires_at,
        ApiKey.revoked_at,
    )
    .select_from(ApiKey)
    .join(User, User.id == ApiKey.user_id)
    .outerjoin(App, App.id == ApiKey.app_id)
)


def create(
    ctx: Context,
    label: str,
    scopes: Sequence[str] = ("read", "write"),
    app_name: str | None = None,
    user_id: str | None = None,
    expires_at: datetime | None = None,
    app_id: UUID | None = None,
) -> Made:
    """A new key for the caller, or for `user_id` when an admin asks; bound to the owner's app `app_name` if given.

    With `app_id` it is bound to that app, and its owner's.

    Raises:
        Forbidden: it would be able to do more, or for longer, than the caller's own credential.
        Invalid: an unknown scope, none at all, a date that is past, or a name that cannot be stored.
        NotFound: no such user or app, or not the caller's to act for.
    """
    accounts.require_unbound(ctx.caller)
    _check_scopes(ctx, scopes)
    _check_expiry(ctx, expires_at)
    owner, app = _for_whom(ctx, user_id, app_name, app_id)
    made = credentials.new_key()
    row = ApiKey(
        id=new_id(),
        user_id=owner,
        app_id=app,
        label=accounts.check_name(label),
        prefix=made.prefix,
        key_hash=made.hash,
        scopes=[scope for scope in accounts.SCOPES if scope in scopes],
        expires_at=expires_at,
    )
    ctx.session.add(row)
    ctx.session.flush()
    return Made(made.key, _get(ctx, row.id))


def _check_scopes(ctx: Context, scopes: Sequence[str]) -> None:
    if not scopes or not set(scopes) <= set(accounts.SCOPES):
        raise Invalid(f"The scopes are some of {', '.join(accounts.SCOPES)}")
    missing = set(scopes) - ctx.caller.scopes
    if missing:
        raise Forbidden(f"Nobody gives a scope they do not have: {', '.join(sorted(missing))}")


def _check_expiry(ctx: Context, expires_at: datetime | None) -> None:
    if expires_at is not None and expires_at <= now():
        raise Invalid("expires_at is in the past")
    if ctx.caller.key_id is None:
        return
    own = ctx.session.scalar(select(ApiKey.expires_at).where(ApiKey.id == ctx.caller.key_id))
    if own is not None and (expires_at is None or expires_at > own):
        raise Forbidden("A key that expires may not make one that outlives it")


def _for_whom(ctx: Context, user_id: str | None, app_name: str | None, app_id: UUID | None) -> tuple[UUID, UUID | None]:
    """The owner, and the app if it is to be bound to one."""
    if app_id is not None:
        if user_id is not None or app_name is not None:
            raise Invalid("An app's id says whose it is and what it is called: send no user_id and no app_name with it")
        return apps.owner_of(ctx, app_id), app_id
    owner = _owner(ctx, user_id)
    app = apps.ensure(ctx, owner, accounts.check_name(app_name)) if app_name is not None else None
    return owner, app.id if app else None


def _owner(ctx: Context, user_id: str | None) -> UUID:
    owner = ctx.caller.user_id if user_id is None else accounts.find_user(ctx, user_id)
    if owner is None:
        raise NotFound(NO_USER)
    return owner


def _get(ctx: Context, key_id: UUID) -> KeyView:
    return KeyView(*ctx.session.execute(VIEW.where(ApiKey.id == key_id)).one())


def listing(
    ctx: Context,
    window: Window,
    user_id: str | None = None,
    *,
    app_id: UUID | None = None,
    is_revoked: bool | None = None,
) -> Listing[KeyView]:
    """Keys, newest first: of `user_id`, else the caller's, or everybody's when an admin asks. Four statements at most.

    Args:
        app_id: only those that are bound to this app.
        is_revoked: only those that were revoked, or only those that were not.

    Raises:
        NotFound: no such user or app, or not the caller's to act for.
    """
    accounts.require_unbound(ctx.caller)
    conditions: list[ColumnElement[bool]] = []
    if user_id is not None or not ctx.caller.is_admin:
        conditions.append(ApiKey.user_id == _owner(ctx, user_id))
    if app_id is not None:
        # The owner, too: by whom the index finds keys.
        conditions += [ApiKey.user_id == apps.owner_of(ctx, app_id), ApiKey.app_id == app_id]
    if is_revoked is not None:
        conditions.append(ApiKey.revoked_at.is_not(None) if is_revoked else ApiKey.revoked_at.is_(None))
    newest = VIEW.where(*conditions).order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    rows = ctx.session.execute(newest.limit(window.limit).offset(window.offset))
    total = ctx.session.scalar(select(func.count()).select_from(ApiKey).where(*conditions)) or 0
    return Listing([KeyView(*row) for row in rows], total)


def rename(ctx: Context, key_id: UUID, label: str) -> KeyView:
    """Have the key called something else.

    Raises:
        NotFound: no such key, or somebody else's.
        Invalid: it cannot be called so.
    """
    accounts.require_unbound(ctx.caller)
    named = update(ApiKey).where(*_within_reach(ctx, key_id)).values(label=accounts.check_name(label))
    if ctx.session.execute(named.returning(ApiKey.id)).first() is None:
        raise NotFound(NO_KEY)
    return _get(ctx, key_id)


def _within_reach(ctx: Context, key_id: UUID) -> list[ColumnElement[bool]]:
    mine = [] if ctx.caller.is_admin else [ApiKey.user_id == ctx.caller.user_id]
    return [ApiKey.id == key_id, *mine]


def revoke(ctx: Context, key_id: UUID) -> KeyView:
    """Make the key worthless from the next request on; once more does nothing.

    Raises:
        NotFound: no such key, or somebody else's.
    """
    accounts.require_unbound(ctx.caller)
    known = select(ApiKey.user_id, ApiKey.app_id, ApiKey.revoked_at).where(*_within_reach(ctx, key_id))
    row = ctx.session.execute(known).first()
    if row is None:
        raise NotFound(NO_KEY)
    if row.revoked_at is None:
        ctx.session.execute(update(ApiKey).where(ApiKey.id == key_id).values(revoked_at=now()))
        if row.app_id is None:
            _end_logins(ctx, row.user_id)
    return _get(ctx, key_id)


def _end_logins(ctx: Context, user_id: UUID) -> None:
    # Whoever held the key may have signed in with it, and a login outlives it: all end but the one that revokes.
    ended = update(LoginSession).where(LoginSession.user_id == user_id, LoginSession.revoked_at.is_(None))
    if ctx.caller.session_id is not None:
        ended = ended.where(LoginSession.id != ctx.caller.session_id)
    ctx.session.execute(ended.values(revoked_at=now()))
