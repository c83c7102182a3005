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
        ├── NotConfigured    there is none: the configuration names no model
        └── StoreUnavailable the vector store: the words of the index still do

Each protocol's `wire.py` gives these a status and a body. The message is shown to the caller: no secrets in it.
"""

from enum import StrEnum
from uuid import UUID


class Why(StrEnum):
    """Why something that is needed does not answer, as far as can be told."""

    refused = "refused"  # its key is not taken
    busy = "busy"  # it wants fewer questions
    slow = "slow"  # it did not answer in time
    away = "away"  # it cannot be reached, or says that it cannot just now
    misfit = "misfit"  # it does not take the question
    unknown = "unknown"


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

    def __init__(self, message: str, why: Why = Why.away) -> None:
        super().__init__(message)
        self.why = why


class Kept(Unavailable):
    """What is needed to learn from what was sent does not answer; it is kept, and `event_id` is its receipt."""

    def __init__(self, message: str, event_id: UUID, why: Why = Why.unknown) -> None:
        super().__init__(message, why)
        self.event_id = event_id


class NotConfigured(Unavailable):
    """The configuration names no model for it."""


class StoreUnavailable(Unavailable):
    """The vector store does not answer; what needs only words goes on."""
