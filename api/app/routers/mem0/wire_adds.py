"""Adds and updates in mem0's shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from app.engine.turns import Turn
from app.errors import Invalid
from app.routers.mem0.fields import Day, Identifier, Metadata
from app.services.decisions import Decision
from app.services.drafts import checked_characters
from app.services.inference import Learned
from app.services.intakes import ROLE, Intake, intake
from app.services.memories import Edit
from app.services.views import MemoryView

NOBODY_NAMED = "At least one identifier (user_id, agent_id, run_id) is required."
NOTHING_SENT = "At least one of text, metadata, or expiration_date must be provided."
EVENTS = {"ADD": "ADD", "UPDATE": "UPDATE", "DELETE": "DELETE", "ARCHIVE": "DELETE"}  # a replaced one is gone here


def _said(content: Any) -> Any:
    """The text of a message: agents send null with a tool's call, and parts with an image."""
    if isinstance(content, list):
        return "\n".join(text for part in content if (text := _said(part)))
    if isinstance(content, Mapping):
        return content["text"] if isinstance(content.get("text"), str) else ""
    return "" if content is None else content


class Message(BaseModel):
    """One turn of a conversation."""

    role: Annotated[str, Field(min_length=1, max_length=32), AfterValidator(checked_characters)] = "user"
    content: Annotated[str, BeforeValidator(_said)]
    name: Identifier = Field(None, description="Who said it, if the role is not enough.")

    def turn(self) -> Turn:
        """As services take it."""
        return Turn(self.role, self.content, self.name)


def _messages(value: Any) -> Any:
    if isinstance(value, str):
        return [{"content": value}]
    return [value] if isinstance(value, Mapping) else value


class MemoryCreate(BaseModel):
    """POST /memories."""

    messages: Annotated[list[Message], BeforeValidator(_messages)] = Field(
        description="The conversation; a text or one message alone is taken, too."
    )
    user_id: Identifier = Field(None, description="The owner; the key's own user when absent.")
    agent_id: Identifier = None
    run_id: Identifier = None
    metadata: Metadata = {}
    infer: bool | None = Field(True, description="Learn from it; false: each message is a memory as it is.")
    expiration_date: Day = Field(None, description="YYYY-MM-DD; hidden after that day (UTC).")
    memory_type: Annotated[str, Field(min_length=1, max_length=32), AfterValidator(checked_characters)] | None = None
    prompt: str | None = Field(None, description="What the LLM is told about this one, before all other instructions.")

    def taken_in(self) -> Intake:
        """What is to be learned from.

        Raises:
            Invalid: nobody is named, or nothing is said.
        """
        if not (self.user_id or self.agent_id or self.run_id):
            raise Invalid(NOBODY_NAMED)
        said = [message.turn() for message in self.messages]
        learns = self.infer is not False
        taken = intake(
            said, self.metadata, run_id=self.run_id, agent_id=self.agent_id, infer=learns, prompt=self.prompt
        )
        until: datetime | None = self.expiration_date or taken.template.expires_at
        template = replace(taken.template, expires_at=until, memory_type=self.memory_type or taken.template.memory_type)
        return replace(taken, template=template, keeps_roles=True)


class MemoryUpdate(BaseModel):
    """PUT /memories/{id}: what is not sent stays as it is, and null is as good as absent but for the date."""

    model_config = ConfigDict(populate_by_name=True)

    text: str | None = Field(None, validation_alias=AliasChoices("text", "memory", "data"))
    metadata: Annotated[Metadata | None, Field(description="Laid over what there is.")] = None
    expiration_date: Day = Field(None, description="YYYY-MM-DD; null: never.")

    def wanted(self) -> Edit:
        """What is to be changed.

        Raises:
            Invalid: nothing.
        """
        is_dated = "expiration_date" in self.model_fields_set
        if self.text is None and not is_dated and "metadata" not in self.model_fields_set:
            raise Invalid(NOTHING_SENT)
        until = self.expiration_date if is_dated else ...
        return Edit(self.text, until, self.metadata, merges=True)


class Result(BaseModel):
    """What became of a memory by an add; only what there is to say of it."""

    id: UUID
    memory: str
    event: str
    previous_memory: str | None = None
    actor_id: str | None = None
    role: str | None = None


class Results(BaseModel):
    """The answer to an add."""

    results: list[Result]


def added(learned: Learned) -> Results:
    """The answer to an add: the memories that it made, changed or took away; what was known already is not in it."""
    views = {view.id: view for view in learned.memories}
    told = [one for one in learned.decisions if one.event in EVENTS and one.id is not None]
    return Results(results=[_result(one, views.get(one.id) if one.id else None) for one in told])


def _result(decision: Decision, view: MemoryView | None) -> Result:
    fields = {
        "id": decision.id,
        "memory": decision.memory or decision.previous or "",
        "event": EVENTS[decision.event],
        "previous_memory": decision.previous if decision.event == "UPDATE" else None,
        "actor_id": view.author if view else None,
        "role": role_of(view.metadata) if view else None,
    }
    return Result.model_validate({name: value for name, value in fields.items() if value is not None})


def role_of(metadata: Mapping[str, Any]) -> str | None:
    """The role of the message that a memory was, if it was one."""
    role = metadata.get(ROLE)
    return role if isinstance(role, str) else None
