"""Adds in OpenMemory's shapes: what is sent, and the receipt that answers it. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from app.engine.turns import Turn
from app.routers.openmemory.fields import Expiry, Name
from app.routers.openmemory.wire_memories import MemoryOne, Object, fields_of_one
from app.services.decisions import Decision
from app.services.drafts import Draft, checked_characters, draft
from app.services.inference import Learned
from app.services.intakes import MAX_PROMPT, MAX_TURNS, Intake, intake
from app.services.views import MemoryView


class Message(BaseModel):
    """One turn of a conversation."""

    role: Annotated[str, Field(min_length=1, max_length=32), AfterValidator(checked_characters)]
    content: str
    name: Name | None = Field(None, description="Who said it, if the role is not enough.")

    def turn(self) -> Turn:
        """As services take it."""
        return Turn(self.role, self.content, self.name)


class MemoryCreate(BaseModel):
    """POST /memories."""

    model_config = ConfigDict(populate_by_name=True)

    user_id: Name | None = Field(None, description="The owner; the key's own user when absent.")
    text: str | None = Field(None, description="What was said; or `messages`, one of the two.")
    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_TURNS)] | None = None
    metadata: Object = {}
    infer: bool = Field(True, description="Learn from it; false: store it as it is.")
    app: Name | None = Field(None, description='The app that writes; "openmemory" when absent.')
    run_id: Name | None = Field(None, description="The session; `metadata` may name it, too.")
    agent_id: Name | None = Field(None, description="The agent; `metadata` may name it, too.")
    prompt: Annotated[str, Field(max_length=MAX_PROMPT)] | None = Field(
        None, description="What the LLM is told about this one, before all other instructions."
    )
    expires_at: Expiry = Field(None, description="From then on what is made of it is hidden, and soon deleted.")
    later: bool = Field(
        False, alias="async", description="Answer 202 with a PENDING receipt; the worker does the rest."
    )

    @model_validator(mode="after")
    def one_of_two(self) -> Self:
        """Refuse both of text and messages, and neither."""
        if (self.text is None) == (self.messages is None):
            raise ValueError("give either text or messages")
        return self

    def taken_in(self) -> Intake:
        """What is to be learned from."""
        said = self.text if self.text is not None else [one.turn() for one in self.messages or ()]
        named: dict[str, Any] = {"run_id": self.run_id, "agent_id": self.agent_id}
        until = self.expires_at
        return intake(said, self.metadata, infer=self.infer, prompt=self.prompt, expires_at=until, **named)


class BulkItem(BaseModel):
    """One memory of a bulk create."""

    text: str
    metadata: Object = {}


class BulkCreate(BaseModel):
    """POST /memories/bulk."""

    user_id: Name | None = None
    app: Name | None = None
    infer: bool = False
    memories: Annotated[list[BulkItem], Field(min_length=1, max_length=1_000)]

    def drafts(self) -> list[Draft]:
        """What is to be stored."""
        return [draft(item.text, item.metadata) for item in self.memories]


class Result(BaseModel):
    """One decision of an add: ADD, UPDATE, DELETE, NONE, or ARCHIVE for a memory that a newer one replaced."""

    id: UUID | None = None
    memory: str | None = None
    event: str
    version: int | None = Field(None, description="The memory's, after the change.")
    reason: str | None = None
    previous_memory: str | None = None
    superseded_by: UUID | None = None

    @model_serializer(mode="wrap")
    def without_nulls(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only what there is to say of it."""
        return {name: value for name, value in serialize(self).items() if value is not None}


class Answer(BaseModel):
    """The receipt as an add answers it."""

    event_id: UUID
    status: str
    results: list[Result]
    inference: str | None
    error: str | None = None


class MemoryCreated(MemoryOne, Answer):
    """The answer to a create: the memory that was made or changed, or says it already; and the receipt."""


class BulkResult(BaseModel):
    """What became of one item of a bulk create."""

    index: int
    status: Literal["created", "duplicate"]
    id: UUID | None
    event: str
    reason: str | None = None
    categories: list[str]


class BulkCreated(BaseModel):
    """The answer to a bulk create."""

    results: list[BulkResult]
    total: int
    event_id: UUID
    inference: str | None


def created(learned: Learned) -> MemoryCreated | Answer:
    """The answer to a create: with the memory that stands for it, if there is one."""
    receipt = answer(learned)
    if learned.memory is None:
        return receipt
    return MemoryCreated.model_validate(fields_of_one(learned.memory) | receipt.model_dump())


def answer(learned: Learned) -> Answer:
    """A receipt just after the add, its results with their texts."""
    return Answer(
        event_id=learned.event_id,
        status=learned.status,
        results=[_result(decision) for decision in learned.decisions],
        inference=learned.inference,
        error=learned.error,
    )


def status(learned: Learned) -> int:
    """202 for what is left to the worker."""
    return 202 if learned.status == "PENDING" else 200


def _result(decision: Decision) -> Result:
    return Result(
        id=decision.id,
        memory=decision.memory,
        event=decision.event,
        version=decision.version,
        reason=decision.reason,
        previous_memory=decision.previous,
        superseded_by=decision.superseded_by,
    )


def bulk_created(learned: Learned) -> BulkCreated:
    """The answer to a bulk create."""
    known = {view.id: view for view in learned.memories}
    results = [_bulk_result(index, decision, known) for index, decision in enumerate(learned.decisions)]
    return BulkCreated(results=results, total=len(results), event_id=learned.event_id, inference=learned.inference)


def _bulk_result(index: int, decision: Decision, known: Mapping[UUID, MemoryView]) -> BulkResult:
    view = known.get(decision.id) if decision.id else None
    return BulkResult(
        index=index,
        status="created" if decision.event == "ADD" else "duplicate",
        id=decision.id,
        event=decision.event,
        reason=decision.reason,
        categories=view.categories if view else [],
    )
