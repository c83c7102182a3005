"""Who asks, and for whom: credentials to callers, callers to owners, and the first start."""

import hmac
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, func, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.context import Caller, Context, Runtime
from app.database import now
from app.errors import Forbidden, Invalid, NotFound, Unauthenticated
from app.models import ApiKey, App, LoginSession, User
from app.services import credentials

SCOPES = ("read", "write", "admin")
MAX_NAME = 255
UNNAMED_APP = "mcp"  # the app of an agent that does not say which it is
NOTE_EVERY = timedelta(minutes=1)
BOOTSTRAP_LOCK = 0x636F6D6D6F6E  # "common": one first start at a time on PostgreSQL

MISSING = "Missing credentials: send `Authorization: Bearer <key>` or `X-API-Key: <key>`"
INVALID = "Invalid API key or access token"

BY_KEY = (
    select(
        User.id,
        User.user_id,
        User.is_admin,
        App.name.label("app"),
        ApiKey.id.label("key_id"),
        ApiKey.key_hash,
        ApiKey.scopes,
        ApiKey.last_used_at,
    )
    .select_from(ApiKey)
    .join(User, User.id == ApiKey.user_id)
    .outerjoin(App, App.id == ApiKey.app_id)
    .where(
        ApiKey.key_hash == bindparam("hash"),
        ApiKey.revoked_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > bindparam("now")),
        User.is_active,
    )
)
BY_SESSION = (
    select(User.id, User.user_id, User.is_admin)
    .join(LoginSession, LoginSession.user_id == User.id)
    .where(
        LoginSession.id == bindparam("session_id"),
        LoginSession.revoked_at.is_(None),
        LoginSession.expires_at > bindparam("now"),
        User.id == bindparam("user_id"),
        User.is_active,
    )
)


def _admin() -> Select[UUID, str]:
    # DEFAULT_USER_ID may have changed since the first start: then the oldest admin is meant. `coalesce` looks for
    # that one, which no index helps to find, only if it must.
    admins = select(User.id).where(User.is_admin, User.is_active)
    named = admins.where(User.user_id == bindparam("name")).scalar_subquery()
    oldest = admins.order_by(User.created_at, User.id).limit(1).scalar_subquery()
    return select(User.id, User.user_id).where(User.id == func.coalesce(named, oldest))


ADMIN = _admin()
OWNER = select(User.id).where(User.user_id == bindparam("name"))


@dataclass(frozen=True, slots=True)
class FirstStart:
    """What the first start made; the key is shown once."""

    user_id: str
    key: str


def authenticate(runtime: Runtime, shown: str | None) -> Caller:
    """The caller whom the credential names, by one SQL statement.

    Args:
        shown: what `Authorization: Bearer` or `X-API-Key` carries: ADMIN_API_KEY, an access token or an API key.

    Raises:
        Unauthenticated: there is none, or it is unknown, expired or revoked, or its user is deactivated.
    """
    caller = identify(runtime, shown) if shown else None
    if caller is not None:
        return caller
    if runtime.settings.is_open:
        return admin(runtime)
    raise Unauthenticated(INVALID if shown else MISSING)


def identify(runtime: Runtime, shown: str) -> Caller | None:
    """Whom the credential itself names, whatever AUTH_MODE says; None if nobody."""
    if _is_admin_key(runtime, shown):
        return admin(runtime)
    if len(shown) > credentials.MAX_LENGTH:
        return None
    return _person(runtime, shown) if credentials.is_token(shown) else _program(runtime, shown)


def require(caller: Caller, scope: str) -> None:
    """Pass if the caller has the scope (`read`, `write` or `admin`).

    Raises:
        Forbidden: it has not.
    """
    if scope not in caller.scopes:
        raise Forbidden(f"This needs the scope '{scope}'")


def require_unbound(caller: Caller) -> None:
    """Pass unless the key is bound to an app: such a key must not get out of its app by way of the account.

    Raises:
        Forbidden: it is bound.
    """
    if caller.app is not None:
        raise Forbidden("A key that is bound to an app may not manage accounts and keys")


def _is_admin_key(runtime: Runtime, shown: str) -> bool:
    setting = runtime.settings.admin_api_key
    return setting is not None and hmac.compare_digest(_bytes(setting.get_secret_value()), _bytes(shown))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def admin(runtime: Runtime) -> Caller:
    """The admin, as whom ADMIN_API_KEY, open mode and the command line act.

    Raises:
        Unauthenticated: there is no active admin yet.
    """
    row = _row(runtime, ADMIN, {"name": runtime.settings.default_user_id})
    if row is None:
        raise Unauthenticated("There is no active admin user")
    return Caller(row.id, row.user_id, None, frozenset(SCOPES))


def _row(runtime: Runtime, statement: Select[*tuple[Any, ...]], values: dict[str, Any]) -> Row[*tuple[Any, ...]] | None:
    # Every request pays for this: without a session and its loading of entities it takes half the time.
    with runtime.database.engine.connect() as connection:
        return connection.execute(statement, values).first()


def _person(runtime: Runtime, token: str) -> Caller | None:
    claims = credentials.read("access", token, runtime.settings.signing_key)
    if claims is None:
        return None
    values = {"session_id": claims.session_id, "user_id": claims.user_id, "now": now()}
    row = _row(runtime, BY_SESSION, values)
    if row is None:
        return None
    return Caller(row.id, row.user_id, None, person_scopes(row.is_admin), is_person=True, session_id=claims.session_id)


def person_scopes(is_admin: bool) -> frozenset[str]:
    """What a person may who signed in."""
    return frozenset(SCOPES if is_admin else ("read", "write"))


