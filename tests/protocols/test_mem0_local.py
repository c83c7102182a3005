"""mem0-local's `/v1`: the envelope, memories, health, status, metrics."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from app import __version__
from app.context import Runtime
from app.services import accesses
from tests.protocols.asking import API, UNKNOWN, Person, golden, listed, ok, remember, shape, statements, strict

MEMORIES = "/v1/memories"
TEXT = "User loves building AI applications with local models"
METADATA = {"source": "chat", "timestamp": "2025-07-30T20:15:00Z"}


def add(client: TestClient, content: str, **fields: Any) -> dict[str, Any]:
    answer = client.post(MEMORIES, json={"content": content, **fields})
    assert answer.status_code == 201, answer.text
    (memory,) = strict(answer)["data"]["memories"]
    found: dict[str, Any] = memory
    return found


def search(client: TestClient, query: str, **params: Any) -> list[str]:
    answer = ok(client.get(f"{MEMORIES}/search", params={"query": query, **params}))["data"]
    assert answer["total"] == len(answer["memories"])
    return [memory["content"] for memory in answer["memories"]]


def of_user(client: TestClient, user_id: str, **params: Any) -> list[str]:
    page = ok(client.get(f"{MEMORIES}/user/{user_id}", params=params))["data"]
    return [memory["content"] for memory in page["memories"]]


def error(answer: Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    body = strict(answer)
    assert body.keys() == {"success", "error", "timestamp"}
    assert body["success"] is False
    assert body["error"].keys() == {"code", "message", "details"}
    assert body["error"]["code"] == code
    found: dict[str, Any] = body["error"]
    return found


def test_answers_are_as_the_page_has_them(door: TestClient) -> None:
    sent = {"content": TEXT, "user_id": "user_789", "metadata": METADATA}
    added = door.post(MEMORIES, json=sent)
    assert added.status_code == 201
    assert shape(added.json()) == golden("added", "mem0_local")
    id = added.json()["data"]["memories"][0]["id"]
    assert added.json()["data"]["memories"][0]["metadata"]["timestamp"] == METADATA["timestamp"]
    found = ok(door.get(f"{MEMORIES}/search", params={"query": "local models", "user_id": "user_789"}))
    assert 0 < found["data"]["memories"][0].pop("score") <= 1
    found["data"]["memories"][0]["score"] = "<score>"
    assert shape(found) == golden("search", "mem0_local")
    assert shape(ok(door.get(f"{MEMORIES}/user/user_789"))) == golden("page", "mem0_local")
    assert shape(ok(door.get(f"{MEMORIES}/user/user_789/stats"))) == golden("stats", "mem0_local")
    assert shape(ok(door.get(f"{MEMORIES}/{id}"))) == golden("one", "mem0_local")
    assert shape(ok(door.delete(f"{MEMORIES}/{id}"))) == golden("deleted", "mem0_local")
    assert shape(door.get(f"{MEMORIES}/abc123").json()) == golden("not_found", "mem0_local")


def test_a_conversation_is_learned_from(door: TestClient) -> None:
    said = [{"role": "user", "content": "I love FastAPI"}, {"role": "assistant", "content": "Good to know"}]
    answer = door.post(f"{MEMORIES}/", json={"messages": said, "user_id": "ann", "metadata": {"source": "x"}})
    assert answer.status_code == 201
    assert "I love FastAPI" in [memory["content"] for memory in answer.json()["data"]["memories"]]
    receipt = ok(door.get(f"{API}/events/{answer.json()['data']['event_id']}"))
    assert (receipt["status"], receipt["app_name"]) == ("SUCCEEDED", "mem0-local")
    again = door.post(MEMORIES, json={"messages": said, "user_id": "ann"}).json()["data"]
    assert again["memories"], "what is known already is answered with what says it"
    assert of_user(door, "ann").count("I love FastAPI") == 1


def test_ids_are_taken_with_and_without_their_prefix(door: TestClient) -> None:
    memory = add(door, "We fly to Rome")
    bare = memory["id"].removeprefix("mem_")
    assert memory["id"] == f"mem_{bare}"
    for id in (memory["id"], bare, bare.replace("-", "")):
        assert ok(door.get(f"{MEMORIES}/{id}"))["data"]["id"] == memory["id"]
    assert ok(door.get(f"{API}/memories/{bare}"))["content"] == "We fly to Rome"


def test_a_change_replaces_the_metadata_whole(door: TestClient) -> None:
    memory = add(door, "We fly to Rome", metadata={"a": 1, "b": 2})
    changed = ok(door.put(f"{MEMORIES}/{memory['id']}", json={"metadata": {"c": 3}}))["data"]
    assert changed["content"] == "We fly to Rome"
    assert changed["metadata"].keys() == {"c", "source", "timestamp", "entities"}
    changed = ok(door.put(f"{MEMORIES}/{memory['id']}", json={"content": "We fly to Oslo"}))["data"]
    assert (changed["content"], changed["metadata"]["c"]) == ("We fly to Oslo", 3)
    assert changed["metadata"]["entities"] == ["Oslo"]
    assert search(door, "Oslo") == ["We fly to Oslo"]
    assert ok(door.get(f"{API}/memories/{memory['id'][4:]}/history"))["total"] == 3


def test_what_a_client_says_of_entities_stands(door: TestClient) -> None:
    memory = add(door, TEXT, metadata={"entities": ["mine"], "source": "me"})
    assert (memory["metadata"]["entities"], memory["metadata"]["source"]) == (["mine"], "me")
    assert [one["entity"] for one in memory["relationships"]] == ["AI", "applications", "local models"]


def test_embeddings_are_shown_on_request(door: TestClient) -> None:
    id = add(door, TEXT)["id"]
    for path in (f"/{id}?include=embedding", "/search?query=AI&include=embedding", "/user/admin?include=embedding"):
        data = ok(door.get(f"{MEMORIES}{path}"))["data"]
        (memory,) = data.get("memories", [data])
        assert len(memory["embedding"]) == 384
        assert sum(value**2 for value in memory["embedding"]) == pytest.approx(1, abs=1e-4)
    assert "embedding" not in ok(door.get(f"{MEMORIES}/{id}"))["data"]
    error(door.get(f"{MEMORIES}/{id}?include=everything"), 400, "INVALID_REQUEST")


def test_without_a_name_the_default_user_is_meant(door: TestClient, person: Person, runtime: Runtime) -> None:
    runtime.settings = runtime.settings.model_copy(update={"default_user_id": "default"})
    ann = person("ann")
    assert add(door, "the admin's")["user_id"] == "default"
    assert add(ann, "ann's")["user_id"] == "ann"
    assert (search(door, "whose"), search(ann, "whose")) == (["the admin's"], ["ann's"])


def test_limits_are_clamped_and_pages_go_on(door: TestClient, runtime: Runtime) -> None:
    runtime.settings = runtime.settings.model_copy(update={"search_limit": 3})
    for number in range(5):
        add(door, f"note {number} of the trip", user_id="ann")
    assert len(search(door, "trip", user_id="ann", limit=1_000_000)) == 3
    page = ok(door.get(f"{MEMORIES}/user/ann?limit=99&offset=1"))["data"]
    assert (page["limit"], page["offset"], page["total"]) == (3, 1, 5)
    assert [memory["content"][5] for memory in page["memories"]] == ["3", "2", "1"]
    assert of_user(door, "ann", offset=10) == []
    for path in ("/search?query=x&limit=0", "/user/ann?limit=0", "/user/ann?offset=-1", "/search?limit=5"):
        details = error(door.get(f"{MEMORIES}{path}"), 400, "INVALID_REQUEST")["details"]
        assert details["fields"][0]["field"].startswith("query.")


def test_a_memory_may_be_as_long_as_the_setting_says(door: TestClient, runtime: Runtime) -> None:
    longest = 150_000
    runtime.settings = runtime.settings.model_copy(update={"max_memory_size": longest})
    id = add(door, "word " * (longest // 5))["id"]
    error(door.post(MEMORIES, json={"content": "x" * (longest + 1)}), 400, "INVALID_REQUEST")
    error(door.put(f"{MEMORIES}/{id}", json={"content": "x" * (longest + 1)}), 400, "INVALID_REQUEST")
    said = [{"role": "user", "content": "x" * longest}, {"role": "user", "content": "y"}]
    error(door.post(MEMORIES, json={"messages": said}), 400, "INVALID_REQUEST")
    assert type(runtime.settings).model_fields["max_memory_size"].default == 1_000_000


def test_an_unknown_user_has_nothing_and_a_stranger_is_like_an_unknown_one(door: TestClient, person: Person) -> None:
    ann, bob = person("ann"), person("bob")
    id = add(ann, "Ann's secret")["id"]
    for user_id in ("ann", "nobody"):
        assert of_user(bob, user_id) == search(bob, "secret", user_id=user_id) == []
        stats = ok(bob.get(f"{MEMORIES}/user/{user_id}/stats"))["data"]
        assert (stats["total_memories"], stats["by_app"], stats["first_created_at"]) == (0, {}, None)
        assert ok(bob.delete(f"{MEMORIES}/user/{user_id}"))["data"] == {"user_id": user_id, "deleted": 0}
        error(bob.post(MEMORIES, json={"content": "x", "user_id": user_id}), 403, "FORBIDDEN")
    for one in (id, f"mem_{UNKNOWN}"):
        for method, body in (("GET", None), ("PUT", {"content": "x"}), ("DELETE", None)):
            told = error(bob.request(method, f"{MEMORIES}/{one}", json=body), 404, "MEMORY_NOT_FOUND")
            assert told["message"] == f"Memory with ID {one!r} not found"
    assert of_user(ann, "ann") == of_user(door, "ann") == ["Ann's secret"]


def test_memories_that_are_put_away_never_come_out(door: TestClient) -> None:
    kept = {state: add(door, f"the {state} note", user_id="ann")["id"] for state in ("active", "paused", "archived")}
    gone = add(door, "the deleted note", user_id="ann")["id"]
    for state in ("paused", "archived"):
        sent = {"memory_ids": [kept[state][4:]], "state": state, "user_id": "ann"}
        ok(door.post(f"{API}/memories/actions/pause", json=sent))
    ok(door.delete(f"{MEMORIES}/{gone}"))
    assert of_user(door, "ann") == search(door, "note", user_id="ann") == ["the active note"]
    assert ok(door.get(f"{MEMORIES}/user/ann/stats"))["data"]["total_memories"] == 1
    for id in (kept["paused"], kept["archived"], gone):
        error(door.get(f"{MEMORIES}/{id}"), 404, "MEMORY_NOT_FOUND")
        error(door.put(f"{MEMORIES}/{id}", json={"content": "x"}), 404, "MEMORY_NOT_FOUND")
        error(door.delete(f"{MEMORIES}/{id}"), 404, "MEMORY_NOT_FOUND")


def test_all_of_a_users_memories_are_deleted(door: TestClient) -> None:
    items = [{"text": f"note {number}"} for number in range(30)]
    ok(door.post(f"{API}/memories/bulk", json={"user_id": "ann", "memories": items}))
    add(door, "Bob's", user_id="bob")
    assert ok(door.delete(f"{MEMORIES}/user/ann"))["data"]["deleted"] == 30
    assert of_user(door, "ann") == []
    assert listed(door, user_id="ann") == []
    assert of_user(door, "bob") == ["Bob's"]
    assert ok(door.delete(f"{MEMORIES}/user/ann"))["data"]["deleted"] == 0


def test_other_doors_memories_are_found_and_reads_are_logged(door: TestClient, runtime: Runtime) -> None:
    theirs = remember(door, "We fly to Rome", app="notes")
    assert search(door, "Rome") == ["We fly to Rome"]
    found = ok(door.get(f"{MEMORIES}/mem_{theirs['id']}"))["data"]
    assert found["metadata"]["source"] == "notes"
    of_user(door, "admin")
    accesses.spread(runtime)
    log = ok(door.get(f"{API}/memories/{theirs['id']}/access-log"))["logs"]
    assert [entry["app_name"] for entry in log] == ["mem0-local"] * 3


def test_a_paused_app_reads_and_writes_nothing(door: TestClient) -> None:
    id = add(door, "We fly to Rome")["id"]
    (app,) = ok(door.get(f"{API}/apps", params={"name": "mem0-local"}))["apps"]
    ok(door.put(f"{API}/apps/{app['id']}", params={"is_active": False}))
    assert search(door, "Rome") == of_user(door, "admin") == []
    error(door.get(f"{MEMORIES}/{id}"), 404, "MEMORY_NOT_FOUND")
    error(door.post(MEMORIES, json={"content": "x"}), 403, "FORBIDDEN")
    error(door.delete(f"{MEMORIES}/{id}"), 403, "FORBIDDEN")
    error(door.delete(f"{MEMORIES}/user/admin"), 403, "FORBIDDEN")


def test_a_key_that_is_bound_to_an_app_is_that_app(person: Person, door: TestClient) -> None:
    bound = person("ann", app="cursor")
    assert add(bound, "We fly to Rome")["metadata"]["source"] == "cursor"


WRONG = [
    ("POST", "/memories", {}),
    ("POST", "/memories", {"content": "x", "messages": []}),
    ("POST", "/memories", {"messages": []}),
    ("POST", "/memories", {"messages": [{"role": "user"}]}),
    ("POST", "/memories", {"content": "  "}),
    ("POST", "/memories", {"content": "a\x00b"}),
    ("POST", "/memories", {"content": "x", "user_id": ""}),
    ("POST", "/memories", {"content": "x", "user_id": "u" * 256}),
    ("POST", "/memories", {"content": "x", "metadata": [1]}),
    ("POST", "/memories", [1]),
    ("PUT", f"/memories/{UNKNOWN}", {}),
    ("GET", "/memories/search?query=%20", None),
    ("GET", "/memories/search", None),
    ("GET", f"/memories/search?query={'x' * 10_001}", None),
    ("GET", "/memories/user/ann?limit=many", None),
]


@pytest.mark.one_database
@pytest.mark.parametrize(("method", "path", "body"), WRONG)
def test_what_makes_no_sense_is_an_invalid_request(door: TestClient, method: str, path: str, body: Any) -> None:
    error(door.request(method, f"/v1{path}", json=body), 400, "INVALID_REQUEST")


@pytest.mark.one_database
def test_errors_have_their_codes(door: TestClient, server: FastAPI, person: Person) -> None:
    anybody = TestClient(server)
    for path in ("/v1/memories/search?query=x", "/v1/status", "/status", "/metrics"):
        assert anybody.get(path).headers["WWW-Authenticate"] == "Bearer"
        error(anybody.get(path), 401, "UNAUTHORIZED")
        error(anybody.get(path, headers={"Authorization": "Bearer wrong"}), 401, "UNAUTHORIZED")
    ann = person("ann", scopes=["read"])
    error(ann.post(MEMORIES, json={"content": "x"}), 403, "FORBIDDEN")
    for path in ("/v1/metrics", "/metrics"):
        error(ann.get(path), 403, "FORBIDDEN")
    error(door.get("/v1/nowhere"), 404, "NOT_FOUND")
    for path in ("/v1", "/v1/"):
        error(door.get(path), 404, "NOT_FOUND")
    answer = door.patch(MEMORIES)
    error(answer, 405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["Allow"]
    for path in ("/health", "/v1/metrics", "/status"):
        error(door.post(path), 405, "METHOD_NOT_ALLOWED")
    broken = door.post(MEMORIES, content=b"{", headers={"Content-Type": "application/json"})
    assert error(broken, 400, "INVALID_REQUEST")["details"]["fields"][0]["field"] == "body"


@pytest.mark.one_database
def test_a_crash_says_nothing_of_itself(door: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("app.services.components.status", fail)
    answer = door.get("/v1/status", headers={"X-Request-Id": "r-1"})
    told = error(answer, 500, "INTERNAL_ERROR")
    assert told["details"] == {"request_id": "r-1"}
    assert "secret" not in answer.text


def test_health_is_told_to_anybody(server: FastAPI) -> None:
    anybody = TestClient(server)
    for path in ("/health", "/v1/health", "/health/", "/v1/health/"):
        answer = ok(anybody.get(path))
        assert answer["data"]["version"] == __version__
        answer["data"]["version"] = "<version>"
        assert shape(answer) == golden("health", "mem0_local")


def test_status_names_every_part_and_its_latency(door: TestClient, person: Person) -> None:
    ann = person("ann")
    for path in ("/status", "/v1/status"):
        data = ok(door.get(path))["data"]
        assert (data["status"], data["version"]) == ("ok", __version__)
        assert data["uptime_seconds"] > 0
        parts = data["components"]
        assert parts.keys() == {"database", "vector_store", "embedder", "llm", "rate_limits"}
        for name in ("database", "vector_store", "embedder"):
            assert parts[name]["state"] == "ok"
            assert 0 < parts[name]["latency_ms"] < 60_000
        assert parts["llm"] == {"state": "off", "latency_ms": None, "name": None}
        assert parts["database"]["name"] in ("sqlite", "postgresql")
        told = ok(ann.get(path))["data"]["components"]
        assert {part["name"] for part in told.values()} == {None}


@pytest.mark.one_database
def test_status_says_what_is_down(door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def dead(*_: object, **__: object) -> None:
        raise ConnectionError("a secret")

    embedder = runtime.engine.index._embedder
    for name in ("question", "read"):
        monkeypatch.setattr(embedder, name, dead)
    answer = door.get("/status")
    data = ok(answer)["data"]
    assert (data["status"], data["components"]["embedder"]["state"]) == ("degraded", "down")
    assert "secret" not in answer.text
    built = runtime.engine.built
    runtime.engine.fail("it cannot be built: a secret")
    answer = door.get("/status")
    runtime.engine.use(built)
    states = {name: part["state"] for name, part in ok(answer)["data"]["components"].items()}
    assert (states["embedder"], states["vector_store"], states["database"]) == ("down", "down", "ok")
    assert "secret" not in answer.text


def test_metrics_count_what_was_answered(door: TestClient) -> None:
    for number in range(3):
        add(door, f"note {number}")
    door.get(f"{MEMORIES}/abc123")
    door.get(f"{MEMORIES}/abc124/")
    door.get("/v1/no/such/path")
    data = ok(door.get("/v1/metrics"))["data"]
    assert data["memories"] == {"active": 3}
    assert data["users"] == 1
    requests = data["requests"]
    assert requests["by_status"] == {"201": 3, "404": 3}
    assert requests["total"] == requests["latency"]["count"] == 6
    assert requests["per_second"] > 0
    routes = {(one["door"], one["method"], one["route"]): one for one in requests["routes"]}
    assert {key: one["count"] for key, one in routes.items()} == {
        ("mem0_local", "POST", "/v1/memories"): 3,
        ("mem0_local", "GET", "/v1/memories/{memory_id}"): 2,
        ("mem0_local", "GET", "other"): 1,
    }
    adds = routes["mem0_local", "POST", "/v1/memories"]
    assert adds["mean_ms"] > 0
    assert 0 < adds["p50_ms"] <= adds["p95_ms"] <= adds["p99_ms"]


def test_metrics_speak_prometheus(door: TestClient) -> None:
    add(door, "a note")
    door.get("/nowhere/at/all")
    door.request("BREW", MEMORIES)
    prometheus = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    for path, accept in (("/metrics", "*/*"), ("/v1/metrics", "text/plain"), ("/metrics", prometheus)):
        answer = door.get(path, headers={"Accept": accept})
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        lines = answer.text.splitlines()
        told = 'commonplace_requests_total{door="mem0_local",method="POST",route="/v1/memories",status="201"} 1.0'
        assert told in lines
        assert 'commonplace_memories{state="active"} 1.0' in lines
        assert any(line.startswith("commonplace_request_seconds_bucket{") for line in lines)
        assert "nowhere" not in answer.text, "a path is no label"
        assert "BREW" not in answer.text
    assert ok(door.get("/metrics", headers={"Accept": "application/json"}))["data"]["memories"] == {"active": 1}


READS = [
    "/memories/search?query=note&user_id=ann",
    "/memories/user/ann?limit=5",
    "/memories/user/ann/stats",
    "/memories/{id}",
]


def test_a_read_costs_the_same_with_few_and_with_many(door: TestClient, runtime: Runtime) -> None:
    costs = []
    id = add(door, "the first note", user_id="ann")["id"]
    for count in (5, 200):
        items = [{"text": f"note {number} about the harbour"} for number in range(count)]
        ok(door.post(f"{API}/memories/bulk", json={"user_id": "ann", "memories": items}))
        costs.append([cost(runtime, door, path.format(id=id)) for path in READS])
    assert costs[0][1:] == costs[1][1:]
    assert max(costs[1][1:]) <= 6
    assert costs[1][0] <= (9 if runtime.database.is_sqlite else 16)


def cost(runtime: Runtime, door: TestClient, path: str) -> int:
    ok(door.get(f"/v1{path}"))
    accesses.spread(runtime)
    with statements(runtime) as seen:
        ok(door.get(f"/v1{path}"))
    return len(seen)
