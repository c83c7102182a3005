"""The limiter by itself: exact among threads and among processes, and what becomes of it while Redis is away."""

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import limiter
from app.limiter import Count, Limiter, Verdict, rates
from app.settings import Settings
from tests.redis_server import RedisServer

CLIENTS = 16


def counts(written: str, who: str = "ann") -> list[Count]:
    return [Count(rate, who) for rate in rates(written)]


def allowed(ask: Callable[[], Verdict], times: int) -> int:
    """How many of so many requests of sixteen clients at once may pass."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(verdict.is_allowed for verdict in pool.map(lambda _: ask(), range(times)))


def test_a_window_is_exact_among_sixteen_clients() -> None:
    for written, most in (("30/minute", 30), ("100/minute; 20/10 seconds", 20), ("7/minute; 20/10 seconds", 7)):
        shared = Limiter()
        assert allowed(lambda limiter=shared, text=written: limiter.hit(counts(text)), 200) == most


def test_callers_do_not_share_their_windows() -> None:
    one = Limiter()
    assert [one.hit(counts("1/minute", who)).is_allowed for who in ("ann", "bob", "ann")] == [True, True, False]


def test_what_is_refused_costs_nothing() -> None:
    one = Limiter()
    both = "2/minute; 1/second"
    assert one.hit(counts(both)).is_allowed
    assert [one.hit(counts(both)).is_allowed for _ in range(5)] == [False] * 5
    time.sleep(1.05)
    assert one.hit(counts(both)).is_allowed, "the refusals have used up the minute"


def test_the_window_moves_and_says_when() -> None:
    one = Limiter()
    first = one.hit(counts("2/second"))
    assert (first.is_allowed, first.limit, first.remaining, first.retry_after) == (True, 2, 1, 0.0)
    assert first.reset - time.time() <= 2
    time.sleep(0.6)
    one.hit(counts("2/second"))
    refused = one.hit(counts("2/second"))
    assert (refused.is_allowed, refused.remaining) == (False, 0)
    assert 0 < refused.retry_after <= 0.4
    time.sleep(refused.retry_after + 0.02)
    assert [one.hit(counts("2/second")).is_allowed for _ in range(2)] == [True, False]


def test_a_refusal_speaks_of_the_window_that_refused() -> None:
    one = Limiter()
    verdicts = [one.hit(counts("100/minute; 2/10 seconds")) for _ in range(3)]
    assert [(verdict.limit, verdict.remaining) for verdict in verdicts] == [(100, 99), (100, 98), (2, 0)]
    assert verdicts[2].headers["X-RateLimit-Limit"] == "2"


def test_who_does_not_ask_any_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "CROWD", 50)
    one = Limiter()
    for number in range(200):
        one.hit(counts("1/second", f"caller {number}"))
    time.sleep(limiter.TIDY_EVERY + 0.2)
    for _ in range(3):  # the library empties the lists in a thread of its own
        one.hit(counts("100/second", "the last"))
        time.sleep(0.1)
    one._local._tidied = 0.0
    one.hit(counts("100/second", "the last"))
    assert len(one._local._storage.events) < 50  # type: ignore[union-attr]


@pytest.mark.parametrize("nonsense", ["", "often", "10/fortnight", "x/minute"])
def test_a_setting_that_makes_no_sense_is_refused_at_the_start(nonsense: str) -> None:
    with pytest.raises(ValueError, match="rate_limit_mem0"):
        Settings(_env_file=None, rate_limit_mem0=nonsense)  # type: ignore[call-arg]


def test_a_redis_that_is_no_address_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError, match="redis_url"):
        Settings(_env_file=None, redis_url="localhost")  # type: ignore[call-arg]


def test_a_redis_that_says_nothing_holds_up_one_request_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        one = Limiter(f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        begun = time.monotonic()
        assert allowed(lambda: one.hit(counts("5/minute")), 100) == 5
        assert time.monotonic() - begun < 2
        assert one.is_shared is False


def test_off_is_no_limit() -> None:
    assert rates("off") == rates(" OFF ") == ()


PROCESS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from app.limiter import Count, Limiter, rates

shared = Limiter(sys.argv[1])
counts = [Count(rate, "ann") for rate in rates("100/minute; 60/10 seconds")]
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(16) as pool:
    print(sum(verdict.is_allowed for verdict in pool.map(lambda _: shared.hit(counts), range(100))))
assert shared.is_shared
"""


def test_processes_share_a_window_in_redis(redis_server: RedisServer) -> None:
    command = [sys.executable, "-c", PROCESS, redis_server.url]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    passed = [int(process.communicate(timeout=60)[0]) for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert sum(passed) == 60


def test_redis_goes_and_comes_back(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "TRY_AGAIN", 0.2)
    caplog.set_level(logging.INFO, logger="app.limiter")
    one, other = Limiter(redis_server.url), Limiter(redis_server.url)
    assert [one.hit(counts("2/minute")).is_allowed, other.hit(counts("2/minute")).is_allowed] == [True, True]
    assert not one.hit(counts("2/minute")).is_allowed
    redis_server.stop()
    # Each for itself now, all requests answered, and soon.
    begun = time.monotonic()
    assert [allowed(lambda: each.hit(counts("3/minute")), 40) for each in (one, other)] == [3, 3]  # noqa: B023
    assert time.monotonic() - begun < 3
    assert (one.is_shared, other.is_shared) == (False, False)
    redis_server.start()
    time.sleep(0.25)
    assert [one.hit(counts("2/minute")).is_allowed, other.hit(counts("2/minute")).is_allowed] == [True, True]
    assert not other.hit(counts("2/minute")).is_allowed
    assert (one.is_shared, other.is_shared) == (True, True)
    levels = [record.levelname for record in caplog.records if record.name == "app.limiter"]
    assert levels.count("WARNING") == 2, "one for each limiter"
    assert levels.count("INFO") == 2
    assert all(str(redis_server.port) not in record.getMessage() for record in caplog.records)
