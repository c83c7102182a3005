"""Memento's namespaces: each is an app of the caller's, one of them is "global", which every recall searches too.

A container is a key of the metadata; what has none is in the container of its namespace's name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select

from app.context import Context
from app.engine.index import BESIDE
from app.models import App, State
from app.services import drafts, listings, memories, searches, selections
from app.services.drafts import Draft
from app.services.searches import Query, Result
from app.services.selections import Selection
from app.services.views import Listing, MemoryView, Window

GLOBAL = "global"
DEFAULT = "default"
CONTAINER = "container"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be saved."""

    content: str
    tags: Sequence[str] = ()
    container: str | None = None
    priority: str = "normal"


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a recall or a list is narrowed to: entries that have all of the tags, and lie in the container."""

    tags: Sequence[str] = ()
    container: str | None = None

    def filters(self) -> list[dict[str, Any]]:
        """In the grammar of `services.filters`."""
        tagged: list[dict[str, Any]] = [{"tags": {"eq": tag}} for tag in dict.fromkeys(self.tags)]
        if self.container is None:
            return tagged
        nowhere = {"AND": [{"app": {"eq": self.container}}, {"NOT": {"metadata": {CONTAINER: "*"}}}]}
        return [*tagged, {"OR": [{"metadata": {CONTAINER: {"eq": self.container}}}, nowhere]}]


@dataclass(frozen=True, slots=True)
class Health:
    """What the server keeps things in, and how many entries the namespace has, and the global one."""

    storage: str
    embedder: str | None
    model: str | None
    namespace: str
    entries: int
    global_entries: int


def of(ctx: Context, named: str | None) -> str:
    """The namespace that is meant: the one that is named, else the key's app, else "default"."""
    return named or ctx.caller.app or DEFAULT


def save(ctx: Context, named: str | None, entry: Entry, *, is_global: bool = False) -> MemoryView:
    """The entry as a memory of the namespace, or of "global".

    Raises:
        Forbidden: the namespace is paused, or the key is bound to another.
        Invalid: the text or a tag cannot be stored.
    """
    name = GLOBAL if is_global else of(ctx, named)
    drafted = drafts.draft("-", {CONTAINER: entry.container or (named if is_global and named else name)})
    content = drafts.checked_text(entry.content, ctx.settings.max_memory_size)
    tags = list(dict.fromkeys(entry.tags))
    item: Draft = replace(drafted, content=content, tags=tags, priority=entry.priority)
    return memories.add(ctx, None, [item], app=name).memories[0]


def recall(ctx: Context, named: str | None, query: Query, narrowing: Narrowing) -> Result:
    """What of the namespace and of "global" answers best, read and logged as the namespace.

    Raises:
        Forbidden: the key is bound to another.
        Unavailable: the embedder does not answer, and the mode is `vector`.
    """
    name = of(ctx, named)
    within = {"app": list(dict.fromkeys([name, GLOBAL]))}
    return searches.search(ctx, _narrowed(query, within, narrowing), app=name)


def search(ctx: Context, query: Query, narrowing: Narrowing) -> Result:
    """What of all the caller's namespaces answers best.

    Raises:
        Unavailable: the embedder does not answer, and the mode is `vector`.
    """
    return searches.search(ctx, _narrowed(query, {}, narrowing), app=of(ctx, None))


def _narrowed(query: Query, within: Mapping[str, Any], narrowing: Narrowing) -> Query:
    return replace(query, filters=_all(within, narrowing))


def _all(within: Mapping[str, Any], narrowing: Narrowing) -> dict[str, Any]:
    further = narrowing.filters()
    return {**within, **({"AND": further} if further else {})}


def listing(ctx: Context, named: str | None, window: Window, narrowing: Narrowing) -> Listing[MemoryView]:
    """The entries of the namespace, newest first, logged as shown to it."""
    name = of(ctx, named)
    selection = Selection((ctx.caller.name,), _all({"app": {"eq": name}}, narrowing))
    return selections.listing(ctx, selection, window, app=name)


def health(ctx: Context) -> Health:
    """What the entries are kept in, and how many there are. Three statements at most."""
    name = of(ctx, None)
    config = ctx.engine.config or {}
    counts = _counts(ctx, {name, GLOBAL})
    return Health(
        storage=_storage(ctx, config),
        embedder=config["mem0"]["embedder"]["provider"] if config else None,
        model=ctx.engine.index.model if config else None,
        namespace=name,
        entries=counts[name],
        global_entries=counts[GLOBAL],
    )


def _storage(ctx: Context, config: Mapping[str, Any]) -> str:
    provider: str = config["mem0"]["vector_store"]["provider"] if config else BESIDE[0]
    if provider not in BESIDE:
        return provider
    return "sqlite" if ctx.runtime.database.is_sqlite else "postgresql"


def _counts(ctx: Context, names: set[str]) -> dict[str, int]:
    owner = ctx.caller.user_id
    apps = select(App.name, App.id).where(App.owner_id == owner, App.name.in_(names))
    found = {name: listings.tallied(ctx, owner, (State.active,), [id]) for name, id in ctx.rows(apps)}
    return dict.fromkeys(names, 0) | found
