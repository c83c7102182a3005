"""Access rules: which memories an app may see. `scopes.allowed` applies them, to whatever is read as that app.

A memory has one rule an app, and so have all memories together (a rule that names none). What is denied is never seen;
once anything is allowed, only what is allowed is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, func, literal, null, select

from app.context import Context
from app.database import new_id
from app.errors import Forbidden, NotFound
from app.models import AccessControl, App, Memory, State, User
from app.services import apps, memories, scopes
from app.services.views import Listing, Window

Effect = Literal["allow", "deny"]
NO_RULE = "Access rule not found"


class Sees(StrEnum):
    """What an app sees of the memories that no rule of its own names."""

    everything = "everything"
    nothing = "nothing"


class Why(StrEnum):
    """Why an app does not see a memory."""

    paused = "paused"  # the app is
    denied = "denied"  # a rule denies it this memory
    nothing = "nothing"  # a rule denies it all memories
    others = "others"  # its rules allow it others
    state = "state"  # no app sees it: it is paused, archived or deleted


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule. `content` and `state` are its memory's: None if it names all, or one that is no more."""

    id: UUID
    effect: Effect
    memory_id: UUID | None
    content: str | None
    state: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """A window of an app's rules, whose app it is, and what it sees of what they do not name."""

    listing: Listing[RuleView]
    user_id: str
    sees: Sees


@dataclass(frozen=True, slots=True)
class Reader:
    """An app of a memory's owner. `why` it is not shown the memory; None if it is. The rule that names the memory."""

    app_id: UUID
    app_name: str
    why: Why | None
    rule_id: UUID | None
    effect: Effect | None


ID, EFFECT = AccessControl.id.expression, AccessControl.effect.expression
VIEW: Select[*tuple[Any, ...]] = (
    select(
        AccessControl.id,
        AccessControl.effect,
        AccessControl.object_id,
        Memory.content,
        Memory.state,
        AccessControl.created_at,
    )
    .select_from(AccessControl)
    .outerjoin(Memory, Memory.id == AccessControl.object_id)
)


def listing(ctx: Context, app_id: UUID, window: Window) -> Rules:
    """An app's rules: first what holds for all memories, then the newest. Five statements.

    Raises:
        NotFound: no such app, or somebody else's.
        Forbidden: an app asks, which may not see what is kept from it.
    """
    _require_governor(ctx)
    owner = ctx.session.get_one(User, apps.owner_of(ctx, app_id))
    mine = _of(app_id)
    first = AccessControl.object_id.is_(None).desc()
    page = VIEW.where(*mine).order_by(first, AccessControl.created_at.desc(), AccessControl.id.desc())
    rows = ctx.session.execute(page.limit(window.limit).offset(window.offset))
    total = ctx.session.scalar(select(func.count()).select_from(AccessControl).where(*mine)) or 0
    return Rules(Listing([RuleView(*row) for row in rows], total), owner.user_id, _sees(ctx, app_id))


def add(ctx: Context, app_id: UUID, effect: Effect, memory_id: UUID | None = None) -> tuple[RuleView, Effect | None]:
    """Allow or deny the app a memory of its owner's, or all; and what the rule said in whose place it is, if any.

    Raises:
        NotFound: no such app or memory, or somebody else's.
        Forbidden: an app asks, which may not free itself.
    """
    _require_governor(ctx)
    owner_id = apps.owner_of(ctx, app_id)
    if memory_id is not None:
        known = select(Memory.id).where(
            Memory.id == memory_id, Memory.user_id == owner_id, Memory.state != State.deleted
        )
        if ctx.session.scalar(known) is None:
            raise NotFound(memories.NO_MEMORY)
    old = delete(AccessControl).where(*_of(app_id), _names(memory_id)).returning(EFFECT)
    before = set(ctx.session.execute(old).scalars())
    rule = AccessControl(
        id=new_id(), subject_type="app", subject_id=app_id, object_type="memory", object_id=memory_id, effect=effect
    )
    ctx.session.add(rule)
    ctx.session.flush()
    made = RuleView(*ctx.session.execute(VIEW.where(AccessControl.id == rule.id)).one())
    return made, _counting(before)


