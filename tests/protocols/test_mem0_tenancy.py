"""The mem0 door: who may ask, what is another's, what a bound key and a paused app see, and what a request costs."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.context import Runtime
from app.routers import mem0
from app.services import accesses
from tests.conftest import ADMIN_KEY
from tests.protocols.asking import API, UNKNOWN, Person, dump, ok, statements
from tests.protocols.mem0_asking import add, chain, found, listed, remember

SECRET = "We fly to Rome and stay at the Hotel Splendide"
ROUTES: list[tuple[str, str, Any]] = [
    ("POST", "/memories", {"messages": "x", "user_id": "alice"}),
    ("GET", "/memories", None),
    ("DELETE", "/memories?user_id=alice", None),
    ("GET", f"/memories/{UNKNOWN}", None),
    ("PUT", f"/memories/{UNKNOWN}", {"text": "x"}),
    ("DELETE", f"/memories/{UNKNOWN}", None),
    ("GET", f"/memories/{UNKNOWN}/history", None),
    ("POST", "/search", {"query": "x"}),
    ("POST", "/reset", None),
    ("GET", "/entities", None),
    ("DELETE", "/entities/user/alice", None),
    ("POST", "/configure", {}),
    ("GET", "/configure", None),
    ("GET", "/configure/providers", None),
    ("POST", "/generate-instructions", {"use_case": "x"}),
]


def test_every_route_is_asked_here(runtime: Runtime) -> None:
    paths = mem0.build(runtime).openapi()["paths"]
    named = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert len(named) == len(ROUTES)


@pytest.mark.one_database
def test_nobody_is_let_in_without_a_key(server: FastAPI) -> None:
    for headers in ({}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}):
        client = TestClient(server, headers=headers)
        for method, path, body in ROUTES:
            answer = client.request(method, path, json=body)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.json().keys() == {"detail"}
            assert answer.headers["X-Request-Id"]


@pytest.mark.one_database
def test_a_key_in_either_header(server: FastAPI) -> None:
    for headers in ({"X-API-Key": ADMIN_KEY}, {"Authorization": f"Bearer {ADMIN_KEY}"}):
        ok(TestClient(server, headers=headers).get("/memories"))


@pytest.mark.one_database
def test_a_key_that_only_reads(person: Person) -> None:
    reader = person("ann", scopes=["read"])
    for method, path, body in ROUTES:
        is_read = method == "GET" or path == "/search"
        answer = reader.request(method, path, json=body)
        if not is_read or path in ("/memories", "/configure"):
            assert answer.status_code == 403, (method, path)
        else:
            assert answer.status_code in (200, 404), (method, path)


@pytest.mark.one_database
def test_what_no_door_knows_is_answered_in_this_ones_shape(door: TestClient, server: FastAPI) -> None:
    anybody = TestClient(server)
    for path in ("/nothing", "/v9/memories", "/memories/a/b/c", "/api", "/search/more", "/nothing/"):
        for client in (door, anybody):
            answer = client.get(path)
            assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"}), path
    answer = door.patch("/memories")
    assert (answer.status_code, answer.json()) == (405, {"detail": "Method Not Allowed"})
    broken = door.post("/search", content=b"{", headers={"Content-Type": "application/json"})
    assert (broken.status_code, broken.json()["detail"][0]["type"]) == (422, "json_invalid")
    assert TestClient(server).get("/openapi.json").status_code == 200


class Two:
    """Ann, who has a memory, and Bo, who asks for it."""

    def __init__(self, person: Person) -> None:
        self.ann, self.bo = person("ann"), person("bo")
        named = {"user_id": "ann", "agent_id": "spy", "run_id": "s1", "metadata": {"topic": "trip"}}
        self.secret = remember(self.ann, SECRET, **named)
        remember(self.bo, "My salary goes to the bank", user_id="bo")


@pytest.fixture
def two(person: Person) -> Two:
    """Ann and Bo."""
    return Two(person)


READS: list[tuple[str, str, Any]] = [
    ("GET", "/memories?user_id=ann", None),
    ("GET", "/memories?user_id=nobody", None),
    ("GET", "/memories?agent_id=spy", None),
    ("GET", "/memories?run_id=s1&show_expired=true", None),
    ("POST", "/search", {"query": SECRET, "user_id": "ann"}),
    ("POST", "/search", {"query": SECRET, "agent_id": "spy"}),
    ("POST", "/search", {"query": SECRET, "filters": {"user_id": "ann"}}),
    ("POST", "/search", {"query": SECRET, "filters": {"AND": [{"user_id": "ann"}, {"user_id": "bo"}]}}),
    ("POST", "/search", {"query": SECRET, "filters": {"OR": [{"user_id": "ann"}, {"topic": "trip"}]}}),
    ("POST", "/search", {"query": SECRET, "filters": {"NOT": {"user_id": "bo"}}}),
]


def test_no_read_shows_what_is_anothers(two: Two) -> None:
    for method, path, body in READS:
        assert ok(two.bo.request(method, path, json=body)) == {"results": []}, (method, path, body)
    for filters in ({"user_id": "*"}, {"user_id": ["ann", "bo"]}):
        assert found(two.bo, SECRET, filters=filters) == ["My salary goes to the bank"]
    assert {(one["type"], one["id"]) for one in ok(two.bo.get("/entities"))} == {("user", "bo")}


def test_what_is_anothers_is_answered_like_what_is_not_there(two: Two, runtime: Runtime) -> None:
    before = dump(runtime)
    verbs = (("GET", "", None), ("PUT", "", {"text": "x"}), ("DELETE", "", None), ("GET", "/history", None))
    for method, suffix, body in verbs:
        theirs, nothing = (two.bo.request(method, f"/memories/{id}{suffix}", json=body) for id in (two.secret, UNKNOWN))
        assert (theirs.status_code, theirs.text) == (404, nothing.text), (method, suffix)
    for path in ("/memories?user_id=ann", "/memories?user_id=bo", "/entities/user/ann", "/entities/agent/spy"):
        assert two.bo.delete(path).status_code == 403, path
    assert two.bo.get("/memories").status_code == two.bo.post("/reset").status_code == 403
    for name in ("ann", "admin", "nobody"):
        answer = two.bo.post("/memories", json={"messages": "x", "user_id": name})
        assert answer.status_code == 403
        assert answer.json() == {"detail": f"This key may not write for user {name!r}"}
    assert dump(runtime) == before


def test_a_bound_key_is_its_app_and_sees_what_that_may(door: TestClient, person: Person) -> None:
    bound = person("ann", app="notes")
    id = remember(bound, "I sail", user_id="ann")
    shown = ok(door.get(f"{API}/memories/{id}"))
    assert shown["app_name"] == "notes"
    ok(bound.put(f"/memories/{id}", json={"text": "I row"}))
    assert chain(bound, id)[-1] == ("UPDATE", "I sail", "I row")
    ok(door.put(f"{API}/apps/{shown['app_id']}", params={"is_active": False}))
    assert listed(bound, user_id="ann") == found(bound, "row", user_id="ann") == ok(bound.get("/entities")) == []
    assert bound.get(f"/memories/{id}").status_code == bound.get(f"/memories/{id}/history").status_code == 404
    for answer in (
        bound.post("/memories", json={"messages": "x", "user_id": "ann"}),
        bound.put(f"/memories/{id}", json={"text": "x"}),
        bound.delete(f"/memories/{id}"),
    ):
        assert answer.status_code == 403
    assert listed(door, user_id="ann") == ["I row"]


def test_a_paused_door_is_shut(door: TestClient, person: Person) -> None:
    ann = person("ann")
    id = remember(ann, "I sail", user_id="ann")
    app = ok(door.get(f"{API}/memories/{id}"))["app_id"]
    ok(door.put(f"{API}/apps/{app}", params={"is_active": False}))
    assert listed(ann, user_id="ann") == found(ann, "sail", user_id="ann") == ok(ann.get("/entities")) == []
    assert ann.get(f"/memories/{id}").status_code == ann.delete(f"/memories/{id}").status_code == 404
    assert ann.put(f"/memories/{id}", json={"text": "x"}).status_code == 404
    assert ann.post("/memories", json={"messages": "x", "user_id": "ann"}).status_code == 403


FEW, MANY = 10, 200


def cost(runtime: Runtime, door: TestClient, method: str, path: str, body: Any = None) -> int:
    """SQL statements of a request; the first one warms up what is made once (an app's first appearance)."""
    ok(door.request(method, path, json=body))
    accesses.spread(runtime)
    with statements(runtime) as seen:
        ok(door.request(method, path, json=body))
    return len(seen)


COSTLY = [
    ("GET", "/memories?user_id=ann&top_k=5", None),
    ("GET", "/memories?user_id=ann&agent_id=a1&top_k=5", None),
    ("GET", "/memories?agent_id=a1&show_expired=true&top_k=5", None),
    ("GET", "/memories?top_k=5", None),
    ("GET", "/entities?limit=3", None),
    ("GET", "/memories/{id}", None),
    ("GET", "/memories/{id}/history", None),
]
SEARCHES: list[dict[str, Any]] = [{}, {"agent_id": "a1"}, {"filters": {"n": {"gte": 1}}, "explain": True, "top_k": 50}]


def test_a_request_costs_as_many_statements_with_few_as_with_many(door: TestClient, runtime: Runtime) -> None:
    costs, searched, written = [], [], []
    for start, end in ((0, FEW), (FEW, MANY)):
        for first in range(start, end, 10):
            words = [{"role": "user", "content": f"note {i}: we fly to Rome"} for i in range(first, first + 10)]
            for names in ({"user_id": "ann", "agent_id": "a1"}, {"agent_id": "a1"}):
                id = add(door, words, metadata={"n": 1}, run_id=f"run {first}", **names)[0]["id"]
        costs.append([cost(runtime, door, method, path.format(id=id), body) for method, path, body in COSTLY])
        searched.append(
            [cost(runtime, door, "POST", "/search", {"query": "note", "user_id": "ann", **b}) for b in SEARCHES]
        )
        one = cost(runtime, door, "POST", "/memories", {"messages": "x", "infer": False, "user_id": "ann"})
        written.append([one, cost(runtime, door, "PUT", f"/memories/{id}", {"metadata": {"n": end}})])
    assert costs[0] == costs[1]
    assert max(costs[1]) <= 6
    assert written[0] == written[1]
    assert max(*searched[0], *searched[1]) <= (9 if runtime.database.is_sqlite else 16)


def test_adds_and_searches_embed_once(door: TestClient, encodes: list[int]) -> None:
    (first, *_) = add(door, [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}], user_id="ann")
    found(door, "one", user_id="ann")
    ok(door.put(f"/memories/{first['id']}", json={"text": "three", "metadata": {"a": 1}}))
    encodes_before = list(encodes)
    ok(door.put(f"/memories/{first['id']}", json={"expiration_date": "2099-01-01"}))
    assert encodes_before == [2, 1, 1]
    add(door, "four", user_id="bo")
    encodes.clear()
    assert len(found(door, "one", filters={"user_id": "*"})) == 3
    assert encodes == [1]
