"""Logins: a person signs in on the dashboard, with a password or a key, and stays signed in by refresh tokens.

A login lasts LIFE from its start. Its refresh token is good once; one that is shown again has been stolen by somebody,
so the login ends. Within GRACE it may be shown again and is answered the same: of two tabs that open at once, or of a
page that is left before the answer came, one would end the login otherwise. Access tokens are short-lived and die with
their login.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from app.context import Context, Runtime
from app.database import new_id, now
from app.errors import Forbidden, NotFound, Unauthenticated
from app.models import ApiKey, LoginSession, User
from app.services import accounts, credentials, limits, passwords, users
from app.services.credentials import Claims
from app.services.users import UserView
from app.services.views import Listing, Window

LIFE = timedelta(days=30)
GRACE = timedelta(seconds=30)
WRONG = "Wrong user or password"
WRONG_KEY = "Invalid API key"
NO_LOGIN = "Session not found"
ENDED = "Invalid or expired refresh token: sign in again"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A login's tokens; `expires_in` is the access token's life in seconds, `expires_at` the login's end."""

    access_token: str
    refresh_token: str
    expires_in: int
    expires_at: datetime
    user: UserView


@dataclass(frozen=True, slots=True)
class Proof:
    """Who signs in; and if by a key, when its life ends, and which it is (None: ADMIN_API_KEY)."""

    user_id: UUID
    until: datetime | None = None
    key_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Me:
    """Who the caller is, and what the credential that was shown may do."""

    user: UserView
    scopes: list[str]
    app: str | None
    is_person: bool


@dataclass(frozen=True, slots=True)
class LoginView:
    """A login of the caller's: by which browser, since when, when its tokens were last renewed, and its end.

    `is_this_one`: the login that asks.
    """

    id: UUID
    user_agent: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_this_one: bool


def login(
    runtime: Runtime,
    *,
    user_id: str | None = None,
    password: str | None = None,
    api_key: str | None = None,
    user_agent: str | None = None,
    client: str | None = None,
) -> SignedIn:
    """Sign in with `user_id` and `password`, or with an API key that may all that its user may.

    A login by key does not outlive the key. Attempts are counted for the name and for `client`, an address.

    Raises:
        RateLimited: one attempt too many, be it the right password.
        Unauthenticated: no such user, password or key, or deactivated; nobody can tell which.
        Forbidden: the key is bound to an app or has fewer scopes than its user: a login would have more than it.
    """
    who = prove(runtime, user_id=user_id, password=password, api_key=api_key, client=client)
    latest = now() + LIFE
    return _start(runtime, who.user_id, min(latest, who.until or latest), user_agent)


def prove(
    runtime: Runtime,
    *,
    user_id: str | None = None,
    password: str | None = None,
    api_key: str | None = None,
    client: str | None = None,
) -> Proof:
    """Whose password or key it is. No login begins.

    Raises:
        as `login`.
    """
    # The address first: who has used up its attempts cannot use up those of another's name.
    tried = [limits.by_client(client)] if client else []
    limits.require(runtime, "login", tried + ([limits.by_name(user_id)] if user_id and not api_key else []))
    if api_key:
        return _by_key(runtime, api_key)
    return Proof(_by_password(runtime, user_id or "", password or ""))


def _by_password(runtime: Runtime, user_id: str, password: str) -> UUID:
    known = select(User.id, User.password_hash, User.is_active).where(User.user_id == user_id)
    with runtime.database.reading() as session:
        row = session.execute(known).first() if accounts.is_storable(user_id) else None
    if not passwords.matches(password, row.password_hash if row else None) or row is None or not row.is_active:
        raise Unauthenticated(WRONG)
    who: UUID = row.id
    return who


def _by_key(runtime: Runtime, key: str) -> Proof:
    """The key's user. Not `authenticate`: open mode must not leave logins behind."""
    caller = accounts.identify(runtime, key)
    if caller is None or caller.is_person:
        raise Unauthenticated(WRONG_KEY)
    with runtime.database.reading() as session:
        is_admin = session.execute(select(User.is_admin).where(User.id == caller.user_id)).scalar_one()
        end = session.scalar(select(ApiKey.expires_at).where(ApiKey.id == caller.key_id))
    if caller.app or caller.scopes != accounts.person_scopes(is_admin):
        raise Forbidden("To sign in with a key, it must have all of its user's scopes and be bound to no app")
    return Proof(caller.user_id, end, caller.key_id)


def _start(runtime: Runtime, user_id: UUID, expires_at: datetime, user_agent: str | None) -> SignedIn:
    claims = Claims(user_id, new_id())
    refresh_token = credentials.issue("refresh", claims, expires_at, runtime.settings.signing_key)
    started = LoginSession(
        id=claims.session_id,
        user_id=user_id,
        refresh_hash=credentials.digest(refresh_token),
        user_agent=user_agent[: accounts.MAX_NAME] if user_agent and accounts.is_storable(user_agent) else None,
        last_used_at=now(),
        expires_at=expires_at,
    )
    with runtime.database.transaction() as session:
        session.add(started)
        user = users.view(session.get_one(User, user_id))
    return _signed_in(runtime, claims, refresh_token, expires_at, user)


