"""Health, status and metrics in mem0-local's shapes. Pure: no FastAPI, no I/O."""

from typing import Literal

from pydantic import BaseModel

from app import __version__
from app.measures import Latency
from app.routers.mem0_local.wire import Envelope
from app.services.components import Components, Condition
from app.services.figures import Figures

TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Health(BaseModel):
    """Whether the server answers, and whether its engine is loaded."""

    status: Literal["ok"] = "ok"
    version: str = __version__
    engine: Literal["ready", "loading"]


class ComponentOut(BaseModel):
    """A part of the server; the LLM's latency is that of its last answer. `name` is told to admins."""

    state: Condition
    latency_ms: float | None
    name: str | None


class Status(BaseModel):
    """The server and its parts."""

    status: Literal["ok", "degraded"]
    version: str = __version__
    uptime_seconds: float
    components: dict[str, ComponentOut]


class LatencyOut(BaseModel):
    """Of `count` requests, in milliseconds."""

    count: int
    mean_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


class RouteOut(LatencyOut):
    """One route's latency."""

    door: str
    method: str
    route: str


class Requests(BaseModel):
    """What this process has answered since its start; the rate is the last minute's."""

    total: int
    per_second: float
    by_status: dict[str, int]
    latency: LatencyOut
    routes: list[RouteOut]


class Metrics(BaseModel):
    """The figures of the server."""

    uptime_seconds: float
    requests: Requests
    memories: dict[str, int]
    users: int


def health(is_ready: bool) -> Envelope[Health]:
    """Is it up."""
    return Envelope(data=Health(engine="ready" if is_ready else "loading"), message="The server is up")


def status(components: Components) -> Envelope[Status]:
    """How is it."""
    parts = {
        name: ComponentOut(state=part.state, latency_ms=part.latency, name=part.name)
        for name, part in components.parts.items()
    }
    overall: Literal["ok", "degraded"] = "ok" if components.are_well else "degraded"
    return Envelope(data=Status(status=overall, uptime_seconds=round(components.uptime, 3), components=parts))


def metrics(figures: Figures) -> Envelope[Metrics]:
    """The figures as JSON."""
    answered = figures.answered
    routes = [
        RouteOut(door=door, method=method, route=route, **_latency(latency).model_dump())
        for (door, method, route), latency in answered.routes.items()
    ]
    requests = Requests(
        total=sum(answered.by_status.values()),
        per_second=round(answered.per_second, 3),
        by_status=dict(answered.by_status),
        latency=_latency(answered.latency),
        routes=routes,
    )
    uptime = round(answered.uptime, 3)
    data = Metrics(uptime_seconds=uptime, requests=requests, memories=dict(figures.memories), users=figures.users)
    return Envelope(data=data)


def _latency(one: Latency) -> LatencyOut:
    return LatencyOut(count=one.count, mean_ms=one.mean, p50_ms=one.p50, p95_ms=one.p95, p99_ms=one.p99)


def wants_text(accept: str, is_versioned: bool) -> bool:
    """Whether Prometheus asks: it names text; at `/metrics` everybody who does not name JSON."""
    named = {part.split(";")[0].strip() for part in accept.lower().split(",")}
    if "application/json" in named:
        return False
    return not is_versioned or bool(named & {"text/plain", "application/openmetrics-text"})
