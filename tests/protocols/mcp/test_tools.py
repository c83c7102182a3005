"""What the tools do, what they leave behind, and what they refuse; over streamable HTTP, asked by the SDK's client."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import anyio
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from mcp import types
from mcp.client.client import Client
from sqlalchemy import insert, select

from app.context import Runtime
from app.models import AccessControl, App, Event, State, User
from app.services import accounts, apps, listings
from app.services.views import Window
from tests.conftest import ADMIN_KEY, AsCaller
from tests.protocols.asking import API, UNKNOWN, ok, statements
from tests.protocols.mcp.conftest import NewKey
from tests.protocols.mcp.speaking import Address, connected, refusal, talk, told, use, words

Call = tuple[str, dict[str, Any]]


@pytest.fixture
def door(address: str, new_key: NewKey) -> Address:
    """Ann's door as the app `cursor`."""
    return Address(f"{address}/mcp/cursor/http/ann", new_key("ann"))


@pytest.fixture
def rest(server: FastAPI) -> TestClient:
    """The OpenMemory door, asked as the admin."""
    return TestClient(server, headers={"Authorization": f"Bearer {ADMIN_KEY}"})


def all_of(door: Address, calls: Sequence[Call]) -> list[types.CallToolResult]:
    """Several calls over one connection."""

    async def say(client: Client) -> list[types.CallToolResult]:
        return [await client.call_tool(name, arguments) for name, arguments in calls]

    answers: list[types.CallToolResult] = talk(door, say)
    return answers


def remember(door: Address, *texts: str) -> list[str]:
    """The ids of memories that are stored word for word."""
    answers = all_of(door, [("add_memories", {"text": text, "infer": False}) for text in texts])
    return [told(answer)["results"][0]["id"] for answer in answers]


def app_named(runtime: Runtime, name: str) -> Any:
    """The row of an app."""
    with runtime.database.reading() as session:
        return session.scalars(select(App).where(App.name == name)).one()


def pause_app(ctx: AsCaller, runtime: Runtime, name: str) -> None:
    """Pause an app."""
    with ctx(writing=True) as c:
        apps.set_active(c, app_named(runtime, name).id, False)


def test_a_memory_from_its_birth_to_its_end(door: Address, runtime: Runtime) -> None:
    (id,) = remember(door, "My bicycle is red")
    (added,) = told(use(door, "list_memories"))
    assert added["id"] == id
    assert added["metadata"] == {"source_app": "cursor", "mcp_client": "cursor"}
    changed = told(use(door, "update_memory", memory_id=id, text="My bicycle is green"))
    assert (changed["memory"], changed["version"]) == ("My bicycle is green", 2)
    read = told(use(door, "get_memory", memory_id=id))
    assert (read["memory"], read["version"], read["state"]) == ("My bicycle is green", 2, "active")
    (hit,) = told(use(door, "search_memory", query="bicycle colour"))["results"]
    assert (hit["id"], hit["memory"]) == (id, "My bicycle is green")
    assert 0 <= hit["score"] <= 1
    versions = told(use(door, "memory_history", memory_id=id))["versions"]
    assert [(one["version"], one["event"], one["memory"]) for one in versions] == [
        (2, "UPDATE", "My bicycle is green"),
        (1, "ADD", "My bicycle is red"),
    ]
    assert versions[0]["changed_by"] == "ann"
    deleted = use(door, "delete_memories", memory_ids=[id])
    assert words(deleted) == "Successfully deleted 1 memories"
    assert deleted.structured_content == {"result": "Successfully deleted 1 memories", "deleted": 1}
    assert told(use(door, "list_memories")) == []
    assert told(use(door, "search_memory", query="bicycle"))["results"] == []
    assert refusal(use(door, "get_memory", memory_id=id)) == "Error: Memory not found"


def test_an_add_leaves_a_receipt_and_learns_without_a_model_what_is_new(door: Address, runtime: Runtime) -> None:
    first = told(use(door, "add_memories", text="I was born in Oslo"))
    again = told(use(door, "add_memories", text="I was born in Oslo"))
    assert [one["event"] for one in first["results"] + again["results"]] == ["ADD", "NONE"]
    assert first["inference"] == "verbatim"
    assert first["results"][0]["role"] == "user"
    with runtime.database.reading() as session:
        kept = {str(id): app for id, app in session.execute(select(Event.id, App.name).join(App))}
    assert kept == {first["event_id"]: "cursor", again["event_id"]: "cursor"}


