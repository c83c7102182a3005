"""OAuth 2.1 with the SDK's handlers: they speak, `services.clients` and `services.grants` keep and decide."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import anyio.to_thread
from mcp.server.auth.handlers.authorize import AuthorizationHandler
from mcp.server.auth.handlers.register import RegistrationHandler
from mcp.server.auth.handlers.token import TokenHandler
from mcp.server.auth.middleware.client_auth import AuthenticationError, ClientAuthenticator
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    RegistrationError,
    TokenError,
)
from mcp.server.auth.settings import ClientRegistrationOptions
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import AnyUrl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.context import Runtime
from app.errors import CommonplaceError
from app.routers.mcp import wire_oauth as wire
from app.routers.mcp.entrance import METADATA, PATH, base_url
from app.services import clients, credentials, grants
from app.services.grants import Asked

SERVER_METADATA = "/.well-known/oauth-authorization-server"
CONSENT = "/oauth/consent"
PATHS = (METADATA, f"{METADATA}/{{path:path}}", SERVER_METADATA, "/register", "/authorize", "/token", "/revoke")
NO_FILES = "Forms are application/x-www-form-urlencoded"  # the SDK would leave what is uploaded open
RUNNING_OUT = "The authorization code or refresh token is not good any more"

Value = TypeVar("Value")
Handle = Callable[["Provider", Request], Awaitable[Response]]


class Registered(OAuthClientInformationFull):
    """A registered client as the SDK knows it; on loopback any port will do, as RFC 8252 has it."""

    def validate_redirect_uri(self, redirect_uri: AnyUrl | None) -> AnyUrl:
        """The URI if it was registered, exactly but for a loopback's port."""
        known = self.redirect_uris or []
        if redirect_uri is not None and wire.is_loopback(str(redirect_uri)):
            portless = [wire.without_port(str(uri)) for uri in known if wire.is_loopback(str(uri))]
            if wire.without_port(str(redirect_uri)) in portless:
                return redirect_uri
        return super().validate_redirect_uri(redirect_uri)


class KeptCode(AuthorizationCode):
    """A code, with what the services know of it."""

    kept: grants.Code


class KeptRefresh(RefreshToken):
    """A refresh token, with what the services know of it."""

    kept: grants.Refresh


async def _off(act: Callable[..., Value], *arguments: Any) -> Value:
    return await anyio.to_thread.run_sync(act, *arguments)


