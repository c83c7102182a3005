"""What this process has answered since it started: how often, how fast, with what status.

Labels are route templates, never paths, so their number is bounded by the routes there are.
"""

import threading
import time
from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
RECENT = 60  # seconds over which the rate is taken
OTHER = "other"  # a method, a door or a route that has no name of its own

Label = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Latency:
    """Of so many requests, in milliseconds; the percentiles are those of the histogram's buckets, interpolated."""

    count: int
    mean: float
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Answered:
    """A summary. `per_second` is that of the last minute; `routes` by door, method and template."""

    uptime: float
    per_second: float
    by_status: Mapping[str, int]
    latency: Latency
    routes: Mapping[Label, Latency]


class Measures:
    """Counters and histograms of one server; safe to use from many threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._started = time.monotonic()
        self._requests = Counter(
            "commonplace_requests", "Requests answered", ["door", "method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "commonplace_request_seconds",
            "Time to the last byte",
            ["door", "method", "route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._uptime = Gauge("commonplace_uptime_seconds", "Time since the start", registry=self.registry)
        self._memories = Gauge("commonplace_memories", "Memories that are kept", ["state"], registry=self.registry)
        self._recent = _Recent()

    def observe(self, door: str, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        method = method if method in METHODS else OTHER
        self._requests.labels(door, method, route, str(status)).inc()
        self._seconds.labels(door, method, route).observe(seconds)
        self._recent.add()

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._started

    def text(self, memories: Mapping[str, int]) -> bytes:
        """Everything in Prometheus's text format, with how many memories there are by state."""
        self._uptime.set(self.uptime)
        for state, count in memories.items():
            self._memories.labels(state).set(count)
        return generate_latest(self.registry)

    def summary(self) -> Answered:
        """Everything since the start."""
        by_status: Tally[str] = Tally()
        for sample in _samples(self._requests, "commonplace_requests_total"):
            by_status[sample[0]["status"]] += int(sample[1])
        routes = self._routes()
        whole = _Histogram.of(routes.values())
        return Answered(
            uptime=self.uptime,
            per_second=self._recent.count() / max(1.0, min(RECENT, self.uptime)),
            by_status=dict(sorted(by_status.items())),
            latency=whole.latency(),
            routes={label: one.latency() for label, one in sorted(routes.items())},
        )

    def _routes(self) -> dict[Label, "_Histogram"]:
        routes: dict[Label, _Histogram] = {}
        name = "commonplace_request_seconds"
        for labels, value in _samples(self._seconds, f"{name}_bucket"):
            found = routes.setdefault(_label(labels), _Histogram([], 0.0))
            found.below.append((float(labels["le"]), value))
        for labels, value in _samples(self._seconds, f"{name}_sum"):
            routes[_label(labels)].sum += value
        return routes


def _samples(metric: Counter | Histogram, name: str) -> Iterator[tuple[Mapping[str, str], float]]:
    for family in metric.collect():
        yield from ((sample.labels, sample.value) for sample in family.samples if sample.name == name)


def _label(labels: Mapping[str, str]) -> Label:
    return labels["door"], labels["method"], labels["route"]


@dataclass(slots=True)
class _Histogram:
    """How many took at most so long, by ascending seconds up to infinity; and the sum of the seconds."""

    below: list[tuple[float, float]]
    sum: float

    @classmethod
    def of(cls, parts: "Iterable[_Histogram]") -> "_Histogram":
        """All of them together."""
        total: dict[float, float] = {}
        seconds = 0.0
        for part in parts:
            seconds += part.sum
            for edge, count in part.below:
                total[edge] = total.get(edge, 0.0) + count
        return cls(sorted(total.items()), seconds)

    def latency(self) -> Latency:
        count = int(self.below[-1][1]) if self.below else 0
        mean = 1000 * self.sum / count if count else 0.0
        return Latency(count, round(mean, 3), *(round(1000 * self._quantile(q), 3) for q in (0.5, 0.95, 0.99)))

    def _quantile(self, quantile: float) -> float:
        """As Prometheus does it: evenly within a bucket; beyond the last edge that edge."""
        wanted = quantile * self.below[-1][1] if self.below else 0.0
        start, before = 0.0, 0.0
        for edge, count in self.below:
            if count >= wanted and count > before:
                return start if edge == float("inf") else start + (edge - start) * (wanted - before) / (count - before)
            start, before = edge, count
        return start


class _Recent:
    """How many there were in the last RECENT seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[int, int] = {}

    def add(self) -> None:
        moment = int(time.monotonic())
        with self._lock:
            self._seconds[moment] = self._seconds.get(moment, 0) + 1
            if len(self._seconds) > 2 * RECENT:
                self._seconds = {at: n for at, n in self._seconds.items() if at > moment - RECENT}

    def count(self) -> int:
        moment = int(time.monotonic())
        with self._lock:
            return sum(count for at, count in self._seconds.items() if at > moment - RECENT)