def test_the_structured_content_says_the_same(door: Address) -> None:
    remember(door, "one", "two", "three")
    listed = use(door, "list_memories", limit=2)
    structured = listed.structured_content
    assert isinstance(structured, dict)
    assert structured["results"] == json.loads(words(listed))
    assert (structured["total"], len(structured["results"])) == (3, 2)
    (_, more) = listed.content
    assert isinstance(more, types.TextContent)
    assert more.text == "These are 2 of 3 memories; offset=2 reads on."
    rest = use(door, "list_memories", limit=2, offset=2)
    assert [one["memory"] for one in told(rest)] == ["one"]
    assert len(rest.content) == 1
    found = use(door, "search_memory", query="one", limit=1)
    assert found.structured_content == told(found)


def test_every_tool_says_what_it_takes_and_whether_it_changes_anything(door: Address) -> None:
    async def say(client: Client) -> list[types.Tool]:
        return (await client.list_tools()).tools

    tools = {tool.name: tool for tool in talk(door, say)}
    reads = {name for name, tool in tools.items() if tool.annotations and tool.annotations.read_only_hint}
    assert reads == {"search_memory", "list_memories", "get_memory", "memory_history"}
    destroys = {name for name, tool in tools.items() if tool.annotations and tool.annotations.destructive_hint}
    assert destroys == {"delete_memories", "delete_all_memories", "update_memory"}
    for tool in tools.values():
        assert tool.description
        assert tool.title
        for name, field in tool.input_schema.get("properties", {}).items():
            assert field.get("description"), f"{tool.name}: {name}"
    taken = {name: list(tool.input_schema.get("properties", {})) for name, tool in tools.items()}
    assert taken["add_memories"] == ["text", "infer"]
    assert taken["search_memory"][0] == "query"
    assert taken["delete_memories"] == ["memory_ids"]
    assert taken["delete_all_memories"] == []
    required = {name: tool.input_schema.get("required", []) for name, tool in tools.items()}
    assert required["list_memories"] == required["delete_all_memories"] == []
    assert required["search_memory"] == ["query"]
    assert required["add_memories"] == ["text"]


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("add_memories", {}, "text: Field required"),
    ("add_memories", {"text": "   "}, "The text is empty"),
    ("add_memories", {"text": "a\x00b"}, "control character"),
    ("add_memories", {"text": "x" * 100_001}, "text: String should have at most 100000"),
    ("add_memories", {"text": 7}, "text: Input should be a valid string"),
    ("search_memory", {"query": ""}, "query: String should have at least 1"),
    ("search_memory", {"query": "x", "limit": 101}, "limit: Input should be less than"),
    ("list_memories", {"offset": -1}, "offset: Input should be greater"),
    ("delete_memories", {"memory_ids": []}, "memory_ids: List should have at least 1"),
    ("delete_memories", {"memory_ids": ["x"]}, "memory_ids.0: Input should be a valid UUID"),
    ("delete_memories", {"memory_ids": [UNKNOWN]}, "Memory not found"),
    ("update_memory", {"memory_id": UNKNOWN, "text": "x"}, "Memory not found"),
    ("get_memory", {"memory_id": UNKNOWN}, "Memory not found"),
    ("memory_history", {"memory_id": UNKNOWN}, "Memory not found"),
]


def test_what_makes_no_sense_is_told_to_the_model(door: Address) -> None:
    answers = all_of(door, [(name, arguments) for name, arguments, _ in BAD])
    for (name, _, expected), answer in zip(BAD, answers, strict=True):
        assert refusal(answer).startswith("Error: "), name
        assert expected in words(answer), name


