"""/apps/{app_id}/access-rules, and who may see a memory. That they hold at every door: across/test_rules.py."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from tests.protocols.asking import API, UNKNOWN, Person, ok, remember, statements


@pytest.fixture
def first(door: TestClient) -> dict[str, Any]:
    """A memory of the app `agent`."""
    return remember(door, "the hotel in Rome", app="agent")


@pytest.fixture
def rules(first: dict[str, Any]) -> str:
    """The address of the app's rules."""
    return f"{API}/apps/{first['app_id']}/access-rules"


def deny(door: TestClient, rules: str, memory_id: str | None = None, effect: str = "deny") -> dict[str, Any]:
    made: dict[str, Any] = ok(door.post(rules, json={"effect": effect, "memory_id": memory_id}))
    del made["replaced"]
    return made


def test_rules_are_listed_with_what_their_memories_say(door: TestClient, first: dict[str, Any], rules: str) -> None:
    empty = {"items": [], "total": 0, "page": 1, "size": 50, "pages": 0}
    assert ok(door.get(rules)) == {**empty, "user_id": "admin", "sees": "everything"}
    other = remember(door, "the hotel in Paris", app="agent")
    for_all = deny(door, rules, effect="allow")
    one, two = deny(door, rules, first["id"]), deny(door, rules, other["id"])
    assert (one["content"], one["state"], one["effect"]) == ("the hotel in Rome", "active", "deny")
    page = ok(door.get(rules))
    assert [item["id"] for item in page["items"]] == [for_all["id"], two["id"], one["id"]]
    assert ok(door.get(rules, params={"size": 1, "page": 2}))["items"] == [two]
    assert page["total"] == 3


def test_a_rule_takes_the_place_of_the_one_before(door: TestClient, first: dict[str, Any], rules: str) -> None:
    body = {"effect": "deny", "memory_id": first["id"]}
    assert ok(door.post(rules, json=body))["replaced"] is None
    allowed = ok(door.post(rules, json={**body, "effect": "allow"}))
    assert allowed.pop("replaced") == "deny"
    assert ok(door.get(rules))["items"] == [allowed]


@pytest.mark.parametrize(
    ("effects", "sees"),
    [
        ([("deny", "one")], "everything"),
        ([("allow", "one")], "nothing"),
        ([("allow", "one"), ("allow", None)], "everything"),
        ([("allow", "one"), ("deny", None)], "nothing"),
    ],
)
def test_a_list_says_what_an_app_sees_of_the_rest(
    door: TestClient, first: dict[str, Any], rules: str, effects: list[tuple[str, str | None]], sees: str
) -> None:
    for effect, which in effects:
        deny(door, rules, first["id"] if which else None, effect)
    assert ok(door.get(rules))["sees"] == sees
    remember(door, "the hotel in Paris")  # which no rule names
    found = ok(door.post(f"{API}/memories/search", json={"query": "hotel in Paris", "app": "agent"}))["results"]
    assert ("the hotel in Paris" in [hit["content"] for hit in found]) == (sees == "everything")


def test_a_rule_outlives_its_memory_and_says_so(door: TestClient, first: dict[str, Any], rules: str) -> None:
    # An allowed one that went with its memory would open all others to the app.
    deny(door, rules, first["id"], effect="allow")
    ok(door.delete(f"{API}/memories/{first['id']}"))
    assert ok(door.get(rules))["items"][0]["state"] == "deleted"
    ok(door.post(f"{API}/memories/{first['id']}/purge"))
    page = ok(door.get(rules))
    assert (page["items"][0]["content"], page["items"][0]["memory_id"], page["sees"]) == (None, first["id"], "nothing")
    ok(door.delete(f"{rules}/{page['items'][0]['id']}"))
    assert ok(door.get(rules))["sees"] == "everything"


def test_an_apps_key_neither_sees_nor_changes_its_rules(door: TestClient, person: Person) -> None:
    agent = person("ann", app="agent")
    memory = remember(agent, "the hotel in Rome")
    rules = f"{API}/apps/{memory['app_id']}/access-rules"
    asked = [("GET", rules), ("POST", rules), ("DELETE", f"{rules}/{UNKNOWN}")]
    for method, path in (*asked, ("GET", f"{API}/memories/{memory['id']}/readers")):
        answer = agent.request(method, path, json={"effect": "allow"} if method == "POST" else None)
        assert answer.status_code == 403, (method, path)


def test_what_is_not_there_is_not_found(door: TestClient, person: Person, rules: str) -> None:
    of_ann = remember(person("ann"), "hers")
    for memory_id in (UNKNOWN, of_ann["id"]):  # an admin's reach is wide, but this app is not Ann's
        answer = door.post(rules, json={"effect": "deny", "memory_id": memory_id})
        assert (answer.status_code, answer.json()) == (404, {"detail": "Memory not found"})
    made = deny(door, rules)
    other = f"{API}/apps/{of_ann['app_id']}/access-rules/{made['id']}"
    assert (door.delete(other).status_code, door.delete(f"{rules}/{UNKNOWN}").status_code) == (404, 404)
    assert person("ann", scopes=["read"]).post(rules, json={"effect": "deny"}).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"effect": "hide"}, {"effect": "deny", "memory_id": "x"}, {"effect": "deny", "a": 1}]
)
def test_a_rule_of_another_shape_is_refused(door: TestClient, rules: str, body: dict[str, Any]) -> None:
    assert door.post(rules, json=body).status_code == 422


def test_a_memory_says_which_apps_may_see_it_and_why_not(door: TestClient, first: dict[str, Any], rules: str) -> None:
    apps = {"agent": first["app_id"]}
    for name in ("free", "paused", "nothing", "others"):
        apps[name] = remember(door, f"of {name}", app=name)["app_id"]
    other = remember(door, "another")
    denied = deny(door, rules, first["id"])
    deny(door, f"{API}/apps/{apps['nothing']}/access-rules")
    deny(door, f"{API}/apps/{apps['others']}/access-rules", other["id"], "allow")
    ok(door.put(f"{API}/apps/{apps['paused']}?is_active=false"))
    path = f"{API}/memories/{first['id']}/readers"
    readers = {reader["app_name"]: reader for reader in ok(door.get(path))["items"]}
    whys = {name: reader["why"] for name, reader in readers.items() if name in apps}
    assert whys == {"agent": "denied", "free": None, "paused": "paused", "nothing": "nothing", "others": "others"}
    assert (readers["agent"]["rule_id"], readers["free"]["rule_id"]) == (denied["id"], None)
    ok(door.post(f"{API}/memories/actions/archive", json=[first["id"]]))
    assert {reader["why"] for reader in ok(door.get(path))["items"]} == {"state"}


def test_lists_cost_the_same_with_few_and_with_many(door: TestClient, runtime: Runtime, rules: str) -> None:
    costs = []
    for start, end in ((0, 2), (2, 40)):
        for number in range(start, end):
            made = remember(door, f"note {number}", app=f"app {number}")
            deny(door, rules, made["id"])
        costs.append([cost(door, runtime, path) for path in (rules, f"{API}/memories/{made['id']}/readers")])
    assert costs[0] == costs[1]
    assert max(costs[1]) <= 6


def cost(door: TestClient, runtime: Runtime, path: str) -> int:
    with statements(runtime) as seen:
        ok(door.get(path))
    return len(seen)
