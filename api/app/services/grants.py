"""Grants: what a person allowed a client to do for them (OAuth), from the consent to the tokens and to their end.

A code is good once and for a minute; one that is shown again was stolen from somebody, so its grant ends. The same
holds for refresh tokens, which rotate. Access tokens are short-lived and die with their grant.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, or_, select, update
from sqlalchemy.orm import Session

from app.context import Caller, Context, Runtime
from app.database import new_id, now
from app.errors import Invalid, NotFound
from app.models import ApiKey, App, Grant, GrantCode, OAuthClient, User
from app.services import accounts, apps, clients, credentials
from app.services.credentials import Claims, GrantClaims
from app.services.logins import Proof
from app.services.views import Listing, Window

SCOPES = ("read", "write")  # what a client can be allowed; never `admin`
LIFE = timedelta(days=90)
CODE_LIFE = timedelta(seconds=60)
KEPT = timedelta(days=30)  # how long a grant that is over is still listed
NO_GRANT = "Grant not found"
NO_CLIENT = "This client is not registered here"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks a person for; `app` is as which it would work."""

    client_id: str
    app: str
    redirect_uri: str
    is_redirect_explicit: bool
    code_challenge: str
    scopes: Sequence[str]
    resource: str
    state: str | None


@dataclass(frozen=True, slots=True)
class Code:
    """A code that can be redeemed still."""

    grant_id: UUID
    code: str
    redirect_uri: str
    is_redirect_explicit: bool
    code_challenge: str
    scopes: Sequence[str]
    resource: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh token that is good still."""

    grant_id: UUID
    client_id: UUID
    token: str
    scopes: Sequence[str]
    resource: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets; `expires_in` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    scopes: Sequence[str]


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant as its user sees it: which client, as which app, what it may, at which address, since and until when."""

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


LIVING: list[ColumnElement[bool]] = [
    Grant.revoked_at.is_(None),
    Grant.expires_at > bindparam("now"),
    Grant.user_id.in_(select(User.id).where(User.is_active)),
    or_(Grant.key_id.is_(None), Grant.key_id.in_(select(ApiKey.id).where(ApiKey.revoked_at.is_(None)))),
]
BY_TOKEN = (
    select(User.id, User.user_id, App.name, Grant.scopes, Grant.resource)
    .select_from(Grant)
    .join(User, User.id == Grant.user_id)
    .join(App, App.id == Grant.app_id)
    .where(Grant.id == bindparam("grant_id"), User.id == bindparam("user_id"), *LIVING)
)
VIEW: Select[*tuple[Any, ...]] = (
    select(
        Grant.id,
        User.user_id,
        OAuthClient.name,
        App.name,
        Grant.scopes,
        Grant.resource,
        Grant.created_at,
        Grant.last_used_at,
        Grant.expires_at,
        Grant.revoked_at,
    )
    .select_from(Grant)
    .join(User, User.id == Grant.user_id)
    .join(OAuthClient, OAuthClient.id == Grant.client_id)
    .join(App, App.id == Grant.app_id)
)


def approve(runtime: Runtime, who: Proof, asked: Asked) -> str:
    """Grant what was asked; the code that the client redeems. The grant does not outlive the key that proved `who`.

    Raises:
        Invalid: the client is not registered any more.
    """
    client = clients.get(runtime, asked.client_id)
    if client is None:
        raise Invalid(NO_CLIENT)
    code = secrets.token_urlsafe(32)
    latest = now() + LIFE
    with runtime.context(_owner(runtime, who.user_id), writing=True) as ctx:
        _forget_old(ctx.session)
        app = apps.ensure(ctx, who.user_id, accounts.check_name(asked.app))
        grant = Grant(
            id=new_id(),
            user_id=who.user_id,
            client_id=client.id,
            app_id=app.id,
            key_id=who.key_id,
            scopes=[scope for scope in SCOPES if scope in asked.scopes],
            resource=asked.resource,
            expires_at=min(latest, who.until or latest),
        )
        ctx.session.add(grant)
        ctx.session.flush()
        ctx.session.add(
            GrantCode(
                code_hash=credentials.digest(code),
                grant_id=grant.id,
                redirect_uri=asked.redirect_uri,
                is_redirect_explicit=asked.is_redirect_explicit,
                code_challenge=asked.code_challenge,
                expires_at=now() + CODE_LIFE,
            )
        )
    return code


