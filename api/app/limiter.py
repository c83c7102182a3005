"""How often somebody may ask: moving windows, in this process's memory, or in Redis when several processes share them.

While Redis is away each process counts for itself: that lets through more than was meant, which is better than nobody.
"""

import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

OFF = "off"
PATIENCE = 0.5  # seconds that a request waits for Redis before it is counted here
TRY_AGAIN = 2.0  # seconds after which one request tries a Redis that was away
PREFIX = "commonplace"
CROWD = 10_000  # callers in memory from which on those are forgotten who have not asked for a window
TIDY_EVERY = 1.0  # seconds

logger = logging.getLogger(__name__)


class Count(NamedTuple):
    """One window to be counted in, and for whom."""

    rate: RateLimitItem
    who: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and what its caller is told.

    It speaks of the first of the windows; of the one that refused, if one did. `reset` is in epoch seconds: when the
    next request comes free. `retry_after` is in seconds, 0 for what may pass.
    """

    is_allowed: bool
    limit: int
    remaining: int
    reset: int
    retry_after: float = 0.0

    @property
    def headers(self) -> Mapping[str, str]:
        """As the headers that clients know."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


@cache
def rates(written: str | None) -> tuple[RateLimitItem, ...]:
    """The windows of "100/minute; 20/10 seconds"; none for "off" and for nothing.

    Raises:
        ValueError: it is not in that form.
    """
    return () if written is None or written.strip().lower() == OFF else tuple(parse_many(written))


class Limiter:
    """Counts requests; safe to use from many threads."""

    def __init__(self, redis_url: str | None = None) -> None:
        self._local = _Windows(MemoryStorage())
        self._crowd = threading.Lock()
        self._shared = None if redis_url is None else _Windows(_redis(redis_url))
        self._is_away = False
        self._try_at = 0.0
        self._turn = threading.Lock()

    def hit(self, counts: Sequence[Count]) -> Verdict:
        """Count a request in all of the windows if all have room for it, else in none."""
        if self._shared is not None and self._is_my_turn():
            try:
                verdict = self._shared.hit(counts)
            except RedisError as error:
                self._lost(error)
            else:
                self._found()
                return verdict
        # Its own locks are one a window: only with all windows under one is a request counted in all or in none.
        with self._crowd:
            self._local.forget_idle()
            return self._local.hit(counts)

    def _is_my_turn(self) -> bool:
        """Whether to ask Redis: always, but for one request now and then while it is away."""
        if not self._is_away:
            return True
        with self._turn:
            if time.monotonic() < self._try_at:
                return False
            self._try_at = time.monotonic() + TRY_AGAIN
            return True

    def _lost(self, error: RedisError) -> None:
        with self._turn:
            was_there, self._is_away = not self._is_away, True
            self._try_at = time.monotonic() + TRY_AGAIN
        if was_there:
            logger.warning("Redis is away (%s): rate limits are this process's own", type(error).__name__)

    def _found(self) -> None:
        if not self._is_away:
            return
        with self._turn:
            was_away, self._is_away = self._is_away, False
        if was_away:
            logger.info("Redis is back: rate limits are shared again")

    @property
    def is_shared(self) -> bool | None:
        """Whether Redis counts at the moment; None if it is not meant to."""
        return None if self._shared is None else not self._is_away


def _redis(url: str) -> RedisStorage:
    # Once more at once: a connection of the pool may have died since it was used.
    options = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE, "retry": Retry(NoBackoff(), 1)}
    return RedisStorage(url, key_prefix=PREFIX, **options)  # type: ignore[arg-type]


class _Windows:
    """Moving windows in a storage."""

    def __init__(self, storage: MemoryStorage | RedisStorage) -> None:
        self._storage = storage
        self._windows = MovingWindowRateLimiter(storage)
        self._tidied = 0.0

    def hit(self, counts: Sequence[Count]) -> Verdict:
        # Looked at before any is counted, so that a refusal costs nothing. Another process may come between: then it
        # has cost some, but no window ever lets through more than it may.
        several = len(counts) > 1
        full = next((one for one in counts if several and not self._windows.test(one.rate, one.who)), None)
        full = full or next((one for one in counts if not self._windows.hit(one.rate, one.who)), None)
        return self._refused(full) if full else self._passed(counts[0])

    def _passed(self, count: Count) -> Verdict:
        reset, remaining = self._windows.get_window_stats(count.rate, count.who)
        return Verdict(True, count.rate.amount, max(0, remaining), math.ceil(reset))

    def _refused(self, count: Count) -> Verdict:
        reset, _ = self._windows.get_window_stats(count.rate, count.who)
        return Verdict(False, count.rate.amount, 0, math.ceil(reset), max(0.0, reset - time.time()))

    def forget_idle(self) -> None:
        """The library keeps an empty list of everybody who ever asked."""
        storage, moment = self._storage, time.monotonic()
        if not isinstance(storage, MemoryStorage) or len(storage.events) <= CROWD or moment < self._tidied + TIDY_EVERY:
            return
        self._tidied = moment
        for key in [key for key, events in list(storage.events.items()) if not events]:
            storage.clear(key)