def _signed_in(runtime: Runtime, claims: Claims, refresh_token: str, end: datetime, user: UserView) -> SignedIn:
    access_token = credentials.issue_access(claims, runtime.settings.signing_key)
    return SignedIn(access_token, refresh_token, int(credentials.ACCESS_LIFE.total_seconds()), end, user)


def refresh(runtime: Runtime, token: str | None) -> SignedIn:
    """New tokens for a refresh token, which is void from now on.

    Raises:
        Unauthenticated: it is not one of ours, or its login has ended; or it was used longer than GRACE ago, and now
            the login ends.
    """
    claims = credentials.read("refresh", token, runtime.settings.signing_key) if token else None
    renewed = _rotate(runtime, claims, token) if claims and token else None
    if renewed is None:
        raise Unauthenticated(ENDED)
    return renewed


def _rotate(runtime: Runtime, claims: Claims, token: str) -> SignedIn | None:
    living = update(LoginSession).where(
        LoginSession.id == claims.session_id, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now()
    )
    with runtime.database.transaction() as session:
        row = session.execute(
            select(LoginSession.expires_at, User)
            .join(User, User.id == LoginSession.user_id)
            .where(LoginSession.id == claims.session_id, User.is_active)
        ).first()
        if row is None:
            return None
        fresh = credentials.successor(token, claims, row.expires_at, runtime.settings.signing_key)
        mine = living.where(LoginSession.refresh_hash == credentials.digest(token))
        again = select(LoginSession.id).where(
            LoginSession.id == claims.session_id,
            LoginSession.revoked_at.is_(None),
            LoginSession.expires_at > now(),
            LoginSession.refresh_hash == credentials.digest(fresh),
            LoginSession.last_used_at > now() - GRACE,
        )
        values = {"refresh_hash": credentials.digest(fresh), "last_used_at": now()}
        rotated = session.execute(mine.values(values).returning(LoginSession.id)).first()
        if rotated is None and session.scalar(again) is None:
            session.execute(living.values(revoked_at=now()))
            return None
        return _signed_in(runtime, claims, fresh, row.expires_at, users.view(row.User))


def logout(runtime: Runtime, access_token: str | None, refresh_token: str | None) -> None:
    """End the logins that the tokens belong to; none, or ended ones, is fine too."""
    secret = runtime.settings.signing_key
    ended = {
        claims.session_id
        for claims in (
            credentials.read("access", access_token or "", secret),
            credentials.read("refresh", refresh_token or "", secret),
        )
        if claims
    }
    if not ended:
        return
    living = update(LoginSession).where(LoginSession.id.in_(ended), LoginSession.revoked_at.is_(None))
    with runtime.database.transaction() as session:
        session.execute(living.values(revoked_at=now()))


def me(ctx: Context) -> Me:
    """The caller."""
    caller = ctx.caller
    user = users.view(ctx.session.get_one(User, caller.user_id))
    return Me(user, [scope for scope in accounts.SCOPES if scope in caller.scopes], caller.app, caller.is_person)


def listing(ctx: Context, window: Window) -> Listing[LoginView]:
    """The caller's logins that have not ended, last renewed first. Two statements.

    Raises:
        Forbidden: the key is bound to an app.
    """
    living = _living(ctx)
    columns = (LoginSession.id, LoginSession.user_agent, LoginSession.created_at)
    rows = ctx.session.execute(
        select(*columns, LoginSession.last_used_at, LoginSession.expires_at)
        .where(*living)
        .order_by(LoginSession.last_used_at.desc(), LoginSession.id.desc())
        .limit(window.limit)
        .offset(window.offset)
    )
    total = ctx.session.scalar(select(func.count()).select_from(LoginSession).where(*living)) or 0
    return Listing([LoginView(*row, is_this_one=row.id == ctx.caller.session_id) for row in rows], total)


def end(ctx: Context, session_id: UUID) -> None:
    """End one of the caller's logins: its tokens are void from the next request on.

    Raises:
        NotFound: no such login, one that has ended, or somebody else's.
        Forbidden: the key is bound to an app.
    """
    ended = update(LoginSession).where(LoginSession.id == session_id, *_living(ctx)).values(revoked_at=now())
    if ctx.session.execute(ended.returning(LoginSession.id)).first() is None:
        raise NotFound(NO_LOGIN)


def end_others(ctx: Context) -> int:
    """End all logins of the caller's but the one that asks; how many there were.

    Raises:
        Forbidden: the key is bound to an app.
    """
    others = update(LoginSession).where(*_living(ctx))
    if ctx.caller.session_id is not None:
        others = others.where(LoginSession.id != ctx.caller.session_id)
    return len(ctx.session.execute(others.values(revoked_at=now()).returning(LoginSession.id)).all())


def _living(ctx: Context) -> list[ColumnElement[bool]]:
    accounts.require_unbound(ctx.caller)
    mine = LoginSession.user_id == ctx.caller.user_id
    return [mine, LoginSession.revoked_at.is_(None), LoginSession.expires_at > now()]
