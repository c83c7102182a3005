"""What callers show: API keys, and the signed tokens of people who signed in. Pure."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from jose import JWTError, jwt

from app.database import now

PREFIX = "cp_"
SHOWN = 11  # characters of a key by which a person knows it again

ALGORITHM = "HS256"
ACCESS_LIFE = timedelta(minutes=15)
MAX_LENGTH = 512  # keys have 46 characters and tokens under 400; a longer credential is not worth parsing

GRANT_LIFE = timedelta(hours=1)  # of a client's access token; the grant behind it is asked about at every use
MAX_SEALED = 16_384

Kind = Literal["access", "refresh", "grant"]


class NewKey(NamedTuple):
    """A key that was just made: the secret, what may be shown of it, what is kept of it."""

    key: str
    prefix: str
    hash: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says: the user's row and the login session."""

    user_id: UUID
    session_id: UUID


def digest(secret: str) -> str:
    """What is kept of a key or a refresh token: SHA-256 in hex. They are random, so it needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_key() -> NewKey:
    """A new key, not stored: `cp_` and 32 random bytes in base64url."""
    key = PREFIX + secrets.token_urlsafe(32)
    return NewKey(key, key[:SHOWN], digest(key))


def issue(kind: Kind, claims: Claims, expires_at: datetime, secret: str) -> str:
    """A token of `kind`; no two are alike."""
    return _signed(kind, claims, secrets.token_urlsafe(16), expires_at, secret)


def _signed(kind: Kind, claims: Claims, number: str, expires_at: datetime, secret: str) -> str:
    payload = {
        "typ": kind,
        "sub": str(claims.user_id),
        "sid": str(claims.session_id),
        "jti": number,
        "exp": int(expires_at.timestamp()),
    }
    return jwt.encode(payload, secret, algorithm=ALGORITHM)


def successor(token: str, claims: Claims, expires_at: datetime, secret: str) -> str:
    """The refresh token that follows `token`, always the same one: who lost the answer may ask for it again."""
    after = hmac.new(secret.encode(), token.encode(), hashlib.sha256).digest()
    return _signed("refresh", claims, base64.urlsafe_b64encode(after[:16]).decode(), expires_at, secret)


def issue_access(claims: Claims, secret: str) -> str:
    """An access token that is good from now on for ACCESS_LIFE."""
    return issue("access", claims, now() + ACCESS_LIFE, secret)


def is_token(shown: str) -> bool:
    """Whether it has the form of a token (a JSON object in base64, and two dots), valid or not."""
    return shown.startswith("eyJ") and shown.count(".") == 2


def read(kind: Kind, token: str, secret: str) -> Claims | None:
    """What the token says; None if it is not one of `kind` that we signed, or has expired."""
    if len(token) > MAX_LENGTH or not token.isascii():
        return None
    try:
        payload = jwt.decode(token, secret, algorithms=[ALGORITHM], options={"require_exp": True})
        return _claims(payload) if payload.get("typ") == kind else None
    except (JWTError, ValueError, KeyError):
        return None


@dataclass(frozen=True, slots=True)
class GrantClaims:
    """What a client's access token says: user, grant, the address it is for, and the scopes."""

    user_id: UUID
    grant_id: UUID
    audience: str
    scopes: frozenset[str]


def issue_granted(claims: GrantClaims, secret: str) -> str:
    """An access token for a client, good from now on for GRANT_LIFE."""
    payload = {
        "typ": "mcp",
        "sub": str(claims.user_id),
        "sid": str(claims.grant_id),
        "aud": claims.audience,
        "scope": " ".join(sorted(claims.scopes)),
        "jti": secrets.token_urlsafe(16),
        "exp": int((now() + GRANT_LIFE).timestamp()),
    }
    return jwt.encode(payload, secret, algorithm=ALGORITHM)


def read_granted(token: str, secret: str) -> GrantClaims | None:
    """What a client's access token says; None if it is none of ours, or has expired. Who asks compares the audience."""
    payload = unsealed("mcp", token, secret)
    try:
        if payload is None:
            return None
        claims = _claims(payload)
        return GrantClaims(
            claims.user_id, claims.session_id, str(payload["aud"]), frozenset(str(payload["scope"]).split())
        )
    except (ValueError, KeyError):
        return None


def sealed(kind: str, payload: Mapping[str, Any], life: timedelta, secret: str) -> str:
    """The payload signed, to be carried by somebody who may read but not change it."""
    until = int((now() + life).timestamp())
    return jwt.encode({**payload, "typ": kind, "exp": until}, secret, algorithm=ALGORITHM)


def unsealed(kind: str, token: str, secret: str) -> dict[str, Any] | None:
    """What was sealed as `kind`; None if it was not by us, or its life is over."""
    if len(token) > MAX_SEALED or not token.isascii():
        return None
    options = {"require_exp": True, "verify_aud": False}  # compared by the caller: there may be several good ones
    try:
        payload: dict[str, Any] = jwt.decode(token, secret, algorithms=[ALGORITHM], options=options)
    except JWTError:
        return None
    return payload if payload.get("typ") == kind else None


def derived(purpose: str, of: UUID, secret: str) -> str:
    """A secret that only this server can make, the same every time, so that none has to be kept."""
    return hmac.new(secret.encode(), f"{purpose}:{of}".encode(), hashlib.sha256).hexdigest()


def _claims(payload: Mapping[str, Any]) -> Claims:
    return Claims(UUID(str(payload["sub"])), UUID(str(payload["sid"])))
