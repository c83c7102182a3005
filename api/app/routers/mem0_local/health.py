"""/health, /status, /metrics: below `/v1` and at the server's root."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response

from app.context import Runtime
from app.routers.mem0_local import wire_health as wire
from app.routers.mem0_local.wire import Envelope
from app.routers.protocol import Reading, runtime_of, shaped
from app.services import components, figures

Server = Annotated[Runtime, Depends(runtime_of)]

router = APIRouter(tags=["health"])


@router.get("/health", response_model=Envelope[wire.Health], summary="Is it up")
def health(server: Server) -> Response:
    """Asked without a key."""
    return shaped(wire.health(server.engine.is_ready))


@router.get("/status", response_model=Envelope[wire.Status], summary="How are its parts")
def status(ctx: Reading) -> Response:
    """Each asked now, with how long it took."""
    return shaped(wire.status(components.status(ctx)))


@router.get("/metrics", response_model=Envelope[wire.Metrics], summary="What has this process answered")
def metrics(ctx: Reading, request: Request, accept: Annotated[str, Header()] = "*/*") -> Response:
    """For an admin: JSON, or Prometheus's text with `Accept: text/plain` and at `/metrics`."""
    if wire.wants_text(accept, bool(request.scope.get("root_path"))):
        return Response(figures.text(ctx), media_type=wire.TEXT)
    return shaped(wire.metrics(figures.get(ctx)))
