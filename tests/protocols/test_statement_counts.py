"""How many SQL statements and embeddings a request costs: bounded, and the same with few memories and with many."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from app.services import accesses
from tests.protocols.asking import API, Person, ok, remember, statements

FEW, MANY = 10, 300
APPS = ("one", "two", "three")


def fill(door: TestClient, start: int, end: int, owner: str) -> None:
    """Memories from `start` to `end`, a third of them by each of three apps."""
    for number, app in enumerate(APPS):
        items = [
            {"text": f"note {i}: we fly to Rome and stay at a hotel"} for i in range(start, end) if i % 3 == number
        ]
        ok(door.post(f"{API}/memories/bulk", json={"user_id": owner, "app": app, "memories": items}))


def cost(runtime: Runtime, door: TestClient, method: str, path: str, body: Any = None) -> int:
    """SQL statements of a request; the first one warms up what is made once (an app's first appearance).

    Reads that wait to be spread over the access log are another's cost: see the test of that.
    """
    ok(door.request(method, f"{API}{path}", json=body))
    accesses.spread(runtime)
    with statements(runtime) as seen:
        ok(door.request(method, f"{API}{path}", json=body))
    return len(seen)


READS = [
    ("GET", "/memories?size=5", None),
    ("GET", "/memories?size=5&page=2&search_query=note", None),
    ("GET", "/memories?size=5&categories=travel&from_date=2020-01-01&sort_column=categories", None),
    ("GET", "/memories?size=5&user_id=ann&sort_column=app_name", None),
    ("POST", "/memories/filter", {"size": 5}),
    ("POST", "/memories/filter", {"size": 5, "search_query": "note", "show_archived": True, "user_id": "ann"}),
    ("POST", "/memories/filter", {"size": 5, "states": ["archived"], "agent_id": "a", "memory_types": ["insight"]}),
    ("POST", "/memories/filter", {"size": 5, "tags": ["x", "y"]}),
    ("POST", "/memories/filter/ids", {"search_query": "note"}),
    ("GET", "/memories/categories", None),
    ("GET", "/memories/tags?prefix=x", None),
    ("GET", "/memories/{id}", None),
    ("GET", "/memories/{id}/access-log?size=1", None),
    ("GET", "/memories/{id}/history?size=5", None),
    ("GET", "/memories/{id}/related", None),
    ("GET", "/memories/{id}/status-history?size=5", None),
    ("GET", "/memories/{id}/sources", None),
    ("GET", "/apps?size=2", None),
    ("GET", "/apps/{app}", None),
    ("GET", "/apps/{app}/memories?size=3", None),
    ("GET", "/apps/{app}/accessed?size=3", None),
    ("GET", "/stats", None),
    ("GET", "/stats?user_id=ann", None),
]


@pytest.mark.parametrize("app", [None, "one"])
def test_a_read_is_at_most_six_statements_with_few_and_with_many(
    door: TestClient, person: Person, runtime: Runtime, app: str | None
) -> None:
    ann = person("ann", app=app) if app else door
    costs = []
    for start, end in ((0, FEW), (FEW, MANY)):
        fill(door, start, end, "ann")
        known = ok(ann.post(f"{API}/memories/search", json={"user_id": "ann", "query": "note", "app": "one"}))
        one = ok(ann.get(f"{API}/apps", params={"user_id": "ann", "name": "one"}))["apps"][0]
        ids = {"id": known["results"][0]["id"], "app": one["id"]}
        costs.append([cost(runtime, ann, method, path.format(**ids), body) for method, path, body in READS])
    assert costs[0] == costs[1]
    # One more for what an app was shown: whether there are reads to be spread, and which app asks.
    most = [7 if "accessed" in path else 6 for _, path, _ in READS]
    over = [(count, read) for count, limit, read in zip(costs[1], most, READS, strict=True) if count > limit]
    assert over == []


SEARCHES = [
    {},
    {"mode": "vector"},
    {"mode": "keyword"},
    {"app": "one", "limit": 50},
    {"filters": {"author": "nobody"}},
    {"filters": {"categories": "travel"}, "explain": True},
    {"filters": {"OR": [{"n": {"gte": 3}}, {"NOT": {"run_id": "*"}}]}, "neighbours": 5, "limit": 200},
    {"filters": {"content": {"contains": "note 7:"}}},
    {"filters": {"run_id": "none"}, "rerank": True},
]


def test_a_search_is_at_most_nine_statements_with_few_and_with_many(door: TestClient, runtime: Runtime) -> None:
    more = (
        0 if runtime.database.is_sqlite else 7
    )  # where the index holds nothing in memory, it asks, in each of two rounds
    for start, end in ((0, FEW), (FEW, MANY)):
        fill(door, start, end, "admin")
        for body in SEARCHES:
            # Filters of which the first round finds too little need a second, which asks for traits again.
            most = (10 if "content" in str(body) else 9) + more
            assert cost(runtime, door, "POST", "/memories/search", {"query": "note Rome", **body}) <= most, body


def test_spreading_reads_over_the_log_costs_the_same_for_one_and_for_hundreds(
    door: TestClient, runtime: Runtime
) -> None:
    fill(door, 0, FEW, "admin")
    costs = []
    for reads in (1, 300):
        for _ in range(reads):
            ok(door.get(f"{API}/memories?size=5"))
        with statements(runtime) as seen:
            accesses.spread(runtime)
        costs.append(len(seen))
    with statements(runtime) as seen:
        accesses.spread(runtime)
    assert (costs, len(seen)) == ([5, 5], 1)


def test_a_write_costs_the_same_whatever_there_is(door: TestClient, runtime: Runtime) -> None:
    costs = []
    for start, end in ((0, FEW), (FEW, MANY)):
        fill(door, start, end, "admin")
        words = f"We fly to Paris and stay at a hotel {end}"
        ok(door.post(f"{API}/memories", json={"text": words}))
        costs.append(
            [
                cost(runtime, door, "POST", "/memories", {"text": words}),
                *(changed(door, runtime, verb) for verb in ("PUT", "DELETE", "archive", "pause", "restore", "undo")),
            ]
        )
    assert costs[0] == costs[1]


def changed(door: TestClient, runtime: Runtime, verb: str) -> int:
    """Statements of one change of a new memory."""
    made = remember(door, f"We fly to Oslo ({verb})")
    id, event = made["id"], made["event_id"]
    if verb == "restore":
        ok(door.delete(f"{API}/memories/{id}"))
    asked = {
        "restore": lambda: door.post(f"{API}/memories/{id}/restore"),
        "undo": lambda: door.post(f"{API}/events/{event}/undo"),
        "PUT": lambda: door.put(f"{API}/memories/{id}", json={"memory_content": f"We fly to Oslo, {verb} again"}),
        "DELETE": lambda: door.delete(f"{API}/memories/{id}"),
        "archive": lambda: door.post(f"{API}/memories/actions/archive", json=[id]),
        "pause": lambda: door.post(f"{API}/memories/actions/pause", json={"memory_ids": [id]}),
    }
    with statements(runtime) as seen:
        ok(asked[verb]())
    return len(seen)


def test_a_bulk_of_many_costs_as_many_statements_as_one_of_few(door: TestClient, runtime: Runtime) -> None:
    fill(door, 0, FEW, "admin")
    costs = []
    for count in (2, 200):
        items = [{"text": f"We fly to Rome, hotel {i}"} for i in range(count)]
        costs.append(cost(runtime, door, "POST", "/memories/bulk", {"memories": items}))
    assert costs[0] == costs[1]


def test_a_preview_costs_the_same_for_one_rule_and_for_twenty(door: TestClient, runtime: Runtime) -> None:
    costs = []
    for rules in (1, 20):
        fill(door, 0, FEW, "admin")
        sent = [{"name": str(number), "archive_after_days": 1} for number in range(rules)]
        ok(door.patch(f"{API}/config", json={"openmemory": {"retention": sent}}))
        costs.append(cost(runtime, door, "GET", "/retention/preview"))
    assert costs[0] == costs[1] <= 6


def test_every_write_and_every_search_embeds_once(door: TestClient, encodes: list[int]) -> None:
    id = remember(door, "We fly to Rome")["id"]
    ok(door.post(f"{API}/memories/bulk", json={"memories": [{"text": "one"}, {"text": "two"}]}))
    ok(door.put(f"{API}/memories/{id}", json={"memory_content": "We fly to Paris"}))
    ok(door.post(f"{API}/memories/search", json={"query": "Paris"}))
    assert encodes == [1, 2, 1, 1]


def test_what_needs_no_vector_embeds_nothing(door: TestClient, encodes: list[int]) -> None:
    id = remember(door, "We fly to Rome")["id"]
    encodes.clear()
    ok(door.put(f"{API}/memories/{id}", json={"memory_content": "We fly to Rome"}))
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [id]}))
    for path in ("/memories", f"/memories/{id}", "/apps", "/stats", "/memories/categories"):
        ok(door.get(f"{API}{path}"))
    ok(door.delete(f"{API}/memories/{id}"))
    assert encodes == []


def test_resuming_embeds_once(door: TestClient, encodes: list[int]) -> None:
    ids = [remember(door, f"note {i}")["id"] for i in range(3)]
    for state in ("paused", "active"):
        encodes.clear()
        ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": ids, "state": state}))
    assert encodes == [3]
