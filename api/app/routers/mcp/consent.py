"""The page on which a person signs in and decides about a client."""

import hmac
import secrets
from typing import Annotated

from fastapi import APIRouter, Cookie, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.context import Runtime
from app.errors import CommonplaceError, Forbidden, Invalid, RateLimited, Unauthenticated
from app.routers.mcp import wire_consent, wire_oauth
from app.routers.mcp.entrance import base_url, wire
from app.routers.mcp.oauth import CONSENT
from app.routers.protocol import runtime_of
from app.services import clients, credentials, grants, logins
from app.services.grants import Asked

PATHS = (CONSENT,)
COOKIE = "commonplace_consent"
STALE = "The request is not valid any more"
FOREIGN = "The form does not come from this page: load it again"
NEITHER = "Enter a user and password, or an API key"
CLOSED = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}

Server = Annotated[Runtime, Depends(runtime_of)]
Word = Annotated[str, Form(max_length=1024)]
Sealed = Annotated[str, Form(max_length=credentials.MAX_SEALED)]
Kept = Annotated[str | None, Cookie(alias=COOKIE)]

router = APIRouter(include_in_schema=False)


@router.get(CONSENT)
def ask(
    server: Server, request: Request, sealed: Annotated[str, Query(alias="request", max_length=credentials.MAX_SEALED)]
) -> Response:
    """The page that asks."""
    try:
        return _page(server, request, sealed, _opened(server, sealed))
    except CommonplaceError as error:
        return _ended(error)


@router.post(CONSENT)
def decide(
    server: Server,
    request: Request,
    sealed: Annotated[Sealed, Form(alias="request")],
    csrf: Word,
    decision: Annotated[str, Form(pattern="^(allow|deny)$")],
    user_id: Word = "",
    password: Word = "",
    api_key: Word = "",
    kept: Kept = None,
) -> Response:
    """Back to the client, with a code or without; or the page again, saying what is wrong."""
    try:
        asked = _opened(server, sealed)
        if not kept or not hmac.compare_digest(kept.encode(), csrf.encode("utf-8", "replace")):
            return _page(server, request, sealed, asked, Forbidden(FOREIGN), user_id)
        if decision == "deny":
            return _back(server, request, asked, error="access_denied")
        client = request.client.host if request.client else None
        return _back(server, request, asked, code=_approved(server, asked, user_id, password, api_key, client))
    except (Unauthenticated, Forbidden, RateLimited) as error:
        return _page(server, request, sealed, asked, error, user_id)
    except CommonplaceError as error:
        return _ended(error)


def _approved(server: Runtime, asked: Asked, user_id: str, password: str, api_key: str, client: str | None) -> str:
    if not api_key and not (user_id and password):
        raise Unauthenticated(NEITHER)
    who = logins.prove(server, user_id=user_id, password=password, api_key=api_key.strip() or None, client=client)
    return grants.approve(server, who, asked)


def _opened(server: Runtime, sealed: str) -> Asked:
    payload = credentials.unsealed("consent", sealed, server.settings.signing_key)
    if payload is None:
        raise Invalid(STALE)
    return wire_oauth.asked(payload)


def _page(
    server: Runtime,
    request: Request,
    sealed: str,
    asked: Asked,
    error: CommonplaceError | None = None,
    user: str = "",
) -> Response:
    client = clients.get(server, asked.client_id)
    if client is None:
        raise Invalid(grants.NO_CLIENT)
    csrf, nonce = secrets.token_urlsafe(32), secrets.token_urlsafe(16)
    action = f"{base_url(server.settings, request)}{CONSENT}"
    page = wire_consent.asking(asked, client.name, action, sealed, csrf, nonce, str(error) if error else "", user)
    status = wire.failure(error).status if error else 200
    answer = HTMLResponse(page.html, status, {**CLOSED, "Content-Security-Policy": page.policy})
    answer.set_cookie(
        COOKIE, csrf, max_age=600, path=CONSENT, httponly=True, samesite="strict", secure=action.startswith("https:")
    )
    return answer


def _ended(error: CommonplaceError) -> Response:
    page = wire_consent.ended(str(error), secrets.token_urlsafe(16))
    return HTMLResponse(page.html, wire.failure(error).status, {**CLOSED, "Content-Security-Policy": page.policy})


def _back(server: Runtime, request: Request, asked: Asked, **values: str) -> Response:
    issuer = base_url(server.settings, request)
    where = wire_oauth.back(asked.redirect_uri, **values, state=asked.state, iss=issuer)
    answer = RedirectResponse(where, 303, CLOSED)
    answer.delete_cookie(COOKIE, path=CONSENT, httponly=True, samesite="strict")
    return answer
