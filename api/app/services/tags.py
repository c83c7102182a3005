"""Tags: words that memories carry, counted."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func, select

from app.context import Context
from app.models import Memory, memory_tags
from app.services import scopes

MOST = 100

_LINK = memory_tags.c


def listing(ctx: Context, user_id: str | None, prefix: str = "", most: int = MOST) -> list[tuple[str, int]]:
    """The tags of the scope's owner that begin with `prefix`, each with its number of memories, most first.

    A key that is bound to an app is shown those of the memories that are visible to it. Two statements.

    Raises:
        NotFound: no such user, or one that the caller may not see.
    """
    scope = scopes.resolve(ctx, user_id)
    query: Select[*tuple[str, int]] = select(_LINK.tag, func.count())
    if ctx.caller.app:
        query = query.join(Memory, Memory.id == _LINK.memory_id).where(*scopes.visible(scope))
    if scope.owner_id is not None:
        query = query.where(_LINK.user_id == scope.owner_id)
    if prefix:
        query = query.where(_LINK.tag.istartswith(prefix, autoescape=True))
    counts = query.group_by(_LINK.tag).order_by(func.count().desc(), _LINK.tag).limit(most)
    return [(str(tag), int(count)) for tag, count in ctx.rows(counts)]


def having(names: Sequence[str]) -> ColumnElement[bool]:
    """Whether a memory carries one of these tags."""
    return Memory.id.in_(select(_LINK.memory_id).where(_LINK.tag.in_(names)))
