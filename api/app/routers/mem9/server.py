"""What is asked of the server itself: is it up, may one come in, and make a space."""

from fastapi import APIRouter, Request, Response

from app import __version__
from app.database import now
from app.routers.mem9 import wire
from app.routers.mem9.door import Provisioning, Shown, answer
from app.routers.protocol import runtime_of
from app.services import spaces

STARTED_AT = now()

spaces_router = APIRouter(tags=["spaces"])
status_router = APIRouter(tags=["server"])
probes_router = APIRouter(tags=["server"])


@spaces_router.post("/mem9s", status_code=201, summary="Make a space")
def provision(ctx: Provisioning) -> Response:
    """Its key, shown this once."""
    return answer(wire.provisioned(spaces.provision(ctx)))


@status_router.get("/status", summary="Whether a key opens anything")
def status(request: Request, key: Shown) -> Response:
    """Whatever AUTH_MODE says."""
    return answer(wire.standing(spaces.standing(runtime_of(request), key)))


@probes_router.get("/healthz", summary="Is it up")
def health() -> Response:
    """Without a key."""
    return answer(wire.health())


@probes_router.get("/versionz", summary="What it is")
def version() -> Response:
    """Without a key."""
    return answer(wire.version(__version__, STARTED_AT))
