"""What can go wrong, in words that know nothing of HTTP.

    CommonplaceError
    ├── Invalid            the request makes no sense; nothing was changed
    │   └── TooLarge       it might make sense, but it is over a limit
    ├── Unauthenticated    nobody we know is asking
    ├── Forbidden          we know who asks, and they may not
    ├── NotFound           there is no such thing (or it is somebody else's: the two answer alike)
    ├── Conflict           it contradicts what is stored
    │   └── Stale            it was changed since the caller read it
    ├── RateLimited        later
    └── Unavailable        something we need (a model, a store) does not answer
        ├── Kept             ... but what was sent is kept, and can be tried again
        └── StoreUnavailable the vector store: the words of the index still do

Each protocol's `wire.py` gives these a status and a body. The message is shown to the caller: no secrets in it.
"""

from uuid import UUID


class CommonplaceError(Exception):
    """Base of all domain errors; `str(error)` is fit for the caller's eyes."""


class Invalid(CommonplaceError, ValueError):
    """The request makes no sense; nothing was changed. A ValueError, so that pydantic validators may raise it."""


class TooLarge(Invalid):
    """A text, a file or a body is over its limit; the message names the limit."""


class Unauthenticated(CommonplaceError):
    """No credential, or one that is unknown, revoked or expired."""


class Forbidden(CommonplaceError):
    """The caller is known and may not do this."""


class NotFound(CommonplaceError):
    """No such thing, or one that belongs to somebody else."""


class Conflict(CommonplaceError):
    """The request contradicts what is stored."""


class Stale(Conflict):
    """The caller means a version that is not the present one any more."""


class RateLimited(CommonplaceError):
    """Too many requests; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(CommonplaceError):
    """A model or a store that is needed does not answer."""


class Kept(Unavailable):
    """What is needed to learn from what was sent does not answer; it is kept, and `event_id` is its receipt."""

    def __init__(self, message: str, event_id: UUID) -> None:
        super().__init__(message)
        self.event_id = event_id


class StoreUnavailable(Unavailable):
    """The vector store does not answer; what needs only words goes on."""
