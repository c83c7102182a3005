"""Who asks: `Authorization: Token <key>`, as mem0's clients send it; `Bearer` does as well where only this app is."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader
from starlette.datastructures import Headers
from starlette.types import Scope

from app.context import Context
from app.routers.protocol import identify, runtime_of

SCHEMES = ("token", "bearer")
header = APIKeyHeader(name="Authorization", auto_error=False, description="`Token <API key>`.")

Sent = Annotated[str | None, Depends(header)]


def _key(sent: str | None) -> str | None:
    """The key in the header, if there is one."""
    scheme, _, key = (sent or "").strip().partition(" ")
    return key.strip() or None if scheme.lower() in SCHEMES else None


def shown(scope: Scope) -> str | None:
    """The key of a request that nobody has read yet."""
    return _key(Headers(scope=scope).get("authorization"))


def reading(request: Request, sent: Sent) -> Iterator[Context]:
    """A Context that only reads."""
    with runtime_of(request).context(identify(request, _key(sent), "read")) as ctx:
        yield ctx


def writing(request: Request, sent: Sent) -> Iterator[Context]:
    """A Context that writes, committed before the answer goes out."""
    with runtime_of(request).context(identify(request, _key(sent), "write"), writing=True) as ctx:
        yield ctx


# scope="function": without it FastAPI would leave the generator, and so commit, only after the answer is sent.
Reading = Annotated[Context, Depends(reading, scope="function")]
Writing = Annotated[Context, Depends(writing, scope="function")]
