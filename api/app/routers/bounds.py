"""How much of a request is read: what says that it is longer is refused, what is longer than it says is cut off."""

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from app.errors import CommonplaceError


def says_more(scope: Scope, most: int) -> bool:
    """Whether the request itself says that its body has over `most` bytes."""
    length = Headers(scope=scope).get("content-length", "0")
    return length.isdigit() and int(length) > most


def bounded(receive: Receive, most: int, too_large: CommonplaceError) -> Receive:
    """`receive`, which raises `too_large` once over `most` bytes have come."""
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise too_large
        return message

    return counting
