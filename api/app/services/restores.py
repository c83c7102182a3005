"""Back to what a memory was: an older version, or from deleted to the state before. Each way back is a new version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from app.context import Context
from app.database import Base, new_id, now
from app.engine.text import compose
from app.errors import Conflict, Forbidden, NotFound
from app.models import Memory, MemoryVersion, State, StatusChange, memory_categories
from app.services import categories, drafts, memories, scopes
from app.services.views import MemoryView, fetch

VERSIONS, STEPS = (insert(Base.metadata.tables[name]) for name in ("memory_versions", "memory_status_history"))
_MEMORIES = Base.metadata.tables["memories"]
SET = (
    *("content", "content_hash", "metadata", "author", "agent_id", "run_id", "occurred_at", "state", "version"),
    *("updated_at", "archived_at", "deleted_at", "expires_at", "superseded_by"),
)
SPOKEN_FOR = ("author", "agent_id", "run_id", "occurred_at")
UPDATE = (
    update(_MEMORIES)
    .where(_MEMORIES.c.id == bindparam("b_id"), _MEMORIES.c.version == bindparam("b_version"))
    .values({**{name: bindparam(f"b_new_{name}") for name in SET}, "indexed_at": None})
)
CHANGED_MEANWHILE = "The memory was changed meanwhile; read it again"


@dataclass(frozen=True, slots=True)
class Before:
    """A memory as it stands, of whatever state: what has to be known to bring it elsewhere."""

    id: UUID
    user_id: UUID
    version: int
    content: str
    metadata: dict[str, Any]
    state: str
    author: str | None
    agent_id: str | None
    run_id: str | None
    occurred_at: datetime | None
    archived_at: datetime | None
    expires_at: datetime | None
    superseded_by: UUID | None


@dataclass(frozen=True, slots=True)
class Step:
    """From what a memory is to what it is to be."""

    before: Before
    after: Before

    @property
    def is_change(self) -> bool:
        """Whether there is anything to do."""
        return self.before != self.after

    @property
    def composed(self) -> str | None:
        """What is to be embedded: the indexed text, if it is another one than now."""
        new, old = (compose(one.content, one.author, one.occurred_at) for one in (self.after, self.before))
        return None if new == old else new


BEFORE = (
    *(Memory.id, Memory.user_id, Memory.version, Memory.content, Memory.metadata_, Memory.state),
    *(Memory.author, Memory.agent_id, Memory.run_id, Memory.occurred_at),
    *(Memory.archived_at, Memory.expires_at, Memory.superseded_by),
)


def refuse_apps(ctx: Context) -> None:
    """Pass unless the key is bound to an app: what was taken from its sight it may not bring back, nor destroy.

    Raises:
        Forbidden: it is.
    """
    if ctx.caller.app is not None:
        raise Forbidden("A key that is bound to an app may not restore, undo or purge")


def read(session: Session, *conditions: ColumnElement[bool]) -> list[Before]:
    """The memories of these conditions, whatever their state."""
    statement: Select[*tuple[Any, ...]] = select(*BEFORE).where(*conditions)
    return [Before(*row) for row in session.execute(statement)]


def step(before: Before, content: str, metadata: dict[str, Any], state: str) -> Step:
    """The step to that text, metadata and state. What metadata speaks for follows it; an expiry that is past goes."""
    after = replace(before, content=content, metadata=metadata, state=state)
    if metadata != before.metadata:
        after = replace(after, **_spoken_for(before.metadata, metadata))
    if state == before.state:
        return Step(before, after)
    is_over = before.expires_at is not None and before.expires_at <= now()
    if is_over and state != State.deleted:
        after = replace(after, expires_at=None)
    return Step(before, replace(after, superseded_by=None) if state == State.active else after)


def _spoken_for(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The columns that the metadata says otherwise than before."""
    before, after = drafts.draft("-", old), drafts.draft("-", new)
    said = {name: (getattr(before, name), getattr(after, name)) for name in SPOKEN_FOR}
    return {name: now for name, (then, now) in said.items() if now and now != then}


def restore(ctx: Context, memory_id: UUID, version: int | None = None, user_id: str | None = None) -> MemoryView:
    """Make an older version's text and metadata the present ones; without a version, bring back what was deleted.

    A deleted memory gets the state that it had before, either way. What is so already stays as it is.

    Raises:
        NotFound: no such memory, somebody else's, or no such version of it.
        Forbidden: the key is bound to an app.
        Conflict: it was changed meanwhile.
    """
    refuse_apps(ctx)
    with ctx.runtime.database.reading() as session:
        texts = [text for one in _planned(session, memory_id, version) if (text := one.composed)]
    vectors = ctx.engine.embed(texts) if texts else None
    names = ctx.engine.categories(vectors, len(texts))
    memories.scope_of(ctx, memory_id, user_id)
    planned = _planned(ctx.session, memory_id, version)
    if not planned:
        raise NotFound(f"Version {version} not found")
    changing = [one for one in planned if one.is_change]
    apply(ctx, changing, "RESTORE")
    follow(ctx, changing, dict(zip(texts, names, strict=True)) if vectors is not None else {})
    return fetch(ctx, [memory_id])[0]


