"""Adds in the hosted mem0's shapes: what is sent, and what it became or waits for. Pure: no FastAPI, no I/O."""

from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from app.engine.turns import Turn
from app.errors import Invalid
from app.routers.platform.fields import Name, Named, Object, Time
from app.services.decisions import Decision
from app.services.drafts import checked_characters, expiry
from app.services.inference import Learned
from app.services.intakes import MAX_PROMPT, MAX_TURNS, Intake, intake

PINNED = "pinned"
EVENTS = {"NONE": "NOOP", "ARCHIVE": "DELETE"}
QUEUED = "Memory processing has been queued for background execution"
Words = Annotated[str, Field(max_length=MAX_PROMPT)]


def _text(value: Any) -> Any:
    """A message's text; of one in parts the texts, and of a part that is none what it is and where."""
    return "\n".join(_part(part) for part in value) if isinstance(value, list) else _part(value)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        raise Invalid("a message's content is a text, or a list of parts")
    if isinstance(part.get("text"), str):
        return str(part["text"])
    raise Invalid("only parts that are texts are understood here: no images, no documents")


def _messages(value: Any) -> Any:
    if isinstance(value, str):
        return [{"role": "user", "content": value}]
    return [value] if isinstance(value, dict) else value


def _day(value: Any) -> Any:
    until = None if value in (None, "") else expiry(value)
    if until is None and value not in (None, ""):
        raise Invalid("not a date: YYYY-MM-DD")
    return until


class Message(BaseModel):
    """One turn of a conversation."""

    role: Annotated[str, Field(min_length=1, max_length=32), AfterValidator(checked_characters)] = "user"
    content: Annotated[str, BeforeValidator(_text)]
    name: Name | None = None

    def turn(self) -> Turn:
        """As services take it."""
        return Turn(self.role, self.content, self.name)


class AddRequest(Named):
    """POST /v3/memories/add/ and POST /v1/memories/."""

    messages: Annotated[list[Message], BeforeValidator(_messages), Field(min_length=1, max_length=MAX_TURNS)]
    metadata: Object | None = None
    infer: bool = True
    async_mode: bool | None = None
    output_format: str | None = None
    enable_graph: bool = False
    immutable: bool = False
    timestamp: Time = None
    expiration_date: Annotated[Any, BeforeValidator(_day)] = None
    custom_instructions: Words | None = None
    agent_custom_instructions: Words | None = None
    includes: Words | None = None
    excludes: Words | None = None

    @property
    def named(self) -> dict[str, str | None]:
        """Whose it is to be: the identifiers, which the filters may hold instead."""
        within = {name: value for name, value in self.filters.items() if isinstance(value, str)}
        return {name: value or within.get(name) for name, value in self.identifiers.items()}

    def taken_in(self) -> Intake:
        """What is to be learned from."""
        named = self.named
        said = [message.turn() for message in self.messages]
        taken = intake(said, self.metadata, infer=self.infer, prompt=self._prompt())
        template = replace(
            taken.template,
            run_id=named["run_id"] or taken.template.run_id,
            agent_id=named["agent_id"] or taken.template.agent_id,
            expires_at=self.expiration_date or taken.template.expires_at,
            occurred_at=self.timestamp or taken.template.occurred_at,
            memory_type=PINNED if self.immutable else taken.template.memory_type,
        )
        return replace(taken, template=template)

    def _prompt(self) -> str | None:
        """The caller's own words to a model."""
        about_agents = self.agent_custom_instructions if self.named["agent_id"] else None
        words = [self.custom_instructions, about_agents]
        words += [f"Only remember: {self.includes}" if self.includes else None]
        words += [f"Never remember: {self.excludes}" if self.excludes else None]
        return "\n".join(word for word in words if word) or None


def later(asked: AddRequest) -> bool:
    """Whether an add of version 3 is left to the worker: unless it is asked not to be."""
    return asked.async_mode is not False


def queued(learned: Learned) -> dict[str, Any]:
    """What waits: the receipt by which to ask how it went."""
    return {"message": QUEUED, "status": learned.status, "event_id": str(learned.event_id)}


def added(learned: Learned, asked: AddRequest) -> dict[str, Any]:
    """The answer of version 3: what waits, or what was done."""
    if learned.status == "PENDING":
        return queued(learned)
    return {**_told(learned), **({"relations": []} if asked.enable_graph else {})}


def added_before(learned: Learned, asked: AddRequest) -> Any:
    """The answer of version 1: results alone, or an object with `results` if `output_format` is `v1.1`."""
    is_later = learned.status == "PENDING"
    results = [queued(learned)] if is_later else _told(learned)["results"]
    if asked.output_format != "v1.1" and not asked.enable_graph:
        return results
    graph: dict[str, Any] = {"relations": []} if asked.enable_graph else {}
    return {"results": results, **graph} if is_later else {**_told(learned), "results": results, **graph}


def _told(learned: Learned) -> dict[str, Any]:
    results = [_result(decision) for decision in learned.decisions]
    return {"results": results, "event_id": str(learned.event_id), "status": learned.status}


def as_event(event: str) -> str:
    """An event in the clients' four words: what is archived for a newer one is gone for them."""
    return EVENTS.get(event, event)


def _result(decision: Decision) -> dict[str, Any]:
    before = {"previous_memory": decision.previous} if decision.previous is not None else {}
    return {
        "id": str(decision.id) if decision.id else None,
        "memory": decision.memory,
        "data": {"memory": decision.memory},
        "event": as_event(decision.event),
        **before,
    }