def _counting(effects: Collection[str]) -> Effect | None:
    """What counts of several rules about one thing, as imports may have left them."""
    if not effects:
        return None
    return "deny" if "deny" in effects else "allow"


def remove(ctx: Context, app_id: UUID, rule_id: UUID) -> None:
    """Take a rule away.

    Raises:
        NotFound: no such app or rule, or somebody else's.
        Forbidden: an app asks, which may not free itself.
    """
    _require_governor(ctx)
    apps.owner_of(ctx, app_id)
    gone = delete(AccessControl).where(AccessControl.id == rule_id, *_of(app_id)).returning(AccessControl.id)
    if ctx.session.execute(gone).first() is None:
        raise NotFound(NO_RULE)


def readers(ctx: Context, memory_id: UUID, window: Window) -> Listing[Reader]:
    """Which apps of its owner's may see a memory, by name. Five statements at most.

    Raises:
        NotFound: no such memory, or somebody else's.
        Forbidden: an app asks.
    """
    _require_governor(ctx)
    memories.require(ctx, memory_id)
    rows = ctx.session.execute(
        select(App.id, App.name, _why(), *(_rule_of(memory_id, column) for column in (ID, EFFECT)))
        .join(Memory, Memory.user_id == App.owner_id)
        .where(Memory.id == memory_id)
        .order_by(App.name)
        .limit(window.limit)
        .offset(window.offset)
    )
    owners = select(Memory.user_id).where(Memory.id == memory_id).scalar_subquery()
    total = ctx.session.scalar(select(func.count()).select_from(App).where(App.owner_id == owners)) or 0
    return Listing([Reader(id, name, Why(why) if why else None, *rule) for id, name, why, *rule in rows], total)


def _why() -> ColumnElement[str | None]:
    """Why the app of the row does not see the memory of the row; NULL if it does."""
    rules = select(AccessControl.id).where(*_of(App.id), AccessControl.effect == "deny")
    return case(
        (Memory.state != State.active, literal(Why.state.value)),
        (~App.is_active, literal(Why.paused.value)),
        (and_(*scopes.ruling(App.id)), null()),
        (exists(rules.where(AccessControl.object_id.is_(None))), literal(Why.nothing.value)),
        (exists(rules.where(AccessControl.object_id == Memory.id)), literal(Why.denied.value)),
        else_=literal(Why.others.value),
    )


def _rule_of(memory_id: UUID, column: ColumnElement[Any]) -> Any:
    # Imports may have left several for one memory: the one that counts.
    rule = select(column).where(*_of(App.id), AccessControl.object_id == memory_id)
    return rule.order_by(EFFECT.desc(), ID).limit(1).correlate(App).scalar_subquery()


def _require_governor(ctx: Context) -> None:
    if ctx.caller.app is not None:
        raise Forbidden("An app's key may neither see nor change what it may see")


def _of(app_id: object) -> list[ColumnElement[bool]]:
    rule = AccessControl
    return [rule.subject_type == "app", rule.subject_id == app_id, rule.object_type == "memory"]


def _names(memory_id: UUID | None) -> ColumnElement[bool]:
    return AccessControl.object_id.is_(None) if memory_id is None else AccessControl.object_id == memory_id


def _sees(ctx: Context, app_id: UUID) -> Sees:
    kinds = set(ctx.rows(select(EFFECT, AccessControl.object_id.is_(None)).where(*_of(app_id)).distinct()))
    if ("deny", True) in {(effect, bool(is_for_all)) for effect, is_for_all in kinds}:
        return Sees.nothing
    allows = {bool(is_for_all) for effect, is_for_all in kinds if effect == "allow"}
    return Sees.nothing if allows == {False} else Sees.everything
