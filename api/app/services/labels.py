"""Labels: categories and tags, put on memories and taken off them, many at a time.

A labelling is a change of the memory like others: it has a version, which says what came and what went, and a receipt,
which names the memories. Both are all that an undo needs; what a purge has to clean is the version alone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update

from app.context import Context
from app.database import Base, asked_last, new_id, now
from app.errors import Forbidden, Invalid, NotFound
from app.models import Category, Memory, MemoryVersion, State, memory_categories
from app.services import categories, chores, scopes

KIND = "LABEL"
BATCH = 1_000
MOST = 32  # names in each list of a request
MOST_TAGS = 1_000  # of one memory

_MEMORIES = Base.metadata.tables["memories"]
VERSIONS = insert(Base.metadata.tables["memory_versions"])
ROWS = (
    *(Memory.id, Memory.user_id, Memory.app_id, Memory.version, Memory.tags, Memory.content),
    *(Memory.metadata_, Memory.state, Memory.expires_at),
)
TAG = (
    update(_MEMORIES)
    .where(_MEMORIES.c.id == bindparam("of"))
    .values(
        {name: bindparam(f"new_{name}", type_=_MEMORIES.c[name].type) for name in ("tags", "version", "updated_at")}
    )
)


@dataclass(frozen=True, slots=True)
class Labels:
    """Some categories and some tags, by name."""

    categories: Sequence[str] = ()
    tags: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.categories or self.tags)

    def written(self) -> dict[str, list[str]]:
        """As a version has it."""
        return {"categories": list(self.categories), "tags": list(self.tags)}


@dataclass(frozen=True, slots=True)
class Labelling:
    """What is to come and what is to go; what is in both comes."""

    added: Labels = Labels()
    removed: Labels = Labels()

    def written(self) -> dict[str, dict[str, list[str]]]:
        """As a version has it."""
        return {"added": self.added.written(), "removed": self.removed.written()}

    @property
    def back(self) -> "Labelling":
        """The way back."""
        return Labelling(self.removed, self.added)


@dataclass(frozen=True, slots=True)
class Labelled:
    """The receipts, one for each owner and thousand memories; how many memories changed."""

    event_ids: list[UUID]
    changed: int


def change(ctx: Context, ids: Sequence[UUID], wanted: Labelling, user_id: str | None = None) -> Labelled:
    """Put labels on memories and take others off, all or none; those that have it so already stay as they are.

    Eight statements for each thousand of one owner's, and one before.

    Raises:
        NotFound: one of the memories does not exist, is deleted, or is not the caller's.
        Invalid: nothing is to change, or a memory would have too many tags.
        Forbidden: the app of the key is paused.
    """
    if not wanted.added and not wanted.removed:
        raise Invalid("Neither labels to add nor labels to remove")
    scope = scopes.resolve(ctx, user_id)
    if ctx.caller.app and scope.reader and not scope.reader.is_active:
        raise Forbidden(f"App {scope.reader.name} is currently paused.")
    named = list(dict.fromkeys(ids))
    seen = asked_last(*scopes.governed(ctx, scope))
    receipts = list[UUID]()
    changed = 0
    for start in range(0, len(named), BATCH):
        batch = named[start : start + BATCH]
        rows = _read(ctx, batch, seen)
        missing = set(batch) - {row.id for row in rows}
        if missing:
            raise NotFound(f"Memory not found: {min(missing)}")
        done = _apply(ctx, rows, dict.fromkeys(batch, wanted))
        receipts += _receipts(ctx, done)
        changed += len(done)
    return Labelled(receipts, changed)


def take_back(ctx: Context, owner_id: UUID, versions: Mapping[UUID, Sequence[int]]) -> list[dict[str, Any]]:
    """Undo the labellings that these versions of an owner's memories are: results for a receipt.

    What was purged or is deleted is left out; what was labelled otherwise since keeps that.
    """
    wanted = _undoing(ctx, versions)
    rows = _read(ctx, list(wanted), Memory.user_id == owner_id, Memory.state != State.deleted)
    return [result for _, result in _apply(ctx, rows, wanted)]


def _undoing(ctx: Context, versions: Mapping[UUID, Sequence[int]]) -> dict[UUID, Labelling]:
    query = select(MemoryVersion.memory_id, MemoryVersion.version, MemoryVersion.labels).where(
        MemoryVersion.memory_id.in_(versions), MemoryVersion.event == KIND
    )
    return {
        row.memory_id: _read_back(row.labels).back
        for row in ctx.rows(query)
        if row.version in versions[row.memory_id] and row.labels
    }


def _read_back(written: Mapping[str, Mapping[str, Sequence[str]]]) -> Labelling:
    return Labelling(Labels(**written["added"]), Labels(**written["removed"]))


def _read(ctx: Context, ids: Sequence[UUID], *conditions: ColumnElement[bool]) -> Sequence[Any]:
    query = select(*ROWS).where(Memory.id.in_(ids), *conditions).order_by(Memory.id)
    return ctx.rows(query.with_for_update(of=Memory))


def _apply(ctx: Context, rows: Sequence[Any], wanted: Mapping[UUID, Labelling]) -> list[tuple[UUID, dict[str, Any]]]:
    """Label the memories; of each that changed its owner and the result for a receipt."""
    known = _categories_of(ctx, [row.id for row in rows])
    steps = [(row, _step(row, known[row.id], wanted[row.id])) for row in rows]
    changed = [(row, step) for row, step in steps if step.added or step.removed]
    if not changed:
        return []
    _write(ctx, changed)
    _link(ctx, changed)
    return [(row.user_id, {"id": str(row.id), "event": KIND, "version": row.version + 1}) for row, _ in changed]


def _categories_of(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    link = memory_categories.c
    query = select(link.memory_id, Category.name).join(Category, Category.id == link.category_id)
    known: dict[UUID, list[str]] = defaultdict(list)
    for memory_id, name in ctx.rows(query.where(link.memory_id.in_(ids))):
        known[memory_id].append(name)
    return known


def _step(row: Any, known: Sequence[str], wanted: Labelling) -> Labelling:
    """What of the wanted is a change of this memory."""
    add, remove = wanted.added, wanted.removed
    return Labelling(
        Labels(_without(add.categories, known), _without(add.tags, row.tags)),
        Labels(
            [name for name in _without(remove.categories, add.categories) if name in known],
            [name for name in _without(remove.tags, add.tags) if name in row.tags],
        ),
    )


def _without(names: Iterable[str], others: Iterable[str]) -> list[str]:
    left_out = set(others)
    return [name for name in dict.fromkeys(names) if name not in left_out]


def _write(ctx: Context, changed: Sequence[tuple[Any, Labelling]]) -> None:
    when = now()
    tagged = [(row, [*_without(row.tags, step.removed.tags), *step.added.tags]) for row, step in changed]
    if any(len(tags) > MOST_TAGS for _, tags in tagged):
        raise Invalid(f"A memory has at most {MOST_TAGS} tags")
    # Neither tags nor categories are in the index: it stays level.
    ctx.write(
        TAG,
        [
            {"of": row.id, "new_tags": tags, "new_version": row.version + 1, "new_updated_at": when}
            for row, tags in tagged
        ],
    )
    ctx.write(VERSIONS, [_version(ctx, row, step) | {"created_at": when} for row, step in changed])


def _version(ctx: Context, row: Any, step: Labelling) -> dict[str, Any]:
    return {
        "id": new_id(),
        "memory_id": row.id,
        "version": row.version + 1,
        "event": KIND,
        "content": row.content,
        "metadata": row.metadata,
        "state": row.state,
        "expires_at": row.expires_at,
        "labels": step.written(),
        "changed_by": ctx.caller.user_id,
    }


def _link(ctx: Context, changed: Sequence[tuple[Any, Labelling]]) -> None:
    for owner_id in {row.user_id for row, _ in changed}:
        own = [(row.id, step) for row, step in changed if row.user_id == owner_id]
        _unlink(ctx, owner_id, own)
        categories.assign(ctx, owner_id, {id: step.added.categories for id, step in own})


def _unlink(ctx: Context, owner_id: UUID, changed: Sequence[tuple[UUID, Labelling]]) -> None:
    gone: dict[str, list[UUID]] = defaultdict(list)
    for id, step in changed:
        for name in step.removed.categories:
            gone[name].append(id)
    link = memory_categories.c
    for name, ids in gone.items():
        these = select(Category.id).where(Category.user_id == owner_id, Category.name == name)
        ctx.session.execute(delete(memory_categories).where(link.memory_id.in_(ids), link.category_id.in_(these)))


def _receipts(ctx: Context, done: Iterable[tuple[UUID, dict[str, Any]]]) -> Iterator[UUID]:
    results: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for owner_id, result in done:
        results[owner_id].append(result)
    for owner_id, of_one in results.items():
        yield chores.receipt(ctx, owner_id, KIND, of_one)
