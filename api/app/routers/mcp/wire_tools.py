"""The tools: what they take, and what they answer. Pure: no FastAPI, no I/O."""

import json
from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from mcp import types
from pydantic import BaseModel, Field, ValidationError

from app import errors
from app.services.decisions import Decision
from app.services.drafts import MAX_TEXT, content_hash
from app.services.histories import Version
from app.services.inference import Learned
from app.services.intakes import Intake, intake
from app.services.searches import MAX_QUERY, Query, Result
from app.services.views import Listing, MemoryView, Window

MOST_HITS = 100
MOST_LISTED = 1_000
MOST_DELETED = 1_000

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
MemoryId = Annotated[UUID, Field(description="The memory's id, as the other tools give it.")]
Limit = Annotated[int, Field(ge=1, le=MOST_LISTED, description="How many at most.")]
Offset = Annotated[int, Field(ge=0, le=10_000_000, description="How many to leave out, to read on.")]


class AddMemories(BaseModel):
    """add_memories."""

    text: Annotated[Text, Field(description="What is to be remembered, in plain words.")]
    infer: bool = Field(True, description="Learn the facts from it; false: store it word for word.")

    def taken_in(self) -> Intake:
        """As services take it."""
        return intake(self.text, {}, infer=self.infer)


class SearchMemory(BaseModel):
    """search_memory."""

    query: Annotated[str, Field(min_length=1, max_length=MAX_QUERY, description="A question or a few words.")]
    limit: Annotated[int, Field(ge=1, le=MOST_HITS, description="How many hits at most.")] = 10

    def asked(self) -> Query:
        """As services take it."""
        return Query(text=self.query, limit=self.limit)


class ListMemories(BaseModel):
    """list_memories."""

    limit: Limit = 100
    offset: Offset = 0

    @property
    def window(self) -> Window:
        """As services take it."""
        return Window(self.limit, self.offset)


class DeleteMemories(BaseModel):
    """delete_memories."""

    memory_ids: Annotated[
        list[UUID], Field(min_length=1, max_length=MOST_DELETED, description="Ids, as the other tools give them.")
    ]


class DeleteAllMemories(BaseModel):
    """delete_all_memories: no arguments."""


class UpdateMemory(BaseModel):
    """update_memory."""

    memory_id: MemoryId
    text: Annotated[Text, Field(description="What it shall say from now on.")]


class GetMemory(BaseModel):
    """get_memory."""

    memory_id: MemoryId


class MemoryHistory(BaseModel):
    """memory_history."""

    memory_id: MemoryId
    limit: Annotated[int, Field(ge=1, le=100, description="How many versions at most, newest first.")] = 20
    offset: Offset = 0

    @property
    def window(self) -> Window:
        """As services take it."""
        return Window(self.limit, self.offset)


def tool(name: str, title: str, description: str, takes: type[BaseModel], **hints: bool) -> types.Tool:
    """A tool as `tools/list` describes it; `hints` are annotations."""
    schema = takes.model_json_schema()
    for described in (schema, *schema.get("properties", {}).values()):
        described.pop("title", None)  # pydantic's: every model that has the tools at hand would read them each time
    schema.pop("description", None)
    annotations = types.ToolAnnotations(title=title, open_world_hint=False, **hints)
    return types.Tool(name=name, title=title, description=description, input_schema=schema, annotations=annotations)


READS = {"read_only_hint": True}
ADDS = {"read_only_hint": False, "destructive_hint": False, "idempotent_hint": False}
CHANGES = {"read_only_hint": False, "destructive_hint": True, "idempotent_hint": True}

ADD_MEMORIES = tool(
    "add_memories",
    "Remember",
    "Remember something about the user. Call this whenever the user tells anything about themselves, their "
    "preferences, their work or anything else that may matter later, and whenever they ask you to remember something.",
    AddMemories,
    **ADDS,
)
SEARCH_MEMORY = tool(
    "search_memory",
    "Search memories",
    "Search the stored memories. Call this EVERY time the user asks something that an earlier conversation may help "
    "to answer.",
    SearchMemory,
    **READS,
)
LIST_MEMORIES = tool("list_memories", "List memories", "List the user's memories, newest first.", ListMemories, **READS)
DELETE_MEMORIES = tool(
    "delete_memories", "Delete memories", "Delete these memories: all of them, or none.", DeleteMemories, **CHANGES
)
DELETE_ALL_MEMORIES = tool(
    "delete_all_memories",
    "Delete all memories",
    "Delete every memory of the user that this client can see. Only when the user asks for just that.",
    DeleteAllMemories,
    **CHANGES,
)
UPDATE_MEMORY = tool(
    "update_memory", "Change a memory", "Change what a memory says; the old version is kept.", UpdateMemory, **CHANGES
)
GET_MEMORY = tool("get_memory", "Read a memory", "Read one memory with all that is known about it.", GetMemory, **READS)
MEMORY_HISTORY = tool(
    "memory_history",
    "History of a memory",
    "What a memory said before: its versions, newest first, with who changed it when.",
    MemoryHistory,
    **READS,
)


