"""What the ranking asks of the truth about the best candidates: when, by whom, in which session, next to what."""

from collections.abc import Mapping, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from app.context import Context
from app.engine.index import Ask
from app.engine.late import unpack
from app.engine.ranking import Trait
from app.models import Memory, MemoryTokens, State

_beside = aliased(Memory)
_SAME_RUN = and_(
    _beside.user_id == Memory.user_id, _beside.run_id == Memory.run_id, _beside.state == State.active.value
)
# In the order in which they were stored, which an index of columns alone can follow.
_HERE, _THERE = tuple_(Memory.created_at, Memory.id), tuple_(_beside.created_at, _beside.id)
_BEFORE = (
    select(_beside.id).where(_SAME_RUN, _THERE < _HERE).order_by(_beside.created_at.desc(), _beside.id.desc()).limit(1)
)
_AFTER = select(_beside.id).where(_SAME_RUN, _THERE > _HERE).order_by(_beside.created_at, _beside.id).limit(1)
_END = func.rtrim(Memory.content)
TRAITS = (
    select(
        Memory.id,
        Memory.run_id,
        _BEFORE.correlate(Memory).scalar_subquery(),
        _AFTER.correlate(Memory).scalar_subquery(),
        Memory.author,
        Memory.occurred_at,
        or_(_END.like("%?"), _END.like("%\uff1f")),
        func.length(Memory.content),
        MemoryTokens.tokens,
    )
    .outerjoin(MemoryTokens, and_(MemoryTokens.memory_id == Memory.id, MemoryTokens.model == bindparam("model")))
    .where(
        Memory.user_id == bindparam("owner", type_=Memory.user_id.type),
        Memory.state == State.active.value,
        Memory.id.in_(bindparam("ids", expanding=True, type_=Memory.id.type)),
    )
)


def asker(ctx: Context, owner_id: UUID) -> Ask:
    """What `Index.rank` is to ask for the traits of the owner's memories. One statement a call."""
    return partial(traits, ctx, owner_id)


def traits(ctx: Context, owner_id: UUID, model: str, ids: Sequence[UUID]) -> Mapping[UUID, Trait]:
    """The traits of those of `ids` that are the owner's and active; with token vectors of `model`."""
    rows = ctx.rows(TRAITS, {"owner": owner_id, "model": model, "ids": list(ids)})
    ctx.release()  # the ranking goes on to ask the index, which may be far away
    return {
        id: Trait(run, before, after, author, when, bool(asks), length, unpack(tokens) if tokens else None)
        for id, run, before, after, author, when, asks, length, tokens in rows
    }