def _owner(runtime: Runtime, user_id: UUID) -> Caller:
    with runtime.database.reading() as session:
        name = session.execute(select(User.user_id).where(User.id == user_id)).scalar_one()
    return Caller(user_id, name, None, frozenset(SCOPES))


def _forget_old(session: Session) -> None:
    over = Grant.expires_at < now() - KEPT
    stale = GrantCode.expires_at < now() - KEPT
    never_used = Grant.refresh_hash.is_(None) & (Grant.created_at < now() - timedelta(days=1))
    for table, condition in ((GrantCode, stale), (Grant, over), (Grant, never_used)):
        session.execute(delete(table).where(condition).execution_options(synchronize_session=False))


def find_code(runtime: Runtime, client_id: str, code: str) -> Code | None:
    """The code, if it is this client's and was not used; if it was, its grant ends."""
    query = (
        select(GrantCode, Grant)
        .join(Grant, Grant.id == GrantCode.grant_id)
        .where(GrantCode.code_hash == credentials.digest(code), *LIVING)
    )
    with runtime.database.reading() as session:
        row = session.execute(query, {"now": now()}).first()
        if row is None or str(row.Grant.client_id) != client_id:
            return None
        kept, grant = row.GrantCode, row.Grant
        found = Code(
            grant.id,
            code,
            kept.redirect_uri,
            kept.is_redirect_explicit,
            kept.code_challenge,
            grant.scopes,
            grant.resource,
            kept.expires_at,
        )
        was_used = kept.used_at is not None
    if was_used:
        end(runtime, found.grant_id)
        return None
    return found


def redeem(runtime: Runtime, code: Code) -> Tokens | None:
    """The first tokens for a code; None, and the end of the grant, if somebody was quicker."""
    mine = update(GrantCode).where(
        GrantCode.code_hash == credentials.digest(code.code), GrantCode.used_at.is_(None), GrantCode.expires_at > now()
    )
    with runtime.database.transaction() as session:
        used = session.execute(mine.values(used_at=now()).returning(GrantCode.grant_id)).first()
        tokens = _issue(runtime, session, code.grant_id, None, code.scopes) if used else None
    if tokens is None:
        end(runtime, code.grant_id)
    return tokens


def _issue(
    runtime: Runtime, session: Session, grant_id: UUID, shown: str | None, scopes: Collection[str]
) -> Tokens | None:
    """Tokens of a living grant whose last refresh token was `shown`; None if it is another."""
    row = session.execute(
        select(Grant.user_id, Grant.resource, Grant.scopes, Grant.expires_at).where(Grant.id == grant_id, *LIVING),
        {"now": now()},
    ).first()
    if row is None:
        return None
    secret = runtime.settings.signing_key
    fresh = credentials.issue("grant", Claims(row.user_id, grant_id), row.expires_at, secret)
    last = Grant.refresh_hash.is_(None) if shown is None else Grant.refresh_hash == credentials.digest(shown)
    rotated = session.execute(
        update(Grant)
        .where(Grant.id == grant_id, last)
        .values(refresh_hash=credentials.digest(fresh), last_used_at=now())
        .returning(Grant.id)
    ).first()
    if rotated is None:
        return None
    given = [scope for scope in row.scopes if scope in scopes]
    access = credentials.issue_granted(GrantClaims(row.user_id, grant_id, row.resource, frozenset(given)), secret)
    return Tokens(access, fresh, int(credentials.GRANT_LIFE.total_seconds()), given)


def find_refresh(runtime: Runtime, client_id: str, token: str) -> Refresh | None:
    """The refresh token, if it is this client's last one; if it is an older one, its grant ends."""
    claims = credentials.read("grant", token, runtime.settings.signing_key)
    if claims is None:
        return None
    columns = (Grant.id, Grant.client_id, Grant.scopes, Grant.resource, Grant.expires_at, Grant.refresh_hash)
    with runtime.database.reading() as session:
        row = session.execute(select(*columns).where(Grant.id == claims.session_id, *LIVING), {"now": now()}).first()
    if row is None or str(row.client_id) != client_id:
        return None
    if row.refresh_hash != credentials.digest(token):
        end(runtime, row.id)
        return None
    return Refresh(row.id, row.client_id, token, row.scopes, row.resource, row.expires_at)


