"""Categories: the topics of an owner's memories."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import bindparam, delete, exists, insert, select

from app.context import Context
from app.database import new_id, now
from app.models import Category, Memory, State, memory_categories
from app.services import scopes
from app.services.views import Listing

LINKS = insert(memory_categories)
NAMED = select(Category.name, Category.id).where(
    Category.user_id == bindparam("owner"), Category.name.in_(bindparam("names", expanding=True))
)


def listing(ctx: Context, user_id: str | None) -> Listing[Category]:
    """The categories that at least one memory (not deleted) of the owner has, by name.

    A key that is bound to an app is shown those of the memories that are visible to it.
    """
    scope = scopes.resolve(ctx, user_id)
    seen = scopes.visible(scope) if ctx.caller.app else [Memory.state != State.deleted]
    living = exists(
        select(memory_categories.c.memory_id)
        .join(Memory, Memory.id == memory_categories.c.memory_id)
        .where(memory_categories.c.category_id == Category.id, *seen)
    )
    query = select(Category).where(living).order_by(Category.name, Category.id)
    if scope.owner_id is not None:
        query = query.where(Category.user_id == scope.owner_id)
    items = list(ctx.session.scalars(query))
    return Listing(items, len(items))


def assign(ctx: Context, owner_id: UUID, names: Mapping[UUID, Sequence[str]]) -> None:
    """Give each memory (the keys) its categories by name; missing categories are created. At most three statements."""
    wanted = {name for of_one in names.values() for name in of_one}
    if not wanted:
        return
    ids = _ensure(ctx, owner_id, wanted)
    links = [
        {"memory_id": memory_id, "category_id": ids[name]}
        for memory_id, of_one in names.items()
        for name in dict.fromkeys(of_one)
    ]
    ctx.write(LINKS, links)


def replace(ctx: Context, owner_id: UUID, memory_id: UUID, names: Sequence[str]) -> None:
    """Give one memory these categories instead of those it has."""
    ctx.session.execute(delete(memory_categories).where(memory_categories.c.memory_id == memory_id))
    assign(ctx, owner_id, {memory_id: names})


def _ensure(ctx: Context, owner_id: UUID, names: Iterable[str]) -> dict[str, UUID]:
    wanted = sorted(names)
    found = {row.name: row.id for row in ctx.rows(NAMED, {"owner": owner_id, "names": wanted})}
    missing = [name for name in wanted if name not in found]
    if missing:
        when = now()
        fresh = [
            {"id": new_id(), "user_id": owner_id, "name": name, "created_at": when, "updated_at": when}
            for name in missing
        ]
        ctx.session.execute(insert(Category), fresh)
        found |= {str(row["name"]): row["id"] for row in fresh}
    return found