class Provider(OAuthAuthorizationServerProvider[KeptCode, KeptRefresh, AccessToken]):
    """What the SDK's handlers ask; one a request, because `base` is the address that the client uses."""

    def __init__(self, runtime: Runtime, base: str) -> None:
        self._runtime = runtime
        self.base = base

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        """The client as it registered."""
        known = await _off(clients.get, self._runtime, client_id)
        if known is None:
            return None
        is_public = known.metadata.get("token_endpoint_auth_method") == "none"
        secret = None if is_public else known.secret
        return Registered.model_validate({**known.metadata, "client_id": client_id, "client_secret": secret})

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Keep it; what it says of itself, but no secret: that is derived, and told to it by way of `client_info`."""
        fault = wire.fault_of([str(uri) for uri in client_info.redirect_uris or ()])
        if fault:
            raise RegistrationError("invalid_redirect_uri", fault)
        client_info.scope = client_info.scope or wire.SCOPES
        told = client_info.model_dump(
            mode="json", exclude={"client_id", "client_secret", "client_secret_expires_at"}, exclude_none=True
        )
        id = UUID(client_info.client_id)
        try:
            known = await _off(clients.register, self._runtime, id, client_info.client_name, told)
        except CommonplaceError as error:
            raise RegistrationError("invalid_client_metadata", str(error)) from None
        if client_info.client_secret is not None:
            client_info.client_secret = known.secret

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        """The address of the consent page, with what is asked, signed."""
        resource = (params.resource or f"{self.base}{PATH}").rstrip("/")
        if not wire.is_ours(resource, f"{self.base}{PATH}"):
            raise AuthorizeError("invalid_target", "This server has no such resource")
        if not wire.CHALLENGE.fullmatch(params.code_challenge):
            raise AuthorizeError("invalid_request", "code_challenge is not that of S256")
        asked = Asked(
            client_id=client.client_id,
            app=wire.app_of(resource, f"{self.base}{PATH}") or client.client_name or clients.UNNAMED,
            redirect_uri=str(params.redirect_uri),
            is_redirect_explicit=params.redirect_uri_provided_explicitly,
            code_challenge=params.code_challenge,
            scopes=params.scopes or list(grants.SCOPES),
            resource=resource,
            state=params.state,
        )
        secret = self._runtime.settings.signing_key
        request = credentials.sealed("consent", wire.carried(asked), wire.CONSENT_LIFE, secret)
        return f"{self.base}{CONSENT}?{urlencode({'request': request})}"

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> KeptCode | None:
        """The code, if it was not used; if it was, its grant ends."""
        kept = await _off(grants.find_code, self._runtime, client.client_id, authorization_code)
        if kept is None:
            return None
        return KeptCode(
            code=authorization_code,
            scopes=list(kept.scopes),
            expires_at=kept.expires_at.timestamp(),
            client_id=client.client_id,
            code_challenge=kept.code_challenge,
            redirect_uri=AnyUrl(kept.redirect_uri),
            redirect_uri_provided_explicitly=kept.is_redirect_explicit,
            resource=kept.resource,
            kept=kept,
        )

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: KeptCode
    ) -> OAuthToken:
        """The first tokens."""
        return _given(await _off(grants.redeem, self._runtime, authorization_code.kept))

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> KeptRefresh | None:
        """The refresh token, if it is the last one; if it is an older one, its grant ends."""
        kept = await _off(grants.find_refresh, self._runtime, client.client_id, refresh_token)
        if kept is None:
            return None
        return KeptRefresh(
            token=refresh_token,
            client_id=client.client_id,
            scopes=list(kept.scopes),
            expires_at=int(kept.expires_at.timestamp()),
            resource=kept.resource,
            kept=kept,
        )

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: KeptRefresh, scopes: list[str]
    ) -> OAuthToken:
        """New tokens; the old refresh token is void."""
        return _given(await _off(grants.rotate, self._runtime, refresh_token.kept, scopes))

    async def load_access_token(self, token: str) -> AccessToken | None:
        """None: the door reads its tokens itself (`entrance.identify`)."""
        return None

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        """End the grant of a token of this client's, whatever the token's kind or age."""
        await _off(grants.end_by_token, self._runtime, token.client_id, token.token)


def _given(tokens: grants.Tokens | None) -> OAuthToken:
    if tokens is None:
        raise TokenError("invalid_grant", RUNNING_OUT)
    return OAuthToken(
        access_token=tokens.access_token,
        expires_in=tokens.expires_in,
        scope=" ".join(tokens.scopes),
        refresh_token=tokens.refresh_token,
    )


async def _register(provider: Provider, request: Request) -> Response:
    scopes = list(grants.SCOPES)
    return await RegistrationHandler(provider, ClientRegistrationOptions(enabled=True, valid_scopes=scopes)).handle(
        request
    )


async def _authorize(provider: Provider, request: Request) -> Response:
    return await AuthorizationHandler(provider).handle(request)


async def _token(provider: Provider, request: Request) -> Response:
    form = await request.form()
    resource = form.get("resource")
    if isinstance(resource, str) and not wire.is_ours(resource.rstrip("/"), f"{provider.base}{PATH}"):
        return JSONResponse({"error": "invalid_target", "error_description": "This server has no such resource"}, 400)
    answer: Response = await TokenHandler(provider, ClientAuthenticator(provider)).handle(request)
    return answer


async def _revoke(provider: Provider, request: Request) -> Response:
    # Not the SDK's handler: it refuses public clients that leave `client_secret` out, and an older refresh token
    # would be found unknown and so end nothing.
    try:
        client = await ClientAuthenticator(provider).authenticate_request(request)
    except AuthenticationError as error:
        return JSONResponse({"error": "invalid_client", "error_description": error.message}, 401)
    token = (await request.form()).get("token")
    if not isinstance(token, str):
        return JSONResponse({"error": "invalid_request", "error_description": "token is missing"}, 400)
    await provider.revoke_token(RefreshToken(token=token, client_id=client.client_id, scopes=[]))
    return Response()


async def _server_metadata(provider: Provider, _: Request) -> Response:
    return JSONResponse(wire.server_metadata(provider.base))


async def _resource_metadata(provider: Provider, request: Request) -> Response:
    path = request.path_params.get("path", "").strip("/")
    resource = f"{provider.base}/{path}" if path else f"{provider.base}{PATH}"
    if not wire.is_ours(resource, f"{provider.base}{PATH}"):
        return JSONResponse({"error": "This server has no such resource"}, 404)
    return JSONResponse(wire.resource_metadata(resource, provider.base))


def routes(runtime: Runtime) -> Sequence[Route]:
    """The endpoints that machines use; the person's is the consent page."""

    def route(path: str, method: str, handle: Handle) -> Route:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("content-type", "").startswith("multipart/"):
                return JSONResponse({"error": "invalid_request", "error_description": NO_FILES}, 400)
            answer = await handle(Provider(runtime, base_url(runtime.settings, request)), request)
            answer.headers.setdefault("Cache-Control", "no-store")
            return answer

        return Route(path, endpoint, methods=[method])

    return [
        route(METADATA, "GET", _resource_metadata),
        route(f"{METADATA}/{{path:path}}", "GET", _resource_metadata),
        route(SERVER_METADATA, "GET", _server_metadata),
        route("/register", "POST", _register),
        route("/authorize", "GET", _authorize),
        route("/token", "POST", _token),
        route("/revoke", "POST", _revoke),
    ]
