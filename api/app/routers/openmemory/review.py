"""/review: what the review found, and what becomes of it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from app.routers.openmemory import wire_review as wire
from app.routers.openmemory.fields import Name
from app.routers.openmemory.paging import FiftyAPage
from app.routers.protocol import Reading, Writing, shaped
from app.services import examinations, findings, resolutions
from app.services.resolutions import Choice

router = APIRouter(prefix="/review", tags=["review"])

OfUser = Annotated[Name | None, Query(description="The owner; without it the key's own user, for an admin everybody.")]


@router.get("", response_model=wire.FindingPage, summary="List what the review found")
def listing(
    ctx: Reading,
    paging: FiftyAPage,
    user_id: OfUser = None,
    kind: wire.Kind | None = None,
    is_resolved: Annotated[bool, Query(description="What was decided already, instead.")] = False,
) -> Response:
    """Newest first, with the memories. A secret's memory is masked."""
    found = findings.listing(ctx, paging.window, user_id, kind=kind, is_resolved=is_resolved)
    return shaped(wire.page(found, paging))


@router.get("/counts", response_model=wire.ReviewCounts, summary="How much waits for a decision")
def counts(ctx: Reading, user_id: OfUser = None) -> wire.ReviewCounts:
    """By kind, failed receipts too; and how many of the active memories were looked at."""
    return wire.counts(findings.counts(ctx, user_id))


@router.post("/scan", response_model=wire.Scanning, summary="Have all memories looked at again")
def scan(ctx: Writing, body: wire.ScanRequest | None = None) -> wire.Scanning:
    """The owner's, one's own without a name, by the worker. What was kept stays kept."""
    return wire.Scanning(memories=examinations.scan(ctx, body.user_id if body else None))


@router.post("/resolve", response_model=wire.ResolvedMany, summary="Decide about many findings")
def resolve_many(ctx: Writing, body: wire.ResolveManyRequest) -> wire.ResolvedMany:
    """The same about each, all or none. A merge keeps the newer memory as it is, and archives the older one."""
    return wire.resolved_many(resolutions.resolve_many(ctx, body.finding_ids, Choice(body.action)))


@router.post("/undo", response_model=wire.Reopened, summary="Undo that findings were kept")
def keep_no_more(ctx: Writing, body: wire.UndoManyRequest) -> wire.Reopened:
    """All or none; what was decided otherwise is undone one by one."""
    return wire.Reopened(reopened=resolutions.keep_no_more(ctx, body.finding_ids))


@router.post("/{finding_id}/resolve", response_model=wire.ResolvedItem, summary="Decide about a finding")
def resolve(ctx: Writing, finding_id: UUID, body: wire.ResolveRequest) -> wire.ResolvedItem:
    """It leaves a receipt. 409 if one of its memories was changed since it was found."""
    return wire.resolved(resolutions.resolve(ctx, finding_id, wire.choice(body)))


@router.post("/{finding_id}/undo", response_model=wire.Reopening, summary="Undo a decision")
def take_back(ctx: Writing, finding_id: UUID) -> wire.Reopening:
    """The memories are what they were, and the finding is open again."""
    return wire.Reopening(finding_id=finding_id, event_id=resolutions.take_back(ctx, finding_id))