def test_a_failure_that_nobody_expected_tells_nothing(door: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr("app.services.searches.search", broken)
    said = refusal(use(door, "search_memory", query="x"))
    assert said.startswith("Error: Internal error (request ")
    assert "secret" not in said


def test_each_read_is_logged_as_the_clients(door: Address, ctx: AsCaller, rest: TestClient) -> None:
    (id,) = remember(door, "I sail")
    all_of(
        door,
        [
            ("search_memory", {"query": "boats"}),
            ("list_memories", {}),
            ("get_memory", {"memory_id": id}),
            ("memory_history", {"memory_id": id}),
        ],
    )
    logs = ok(rest.get(f"{API}/memories/{id}/access-log"))["logs"]
    assert {log["app_name"] for log in logs} == {"cursor"}
    assert sorted(log["access_type"] for log in logs) == ["get", "history", "list", "search"]
    assert [log["metadata_"]["query"] for log in logs if log["access_type"] == "search"] == ["boats"]


def test_a_paused_app_is_told_so_by_every_tool(door: Address, ctx: AsCaller, runtime: Runtime) -> None:
    (id,) = remember(door, "I sail")
    pause_app(ctx, runtime, "cursor")
    calls: list[Call] = [
        ("add_memories", {"text": "x"}),
        ("search_memory", {"query": "x"}),
        ("list_memories", {}),
        ("delete_memories", {"memory_ids": [id]}),
        ("delete_all_memories", {}),
        ("update_memory", {"memory_id": id, "text": "x"}),
        ("get_memory", {"memory_id": id}),
        ("memory_history", {"memory_id": id}),
    ]
    told_so = [refusal(answer) for answer in all_of(door, calls)]
    assert set(told_so) == {"Error: App cursor is currently paused: it may neither read nor write memories."}
    other = Address(door.url.replace("/cursor/", "/claude/"), door.key)
    assert [one["id"] for one in told(use(other, "list_memories"))] == [id]


def test_what_is_paused_or_archived_is_shown_to_nobody_and_left_alone(
    door: Address, rest: TestClient, ctx: AsCaller
) -> None:
    shown, paused, archived = remember(door, "shown", "paused", "archived")
    for id, state in ((paused, State.paused), (archived, State.archived)):
        ok(rest.post(f"{API}/memories/actions/pause", json={"user_id": "ann", "memory_ids": [id], "state": state}))
    assert [one["id"] for one in told(use(door, "list_memories"))] == [shown]
    for id in (paused, archived):
        assert refusal(use(door, "get_memory", memory_id=id)) == "Error: Memory not found"
    all_or_none = use(door, "delete_memories", memory_ids=[shown, paused])
    assert refusal(all_or_none) == f"Error: Memory not found: {paused}"
    everything = use(door, "delete_all_memories")
    assert words(everything) == "Successfully deleted all memories"
    assert everything.structured_content == {"result": "Successfully deleted all memories", "deleted": 1}
    with ctx() as c:
        left = listings.governed(c, Window(10), user_id="ann", show_archived=True).items
    assert {str(view.id) for view in left} == {paused, archived}


def test_what_all_was_deleted_can_be_brought_back(door: Address, rest: TestClient) -> None:
    kept = set(remember(door, "first", "second"))
    use(door, "delete_all_memories")
    assert told(use(door, "list_memories")) == []
    receipts = ok(rest.get(f"{API}/events?user_id=ann"))["items"]
    deleted = [one for one in receipts if one["kind"] == "DELETE"]
    assert len(deleted) == 1
    ok(rest.post(f"{API}/events/{deleted[0]['id']}/undo"))
    assert {one["id"] for one in told(use(door, "list_memories"))} == kept


def test_rules_of_access_bind_the_client(door: Address, runtime: Runtime) -> None:
    hidden, shown = remember(door, "hidden from cursor", "shown to cursor")
    rule = {"subject_type": "app", "object_type": "memory", "effect": "deny"}
    with runtime.database.transaction() as session:
        ids = {"subject_id": app_named(runtime, "cursor").id, "object_id": hidden}
        session.execute(insert(AccessControl), [{**rule, **{k: _uuid(v) for k, v in ids.items()}}])
    assert [one["id"] for one in told(use(door, "list_memories"))] == [shown]
    found = told(use(door, "search_memory", query="cursor"))["results"]
    assert [one["id"] for one in found] == [shown]
    for tool, arguments in (("get_memory", {}), ("update_memory", {"text": "x"}), ("memory_history", {})):
        assert refusal(use(door, tool, memory_id=hidden, **arguments)) == "Error: Memory not found"
    assert refusal(use(door, "delete_memories", memory_ids=[hidden])) == "Error: Memory not found"
    use(door, "delete_all_memories")
    other = Address(door.url.replace("/cursor/", "/claude/"), door.key)
    assert [one["id"] for one in told(use(other, "list_memories"))] == [hidden]


def _uuid(value: Any) -> Any:
    return UUID(value) if isinstance(value, str) else value


def test_nobody_reaches_what_is_somebody_elses(door: Address, new_key: NewKey) -> None:
    (id,) = remember(door, "Ann's secret")
    bob = Address(door.url.replace("/ann", "/bob"), new_key("bob"))
    calls: list[Call] = [
        ("get_memory", {"memory_id": id}),
        ("update_memory", {"memory_id": id, "text": "x"}),
        ("memory_history", {"memory_id": id}),
        ("delete_memories", {"memory_ids": [id]}),
    ]
    assert {refusal(answer) for answer in all_of(bob, calls)} == {"Error: Memory not found"}
    assert told(use(bob, "search_memory", query="secret"))["results"] == []
    assert told(use(bob, "list_memories")) == []
    use(bob, "delete_all_memories")
    assert [one["id"] for one in told(use(door, "list_memories"))] == [id]


def test_an_admin_at_a_users_url_is_that_users_client_and_no_admin(
    door: Address, address: str, new_key: NewKey, runtime: Runtime
) -> None:
    (of_ann,) = remember(door, "Ann's secret")
    carl = Address(f"{address}/mcp/cursor/http/carl", ADMIN_KEY)
    assert told(use(carl, "list_memories")) == []
    assert refusal(use(carl, "get_memory", memory_id=of_ann)) == "Error: Memory not found"
    remember(carl, "Carl's note")
    with runtime.database.reading() as session:
        owner = session.scalar(select(User.user_id).join(App, App.owner_id == User.id).where(User.user_id == "carl"))
    assert owner == "carl"


def test_a_key_that_only_reads_may_not_write(address: str, new_key: NewKey) -> None:
    door = Address(f"{address}/mcp", new_key("ann", scopes=["read"]))
    assert told(use(door, "search_memory", query="x"))["results"] == []
    for tool, arguments in (("add_memories", {"text": "x"}), ("delete_all_memories", {})):
        assert refusal(use(door, tool, **arguments)) == "Error: This needs the scope 'write'"


def test_a_client_may_name_itself_where_the_url_does_not(address: str, new_key: NewKey) -> None:
    key = new_key("ann")
    remember(Address(f"{address}/mcp", key), "unnamed")
    remember(Address(f"{address}/mcp?client=zed", key), "named")
    listed = told(use(Address(f"{address}/mcp", key), "list_memories"))
    assert [one["app_name"] for one in listed] == ["zed", accounts.UNNAMED_APP]


def test_a_list_costs_the_same_with_few_and_with_many(door: Address, runtime: Runtime) -> None:
    async def cost(client: Client, tool: str, arguments: dict[str, Any]) -> int:
        told(await client.call_tool(tool, arguments))  # warms up what is made once
        with statements(runtime) as seen:
            told(await client.call_tool(tool, arguments))
        return len(seen)

    async def say(client: Client) -> list[list[int]]:
        costs = []
        for count in (5, 60):
            for number in range(count):
                await client.call_tool("add_memories", {"text": f"note {count} {number}", "infer": False})
            id = told(await client.call_tool("list_memories", {"limit": 1}))[0]["id"]
            calls = [
                ("list_memories", {"limit": 50}),
                ("search_memory", {"query": "note", "limit": 50}),
                ("get_memory", {"memory_id": id}),
                ("memory_history", {"memory_id": id}),
            ]
            costs.append([await cost(client, tool, arguments) for tool, arguments in calls])
        return costs

    few, many = talk(door, say)
    assert few == many
    over = [pair for pair in zip(few, [6, 11, 6, 7], strict=True) if pair[0] > pair[1]]
    assert over == []  # of which who asks, whether the app is paused, and the access log: one each


def test_calls_at_once_do_not_wait_for_each_other_on_the_event_loop(door: Address) -> None:
    async def whole() -> list[int]:
        found: list[int] = []
        async with connected(door) as client, anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(_remember, client, number, found)
        return found

    assert sorted(anyio.run(whole)) == list(range(20))
    assert len(told(use(door, "list_memories"))) == 20


async def _remember(client: Client, number: int, found: list[int]) -> None:
    told(await client.call_tool("add_memories", {"text": f"note {number}", "infer": False}))
    found.append(number)
