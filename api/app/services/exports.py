"""Exports of memories in a form of the caller's. What is kept is the question; its answer is made when it is read."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select

from app.context import Context
from app.database import new_id
from app.errors import Invalid, NotFound, TooLarge
from app.models import MemoryExport
from app.services import digests, drafts, selections
from app.services.digests import Digest

KEPT = 100  # exports of one user; older ones are forgotten
MAX_INSTRUCTIONS = 20_000  # characters
NO_EXPORT = "No memory export request found"


@dataclass(frozen=True, slots=True)
class Order:
    """Which memories are to be exported, in mem0's words, and into which form."""

    identifiers: Mapping[str, str | None]
    filters: Mapping[str, Any]
    form: Mapping[str, Any] | None = None
    instructions: str | None = None

    @property
    def digest(self) -> str:
        """The same for the same selection."""
        named = {name: value for name, value in self.identifiers.items() if value is not None}
        return hashlib.sha256(json.dumps([named, self.filters], sort_keys=True, default=str).encode()).hexdigest()


def create(ctx: Context, order: Order) -> UUID:
    """Keep an order; its id.

    Raises:
        Invalid: the filters are not in the grammar, or the form is too large.
    """
    selections.chosen(ctx, order.identifiers, order.filters)
    form = _checked(order.form)
    if order.instructions and len(order.instructions) > MAX_INSTRUCTIONS:
        raise TooLarge(f"The instructions are longer than {MAX_INSTRUCTIONS} characters")
    kept = MemoryExport(
        id=new_id(),
        user_id=ctx.caller.user_id,
        digest=order.digest,
        identifiers={name: value for name, value in order.identifiers.items() if value is not None},
        filters=dict(order.filters),
        form=form,
        instructions=order.instructions,
    )
    ctx.session.add(kept)
    ctx.session.flush()
    _forget(ctx)
    return kept.id


def _checked(form: Mapping[str, Any] | None) -> dict[str, Any]:
    """The form, if it is plain JSON of a bounded size, as metadata has to be."""
    try:
        return drafts.checked_metadata(form)
    except Invalid as error:
        raise type(error)(str(error).replace("The metadata", "The schema")) from None


def _forget(ctx: Context) -> None:
    """The user's oldest orders, beyond so many."""
    newest = _mine(ctx).with_only_columns(MemoryExport.id).limit(KEPT)
    mine = MemoryExport.user_id == ctx.caller.user_id
    ctx.session.execute(
        delete(MemoryExport)
        .where(mine, MemoryExport.id.not_in(newest.scalar_subquery()))
        .execution_options(synchronize_session=False)
    )


def _mine(ctx: Context) -> Select[MemoryExport]:
    newest = (MemoryExport.created_at.desc(), MemoryExport.id.desc())
    return select(MemoryExport).where(MemoryExport.user_id == ctx.caller.user_id).order_by(*newest)


def of_id(ctx: Context, export_id: UUID, *, app: str | None) -> Digest:
    """The memories of an order as they are now, in its form.

    Raises:
        NotFound: no such order, or somebody else's.
        Unavailable: there is a model, and it does not answer, or not usably.
    """
    return _made(ctx, _mine(ctx).where(MemoryExport.id == export_id), app)


def last(ctx: Context, order: Order, *, app: str | None) -> Digest:
    """As `of_id`, of the newest order that selects the same as this one.

    Raises:
        as `of_id`.
    """
    return _made(ctx, _mine(ctx).where(MemoryExport.digest == order.digest).limit(1), app)


def _made(ctx: Context, query: Select[MemoryExport], app: str | None) -> Digest:
    kept = ctx.session.scalars(query).first()
    if kept is None:
        raise NotFound(NO_EXPORT)
    identifiers, filters, form, instructions = kept.identifiers, kept.filters, kept.form or {}, kept.instructions
    selection = selections.chosen(ctx, identifiers, filters)
    return digests.fill(ctx, selection, form, instructions, app=app)
