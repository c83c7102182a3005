"""What is known near to something new: near ones by the index, the same ones by their hash, all through `visible`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select

from app.context import Context
from app.engine.text import gist
from app.models import App, Memory
from app.services import drafts, scopes
from app.services.drafts import Draft
from app.services.scopes import Reader, Scope
from app.services.views import MemoryView, fetch

DEPTH = 20  # so many of the index are looked at, for some may not be visible
MOST = 5  # memories similar to one fact that a model is shown
SESSION = "session"  # what was said, word for word: it says nothing that a fact need not repeat
LEAST = 0.25  # cosine of the farthest: below it, nothing contradicts anything
SAME_TIME = timedelta(days=1)
MOST_SAME = 200
_IS_NO_TURN = Memory.memory_type != SESSION
OF_HASHES = (
    select(Memory.id)
    .where(Memory.user_id == scopes.OWNER, Memory.content_hash.in_(bindparam("hashes", expanding=True)))
    .limit(MOST_SAME)
)


@dataclass(frozen=True, slots=True)
class Near:
    """A memory and how near it is: a cosine, 0 to 1."""

    memory: MemoryView
    similarity: float


def scope_of(ctx: Context, owner_id: UUID, app_id: UUID) -> Scope:
    """What an app of the owner's may see."""
    row = ctx.rows(select(App.name, App.is_active, scopes.ruled(App.id)).where(App.id == app_id))[0]
    return Scope(owner_id, Reader(owner_id, row[0], app_id, bool(row[1]), bool(row[2])))


def nearest(ctx: Context, scope: Scope, found: Sequence[dict[UUID, float]], least: float) -> list[list[Near]]:
    """For each of what the engine found (ids with cosines) the visible memories, nearest first. One statement."""
    ids = dict.fromkeys(id for of_one in found for id, score in of_one.items() if score >= least)
    views = {view.id: view for view in fetch(ctx, list(ids), *scopes.visible(scope), _IS_NO_TURN)}
    return [
        [Near(views[id], of_one[id]) for id in of_one if id in views and of_one[id] >= least][:MOST] for of_one in found
    ]


def of_same_hash(ctx: Context, scope: Scope, drafted: Sequence[Draft]) -> dict[str, list[MemoryView]]:
    """The visible memories that say the same as one of the drafts, by their hash. Two statements; one if none does."""
    hashes = list({drafts.content_hash(item.content) for item in drafted})
    known = ctx.rows(OF_HASHES, {"owner": scope.owner_id, "hashes": hashes}) if hashes else ()
    by_hash: dict[str, list[MemoryView]] = {}
    if known:
        for view in fetch(ctx, [row.id for row in known], *scopes.visible(scope), _IS_NO_TURN):
            by_hash.setdefault(drafts.content_hash(view.content), []).append(view)
    return by_hash


def is_twin(item: Draft, view: MemoryView, similarity: float, threshold: float) -> bool:
    """Whether a memory says what the draft says in nearly the same words, of the same time and by the same author.

    The cosine alone cannot tell: "every 30 days" and "every 90 days" are nearer to each other than "likes hiking" and
    "likes to hike" (decision 0024).
    """
    return similarity >= threshold and is_compatible(item, view) and gist(item.content) == gist(view.content)


def is_compatible(item: Draft, view: MemoryView | Draft) -> bool:
    """Whether nothing beside the text says that they are two things: another author, another day."""
    if item.author and view.author and item.author != view.author:
        return False
    return _is_near(item.occurred_at, view.occurred_at)


def _is_near(one: datetime | None, other: datetime | None) -> bool:
    return one is None or other is None or abs(one - other) <= SAME_TIME
