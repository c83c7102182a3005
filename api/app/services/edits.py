"""Changing many memories at once, all or none: one call to the embedder, and a statement for all rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from app.context import Context
from app.database import Base, now
from app.engine.index import Vectors
from app.engine.text import compose
from app.errors import Forbidden, Invalid, NotFound
from app.models import Memory, State, memory_categories
from app.services import categories, drafts, memories, scopes, states
from app.services.memories import Edit
from app.services.views import MemoryView, fetch

MOST = 1_000
TABLE = Base.metadata.tables["memories"]
CHANGED = (
    *("content", "content_hash", "metadata", "author", "agent_id", "run_id"),
    *("expires_at", "occurred_at", "version", "updated_at", "indexed_at"),
)
REWRITE = (
    update(TABLE)
    .where(TABLE.c.id == bindparam("of"))
    .values({TABLE.c[name]: bindparam(f"new_{name}", type_=TABLE.c[name].type) for name in CHANGED})
)
PEEK = select(Memory.id, Memory.content, Memory.author, Memory.occurred_at, Memory.user_id).where(
    Memory.id.in_(bindparam("ids", expanding=True))
)


@dataclass(frozen=True, slots=True)
class _Worded:
    """A memory that is to say something else: what the index reads of it, and the categories."""

    composed: str
    vector: Vectors | None
    names: list[str]


def change_many(ctx: Context, wanted: Mapping[UUID, Edit], *, door: str) -> int:
    """As `memories.change` of each, all or none; how many were named.

    Raises:
        NotFound: one of them does not exist, or is not visible through the door; it names the first.
        Invalid: a text or metadata cannot be a memory's, or there are too many.
        Forbidden: the app of the key is paused.
    """
    if len(wanted) > MOST:
        raise Invalid(f"At most {MOST} memories are changed at once")
    checked = {id: _checked(edit) for id, edit in wanted.items()}
    peeked = _peek(ctx, list(checked))
    worded = _worded(ctx, checked, peeked)
    found = _found(ctx, list(checked), {row.user_id for row in peeked.values()}, door)
    changed = [(view, new) for view in found if (new := checked[view.id].of(view)) != view]
    _write(ctx, [new for _, new in changed])
    _classify(ctx, [new for _, new in changed], worded, {id: row.user_id for id, row in peeked.items()})
    return len(wanted)


def delete_many(ctx: Context, ids: Sequence[UUID], *, door: str, linked: bool = False) -> int:
    """Delete what is visible through the door, all or none; with `linked` also what they superseded. How many named.

    Raises:
        NotFound: one of them does not exist, or is not visible through the door; it names the first.
        Forbidden: the app of the key is paused.
    """
    named = list(dict.fromkeys(ids))
    owners = set(ctx.session.scalars(select(Memory.user_id).where(Memory.id.in_(named)).distinct()))
    _found(ctx, named, owners, door)
    states.change(ctx, states.linked(ctx, named) if linked else named, State.deleted)
    return len(named)


def _checked(edit: Edit) -> Edit:
    drafts.checked_metadata(edit.metadata)
    return edit if edit.content is None else replace(edit, content=drafts.checked_text(edit.content))


def _peek(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, Any]:
    """What has to be known to embed before the transaction begins; whether the caller may is asked inside it."""
    with ctx.runtime.database.reading() as session:
        return {row.id: row for row in session.execute(PEEK, {"ids": ids})}


def _worded(ctx: Context, wanted: Mapping[UUID, Edit], peeked: Mapping[UUID, Any]) -> dict[UUID, _Worded]:
    composed: dict[UUID, str] = {}
    for id, edit in wanted.items():
        before = peeked.get(id)
        if before is not None and edit.content is not None and edit.content != before.content:
            named = drafts.draft("-", edit.metadata)
            when = edit.occurred_at or named.occurred_at or before.occurred_at
            composed[id] = compose(edit.content, named.author or before.author, when)
    vectors = ctx.engine.embed(list(composed.values())) if composed else None
    names = ctx.engine.categories(vectors, len(composed))
    return {
        id: _Worded(text, None if vectors is None else vectors[place], names[place])
        for place, (id, text) in enumerate(composed.items())
    }


def _found(ctx: Context, ids: Sequence[UUID], owners: set[UUID], door: str) -> list[MemoryView]:
    """The memories in their order, each visible to the door's app of its owner. Two statements an owner."""
    reached = owners if ctx.caller.is_admin else owners & {ctx.caller.user_id}
    seen: dict[UUID, MemoryView] = {}
    for owner_id in reached:
        scope = scopes.of_owner(ctx, owner_id, scopes.of_door(ctx, door))
        if ctx.caller.app and scope.reader and not scope.reader.is_active:
            raise Forbidden(f"App {scope.reader.name} is currently paused.")
        seen |= {view.id: view for view in fetch(ctx, ids, *scopes.visible(scope, show_expired=True))}
    missing = [id for id in ids if id not in seen]
    if missing:
        raise NotFound(memories.NO_MEMORY if len(ids) == 1 else f"{memories.NO_MEMORY}: {missing[0]}")
    return [seen[id] for id in ids]


def _write(ctx: Context, views: Sequence[MemoryView]) -> None:
    if not views:
        return
    when = now()
    for view in views:
        view.version, view.updated_at = view.version + 1, when
    ctx.write(REWRITE, [_row(view) for view in views])
    ctx.write(memories.VERSIONS, [memories.version_row(ctx, view, "UPDATE") for view in views])
    ctx.touch(view.id for view in views)


def _row(view: MemoryView) -> dict[str, Any]:
    values = {name: getattr(view, name, None) for name in CHANGED}
    values |= {"content_hash": drafts.content_hash(view.content), "indexed_at": None}
    return {"of": view.id, **{f"new_{name}": value for name, value in values.items()}}


def _classify(
    ctx: Context, views: Sequence[MemoryView], worded: Mapping[UUID, _Worded], owners: Mapping[UUID, UUID]
) -> None:
    """New categories, and vectors that are ready for the index, for those that say something else now."""
    new = [view.id for view in views if view.id in worded and worded[view.id].vector is not None]
    if not new:
        return
    ctx.session.execute(delete(memory_categories).where(memory_categories.c.memory_id.in_(new)))
    for owner_id in {owners[id] for id in new}:
        categories.assign(ctx, owner_id, {id: worded[id].names for id in new if owners[id] == owner_id})
    for id in new:
        one = worded[id]
        if one.vector is not None:
            ctx.ready(id, one.composed, one.vector)
