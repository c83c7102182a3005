"""What the ranking asks of the truth about the best candidates: when, by whom, in which session, next to what."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ScalarSelect,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    or_,
    select,
    tuple_,
    union,
)
from sqlalchemy.orm import aliased

from app.context import Context
from app.database import asked_last, id_key
from app.engine.index import Ask
from app.engine.keys import Key
from app.engine.ranking import Trait
from app.engine.ranking.table import Told
from app.engine.words import Level
from app.models import Memory, MemoryTokens, State
from app.prepared import Prepared

_best, _other = aliased(Memory), aliased(Memory)


def _beside(memory: type[Memory], *, before: bool) -> ScalarSelect[UUID]:
    """The id of the memory's neighbour in its session, in the order in which they were stored.

    Not in that of `occurred_at`, which may be NULL and is often the same for a whole session: an index of columns alone
    must be able to follow.
    """
    here, there = tuple_(memory.created_at, memory.id), tuple_(_other.created_at, _other.id)
    is_active = asked_last(_other.state == State.active.value)
    same = (_other.user_id == memory.user_id, _other.run_id == memory.run_id, is_active)
    order = (_other.created_at.desc(), _other.id.desc()) if before else (_other.created_at, _other.id)
    beside = select(_other.id).where(*same, there < here if before else there > here).order_by(*order).limit(1)
    return beside.correlate(memory).scalar_subquery()


def _statement() -> Select[*tuple[Any, ...]]:
    ids = bindparam("ids", expanding=True, type_=Uuid(as_uuid=False))
    owned = Memory.user_id == bindparam("owner", type_=Memory.user_id.type)
    beside = (_beside(_best, before=True).label("before"), _beside(_best, before=False).label("after"))
    # Materialized: each neighbour is looked for once, and it is what costs most.
    best = select(_best.id, *beside).where(_best.id.in_(ids)).cte("best").prefix_with("MATERIALIZED")
    near = union(select(best.c.id), select(best.c.before), select(best.c.after))
    end = func.rtrim(Memory.content)
    tokens = and_(MemoryTokens.memory_id == Memory.id, MemoryTokens.model == bindparam("model"))
    return (
        select(
            id_key(Memory.id),
            Memory.run_id,
            id_key(best.c.before),
            id_key(best.c.after),
            Memory.author,
            Memory.occurred_at,
            or_(end.like("%?"), end.like("%\uff1f")),
            func.length(Memory.content),
            MemoryTokens.tokens,
        )
        .outerjoin(MemoryTokens, tokens)
        .outerjoin(best, best.c.id == Memory.id)
        .where(asked_last(owned, Memory.state == State.active.value), Memory.id.in_(near))
    )


TRAITS = Prepared(_statement())
TOKENS = Prepared(
    select(id_key(MemoryTokens.memory_id), MemoryTokens.tokens).where(
        MemoryTokens.memory_id.in_(bindparam("ids", expanding=True, type_=Uuid(as_uuid=False))),
        MemoryTokens.model == bindparam("model"),
    )
)
KEPT_OF = 5_000  # memories of an owner whose traits are kept: of more, few are asked for again before they go


def asker(ctx: Context, owner_id: UUID) -> Ask:
    """What `Index.rank` is to ask for the traits of the owner's memories. One statement a call, or none."""
    return partial(traits, ctx, owner_id)


def traits(
    ctx: Context, owner_id: UUID, model: str, keys: Sequence[Key], level: Level | None = None, size: int = 0
) -> Mapping[Key, Trait]:
    """The traits of those of `keys` that are the owner's and active, and of what stands before and after them in their
    sessions; with token vectors of `model`.

    What was asked for since the owner's words came `level` is not asked for again; without a level all is. Of an owner
    with so many memories (`size`) that few would be asked for again, all but the tokens is in memory.
    """
    if level and size > KEPT_OF:
        told = ctx.engine.index.words.told(owner_id, keys, level)
        if told is not None:
            return _with_tokens(ctx, model, told)
    kept, whose = ctx.runtime.traits, (owner_id.hex, model)  # a UUID is compared in Python
    whole, beside = kept.known(whose, level, keys) if level else ({}, {})
    missing = [key for key in keys if key not in whole]
    if missing:
        found, near = _read(ctx, owner_id, model, missing)
        if level:
            kept.keep(whose, level, found, near)
        whole, beside = whole | found, beside | near
    return _linked(whole, beside)


def _with_tokens(ctx: Context, model: str, told: Mapping[Key, Told]) -> Mapping[Key, Trait]:
    if not told:
        return {}
    tokens = {row[0]: row[1] for row in ctx.asked(TOKENS, {"ids": list(told), "model": model}, alone=True)}
    return {key: Trait(*one, tokens.get(key)) for key, one in told.items()}


def _read(ctx: Context, owner_id: UUID, model: str, keys: Sequence[Key]) -> tuple[dict[Key, Trait], dict[Key, Trait]]:
    """The traits of `keys`, and of their neighbours, whose own were not looked for."""
    rows = ctx.asked(TRAITS, {"owner": owner_id, "model": model, "ids": keys}, alone=True)
    found = {
        key: Trait(run, before, after, author, when and when.date(), asks, length, tokens)
        for key, run, before, after, author, when, asks, length, tokens in rows
    }
    asked = set(keys)
    whole = {key: trait for key, trait in found.items() if key in asked}
    return whole, {key: trait for key, trait in found.items() if key not in asked}


def _linked(whole: Mapping[Key, Trait], beside: Mapping[Key, Trait]) -> Mapping[Key, Trait]:
    """All of them; what stands next to one that is `whole` knows it from there."""
    befores = {trait.after: key for key, trait in whole.items()}
    afters = {trait.before: key for key, trait in whole.items()}
    linked = {
        key: Trait(one[0], befores.get(key), afters.get(key), *one[3:])  # `_replace` takes three times as long
        for key, one in beside.items()
        if key not in whole
    }
    return {**linked, **whole}
