"""Access rules: /apps/{app_id}/access-rules, and who may see a memory."""

from uuid import UUID

from fastapi import APIRouter
from fastapi_pagination import Page

from app.routers.openmemory import wire_rules as wire
from app.routers.openmemory.paging import FiftyAPage
from app.routers.protocol import Reading, Writing
from app.services import rules

router = APIRouter(tags=["access-rules"])


@router.get("/apps/{app_id}/access-rules", summary="What an app may see")
def listing(ctx: Reading, app_id: UUID, paging: FiftyAPage) -> wire.RulePage:
    """Its rules: first what holds for all memories, then the newest."""
    return wire.rules(rules.listing(ctx, app_id, paging.window), paging)


@router.post("/apps/{app_id}/access-rules", summary="Allow or deny an app a memory, or all")
def add(ctx: Writing, app_id: UUID, body: wire.RuleIn) -> wire.RuleMade:
    """In the place of the rule that named that memory, or all, before."""
    return wire.made(*rules.add(ctx, app_id, body.effect, body.memory_id))


@router.delete("/apps/{app_id}/access-rules/{rule_id}", summary="Take an access rule away")
def remove(ctx: Writing, app_id: UUID, rule_id: UUID) -> wire.Removed:
    """It holds no more from the next request on."""
    rules.remove(ctx, app_id, rule_id)
    return wire.Removed()


@router.get("/memories/{memory_id}/readers", summary="Which apps may see a memory")
def readers(ctx: Reading, memory_id: UUID, paging: FiftyAPage) -> Page[wire.ReaderOut]:
    """Its owner's apps by name, and why those that are not shown it are not."""
    return wire.readers(rules.readers(ctx, memory_id, paging.window), paging)
