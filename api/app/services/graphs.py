"""Memories as a picture: what they speak of, the categories and apps that join them, which are alike, which followed.

The newest that a filter selects, or what lies around one thing: a memory, an entity, a category, an app. Entities are
found in the texts that are shown (`services.topics`), so the picture has those of its memories and no others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from app.context import Context
from app.engine.text import compose
from app.errors import Invalid, NotFound
from app.models import Memory, State, User
from app.services import apps, listings, memories, scopes, topics
from app.services.listings import Filter
from app.services.scopes import Scope
from app.services.topics import Topics
from app.services.views import MemoryView, Window, fetch

MOST = 1_500  # memories of one picture
NEAR = 40  # memories that the index is asked for, by meaning and by names each, around one
ALIKE = 0.4  # cosine from which two memories are shown as alike
NAMES = 6  # of a memory, by which others are looked for
LONGEST = 255  # characters of the name of an entity, or of a category


@dataclass(frozen=True, slots=True)
class Similar:
    """Two memories, by their places, and how near they are: a cosine."""

    one: int
    other: int
    cosine: float


@dataclass(frozen=True, slots=True)
class Graph:
    """Memories, newest or nearest first, with what joins them; `total` is how many the picture would have if it could.

    `topics.of_text` has the entities of each memory; `successors` says by which a memory was superseded, as far as both
    are shown. `centre` is the place of the memory around which the others lie.
    """

    memories: list[MemoryView]
    total: int
    topics: Topics
    similar: list[Similar] = field(default_factory=list)
    successors: dict[int, int] = field(default_factory=dict)
    centre: int | None = None


def picture(ctx: Context, *, user_id: str | None, narrowed: Filter, limit: int, around: str | None = None) -> Graph:
    """The newest that a person governs (to a key that is bound to an app: what is visible to it), at most `limit`.

    Args:
        around: `memory:<id>`, `entity:<name>`, `category:<name>` or `app:<id>`: only what lies around it, and around an
            entity it is shown even if it occurs once. Around a memory it embeds once and asks the index twice.

    Raises:
        Invalid: reversed dates, an `around` of no kind, or a text together with an entity.
        NotFound: no such user or memory, or one that the caller may not see.
    """
    kind, _, what = (around or "").partition(":")
    if kind == "memory":
        return _around_memory(ctx, user_id, _id(what), narrowed, limit)
    if kind == "entity":
        return _around_entity(ctx, user_id, _name(what), narrowed, limit)
    if kind == "category":
        narrowed = replace(narrowed, category_names=[_name(what)], category_ids=())
    elif kind == "app":
        narrowed = replace(narrowed, app_ids=[_id(what)])
    elif around:
        raise Invalid("around is memory:<id>, entity:<name>, category:<name> or app:<id>")
    found = listings.governed(ctx, Window(limit), user_id=user_id, narrowed=narrowed)
    return _drawn(ctx, found.items, found.total)


def _id(what: str) -> UUID:
    try:
        return UUID(what)
    except ValueError:
        raise Invalid("around: not an id") from None


def _name(what: str) -> str:
    if not what.strip() or len(what) > LONGEST:
        raise Invalid(f"around: a name of 1 to {LONGEST} characters")
    return what


def _around_entity(ctx: Context, user_id: str | None, name: str, narrowed: Filter, limit: int) -> Graph:
    if narrowed.text:
        raise Invalid("search_query and an entity are two texts; one can be looked for")
    found = listings.governed(ctx, Window(limit), user_id=user_id, narrowed=replace(narrowed, text=name))
    # The database looks for characters: "Ann" is in "planning", too.
    views = [view for view in found.items if topics.speaks_of(view.content, name)]
    return _drawn(ctx, views, found.total - len(found.items) + len(views), beside=name)


def _around_memory(ctx: Context, user_id: str | None, id: UUID, narrowed: Filter, limit: int) -> Graph:
    scope = scopes.resolve(ctx, user_id)
    seen = scopes.governed(ctx, scope)
    asked = select(Memory.user_id, User.user_id, Memory.superseded_by).join(User, User.id == Memory.user_id)
    row = ctx.row(asked.where(Memory.id == id, *seen))
    centre = fetch(ctx, [id], *seen)
    if row is None or not centre:
        raise NotFound(memories.NO_MEMORY)
    chain = ctx.session.scalars(select(Memory.id).where(_is_beside(id, row.superseded_by)).limit(limit)).all()
    ctx.release()
    alike, named = _near(ctx, row[0], centre[0])
    ids = [one for one in dict.fromkeys([*chain, *alike, *named]) if one != id]
    conditions = [Memory.user_id == row[0], *seen, *narrowed.conditions(), *_in_states(scope, narrowed.states)]
    others = [view for view in fetch(ctx, ids, *conditions) if _belongs(view, centre[0], {*chain, *alike})]
    views = [*centre, *others[: limit - 1]]
    if ctx.caller.app:
        apps.log_reads(ctx, scope.reader, [view.id for view in views], "list")
    similar = [Similar(0, at, alike[view.id]) for at, view in enumerate(views) if at and view.id in alike]
    return replace(_drawn(ctx, views, 1 + len(others)), similar=similar, centre=0)


def _is_beside(id: UUID, successor: UUID | None) -> ColumnElement[bool]:
    before = Memory.superseded_by == id
    return before if successor is None else or_(before, Memory.id == successor)


def _in_states(scope: Scope, states: Sequence[State]) -> list[ColumnElement[bool]]:
    return [scopes.in_states(scope.owner_id, states)] if states else []


def _near(ctx: Context, owner: UUID, view: MemoryView) -> tuple[dict[UUID, float], dict[UUID, float]]:
    """Of the owner's memories those like this one, with their cosines, and those with words of the names in it."""
    composed = compose(view.content, view.author, view.occurred_at)
    vectors = ctx.engine.embed([composed])
    alike = {} if vectors is None else ctx.engine.near(owner, composed, vectors[0], NEAR)
    names = " ".join(topics.named(view.content)[:NAMES])
    named = ctx.engine.near(owner, names, None, NEAR) if names else {}
    return {id: cosine for id, cosine in alike.items() if cosine >= ALIKE and id != view.id}, named


def _belongs(view: MemoryView, centre: MemoryView, surely: set[UUID]) -> bool:
    """Whether it is alike, follows or precedes, or speaks of something that the one in the centre names."""
    return view.id in surely or any(topics.speaks_of(view.content, name) for name in topics.named(centre.content))


def _drawn(ctx: Context, views: list[MemoryView], total: int, *, beside: str | None = None) -> Graph:
    found = topics.shared([view.content for view in views], beside=beside)
    return Graph(views, total, found, successors=_successors(ctx, views))


def _successors(ctx: Context, views: Sequence[MemoryView]) -> dict[int, int]:
    if not views:
        return {}
    places = {view.id: place for place, view in enumerate(views)}
    followed = select(Memory.id, Memory.superseded_by).where(Memory.id.in_(places), Memory.superseded_by.is_not(None))
    return {places[old]: places[new] for old, new in ctx.rows(followed) if new in places}
