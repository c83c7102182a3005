"""Changes of a memory by the agents of a space: content, tags and metadata, each if it is sent; and deletion."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.context import Context
from app.engine.text import compose
from app.errors import NotFound, Stale
from app.models import Memory, State
from app.services import accounts, categories, drafts, memories, recalls, scopes, states
from app.services.recalls import NOT_FOUND, Hit
from app.services.spaces import Space
from app.services.views import MemoryView, fetch

STALE = "version mismatch: the memory is at version {}"


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be another; None and `...` leave it as it is.

    Attributes:
        metadata: the whole of it.
        version: what the caller takes for the present one; another is refused.
    """

    content: str | None = None
    tags: list[str] | None = None
    metadata: dict[str, Any] | EllipsisType = ...
    version: int | None = None


def change(ctx: Context, space: Space, memory_id: UUID | None, changes: Changes) -> Hit:
    """The memory as it is now. Even if nothing changes it is a version more; the old one is kept.

    Raises:
        NotFound: no space shows an active memory of that id.
        Stale: it is at another version than the caller thinks.
        Invalid: a text or metadata that cannot be stored.
        Forbidden: its key may not write there.
    """
    checked = replace(changes, content=None if changes.content is None else drafts.checked_text(changes.content))
    before = _before(ctx, memory_id)
    wanted = before and _changed(before, checked)
    composed = _composed(wanted) if wanted else ""
    is_new = before is not None and composed != _composed(before)
    vectors = ctx.engine.embed([composed]) if is_new else None
    names = ctx.engine.categories(vectors, 1)[0]
    own, node, scope = recalls.find(ctx, space, memory_id)
    accounts.require(own.caller, "write")
    # Locked, so that of two who mean the same version one is refused; and as it is now, not when it was embedded.
    own.session.execute(select(Memory.id).where(Memory.id == memory_id).with_for_update())
    found = next(iter(fetch(own, [memory_id] if memory_id else [], *scopes.visible(scope))), None)
    if found is None:
        raise NotFound(NOT_FOUND)
    if checked.version is not None and checked.version != found.version:
        raise Stale(STALE.format(found.version))
    view = memories.rewrite(own, _changed(found, checked), by=space.agent or own.caller.app)
    if vectors is not None and scope.owner_id is not None and composed == _composed(view):
        categories.replace(own, scope.owner_id, view.id, names)
        view.categories = sorted(names)
        own.ready(view.id, composed, vectors[0])
    own.touch([view.id])
    return Hit(view, node.source)


def _before(ctx: Context, memory_id: UUID | None) -> MemoryView | None:
    """What has to be known to embed before the transaction begins; whether the caller may is asked inside it."""
    if memory_id is None:
        return None
    with ctx.runtime.context(ctx.caller) as own:
        found = fetch(own, [memory_id])
    return found[0] if found else None


def _composed(view: MemoryView) -> str:
    return compose(view.content, view.author, view.occurred_at)


def _changed(view: MemoryView, changes: Changes) -> MemoryView:
    """The memory with the changes; what metadata speaks for follows it."""
    content = view.content if changes.content is None else changes.content
    tags = view.tags if changes.tags is None else changes.tags
    if isinstance(changes.metadata, EllipsisType):
        return replace(view, content=content, tags=tags)
    named = drafts.draft(content, changes.metadata)
    return replace(
        view,
        content=content,
        tags=tags,
        metadata=named.metadata,
        author=named.author or view.author,
        agent_id=named.agent_id or view.agent_id,
        run_id=named.run_id or view.run_id,
        occurred_at=named.occurred_at or view.occurred_at,
        expires_at=named.expires_at or view.expires_at,
    )


def delete(ctx: Context, space: Space, memory_id: UUID | None) -> None:
    """Delete a memory of the first space that has it; one that is deleted already stays so.

    Raises:
        NotFound: there is none of that id that the caller may delete.
        Forbidden: its key may not write there.
    """
    ids = [memory_id] if memory_id else []
    if not delete_many(ctx, space, ids) and not _is_gone(ctx, space, ids):
        raise NotFound(NOT_FOUND)


def _is_gone(ctx: Context, space: Space, ids: Sequence[UUID]) -> bool:
    """Whether it was a memory of one of the spaces, to a caller who sees all of it."""
    owners = [node.caller.user_id for node in space.nodes if node.caller.app is None]
    gone = select(Memory.id).where(Memory.id.in_(ids), Memory.user_id.in_(owners), Memory.state == State.deleted)
    return ctx.session.scalar(gone) is not None


def delete_many(ctx: Context, space: Space, ids: Sequence[UUID]) -> int:
    """Delete those of the memories that are there and that the caller may delete; how many there were.

    A few statements for each space, however many memories.

    Raises:
        Forbidden: as `delete`.
    """
    left, deleted = list(dict.fromkeys(ids)), 0
    for own, _ in space.each(ctx):
        if not left:
            break
        scope = scopes.resolve(own, own.caller.name, space.app(own.caller))
        shown = (State.active,) if own.caller.app else scopes.GOVERNED
        seen = [*scopes.living(scope.owner_id, shown), *scopes.allowed(scope.reader)]
        found = own.session.scalars(select(Memory.id).where(Memory.id.in_(left), *seen)).all()
        if found:
            accounts.require(own.caller, "write")
        deleted += states.change(own, found, State.deleted) if found else 0
        left = [id for id in left if id not in set(found)]
    return deleted
