"""The tools at work: each is a verb of the services and a shape, called in a thread."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mcp import types
from pydantic import BaseModel, ValidationError

from app.context import Caller, Context, Runtime
from app.errors import CommonplaceError
from app.logs import request_id_of
from app.models import State
from app.routers.mcp import wire_tools as wire
from app.services import accounts, apps, histories, inference, listings, memories, searches, selections, states

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: how it is described, what it takes, the scope that it needs, and what it does."""

    described: types.Tool
    takes: type[BaseModel]
    scope: str
    act: Callable[[Context, Any], types.CallToolResult]


def add_memories(ctx: Context, given: wire.AddMemories) -> types.CallToolResult:
    """Learn from a text; with its receipt."""
    return wire.added(inference.add(ctx, None, given.taken_in(), app=None))


def search_memory(ctx: Context, given: wire.SearchMemory) -> types.CallToolResult:
    """The memories that answer the query best."""
    return wire.found(searches.search(ctx, given.asked()))


def list_memories(ctx: Context, given: wire.ListMemories) -> types.CallToolResult:
    """The visible memories, newest first."""
    return wire.listed(listings.shown(ctx, given.window), given.window)


def delete_memories(ctx: Context, given: wire.DeleteMemories) -> types.CallToolResult:
    """All of these, or none."""
    return wire.deleted(states.set_many(ctx, given.memory_ids, State.deleted))


def delete_all_memories(ctx: Context, _: wire.DeleteAllMemories) -> types.CallToolResult:
    """Whatever this app can see, with receipts by which it can be undone."""
    return wire.deleted_all(selections.delete(ctx, selections.own(ctx), app=None))


def update_memory(ctx: Context, given: wire.UpdateMemory) -> types.CallToolResult:
    """Change what a memory says."""
    return wire.changed(memories.edit(ctx, given.memory_id, given.text))


def get_memory(ctx: Context, given: wire.GetMemory) -> types.CallToolResult:
    """One memory."""
    return wire.one(memories.get(ctx, given.memory_id))


def memory_history(ctx: Context, given: wire.MemoryHistory) -> types.CallToolResult:
    """The versions of a memory."""
    return wire.history(histories.listing(ctx, given.memory_id, given.window))


TOOLS: Mapping[str, Tool] = {
    tool.described.name: tool
    for tool in (
        Tool(wire.ADD_MEMORIES, wire.AddMemories, "write", add_memories),
        Tool(wire.SEARCH_MEMORY, wire.SearchMemory, "read", search_memory),
        Tool(wire.LIST_MEMORIES, wire.ListMemories, "read", list_memories),
        Tool(wire.DELETE_MEMORIES, wire.DeleteMemories, "write", delete_memories),
        Tool(wire.DELETE_ALL_MEMORIES, wire.DeleteAllMemories, "write", delete_all_memories),
        Tool(wire.UPDATE_MEMORY, wire.UpdateMemory, "write", update_memory),
        Tool(wire.GET_MEMORY, wire.GetMemory, "read", get_memory),
        Tool(wire.MEMORY_HISTORY, wire.MemoryHistory, "read", memory_history),
    )
}


def call(runtime: Runtime, caller: Caller, tool: Tool, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """What a tool answers, failures too: the model that called it has to read them."""
    try:
        given = tool.takes.model_validate(arguments)
        accounts.require(caller, tool.scope)
        apps.require_active(runtime, caller)
        with runtime.context(caller, writing=tool.scope == "write") as ctx:
            return tool.act(ctx, given)
    except ValidationError as error:
        return wire.malformed(error)
    except CommonplaceError as error:
        return wire.refused(error)
    except Exception:  # the SDK would send the exception's own text to the client
        logger.exception("unexpected failure of the tool %s", tool.described.name)
        return wire.crashed(request_id_of.get())
