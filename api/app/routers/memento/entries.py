"""All of Memento's endpoints."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Scope

from app.context import Context
from app.errors import NotFound
from app.models import State
from app.routers.memento import wire
from app.routers.protocol import Peeking, Reading, Writing, shaped, writing_as
from app.services import namespaces, states, subjects
from app.services.namespaces import Narrowing

Deleting = Annotated[Context, Depends(writing_as(namespaces.DEFAULT), scope="function")]

router = APIRouter(tags=["entries"])


@router.post("/save", response_model=wire.Saved, summary="Save an entry")
def save(ctx: Writing, body: wire.SaveRequest) -> Response:
    """As it is, in its namespace or in "global"."""
    return shaped(wire.saved(namespaces.save(ctx, body.namespace, body.entry(), is_global=bool(body.is_global))))


@router.post("/recall", response_model=wire.Hits, summary="Search a namespace and the global one")
def recall(ctx: Reading, body: wire.RecallRequest) -> Response:
    """The best first."""
    return shaped(wire.found(namespaces.recall(ctx, body.namespace, body.asked(), body.narrowing())))


@router.post("/search", response_model=wire.Hits, summary="Search all namespaces")
def search(ctx: Reading, body: wire.SearchRequest) -> Response:
    """The best first."""
    return shaped(wire.found(namespaces.search(ctx, body.asked(), body.narrowing())))


@router.get("/list", response_model=wire.Entries, summary="The entries of a namespace")
def listing(
    ctx: Reading,
    namespace: wire.Name = None,
    tags: Annotated[str | None, Query(max_length=4_096, description="Comma-separated; all of them.")] = None,
    limit: Annotated[wire.Number, Query(description="1 to 100; 10 when absent.")] = None,
    offset: Annotated[wire.Number, Query()] = None,
    container: wire.Name = None,
) -> Response:
    """Newest first."""
    window = wire.window(limit, offset)
    page = namespaces.listing(ctx, namespace, window, Narrowing(wire.parts(tags), container))
    return shaped(wire.page(page, window))


@router.get("/health", response_model=wire.HealthOut, summary="Is it up, and what does it hold")
def health(ctx: Peeking) -> Response:
    """Without a key only status and version."""
    return shaped(wire.health(namespaces.health(ctx) if ctx else None))


class _NothingElse(APIRoute):
    """A route that does not exist for other methods: what is no endpoint is 404 there, not 405."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, below = super().matches(scope)
        return (Match.NONE, {}) if match is Match.PARTIAL else (match, below)


def delete(ctx: Deleting, entry_id: str) -> Response:
    """It is found and shown nowhere from now on."""
    with subjects.called(wire.name_of(entry_id)):
        states.set_many(ctx, [_id(entry_id)], State.deleted)
    return shaped(wire.deleted(entry_id))


def _id(shown: str) -> UUID:
    try:
        return UUID(shown)
    except ValueError:
        raise NotFound("Memory entry not found") from None


router.add_api_route(
    "/{entry_id}",
    delete,
    methods=["DELETE"],
    response_model=wire.Deleted,
    summary="Delete an entry",
    route_class_override=_NothingElse,
)
