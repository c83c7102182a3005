"""The HTTP status of each domain error, as all protocols have it that say nothing else."""

import math

from app import errors

USUAL: dict[type[errors.CommonplaceError], int] = {
    errors.TooLarge: 413,
    errors.Invalid: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.RateLimited: 429,
    errors.Unavailable: 503,
}


def status_of(error: errors.CommonplaceError, statuses: dict[type[errors.CommonplaceError], int] = USUAL) -> int:
    """The status of the error's own class, else of the nearest above it."""
    return next(statuses[kind] for kind in type(error).__mro__ if kind in statuses)


def headers_of(error: errors.CommonplaceError, scheme: str | None = "Bearer") -> dict[str, str]:
    """What goes with it: when to come again (never too early), or by which scheme to say who asks."""
    if isinstance(error, errors.RateLimited):
        return {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    is_unknown = scheme is not None and isinstance(error, errors.Unauthenticated)
    return {"WWW-Authenticate": str(scheme)} if is_unknown else {}