def _program(runtime: Runtime, key: str) -> Caller | None:
    digest = credentials.digest(key)
    row = _row(runtime, BY_KEY, {"hash": digest, "now": now()})
    if row is None or not hmac.compare_digest(row.key_hash, digest):
        return None
    _note_use(runtime, row.key_id, row.last_used_at)
    return Caller(row.id, row.user_id, row.app, _effective(row), key_id=row.key_id)


def _effective(row: Row[*tuple[Any, ...]]) -> frozenset[str]:
    return person_scopes(row.is_admin).intersection(row.scopes)


def _note_use(runtime: Runtime, key_id: UUID, last: datetime | None) -> None:
    """Note the key as in use, at most once in NOTE_EVERY; a busy database loses the note, not the request."""
    moment = now()
    if last is not None and moment - last < NOTE_EVERY:
        return
    stale = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at <= moment - NOTE_EVERY)
    try:
        with runtime.relaxed.transaction() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key_id, stale).values(last_used_at=moment))
    except OperationalError as error:
        logging.getLogger(__name__).warning("the use of a key was not noted: %s", error)


def check_name(value: str) -> str:
    """`value` if it can be a user's, an app's or a label's name.

    Raises:
        Invalid: it is empty, too long, or holds what the database cannot store.
    """
    if not 1 <= len(value) <= MAX_NAME:
        raise Invalid(f"A name has 1 to {MAX_NAME} characters")
    if not is_storable(value):
        raise Invalid("A name may not hold NUL or half of a surrogate pair")
    return value


def is_storable(value: str) -> bool:
    """Whether every database can store the text: no NUL, no half of a surrogate pair."""
    return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def find_user(ctx: Context, user_id: str) -> UUID | None:
    """The row of an external `user_id` that this caller may read for; None if it is unknown or somebody else's."""
    if user_id == ctx.caller.name:
        return ctx.caller.user_id
    if not ctx.caller.is_admin or not is_storable(user_id):
        return None
    return ctx.session.scalar(select(User.id).where(User.user_id == user_id))


def default_owner(ctx: Context) -> str:
    """Whom a request means that names nobody, at a door that has a default: an admin's are DEFAULT_USER_ID's."""
    return ctx.settings.default_user_id if ctx.caller.is_admin else ctx.caller.name


def ensure_user(ctx: Context, user_id: str) -> UUID:
    """The row of an external `user_id` that this caller may write for, made if an admin names a new one.

    Raises:
        Forbidden: it is not the caller's own, and the caller is no admin; the same whether it exists or not.
        Invalid: it cannot be a user's name.
    """
    if user_id == ctx.caller.name:
        return ctx.caller.user_id
    if not ctx.caller.is_admin:
        raise Forbidden(f"This key may not write for user {user_id!r}")
    return find_user(ctx, check_name(user_id)) or _add_user(ctx, user_id)


def acting(runtime: Runtime, caller: Caller, user_id: str | None, app: str | None) -> Caller:
    """The caller bound to one owner and one app, and no admin any more: as who uses the owner's memories through it.

    An admin who names a new user makes it.

    Raises:
        NotFound: the user is not the caller's own, and the caller is no admin; the same whether it exists or not.
        Forbidden: the credential is bound to another app.
        Invalid: it cannot be a user's or an app's name.
    """
    owner, client = user_id or caller.name, caller.app or app or UNNAMED_APP
    if caller.app and app not in (None, caller.app):
        raise Forbidden(f"This credential is bound to the app {caller.app}")
    if owner != caller.name and not caller.is_admin:
        raise NotFound("User not found")
    owner_id = _owner(runtime, caller, owner)
    rest = caller.scopes - {"admin"}
    return replace(caller, user_id=owner_id, name=owner, app=check_name(client), scopes=rest, is_person=False)


def _owner(runtime: Runtime, caller: Caller, owner: str) -> UUID:
    if owner == caller.name:
        return caller.user_id
    known = _row(runtime, OWNER, {"name": check_name(owner)})
    if known is not None:
        id: UUID = known.id
        return id
    with runtime.context(caller, writing=True) as ctx:
        return ensure_user(ctx, owner)


def _add_user(ctx: Context, user_id: str) -> UUID:
    # Two requests may name the same new user at once; on SQLite writers queue, on PostgreSQL the second waits here.
    dialect = sqlite if ctx.runtime.database.is_sqlite else postgresql
    ctx.session.execute(dialect.insert(User).values(user_id=user_id).on_conflict_do_nothing())
    return ctx.session.execute(select(User.id).where(User.user_id == user_id)).scalar_one()


def bootstrap(runtime: Runtime) -> FirstStart | None:
    """On an empty users table make the admin and a first key; None (and nothing done) ever after."""
    if _has_users(runtime):
        return None
    with runtime.database.transaction() as session:
        if not runtime.database.is_sqlite:
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": BOOTSTRAP_LOCK})
        return None if session.scalar(select(User.id).limit(1)) else _first(session, runtime.settings.default_user_id)


def _has_users(runtime: Runtime) -> bool:
    with runtime.database.reading() as session:
        return session.scalar(select(User.id).limit(1)) is not None


def _first(session: Session, user_id: str) -> FirstStart:
    admin = User(user_id=check_name(user_id), is_admin=True)
    session.add(admin)
    session.flush()
    made = credentials.new_key()
    session.add(
        ApiKey(user_id=admin.id, label="first key", prefix=made.prefix, key_hash=made.hash, scopes=list(SCOPES))
    )
    return FirstStart(user_id, made.key)
