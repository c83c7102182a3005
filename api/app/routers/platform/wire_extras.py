"""Batches, feedback, exports, summaries and profiles in the hosted mem0's shapes. Pure: no FastAPI, no I/O."""

import json
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, Field

from app.errors import Invalid
from app.routers.platform.fields import End, MemoryId, Name, Named, Object, Time, between
from app.routers.platform.wire_memories import MemoryUpdate, memory
from app.services.digests import Digest
from app.services.exports import MAX_INSTRUCTIONS, Order
from app.services.feedbacks import MAX_REASON, Opinion
from app.services.memories import Edit

MOST = 1_000
NO_MODEL = "No LLM is configured: these are the memories as they are"
NO_MEMORIES = "There are no such memories"
CREATED = "Memory export request received. The export will be ready in a few seconds."


class BatchItem(MemoryUpdate):
    """What one memory of a batch is to be."""

    memory_id: MemoryId


class BatchUpdate(BaseModel):
    """PUT /v1/batch/: all or none."""

    memories: Annotated[list[BatchItem], Field(min_length=1, max_length=MOST)]

    def edits(self) -> dict[UUID, Edit]:
        """By id; of one that is named twice the last."""
        return {one.memory_id: one.edit() for one in self.memories}


class OneId(BaseModel):
    """A memory by its id."""

    memory_id: MemoryId


def _one_id(value: Any) -> Any:
    return {"memory_id": value} if isinstance(value, str) else value


class BatchDelete(BaseModel):
    """DELETE /v1/batch/: all or none."""

    memories: Annotated[list[Annotated[OneId, BeforeValidator(_one_id)]], Field(min_length=1, max_length=MOST)]

    @property
    def ids(self) -> list[UUID]:
        """Whom it is about."""
        return [one.memory_id for one in self.memories]


class FeedbackRequest(BaseModel):
    """POST /v1/feedback/; without `feedback` the caller's is taken back."""

    memory_id: MemoryId
    feedback: Annotated[Opinion | None, BeforeValidator(lambda v: v.upper() if isinstance(v, str) else v)] = None
    feedback_reason: Annotated[str, Field(max_length=MAX_REASON)] | None = None


def feedback(asked: FeedbackRequest) -> dict[str, Any]:
    """What is kept now."""
    sentence = "Feedback submitted successfully!" if asked.feedback else "Feedback removed"
    reason = asked.feedback_reason if asked.feedback else None
    return {
        "id": str(asked.memory_id),
        "feedback": asked.feedback,
        "feedback_reason": reason,
        "message": sentence,
    }


def counted(verb: str, count: int) -> dict[str, str]:
    """How many a batch was about."""
    return {"message": f"Successfully {verb} {count} {'memory' if count == 1 else 'memories'}"}


def _form(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Invalid("not a JSON schema") from None
    return value


class Selecting(Named):
    """Which memories are exported."""

    start_date: Time = None
    end_date: End = None

    def beside(self) -> list[Mapping[str, Any]]:
        """What narrows beside the filters."""
        return between(self.start_date, self.end_date)

    def order(self, form: dict[str, Any] | None = None, instructions: str | None = None) -> Order:
        """As services take it."""
        return Order(self.identifiers, self.which, form, instructions)


class ExportCreate(Selecting):
    """POST /v1/exports/."""

    form: Annotated[Object, BeforeValidator(_form)] = Field(alias="schema")
    export_instructions: Annotated[str, Field(max_length=MAX_INSTRUCTIONS)] | None = None

    def whole(self) -> Order:
        """With its form."""
        return self.order(self.form, self.export_instructions)


class ExportGet(Selecting):
    """POST /v1/exports/get/: by its id, or the last one of the same selection."""

    memory_export_id: MemoryId | None = None


def created(export_id: UUID) -> dict[str, str]:
    """The answer to a new export."""
    return {"message": CREATED, "id": str(export_id)}


def export(digest: Digest) -> dict[str, Any]:
    """The form as it was filled in; without a model the memories as they are, and why."""
    return digest.form if digest.form is not None else _plain(digest)


class SummaryRequest(Named):
    """POST /v1/summary/."""


def summary(digest: Digest) -> dict[str, Any]:
    """The summary; without a model the memories as they are, and why."""
    if digest.summary is None:
        lines = "\n".join(f"- {view.content}" for view in digest.memories.items)
        return {"summary": lines, **_plain(digest)}
    used, total = digest.used, digest.memories.total
    return {"summary": digest.summary, "model": digest.model, "used_memories": used, "total_memories": total}


def _plain(digest: Digest) -> dict[str, Any]:
    shown = [memory(view) for view in digest.memories.items]
    told = NO_MODEL if shown else NO_MEMORIES
    return {"message": told, "model": None, "memories": shown, "total_memories": digest.memories.total}


def profile(entity_id: Name) -> dict[str, Any]:
    """Nobody has a profile here, in the clients' own word for it."""
    return {
        "profile": {},
        "status": "not_enabled",
        "entity_type": "user",
        "entity_id": entity_id,
        "updated_at": None,
        "generation_count": 0,
        "error": None,
    }
