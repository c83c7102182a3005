"""Whole answers as they go over the wire, compared with golden files that were read against the contract."""

import json
from typing import Any

import pytest

from tests.protocols.asking import GOLDEN, shape
from tests.protocols.mcp.conftest import NewKey
from tests.protocols.mcp.test_transports import INITIALIZE, post, request

pytestmark = pytest.mark.one_database


def golden(name: str) -> Any:
    """A golden answer of this door."""
    return json.loads((GOLDEN / "mcp" / f"{name}.json").read_text())


def shaped(value: Any) -> Any:
    """As `shape`, inside the texts that are JSON, too; scores and hashes by their kind."""
    if isinstance(value, dict):
        value = {key: _of_kind(key, item) for key, item in value.items()}
        return {key: shaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shaped(item) for item in value]
    if isinstance(value, str) and value[:1] in "{[" and value[-1:] in "}]":
        return {"JSON": shaped(json.loads(value))}
    return shape(value)


def _of_kind(key: str, item: Any) -> Any:
    kinds = {"score": "<0 to 1>", "confidence": "<0 to 100>", "hash": "<SHA-256>"}
    return kinds.get(key, item)


def asked(address: str, key: str, method: str, **params: Any) -> Any:
    """The body of an answer."""
    answer = post(f"{address}/mcp/cursor/http/ann", request(method, **params), key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_handshake_and_the_tools(address: str, new_key: NewKey) -> None:
    key = new_key("ann")
    initialized = asked(address, key, "initialize", **INITIALIZE["params"])
    initialized["result"]["serverInfo"]["version"] = "<ours>"
    assert initialized == golden("initialize")
    assert asked(address, key, "tools/list") == golden("tools")


def test_the_answers_of_the_tools(address: str, new_key: NewKey) -> None:
    key = new_key("ann")

    def used(tool: str, **arguments: Any) -> Any:
        return asked(address, key, "tools/call", name=tool, arguments=arguments)

    added = used("add_memories", text="I fly to Rome on Friday", infer=False)
    id = added["result"]["structuredContent"]["results"][0]["id"]
    answers = {
        "add_memories": added,
        "search_memory": used("search_memory", query="where do I fly"),
        "list_memories": used("list_memories"),
        "get_memory": used("get_memory", memory_id=id),
        "update_memory": used("update_memory", memory_id=id, text="I fly to Oslo on Friday"),
        "memory_history": used("memory_history", memory_id=id, limit=1),
        "delete_memories": used("delete_memories", memory_ids=[id]),
        "delete_all_memories": used("delete_all_memories"),
        "a failure": used("get_memory", memory_id=id),
        "an unknown tool": post(f"{address}/mcp", request("tools/call", name="forget", arguments={}), key).json(),
    }
    assert shaped(answers) == golden("answers")
