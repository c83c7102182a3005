"""Access rules: ours, beside OpenMemory's. Pure: no FastAPI, no I/O."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi_pagination import Page
from pydantic import BaseModel, ConfigDict

from app.routers.openmemory.paging import Paging
from app.routers.openmemory.wire_accounts import page
from app.services.rules import Reader, Rules, RuleView, Sees, Why
from app.services.views import Listing


class RuleIn(BaseModel):
    """What an app may, or may not, see: a memory, or without one all of them."""

    model_config = ConfigDict(extra="forbid")

    effect: Literal["allow", "deny"]
    memory_id: UUID | None = None


class RuleOut(BaseModel):
    """A rule. `content` and `state` are its memory's; null if it names all, or one that is no more."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    effect: Literal["allow", "deny"]
    memory_id: UUID | None
    content: str | None
    state: str | None
    created_at: datetime


class RuleMade(RuleOut):
    """A rule that was just made; `replaced`: what the one said in whose place it is, null if there was none."""

    replaced: Literal["allow", "deny"] | None


class RulePage(Page[RuleOut]):
    """An app's rules; `user_id`: whose app it is; `sees`: what it sees of the memories that none of them names."""

    user_id: str
    sees: Sees


class ReaderOut(BaseModel):
    """An app, why it is not shown the memory (null if it is), and the rule that names the memory."""

    model_config = ConfigDict(from_attributes=True)

    app_id: UUID
    app_name: str
    why: Why | None
    rule_id: UUID | None
    effect: Literal["allow", "deny"] | None


class Removed(BaseModel):
    """That it is done."""

    message: str = "Successfully removed access rule"


def rule(view: RuleView) -> RuleOut:
    """A rule."""
    return RuleOut.model_validate(view)


def made(view: RuleView, replaced: Literal["allow", "deny"] | None) -> RuleMade:
    """A new rule."""
    return RuleMade(**rule(view).model_dump(), replaced=replaced)


def rules(found: Rules, paging: Paging) -> RulePage:
    """A page of an app's rules."""
    shown = page(rule, found.listing, paging)
    return RulePage(**shown.model_dump(), user_id=found.user_id, sees=found.sees)


def readers(found: Listing[Reader], paging: Paging) -> Page[ReaderOut]:
    """A page of the apps that might see a memory."""
    return page(ReaderOut.model_validate, found, paging)
