"""Limits: how often a door may be asked, by each key, each client address, each name that somebody signs in with."""

from collections.abc import Sequence
from typing import Literal

from app.context import Caller, Runtime
from app.errors import RateLimited
from app.limiter import Count, Verdict, rates
from app.services import credentials

Door = Literal["openmemory", "mem0", "mem0_local", "memento", "mem9", "mcp", "login"]


def are_set(runtime: Runtime, door: Door) -> bool:
    """Whether requests at this door are counted at all."""
    return bool(rates(_written(runtime, door)))


def _written(runtime: Runtime, door: Door) -> str:
    written: str = getattr(runtime.settings, f"rate_limit_{door}")
    return written


def count(runtime: Runtime, door: Door, whose: Sequence[str]) -> Verdict | None:
    """Count a request for each of `whose`; None if nothing is limited here, or nobody is named."""
    counts = [Count(rate, f"{door}/{who}") for who in whose for rate in rates(_written(runtime, door))]
    return runtime.limiter.hit(counts) if counts else None


def require(runtime: Runtime, door: Door, whose: Sequence[str]) -> None:
    """Count a request, and pass if it is not one too many.

    Raises:
        RateLimited: it is.
    """
    verdict = count(runtime, door, whose)
    if verdict is not None and not verdict.is_allowed:
        raise refusal(verdict)


def refusal(verdict: Verdict) -> RateLimited:
    """What is told to whom a window has no room for."""
    return RateLimited(f"Too many requests: at most {verdict.limit} in this time", verdict.retry_after)


def by_key(caller: Caller) -> str:
    """Under which name a caller's requests are counted: the key's, else the user's."""
    return f"key/{caller.key_id}" if caller.key_id else f"user/{caller.user_id}"


def by_grant(runtime: Runtime, shown: str | None) -> str | None:
    """Under which name the requests with a client's access token are counted: its grant's. None if it is no such."""
    is_token = shown is not None and credentials.is_token(shown)
    claims = credentials.read_granted(shown, runtime.settings.signing_key) if shown and is_token else None
    return f"grant/{claims.grant_id}" if claims else None


def by_client(address: str | None) -> str:
    """Under which name a client address's requests are counted."""
    return f"client/{address or 'unknown'}"


def by_name(name: str) -> str:
    """Under which name attempts for a user's name are counted, whether there is such a user or not."""
    return f"name/{credentials.digest(name)}"
