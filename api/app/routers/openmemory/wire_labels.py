"""Labels in our own shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.routers.openmemory.fields import Name
from app.routers.openmemory.wire_memories import SomeIds
from app.services.labels import MOST, Labelled, Labelling, Labels

Names = Annotated[list[Name], Field(max_length=MOST)]


class LabelRequest(BaseModel):
    """POST /memories/actions/label. What is added and removed by the same name is added."""

    memory_ids: SomeIds
    add_categories: Names = []
    remove_categories: Names = []
    add_tags: Names = []
    remove_tags: Names = []
    user_id: Name | None = None

    def wanted(self) -> Labelling:
        """What is to come, and what is to go."""
        return Labelling(Labels(self.add_categories, self.add_tags), Labels(self.remove_categories, self.remove_tags))


class LabelledAnswer(BaseModel):
    """How many memories changed, and the receipts: each can be undone."""

    changed: int
    event_ids: list[UUID]


class TagItem(BaseModel):
    """A tag, and how many memories carry it."""

    name: str
    count: int


class Tags(BaseModel):
    """GET /memories/tags."""

    tags: list[TagItem]


class LinesRequest(BaseModel):
    """POST /memories/actions/export."""

    memory_ids: SomeIds
    user_id: Name | None = None


def labelled(done: Labelled) -> LabelledAnswer:
    """The answer to a labelling."""
    return LabelledAnswer(changed=done.changed, event_ids=done.event_ids)


def tags(found: Sequence[tuple[str, int]]) -> Tags:
    """The tags of a user."""
    return Tags(tags=[TagItem(name=name, count=count) for name, count in found])
