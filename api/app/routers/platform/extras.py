"""Feedback, exports, summaries; profiles and webhooks, which this server has not."""

from typing import Any

from fastapi import APIRouter, Response

from app.routers.platform import wire
from app.routers.platform import wire_extras as shapes
from app.routers.platform.auth import Reading, Writing
from app.routers.platform.memories import DOOR
from app.routers.protocol import render
from app.services import digests, exports, feedbacks, scopes, selections

PROFILES, WEBHOOKS = "profiles", "webhooks: it tells nobody by itself of what happens"
router = APIRouter(tags=["extras"], strict_content_type=False)


@router.post("/v1/feedback", summary="Say what a memory is worth")
def feedback(ctx: Writing, body: shapes.FeedbackRequest) -> Any:
    """One opinion a user and memory, the last one; none takes it back."""
    feedbacks.give(ctx, body.memory_id, body.feedback, body.feedback_reason, door=DOOR)
    return shapes.feedback(body)


@router.post("/v1/exports", status_code=201, summary="Order an export")
def create_export(ctx: Writing, body: shapes.ExportCreate) -> Any:
    """It is made when it is read, of the memories that there are then."""
    return shapes.created(exports.create(ctx, body.whole()))


@router.post("/v1/exports/get", summary="Read an export")
def get_export(ctx: Reading, body: shapes.ExportGet) -> Any:
    """By its id, or the last one of the same selection."""
    app = scopes.of_door(ctx, DOOR)
    if body.memory_export_id is not None:
        return shapes.export(exports.of_id(ctx, body.memory_export_id, app=app))
    return shapes.export(exports.last(ctx, body.order(), app=app))


@router.post("/v1/summary", summary="Summarise memories")
def summary(ctx: Reading, body: shapes.SummaryRequest) -> Any:
    """By the configured LLM; without one the memories as they are."""
    chosen = selections.chosen(ctx, body.identifiers, body.which)
    return shapes.summary(digests.summarise(ctx, chosen, app=scopes.of_door(ctx, DOOR)))


@router.get("/v2/profiles/settings", summary="Whether there are profiles")
def profile_settings(ctx: Reading) -> Any:
    """There are none."""
    return {"enabled": False, "entities": {}, "capabilities": {}}


@router.post("/v2/profiles/settings", summary="Change profiles: not here")
@router.post("/v2/profiles/jobs", summary="Make profiles: not here")
@router.get("/v2/profiles/jobs/{job_id}", summary="How a profile's job stands: not here")
def no_profiles(ctx: Reading) -> Response:
    """501."""
    return render(wire.not_here(PROFILES))


@router.get("/api/v1/webhooks/projects/{project_id}", summary="List webhooks: not here")
@router.post("/api/v1/webhooks/projects/{project_id}", summary="Make a webhook: not here")
@router.put("/api/v1/webhooks/{webhook_id}", summary="Change a webhook: not here")
@router.delete("/api/v1/webhooks/{webhook_id}", summary="Remove a webhook: not here")
def no_webhooks(ctx: Reading) -> Response:
    """501."""
    return render(wire.not_here(WEBHOOKS))
