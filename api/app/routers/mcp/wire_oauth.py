"""OAuth's documents, and what an address may be. Pure: no FastAPI, no I/O."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from app.services.grants import SCOPES as ALLOWED
from app.services.grants import Asked

SCOPES = " ".join(ALLOWED)
CONSENT_LIFE = timedelta(minutes=10)
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # a SHA-256 in base64url
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
MOST_REDIRECTS = 20
MAX_REDIRECT = 1_024

# What a browser would run or open from here instead of handing it to the client.
DANGEROUS = {"javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ws", "wss", "ftp"}
METHODS = ["none", "client_secret_post", "client_secret_basic"]


def server_metadata(base: str) -> dict[str, Any]:
    """What an authorization server says of itself (RFC 8414)."""
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "registration_endpoint": f"{base}/register",
        "revocation_endpoint": f"{base}/revoke",
        "scopes_supported": list(ALLOWED),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def resource_metadata(resource: str, base: str) -> dict[str, Any]:
    """What a protected resource says of itself (RFC 9728)."""
    return {
        "resource": resource,
        "authorization_servers": [base],
        "scopes_supported": list(ALLOWED),
        "bearer_methods_supported": ["header"],
        "resource_name": "Commonplace",
    }


def is_ours(resource: str, door: str) -> bool:
    """Whether a token for that address may be given: the door's, or one behind it."""
    return (resource == door or resource.startswith(f"{door}/")) and not re.search(r"[?#\s]|/\.\.?(/|$)", resource)


def app_of(resource: str, door: str) -> str | None:
    """The client that OpenMemory's kind of address names."""
    parts = resource.removeprefix(door).strip("/").split("/")
    return unquote(parts[0]) if len(parts) == 3 and parts[1] in {"http", "sse"} else None


def fault_of(redirect_uris: Sequence[str]) -> str | None:
    """What is wrong with a client's redirect URIs; None if nothing is."""
    if not 1 <= len(redirect_uris) <= MOST_REDIRECTS:
        return f"1 to {MOST_REDIRECTS} redirect URIs are taken"
    return next((f"{uri[:200]} {fault}" for uri in redirect_uris if (fault := _fault(uri))), None)


def _fault(uri: str) -> str | None:
    parts = urlsplit(uri)
    if len(uri) > MAX_REDIRECT:
        return "is too long"
    if parts.fragment or "#" in uri:
        return "has a fragment"
    if parts.username or parts.password:
        return "has a user"
    if parts.scheme == "http" and not is_loopback(uri):
        return "is http, and not on this machine"
    if parts.scheme == "https" and not parts.hostname:
        return "has no host"
    return "has a scheme that is not taken" if parts.scheme in DANGEROUS else None


def is_loopback(uri: str) -> bool:
    """Whether it is http on the user's own machine."""
    parts = urlsplit(uri)
    return parts.scheme == "http" and parts.hostname in LOOPBACK


def without_port(uri: str) -> str:
    """The URI without its port."""
    parts = urlsplit(uri)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return urlunsplit(parts._replace(netloc=host, path=parts.path or "/"))


def target(redirect_uri: str) -> str:
    """Where the person is sent afterwards: a host, or the scheme of an application on their machine."""
    parts = urlsplit(redirect_uri)
    return parts.netloc if parts.scheme in {"http", "https"} else f"{parts.scheme}:"


def form_target(redirect_uri: str) -> str:
    """The same as a source of a Content-Security-Policy."""
    parts = urlsplit(redirect_uri)
    is_named = parts.scheme in {"http", "https"} and ":" not in (parts.hostname or "")  # a policy knows no IPv6
    return f"{parts.scheme}://{parts.netloc}" if is_named else f"{parts.scheme}:"


def back(redirect_uri: str, **values: str | None) -> str:
    """The redirect URI with these values in its query."""
    parts = urlsplit(redirect_uri)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *((k, v) for k, v in values.items() if v is not None)]
    return urlunsplit(parts._replace(query=urlencode(query)))


def carried(asked: Asked) -> dict[str, Any]:
    """What is asked, as JSON."""
    return asdict(asked)


def asked(payload: Mapping[str, Any]) -> Asked:
    """What `carried` carried."""
    return Asked(**{name: payload[name] for name in Asked.__dataclass_fields__})
