"""Memories in mem0-local's shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from app.engine.mentions import Mention, mentions
from app.engine.turns import Turn
from app.errors import Invalid, NotFound
from app.routers.mem0_local.wire import Envelope
from app.routers.times import written
from app.services.drafts import checked_characters
from app.services.inference import Learned
from app.services.intakes import MAX_TURNS, Intake, intake
from app.services.memories import Edit
from app.services.searches import Result
from app.services.subjects import Figures
from app.services.views import Listing, MemoryView, Window

PREFIX = "mem_"

Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(checked_characters)]
Vectors = Mapping[UUID, Sequence[float]]


class Message(BaseModel):
    """One turn of a conversation."""

    role: Annotated[str, Field(min_length=1, max_length=32), AfterValidator(checked_characters)] = "user"
    content: str
    name: Name | None = None


class MemoryCreate(BaseModel):
    """POST /memories."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_TURNS)] | None = None
    content: str | None = Field(None, description="The memory's text; or `messages`, one of the two.")
    user_id: Name | None = Field(None, description="DEFAULT_USER_ID when absent; a key that is no admin's: its user.")
    metadata: dict[str, Any] | None = None
    infer: bool | None = Field(None, description="Learn from it; absent: from messages, not from content.")

    @model_validator(mode="after")
    def one_of_two(self) -> Self:
        """Refuse both of content and messages, and neither."""
        if (self.content is None) == (self.messages is None):
            raise ValueError("give either messages or content")
        return self

    def taken_in(self, longest: int) -> Intake:
        """What is to be learned from, of so many characters at most."""
        infer = self.messages is not None if self.infer is None else self.infer
        said = self.content if self.content is not None else [_turn(one) for one in self.messages or ()]
        return intake(said, self.metadata, infer=infer, longest=longest)


def _turn(message: Message) -> Turn:
    return Turn(message.role, message.content, message.name)


class MemoryUpdate(BaseModel):
    """PUT /memories/{id}: one of the two at least."""

    content: str | None = None
    metadata: dict[str, Any] | None = Field(None, description="In the place of what there is.")

    @model_validator(mode="after")
    def something(self) -> Self:
        """Refuse neither."""
        if self.content is None and self.metadata is None:
            raise ValueError("give content or metadata")
        return self

    def edit(self, longest: int) -> Edit:
        """As services take it."""
        return Edit(content=self.content, metadata=self.metadata, longest=longest)


class Relationship(BaseModel):
    """What the memory mentions."""

    type: Literal["mentions"] = "mentions"
    entity: str
    confidence: float


class MemoryOut(BaseModel):
    """A memory; `embedding` and `score` only where they were asked for."""

    id: str
    content: str
    user_id: str
    metadata: dict[str, Any]
    relationships: list[Relationship]
    created_at: str
    updated_at: str
    embedding: list[float] | None = None
    score: float | None = None

    @model_serializer(mode="wrap")
    def without_nulls(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only what there is."""
        return {name: value for name, value in serialize(self).items() if value is not None}


class Added(BaseModel):
    """The data of an add."""

    memories: list[MemoryOut]
    event_id: UUID


class Hits(BaseModel):
    """The data of a search."""

    memories: list[MemoryOut]
    total: int


class Page(BaseModel):
    """The data of a list."""

    memories: list[MemoryOut]
    total: int
    limit: int
    offset: int


class Deleted(BaseModel):
    """The data of a delete of one."""

    id: str


class DeletedMany(BaseModel):
    """The data of a delete of a user's."""

    user_id: str
    deleted: int


class Stats(BaseModel):
    """The data of a user's statistics."""

    user_id: str
    total_memories: int
    by_app: dict[str, int]
    first_created_at: str | None
    last_created_at: str | None


def memory_id(shown: str) -> UUID:
    """The id, with its prefix or without.

    Raises:
        NotFound: there cannot be one of that form.
    """
    try:
        return UUID(shown.removeprefix(PREFIX))
    except ValueError:
        raise NotFound(f"{name_of(shown)} not found") from None


def name_of(shown: str) -> str:
    """What a memory is called that is not found."""
    return f"Memory with ID {shown!r}"


def wants_embedding(include: str | None) -> bool:
    """Whether a comma-separated list names `embedding`.

    Raises:
        Invalid: it names something else.
    """
    named = {part.strip() for part in (include or "").split(",") if part.strip()}
    if not named <= {"embedding"}:
        raise Invalid("include takes: embedding")
    return bool(named)


def memory(view: MemoryView, vectors: Vectors | None = None, score: float | None = None) -> MemoryOut:
    """A memory. What it speaks of is read from its text now; what its metadata say themselves stands."""
    found = mentions(view.content)
    said = view.occurred_at or view.created_at
    named = {
        "source": view.source or view.app_name,
        "timestamp": written(said),
        "entities": [one.name for one in found],
    }
    return MemoryOut(
        id=f"{PREFIX}{view.id}",
        content=view.content,
        user_id=view.user_id,
        metadata=named | view.metadata,
        relationships=[_relationship(one) for one in found],
        created_at=written(view.created_at),
        updated_at=written(view.updated_at),
        embedding=list(vectors[view.id]) if vectors and view.id in vectors else None,
        score=score,
    )


def _relationship(mention: Mention) -> Relationship:
    return Relationship(entity=mention.name, confidence=mention.confidence)


def added(learned: Learned) -> Envelope[Added]:
    """The answer to an add: what it made, changed or found."""
    living = [memory(view) for view in learned.memories if view.state == "active"]
    return Envelope(data=Added(memories=living, event_id=learned.event_id), message="Memory added successfully")


def one(view: MemoryView, vectors: Vectors) -> Envelope[MemoryOut]:
    """One memory."""
    return Envelope(data=memory(view, vectors), message="Memory retrieved successfully")


def updated(view: MemoryView) -> Envelope[MemoryOut]:
    """A memory that was changed."""
    return Envelope(data=memory(view), message="Memory updated successfully")


def deleted(id: UUID) -> Envelope[Deleted]:
    """The answer to a delete of one."""
    return Envelope(data=Deleted(id=f"{PREFIX}{id}"), message="Memory deleted successfully")


def found(result: Result, vectors: Vectors) -> Envelope[Hits]:
    """The answer to a search, best first."""
    hits = [memory(hit.memory, vectors, round(hit.score, 6)) for hit in result.hits]
    return Envelope(data=Hits(memories=hits, total=len(hits)), message=result.warning or f"Found {len(hits)} memories")


def page(listing: Listing[MemoryView], window: Window, vectors: Vectors) -> Envelope[Page]:
    """A page of a user's memories."""
    shown = [memory(view, vectors) for view in listing.items]
    return Envelope(data=Page(memories=shown, total=listing.total, limit=window.limit, offset=window.offset))


def deleted_many(user_id: str, count: int) -> Envelope[DeletedMany]:
    """The answer to a delete of all that a user has."""
    return Envelope(data=DeletedMany(user_id=user_id, deleted=count), message=f"Deleted {count} memories")


def stats(user_id: str, figures: Figures) -> Envelope[Stats]:
    """A user's statistics."""
    first, last = figures.first_created_at, figures.last_created_at
    data = Stats(
        user_id=user_id,
        total_memories=figures.total,
        by_app=figures.by_app,
        first_created_at=written(first) if first else None,
        last_created_at=written(last) if last else None,
    )
    return Envelope(data=data)