def rotate(runtime: Runtime, refresh: Refresh, scopes: Collection[str]) -> Tokens | None:
    """New tokens for a refresh token, which is void from now on; None, and the end of the grant, if it was already."""
    with runtime.database.transaction() as session:
        tokens = _issue(runtime, session, refresh.grant_id, refresh.token, scopes)
    if tokens is None:
        end(runtime, refresh.grant_id)
    return tokens


def authenticate(runtime: Runtime, shown: str, resources: Collection[str]) -> Caller | None:
    """The caller whom a client's access token names; None if it is none, or not for one of these addresses."""
    claims = credentials.read_granted(shown, runtime.settings.signing_key) if credentials.is_token(shown) else None
    if claims is None or claims.audience not in resources:
        return None
    values = {"grant_id": claims.grant_id, "user_id": claims.user_id, "now": now()}
    with runtime.database.reading() as session:
        row = session.execute(BY_TOKEN, values).first()
    if row is None or row.resource != claims.audience:
        return None
    return Caller(row.id, row.user_id, row.name, claims.scopes.intersection(row.scopes), session_id=claims.grant_id)


def end(runtime: Runtime, grant_id: UUID) -> None:
    """End a grant and with it all its tokens; one that is over stays over."""
    with runtime.database.transaction() as session:
        session.execute(_ending(Grant.id == grant_id))


def end_by_token(runtime: Runtime, client_id: str, token: str) -> None:
    """End the grant that an access or a refresh token of this client belongs to, if there is one."""
    secret = runtime.settings.signing_key
    granted, refresh = credentials.read_granted(token, secret), credentials.read("grant", token, secret)
    id = granted.grant_id if granted else refresh.session_id if refresh else None
    client = clients.get(runtime, client_id)
    if id is None or client is None:
        return
    with runtime.database.transaction() as session:
        session.execute(_ending(Grant.id == id, Grant.client_id == client.id))


def _ending(*conditions: ColumnElement[bool]) -> Any:
    return update(Grant).where(Grant.revoked_at.is_(None), *conditions).values(revoked_at=now())


def listing(ctx: Context, window: Window, user_id: str | None = None) -> Listing[GrantView]:
    """Grants that were used, newest first: of `user_id`, else the caller's, or everybody's when an admin asks.

    Raises:
        NotFound: no such user, or not the caller's to act for.
        Forbidden: the key is bound to an app.
    """
    accounts.require_unbound(ctx.caller)
    conditions: list[ColumnElement[bool]] = [Grant.refresh_hash.is_not(None)]
    if user_id is not None or not ctx.caller.is_admin:
        owner = accounts.find_user(ctx, user_id or ctx.caller.name)
        if owner is None:
            raise NotFound("User not found")
        conditions.append(Grant.user_id == owner)
    newest = VIEW.where(*conditions).order_by(Grant.created_at.desc(), Grant.id.desc())
    rows = ctx.session.execute(newest.limit(window.limit).offset(window.offset))
    total = ctx.session.scalar(select(func.count()).select_from(Grant).where(*conditions)) or 0
    return Listing([GrantView(*row) for row in rows], total)


def revoke(ctx: Context, grant_id: UUID) -> GrantView:
    """End a grant from the next request on; once more does nothing.

    Raises:
        NotFound: no such grant, or somebody else's.
        Forbidden: the key is bound to an app.
    """
    accounts.require_unbound(ctx.caller)
    mine = [Grant.id == grant_id, *([] if ctx.caller.is_admin else [Grant.user_id == ctx.caller.user_id])]
    if ctx.session.scalar(select(Grant.id).where(*mine)) is None:
        raise NotFound(NO_GRANT)
    ctx.session.execute(_ending(*mine))
    return GrantView(*ctx.session.execute(VIEW.where(Grant.id == grant_id)).one())
