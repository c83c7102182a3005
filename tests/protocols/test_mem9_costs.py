"""How many SQL statements a request of mem9's door costs: bounded, and the same with few memories and with many."""

from typing import Any

from fastapi.testclient import TestClient

from app.context import Runtime
from app.services import accesses
from tests.protocols.asking import ok, statements
from tests.protocols.mem9_asking import IMPORTS, MEMORIES, SESSIONS, Space, key_of, page, pin, say, work

FEW, MANY = 12, 240
READS: list[tuple[str, dict[str, Any], int]] = [
    (MEMORIES, {"limit": 5}, 6),
    (MEMORIES, {"limit": 5, "offset": 3, "state": "all"}, 6),
    (MEMORIES, {"limit": 5, "tags": "a,b", "source": "one", "memory_type": "insight,pinned"}, 6),
    (f"{MEMORIES}/bootstrap", {"limit": 3}, 6),
    (MEMORIES, {"q": "note", "limit": 5}, 16),
    (MEMORIES, {"q": "note", "limit": 3, "offset": 4, "tags": "a"}, 16),
    (SESSIONS, {"session_id": ["s1", "s2"], "limit_per_session": 5}, 4),
    (IMPORTS, {}, 3),
]


def fill(client: TestClient, runtime: Runtime, start: int, end: int) -> None:
    """Notes, turns and imports from `start` to `end`."""
    notes = [{"content": f"note {number} of many", "tags": ["a", "b"]} for number in range(start, end)]
    assert client.post(f"{MEMORIES}/bulk", json={"memories": notes}).status_code == 201
    say(client, *(f"turn {number} of many" for number in range(start, end)))
    for number in range(start, end, 20):
        file = {"file": (f"{number}.md", f"file {number}".encode())}
        assert client.post(IMPORTS, files=file, data={"file_type": "memory"}).status_code == 202
    work(runtime)


def cost(runtime: Runtime, client: TestClient, path: str, query: dict[str, Any]) -> int:
    """SQL statements of a read, when an app's first appearance is over."""
    ok(client.get(path, params=query))
    accesses.spread(runtime)
    with statements(runtime) as seen:
        ok(client.get(path, params=query))
    return len(seen)


def test_reads_cost_the_same_with_few_and_with_many(space: Space, runtime: Runtime) -> None:
    client = space("one")
    costs = []
    for start, end in ((0, FEW), (FEW, MANY)):
        fill(client, runtime, start, end)
        costs.append([cost(runtime, client, path, query) for path, query, _ in READS])
    over = [(count, read) for count, read in zip(costs[1], READS, strict=True) if count > read[2]]
    assert over == []
    listing = [place for place, (_, query, _) in enumerate(READS) if "q" not in query]
    assert [costs[0][place] for place in listing] == [costs[1][place] for place in listing]


def test_writes_cost_the_same_for_one_and_for_many(space: Space, runtime: Runtime) -> None:
    client = space("one")
    fill(client, runtime, 0, FEW)
    costs = []
    for count in (2, 100):
        ids = [pin(client, f"rule {count} {number}")["id"] for number in range(count)]
        turns = [{"role": "user", "content": f"said {count} {number}"} for number in range(count)]
        sent: list[tuple[str, Any]] = [
            (f"{MEMORIES}/bulk", {"memories": [{"content": f"bulk {count} {n}"} for n in range(count)]}),
            (MEMORIES, {"messages": turns, "session_id": f"s{count}", "sync": True}),
            (f"{MEMORIES}/batch-delete", {"ids": ids}),
        ]
        for path, body in sent:
            with statements(runtime) as seen:
                assert client.post(path, json=body).is_success
            costs.append(len(seen))
    assert costs[:3] == costs[3:]


def test_a_chain_costs_so_much_a_space(space: Space, runtime: Runtime) -> None:
    spaces = [space() for _ in range(3)]
    for client in spaces:
        pin(client, "a rule")
    costs = []
    for count in (1, 3):
        made = spaces[0].post("/v1alpha2/space-chains", json={"name": "x"}).json()
        chain = space("one", key=made["chain_api_key"])
        nodes = [{"tenant_id": key_of(client)} for client in spaces[:count]]
        ok(chain.put(f"/v1alpha2/space-chains/{made['chain']['id']}/nodes", json={"nodes": nodes}))
        assert page(chain)["total"] == count
        costs.append(cost(runtime, chain, MEMORIES, {}))
    assert costs[1] <= 3 * costs[0]
