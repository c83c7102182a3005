"""What was answered, as figures."""

import pytest

from app.measures import OTHER, Measures


def test_percentiles_lie_in_the_buckets_of_what_was_measured() -> None:
    measures = Measures()
    for seconds, times in ((0.004, 90), (0.2, 9), (4.0, 1)):
        for _ in range(times):
            measures.observe("a", "GET", "/x", 200, seconds)
    latency = measures.summary().latency
    assert latency.count == 100
    assert latency.mean == pytest.approx((0.36 + 1.8 + 4.0) * 10)
    assert 2.5 < latency.p50 <= 5
    assert 100 < latency.p95 <= 250
    assert 100 < latency.p99 <= 250
    assert measures.summary().routes["a", "GET", "/x"] == latency


def test_nothing_measured_is_nothing() -> None:
    answered = Measures().summary()
    assert (answered.latency.count, answered.latency.p99, answered.per_second, answered.by_status) == (0, 0.0, 0.0, {})


def test_what_takes_longer_than_the_last_bucket_is_its_edge() -> None:
    measures = Measures()
    measures.observe("a", "GET", "/x", 200, 500.0)
    assert measures.summary().latency.p99 == 30_000


def test_methods_that_nobody_knows_are_one() -> None:
    measures = Measures()
    for number in range(50):
        measures.observe("a", f"BREW{number}", "/x", 405, 0.001)
    assert list(measures.summary().routes) == [("a", OTHER, "/x")]
    assert measures.summary().by_status == {"405": 50}


def test_each_server_counts_its_own() -> None:
    one, other = Measures(), Measures()
    one.observe("a", "GET", "/x", 200, 0.1)
    assert b"commonplace_requests_total{" in one.text({"active": 2})
    assert b"commonplace_requests_total{" not in other.text({})
    assert b'commonplace_memories{state="active"} 2.0' in one.text({"active": 2})
