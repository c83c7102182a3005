"""The picture in our own shape, beside OpenMemory's. Pure: no FastAPI, no I/O."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field

from app.services.graphs import Graph
from app.services.views import MemoryView

SHOWN = 240  # characters of a memory's text

Key = TypeVar("Key", str, UUID)

Place = Annotated[int, Field(description="A place in the list of that name.")]


class MemoryNode(BaseModel):
    """A memory, and what it is joined to by places in the answer's lists."""

    id: UUID
    text: str = Field(description=f"Its first {SHOWN} characters.")
    state: str
    created_at: datetime
    app: Place
    categories: list[Place]
    entities: list[Place]
    superseded_by: Place | None


class NamedNode(BaseModel):
    """An entity or a category, and how many of the memories are joined to it."""

    name: str
    count: int


class AppNode(NamedNode):
    """An app, and how many of the memories it wrote."""

    id: UUID


class SimilarPair(BaseModel):
    """Two memories that are alike, and their cosine."""

    one: Place
    other: Place
    cosine: float


class GraphAnswer(BaseModel):
    """GET /graph. `total` memories are selected; `memories` has the newest of them, as many as were asked for."""

    memories: list[MemoryNode]
    entities: list[NamedNode]
    categories: list[NamedNode]
    apps: list[AppNode]
    similar: list[SimilarPair]
    centre: Place | None = Field(description="The memory around which the others lie.")
    total: int


def graph(found: Graph) -> GraphAnswer:
    """The picture as it goes out."""
    categories = Counter(name for view in found.memories for name in view.categories)
    apps = Counter(view.app_id for view in found.memories)
    names = {view.app_id: view.app_name for view in found.memories}
    category_at, app_at = _places(categories), _places(apps)
    return GraphAnswer(
        memories=[
            _node(view, app_at[view.app_id], sorted(category_at[name] for name in view.categories), entities, successor)
            for view, entities, successor in zip(
                found.memories,
                found.topics.of_text,
                (found.successors.get(place) for place in range(len(found.memories))),
                strict=True,
            )
        ],
        entities=[NamedNode(name=topic.name, count=topic.count) for topic in found.topics.topics],
        categories=[NamedNode(name=name, count=categories[name]) for name in category_at],
        apps=[AppNode(id=id, name=names[id], count=apps[id]) for id in app_at],
        similar=[SimilarPair(one=pair.one, other=pair.other, cosine=round(pair.cosine, 3)) for pair in found.similar],
        centre=found.centre,
        total=found.total,
    )


def _places(counts: Counter[Key]) -> dict[Key, int]:
    return {one: place for place, (one, _) in enumerate(counts.most_common())}


def _node(
    view: MemoryView, app: int, categories: Iterable[int], entities: Iterable[int], successor: int | None
) -> MemoryNode:
    return MemoryNode(
        id=view.id,
        text=_brief(view.content),
        state=view.state,
        created_at=view.created_at,
        app=app,
        categories=list(categories),
        entities=list(entities),
        superseded_by=successor,
    )


def _brief(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1].rstrip()}\u2026"
