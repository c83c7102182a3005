"""How many SQL statements a request through the hosted wire costs: the same with few memories and with many."""

from typing import Any

from fastapi.testclient import TestClient

from app.context import Runtime
from app.services import accesses
from tests.protocols.asking import API, ok, statements
from tests.protocols.platform.asking import add

FEW, MANY = 10, 300
READS: list[tuple[str, str, Any, int]] = [
    ("POST", "/v3/memories/?page_size=5", {"filters": {"user_id": "ann"}}, 6),
    ("POST", "/v3/memories/?page_size=2&page=2", {"filters": {"AND": [{"user_id": "ann"}, {"n": {"gte": 1}}]}}, 6),
    ("POST", "/v3/memories/?page_size=5", {"filters": {"user_id": "*"}}, 6),
    ("POST", "/v2/memories/", {"user_id": "ann", "show_expired": True, "limit": 5}, 6),
    ("GET", "/v1/memories/?user_id=ann&limit=5", None, 6),
    ("GET", "/v1/memories/{id}/", None, 6),
    ("GET", "/v1/memories/{id}/history/", None, 6),
    ("GET", "/v1/entities/?page_size=3", None, 6),
    ("GET", "/v1/events/?page_size=2", None, 6),
    ("GET", "/v1/ping/", None, 2),
    ("POST", "/v1/summary/", {"filters": {"user_id": "ann", "run_id": "none"}}, 6),
    ("POST", "/v1/exports/get/", {"user_id": "ann", "run_id": "none"}, 7),
    ("POST", "/v3/memories/search/", {"query": "note Rome", "filters": {"user_id": "ann"}}, 10),
    ("POST", "/v3/memories/search/", {"query": "note Rome", "user_id": "ann", "categories": ["travel"]}, 10),
]


def fill(door: TestClient, start: int, end: int) -> None:
    """Memories of Ann's from `start` to `end`."""
    texts = [{"text": f"note {i}: we fly to Rome", "metadata": {"n": i}} for i in range(start, end)]
    ok(door.post(f"{API}/memories/bulk", json={"user_id": "ann", "app": "mem0", "memories": texts}))


def cost(runtime: Runtime, client: TestClient, method: str, path: str, body: Any) -> int:
    """SQL statements of a request; the first one warms up what is made once."""
    ok(client.request(method, path, json=body))
    accesses.spread(runtime)
    with statements(runtime) as seen:
        ok(client.request(method, path, json=body))
    return len(seen)


def test_a_read_costs_the_same_with_few_and_with_many(hosted: TestClient, door: TestClient, runtime: Runtime) -> None:
    id = add(hosted, "We fly to Paris", user_id="ann")
    hosted.post("/v1/exports/", json={"schema": {}, "user_id": "ann", "run_id": "none"})
    more = 0 if runtime.database.is_sqlite else 7  # where the index holds nothing in memory, a search asks it
    costs = []
    for start, end in ((0, FEW), (FEW, MANY)):
        fill(door, start, end)
        asked = [(method, path.format(id=id), body) for method, path, body, _ in READS]
        costs.append([cost(runtime, hosted, *one) for one in asked])
    searches = ["search" in path for _, path, _, _ in READS]
    lists = [[count for count, is_search in zip(one, searches, strict=True) if not is_search] for one in costs]
    assert lists[0] == lists[1]
    most = [limit + (more if is_search else 0) for (*_, limit), is_search in zip(READS, searches, strict=True)]
    over = [(count, read) for count, limit, read in zip(costs[1], most, READS, strict=True) if count > limit]
    assert over == []


def test_a_batch_costs_the_same_for_two_and_for_a_hundred(hosted: TestClient, runtime: Runtime) -> None:
    costs = []
    for count in (3, 2, 100):  # the first one makes the categories
        ids = [add(hosted, f"note {count} {number}") for number in range(count)]
        items = [{"memory_id": id, "text": f"We fly to Rome, {place}"} for place, id in enumerate(ids)]
        with statements(runtime) as changing:
            ok(hosted.put("/v1/batch/", json={"memories": items}))
        with statements(runtime) as deleting:
            ok(hosted.request("DELETE", "/v1/batch/", json={"memories": ids}))
        costs.append((len(changing), len(deleting)))
    assert costs[1] == costs[2]
