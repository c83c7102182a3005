"""Signing in to the dashboard: /auth. Logging in has no credential yet, so these verbs take the runtime."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Cookie, Depends, Header, Request, Response
from fastapi_pagination import Page

from app.context import Runtime
from app.database import now
from app.routers.openmemory import wire_accounts as wire
from app.routers.openmemory.paging import FiftyAPage
from app.routers.protocol import Credential, Reading, Writing, runtime_of
from app.services import grants, logins

COOKIE = "commonplace_refresh"
PATH = "/api/v1/auth"

Server = Annotated[Runtime, Depends(runtime_of)]


def kept_token(
    kept: Annotated[str | None, Cookie(alias=COOKIE, description="The refresh token.")] = None,
    site: Annotated[str | None, Header(alias="Sec-Fetch-Site", include_in_schema=False)] = None,
) -> str | None:
    """The cookie, if this server's own page sent it: SameSite lets another port of the same host send it, too."""
    return kept if site in (None, "same-origin", "none") else None


Kept = Annotated[str | None, Depends(kept_token)]
UserAgent = Annotated[str | None, Header(include_in_schema=False)]

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post("/login", summary="Sign in")
def login(
    server: Server, request: Request, response: Response, body: wire.LoginIn, user_agent: UserAgent = None
) -> wire.LoginOut:
    """Tokens for a user's password, or for a key that may all that its user may."""
    asked = body.model_dump(exclude={"cookie_only"})
    client = request.client.host if request.client else None
    signed_in = logins.login(server, **asked, user_agent=user_agent, client=client)
    _keep(request, response, signed_in.refresh_token, signed_in.expires_at)
    return wire.login(signed_in, in_body=not body.cookie_only)


@router.post("/refresh", summary="New tokens")
def refresh(
    server: Server, request: Request, response: Response, kept: Kept, body: wire.RefreshIn | None = None
) -> wire.LoginOut:
    """New tokens for a refresh token (in the body, else the cookie), which is void from now on.

    The new one is shown to who showed the old one; what came as a cookie goes as a cookie.
    """
    signed_in = logins.refresh(server, _shown(body, kept))
    _keep(request, response, signed_in.refresh_token, signed_in.expires_at)
    return wire.login(signed_in, in_body=bool(body and body.refresh_token))


@router.post("/logout", summary="Sign out")
def logout(
    server: Server, response: Response, access: Credential, kept: Kept, body: wire.RefreshIn | None = None
) -> wire.Message:
    """End the login that the access token, the body's refresh token or the cookie belongs to."""
    shown = _shown(body, kept)
    logins.logout(server, access, shown)
    if access or shown:  # else another site's page may ask, whose answer must not take the cookie away
        response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict")
    return wire.Message(message="Signed out")


@router.get("/me", summary="Who am I")
def me(ctx: Reading) -> wire.MeOut:
    """The caller, and what the credential may do."""
    return wire.me(logins.me(ctx))


@router.get("/grants", summary="What clients were allowed by OAuth")
def granted(ctx: Reading, paging: FiftyAPage, user_id: wire.Name | None = None) -> Page[wire.GrantOut]:
    """Newest first, ended ones too: one's own, everybody's for an admin who names nobody."""
    return wire.page(wire.grant, grants.listing(ctx, paging.window, user_id), paging)


@router.delete("/grants/{grant_id}", summary="Take back what a client was allowed")
def ungrant(ctx: Writing, grant_id: UUID) -> wire.GrantOut:
    """All its tokens are void from now on."""
    return wire.grant(grants.revoke(ctx, grant_id))


@router.get("/sessions", summary="Where one is signed in")
def sessions(ctx: Reading, paging: FiftyAPage) -> Page[wire.LoginLine]:
    """The caller's own logins that have not ended, last renewed first."""
    return wire.page(wire.login_line, logins.listing(ctx, paging.window), paging)


@router.delete("/sessions", summary="Sign out everywhere else")
def end_others(ctx: Writing) -> wire.Ended:
    """End all of the caller's logins but the one that asks."""
    return wire.Ended(ended=logins.end_others(ctx))


@router.delete("/sessions/{session_id}", summary="Sign out somewhere")
def end(ctx: Writing, session_id: UUID) -> wire.Ended:
    """Its tokens are void from the next request on."""
    logins.end(ctx, session_id)
    return wire.Ended(ended=1)


def _shown(body: wire.RefreshIn | None, kept: str | None) -> str | None:
    return body.refresh_token if body and body.refresh_token else kept


def _keep(request: Request, response: Response, token: str, end: datetime) -> None:
    """Have the browser keep the refresh token where no script can read it and no other site can send it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int((end - now()).total_seconds()),
        path=PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