def answer(structured: Mapping[str, Any], text: Any = None, note: str | None = None) -> types.CallToolResult:
    """A result: as JSON in the first text (`text`, if that is not the structured content), and structured."""
    shown = [text if isinstance(text, str) else _json(structured if text is None else text), *([note] if note else [])]
    content: list[types.ContentBlock] = [types.TextContent(type="text", text=one) for one in shown]
    return types.CallToolResult(content=content, structured_content=dict(structured))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def failure(message: str) -> types.CallToolResult:
    """A call that did not do what it should; the model reads why."""
    return types.CallToolResult(content=[types.TextContent(type="text", text=f"Error: {message}")], is_error=True)


def refused(error: errors.CommonplaceError) -> types.CallToolResult:
    """A domain error."""
    return failure(str(error))


def malformed(error: ValidationError) -> types.CallToolResult:
    """Arguments of another shape than declared."""
    faults = [f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}" for one in error.errors()]
    return failure(f"Invalid arguments. {'; '.join(faults)}")


def crashed(request_id: str | None) -> types.CallToolResult:
    """An unexpected exception, which the log has under the request's id."""
    return failure(f"Internal error{f' (request {request_id})' if request_id else ''}")


def added(learned: Learned) -> types.CallToolResult:
    """The receipt of an add, as mem0 answers adds."""
    authors = {view.id: view.author for view in learned.memories}
    results = [_decision(one, authors) for one in learned.decisions]
    return answer(
        {
            "results": results,
            "event_id": str(learned.event_id),
            "status": learned.status,
            "inference": learned.inference,
        }
    )


def _decision(one: Decision, authors: Mapping[UUID, str | None]) -> dict[str, Any]:
    fields = {
        "id": one.id and str(one.id),
        "memory": one.memory,
        "event": one.event,
        "previous_memory": one.previous,
        "reason": one.reason,
        "superseded_by": one.superseded_by and str(one.superseded_by),
    }
    known = {name: value for name, value in fields.items() if value is not None}
    return {**known, "actor_id": authors.get(one.id) if one.id else None, "role": "user"}


def found(result: Result) -> types.CallToolResult:
    """The hits of a search, best first."""
    hits = [
        {**_said(hit.memory), "score": round(hit.score, 4), "confidence": round(hit.confidence)} for hit in result.hits
    ]
    return answer({"results": hits, **({"warning": result.warning} if result.warning else {})})


def _said(view: MemoryView) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": str(view.id),
        "memory": view.content,
        "hash": content_hash(view.content),
        "created_at": view.created_at.isoformat(),
        "updated_at": view.updated_at.isoformat(),
        "app_name": view.app_name,
    }
    if view.categories:
        told["categories"] = view.categories
    if view.occurred_at:
        told["occurred_at"] = view.occurred_at.isoformat()
    return told


def listed(listing: Listing[MemoryView], window: Window) -> types.CallToolResult:
    """A list: the text is a bare array, as OpenMemory gave it; a second text says if there is more."""
    items = [_listed(view) for view in listing.items]
    end = window.offset + len(items)
    more = (
        f"These are {len(items)} of {listing.total} memories; offset={end} reads on." if end < listing.total else None
    )
    return answer({"results": items, "total": listing.total, "offset": window.offset}, items, more)


def _listed(view: MemoryView) -> dict[str, Any]:
    origin = {"source_app": view.app_name, "mcp_client": view.app_name}
    return {**_said(view), "metadata": {**origin, **view.metadata}, "user_id": view.user_id, "role": "user"}


def one(view: MemoryView) -> types.CallToolResult:
    """One memory with all that is known about it."""
    known = {
        "state": view.state,
        "version": view.version,
        "author": view.author,
        "agent_id": view.agent_id,
        "run_id": view.run_id,
        "tags": view.tags,
        "expires_at": view.expires_at and view.expires_at.isoformat(),
    }
    return answer({**_listed(view), **{name: value for name, value in known.items() if value not in (None, [])}})


def changed(view: MemoryView) -> types.CallToolResult:
    """A memory after an update."""
    return answer({"message": "Memory updated", **_said(view), "version": view.version})


def history(listing: Listing[Version]) -> types.CallToolResult:
    """The versions of a memory, newest first."""
    versions = [
        {
            "version": one.version,
            "event": one.event,
            "memory": one.content,
            "state": one.state,
            "changed_by": one.changed_by,
            "created_at": one.created_at.isoformat(),
        }
        for one in listing.items
    ]
    return answer({"versions": versions, "total": listing.total})


def deleted(count: int) -> types.CallToolResult:
    """The answer to a delete of some: OpenMemory's sentence."""
    sentence = f"Successfully deleted {count} memories"
    return answer({"result": sentence, "deleted": count}, sentence)


def deleted_all(count: int) -> types.CallToolResult:
    """The answer to a delete of all: OpenMemory's sentence."""
    sentence = "Successfully deleted all memories"
    return answer({"result": sentence, "deleted": count}, sentence)