def undelete(ctx: Context, ids: Sequence[UUID], user_id: str | None = None) -> int:
    """Bring deleted memories back, each to the state that it had, all or none. How many were named (each counted once).

    What is not deleted stays as it is.

    Raises:
        NotFound: one of them does not exist, was purged, or is not the caller's.
        Forbidden: the key is bound to an app.
        Conflict: one was changed meanwhile.
    """
    refuse_apps(ctx)
    owner = scopes.resolve(ctx, user_id).owner_id
    wanted = list(dict.fromkeys(ids))
    mine = [] if owner is None else [Memory.user_id == owner]
    found = {one.id: one for one in read(ctx.session, Memory.id.in_(wanted), *mine)}
    missing = [id for id in wanted if id not in found]
    if missing:
        raise NotFound(f"Memory not found: {missing[0]}")
    gone = [one for one in found.values() if one.state == State.deleted]
    states = _states_before_deletion(ctx, [one.id for one in gone])
    apply(ctx, [step(one, one.content, one.metadata, states.get(one.id, State.active)) for one in gone], "RESTORE")
    return len(wanted)


def _states_before_deletion(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, str]:
    """As `state_before_deletion`, of many."""
    steps = select(StatusChange.memory_id, StatusChange.old_state).where(
        StatusChange.memory_id.in_(ids),
        StatusChange.new_state == State.deleted,
        StatusChange.old_state != State.deleted,
    )
    rows = ctx.rows(steps.order_by(StatusChange.changed_at, StatusChange.id))
    return {row.memory_id: row.old_state for row in rows}


def _planned(session: Session, memory_id: UUID, version: int | None) -> list[Step]:
    """The step, in a list; none if there is no such memory or version."""
    found = read(session, Memory.id == memory_id)
    if not found:
        return []
    (before,) = found
    state = state_before_deletion(session, memory_id) if before.state == State.deleted else before.state
    if version is None:
        return [step(before, before.content, before.metadata, state)]
    row = session.execute(
        select(MemoryVersion.content, MemoryVersion.metadata_).where(
            MemoryVersion.memory_id == memory_id, MemoryVersion.version == version
        )
    ).first()
    return [] if row is None else [step(before, row.content, row.metadata_, state)]


def state_before_deletion(session: Session, memory_id: UUID) -> str:
    """The state from which a deleted memory was deleted."""
    last = (
        select(StatusChange.old_state)
        .where(StatusChange.memory_id == memory_id, StatusChange.new_state == State.deleted)
        .order_by(StatusChange.changed_at.desc(), StatusChange.id.desc())
        .limit(1)
    )
    state = session.scalar(last)
    return State.active if state in (None, State.deleted) else state  # imported as deleted: nobody knows


def apply(ctx: Context, steps: Sequence[Step], event: str) -> None:
    """Take the steps: rows, versions, status history. At most three statements, however many there are.

    Raises:
        Conflict: one of the memories was changed since it was read.
    """
    if not steps:
        return
    when = now()
    by = ctx.caller.user_id
    ctx.write(VERSIONS, [_version(one.after, event, by, when) for one in steps])
    moved = [one for one in steps if one.before.state != one.after.state]
    if moved:
        ctx.write(STEPS, [_moved(one, by, when) for one in moved])
    changed = ctx.session.connection().execute(UPDATE, [_row(one, when) for one in steps])
    if changed.rowcount != len(steps):
        raise Conflict(CHANGED_MEANWHILE)
    ctx.touch(one.after.id for one in steps)


def _version(after: Before, event: str, by: UUID, when: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "memory_id": after.id,
        "version": after.version + 1,
        "event": event,
        "content": after.content,
        "metadata": after.metadata,
        "state": after.state,
        "expires_at": after.expires_at,
        "changed_by": by,
        "created_at": when,
    }


def _moved(one: Step, by: UUID, when: datetime) -> dict[str, Any]:
    states = {"old_state": one.before.state, "new_state": one.after.state}
    return {"id": new_id(), "memory_id": one.after.id, **states, "changed_by": by, "changed_at": when}


def _row(one: Step, when: datetime) -> dict[str, Any]:
    after = one.after
    stays = after.state == one.before.state == State.archived
    values = {
        **{name: getattr(after, name) for name in ("content", "metadata", "author", "agent_id", "run_id")},
        **{name: getattr(after, name) for name in ("occurred_at", "state", "expires_at", "superseded_by")},
        "content_hash": drafts.content_hash(after.content),
        "version": after.version + 1,
        "updated_at": when,
        "archived_at": after.archived_at if stays else when if after.state == State.archived else None,
        "deleted_at": when if after.state == State.deleted else None,
    }
    return {"b_id": after.id, "b_version": one.before.version, **{f"b_new_{name}": values[name] for name in SET}}


def follow(ctx: Context, steps: Sequence[Step], names: Mapping[str, Sequence[str]]) -> None:
    """Have the categories follow the texts; `names` are those of each composed text that was embedded."""
    changed = [(one.after, names[text]) for one in steps if (text := one.composed) and text in names]
    if changed:
        ids = [after.id for after, _ in changed]
        ctx.session.execute(delete(memory_categories).where(memory_categories.c.memory_id.in_(ids)))
    for owner_id in {after.user_id for after, _ in changed}:
        categories.assign(ctx, owner_id, {after.id: own for after, own in changed if after.user_id == owner_id})
