"""Memento's `/api`: namespaces, tags, containers, three search modes, CORS, errors."""

from collections.abc import Sequence
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response

from app import __version__
from app.context import Runtime
from app.main import create_app
from app.routers.memento.cors import ALLOWED
from app.routers.memento.wire import MAX_BODY, summary
from app.services import accesses
from tests.conftest import ADMIN_KEY
from tests.protocols.asking import API, UNKNOWN, Person, golden, ok, remember, shape, statements, strict

TEXT = "Use PostgreSQL for production. It scales."
JSON = {"Content-Type": "application/json"}


def save(client: TestClient, content: str, **fields: Any) -> str:
    (id,) = ok(client.post("/api/save", json={"content": content, **fields}))["ids"]
    found: str = id
    return found


def recall(client: TestClient, query: str, path: str = "recall", **fields: Any) -> list[str]:
    answer = ok(client.post(f"/api/{path}", json={"query": query, **fields}))
    scores = [hit["score"] for hit in answer["results"]]
    assert answer["count"] == len(scores)
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    return [hit["entry"]["content"] for hit in answer["results"]]


def listed(client: TestClient, **params: Any) -> list[str]:
    page = ok(client.get("/api/list", params=params))
    assert page["count"] == len(page["entries"])
    return [entry["content"] for entry in page["entries"]]


def error(answer: Response, status: int, code: str) -> str:
    assert answer.status_code == status, answer.text
    body = strict(answer)
    assert body.keys() == {"success", "error", "code"}
    assert (body["success"], body["code"]) == (False, code)
    told: str = body["error"]
    return told


def test_answers_are_as_the_page_has_them(door: TestClient, runtime: Runtime) -> None:
    sent = {"tags": ["decision", "architecture"], "namespace": "myproject", "priority": "high"}
    saved = ok(door.post("/api/save", json={"content": TEXT, **sent}))
    assert shape(saved) == golden("saved", "memento")
    found = ok(door.post("/api/recall", json={"query": "which database", "namespace": "myproject"}))
    found["results"][0]["score"] = "<score>"
    assert shape(found) == golden("recall", "memento")
    assert shape(ok(door.get("/api/list", params={"namespace": "myproject"}))) == golden("list", "memento")
    (id,) = saved["ids"]
    deleted = ok(door.delete(f"/api/{id}"))
    assert deleted["message"] == golden("deleted", "memento")["message"].replace("<uuid>", id)
    assert door.delete("/api/uuid-1234").json() == golden("not_found", "memento")
    assert door.post("/api/save", json={"tags": []}).json() == golden("required", "memento")
    for words, fields in (("one", {}), ("two", {"global": True}), ("three", {"global": True, "namespace": "x"})):
        save(door, words, **fields)
    health = ok(door.get("/api/health"))
    assert health["version"] == __version__
    assert health["config"]["storageType"] == ("sqlite" if runtime.database.is_sqlite else "postgresql")
    assert health["config"]["embeddingModel"] == runtime.engine.index.model
    health["version"], health["config"]["storageType"] = "<version>", "<database>"
    health["config"]["embeddingModel"] = "<model>"
    assert health == golden("health", "memento")


def test_a_recall_searches_its_namespace_and_global(door: TestClient) -> None:
    for words, fields in [
        ("the frontend uses React", {"namespace": "frontend"}),
        ("the backend uses Django", {"namespace": "backend"}),
        ("everywhere we use git", {"global": True}),
        ("nowhere in particular we use tea", {}),
    ]:
        save(door, words, **fields)
    remember(door, "another door uses coffee", app="notes")
    for mode in ("vector", "keyword", "hybrid"):
        in_frontend = recall(door, "what do we use", namespace="frontend", searchMode=mode)
        assert set(in_frontend) == {"the frontend uses React", "everywhere we use git"}
        assert set(recall(door, "what do we use", searchMode=mode)) == {
            "everywhere we use git",
            "nowhere in particular we use tea",
        }
        assert recall(door, "what do we use", namespace="global", searchMode=mode) == ["everywhere we use git"]
        assert len(recall(door, "what do we use", "search", searchMode=mode)) == 5
    assert recall(door, "coffee", namespace="notes")[0] == "another door uses coffee"
    assert listed(door, namespace="frontend") == ["the frontend uses React"]
    assert listed(door) == ["nowhere in particular we use tea"]
    assert listed(door, namespace="nowhere") == []


def test_a_namespace_is_searched_in_sql_not_after(door: TestClient) -> None:
    items = [{"text": f"the harbour and the ferry, note {number}"} for number in range(300)]
    ok(door.post(f"{API}/memories/bulk", json={"app": "crowd", "memories": items}))
    save(door, "a boat, far away", namespace="lonely")
    for mode in ("vector", "hybrid"):
        assert recall(door, "the harbour and the ferry", namespace="lonely", searchMode=mode) == ["a boat, far away"]


def test_a_keyword_search_finds_nothing_without_a_shared_word(door: TestClient) -> None:
    save(door, "We fly to Rome")
    assert recall(door, "Rome", searchMode="keyword") == ["We fly to Rome"]
    assert recall(door, "Italy", searchMode="keyword") == []
    assert recall(door, "Italy") == ["We fly to Rome"], "vector is the default"


def test_tags_must_all_be_there(door: TestClient) -> None:
    save(door, "one", tags=["a"])
    save(door, "two", tags=["a", "b", "b"])
    remember(door, "three", app="default", metadata={"tags": ["a", "b"]})
    assert listed(door, tags="a") == ["three", "two", "one"]
    assert listed(door, tags="a, b") == ["three", "two"]
    assert listed(door, tags="a,b,c") == []
    assert set(recall(door, "number", tags=["a", "b"])) == {"two", "three"}
    assert set(recall(door, "number", "search", tags=["a"])) == {"one", "two", "three"}
    entries = ok(door.get("/api/list"))["entries"]
    assert [entry["metadata"]["tags"] for entry in entries] == [["a", "b"], ["a", "b"], ["a"]]


def test_containers_are_in_the_metadata_and_the_namespace_is_the_default(door: TestClient) -> None:
    save(door, "in a box", namespace="p", container="box")
    save(door, "in none", namespace="p")
    remember(door, "by another door", app="p")
    assert listed(door, namespace="p", container="box") == ["in a box"]
    assert listed(door, namespace="p", container="p") == ["by another door", "in none"]
    assert recall(door, "box", namespace="p", container="box") == ["in a box"]
    assert set(recall(door, "box", namespace="p", container="p")) == {"by another door", "in none"}
    entries = ok(door.get("/api/list", params={"namespace": "p"}))["entries"]
    assert [entry["metadata"]["container"] for entry in entries] == ["p", "p", "box"]


def test_limits_and_offsets_are_clamped(door: TestClient) -> None:
    items = [{"text": f"note {number}"} for number in range(105)]
    ok(door.post(f"{API}/memories/bulk", json={"app": "default", "memories": items}))
    for asked, got in ((None, 10), (0, 1), (-5, 1), (1000, 100), (10**30, 100), (2.0, 2)):
        assert len(recall(door, "note", limit=asked)) == got
        assert len(listed(door, **({} if asked is None else {"limit": asked}))) == got
    page = ok(door.get("/api/list", params={"limit": 10, "offset": 100}))
    assert (page["count"], page["total"], page["offset"]) == (5, 105, 100)
    assert ok(door.get("/api/list", params={"offset": -3}))["offset"] == 0
    assert listed(door, offset=10**30) == []


def test_a_save_leaves_a_receipt_and_every_door_finds_it(door: TestClient) -> None:
    id = save(door, TEXT, namespace="myproject", priority="low", tags=["x"])
    memory = ok(door.get(f"{API}/memories/{id}"))
    assert (memory["app_name"], memory["tags"], memory["metadata_"]) == ("myproject", ["x"], {"container": "myproject"})
    (event,) = ok(door.get(f"{API}/events"))["items"]
    assert (event["status"], event["app_name"]) == ("SUCCEEDED", "myproject")
    (entry,) = ok(door.get("/api/list?namespace=myproject"))["entries"]
    assert entry["metadata"]["priority"] == "low"


def test_reads_are_logged_as_the_namespace(door: TestClient, runtime: Runtime) -> None:
    id = save(door, TEXT, namespace="myproject")
    recall(door, "database", namespace="myproject")
    listed(door, namespace="myproject")
    recall(door, "database", "search")
    accesses.spread(runtime)
    log = ok(door.get(f"{API}/memories/{id}/access-log"))["logs"]
    assert [entry["app_name"] for entry in log] == ["default", "myproject", "myproject"]


def test_a_paused_namespace_reads_and_writes_nothing(door: TestClient) -> None:
    save(door, TEXT, namespace="myproject")
    (app,) = ok(door.get(f"{API}/apps", params={"name": "myproject"}))["apps"]
    ok(door.put(f"{API}/apps/{app['id']}", params={"is_active": False}))
    assert recall(door, "database", namespace="myproject") == listed(door, namespace="myproject") == []
    error(door.post("/api/save", json={"content": "x", "namespace": "myproject"}), 403, "FORBIDDEN")
    assert recall(door, "database", "search") == [TEXT], "other apps read it still"


def test_memories_that_are_put_away_never_come_out(door: TestClient) -> None:
    ids = {state: save(door, f"the {state} note") for state in ("active", "paused", "archived", "deleted")}
    for state in ("paused", "archived"):
        ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [ids[state]], "state": state}))
    ok(door.delete(f"/api/{ids['deleted']}"))
    assert listed(door) == recall(door, "note") == recall(door, "note", "search") == ["the active note"]
    for state in ("paused", "archived", "deleted"):
        error(door.delete(f"/api/{ids[state]}"), 404, "NOT_FOUND")
    assert ok(door.get("/api/health"))["stats"]["entriesInNamespace"] == 1


def test_nobody_reaches_anothers_entries(person: Person, door: TestClient) -> None:
    ann, bob = person("ann"), person("bob")
    id = save(ann, "Ann's secret", namespace="shared")
    save(ann, "Ann's other secret", **{"global": True})
    for client in (bob, door):
        assert recall(client, "secret", namespace="shared") == recall(client, "secret", "search") == []
        assert listed(client, namespace="shared") == []
    for one in (id, UNKNOWN):
        assert error(bob.delete(f"/api/{one}"), 404, "NOT_FOUND") == f"Memory entry {one} not found"
    assert ok(bob.get("/api/health"))["stats"] == {
        "entriesInNamespace": 0,
        "globalEntries": 0,
        "autoCapture": False,
    }
    assert listed(ann, namespace="shared") == ["Ann's secret"]


def test_a_bound_key_has_one_namespace(person: Person) -> None:
    bound, free = person("ann", app="cursor"), person("ann")
    save(bound, "by cursor")
    assert listed(free, namespace="cursor") == listed(bound) == ["by cursor"]
    assert ok(bound.get("/api/health"))["config"]["namespace"] == "cursor"
    for path in ("save", "recall"):
        answer = bound.post(f"/api/{path}", json={"content": "x", "query": "x", "namespace": "other"})
        error(answer, 403, "FORBIDDEN")
    error(bound.get("/api/list?namespace=other"), 403, "FORBIDDEN")


def test_keys_are_taken_from_either_header(server: FastAPI) -> None:
    for headers in ({"x-api-key": ADMIN_KEY}, {"Authorization": f"Bearer {ADMIN_KEY}"}):
        assert listed(TestClient(server, headers=headers)) == []
    for headers in ({}, {"x-api-key": "wrong"}, {"Authorization": "Bearer wrong"}):
        anybody = TestClient(server, headers=headers)
        error(anybody.get("/api/list"), 401, "UNAUTHORIZED")
        error(anybody.delete(f"/api/{UNKNOWN}"), 401, "UNAUTHORIZED")
        for path in ("save", "recall", "search"):
            error(anybody.post(f"/api/{path}", json={"content": "x", "query": "x"}), 401, "UNAUTHORIZED")


def test_health_tells_strangers_little(server: FastAPI, runtime: Runtime) -> None:
    anybody = TestClient(server)
    assert ok(anybody.get("/api/health")) == {"success": True, "status": "healthy", "version": __version__}
    error(anybody.get("/api/health", headers={"x-api-key": "wrong"}), 401, "UNAUTHORIZED")
    runtime.settings = runtime.settings.model_copy(update={"auth_mode": "open"})
    assert ok(anybody.get("/api/health")).keys() == {"success", "status", "version", "config", "stats"}


@pytest.mark.one_database
def test_a_body_without_a_content_type_is_read_as_json(door: TestClient) -> None:
    request = door.build_request("POST", "/api/save", content=b'{"content": "We fly to Rome"}')
    assert "content-type" not in request.headers
    ok(door.send(request))
    assert listed(door) == ["We fly to Rome"]


REQUIRED = [
    ("save", {}, "content is required"),
    ("save", {"content": ""}, "content is required"),
    ("save", {"content": " \n"}, "content is required"),
    ("save", {"content": None}, "content is required"),
    ("recall", {}, "query is required"),
    ("recall", {"query": "  "}, "query is required"),
    ("search", {"tags": []}, "query is required"),
]
WRONG = [
    ("save", {"content": 3}),
    ("save", {"content": "x", "priority": "urgent"}),
    ("save", {"content": "x", "tags": "a"}),
    ("save", {"content": "x", "tags": [1]}),
    ("save", {"content": "x", "tags": ["t"] * 51}),
    ("save", {"content": "x", "namespace": "n" * 256}),
    ("save", {"content": "a\x00b"}),
    ("recall", {"query": "x", "searchMode": "magic"}),
    ("recall", {"query": "x", "limit": "many"}),
    ("recall", {"query": "é" * 2_049}),
    ("search", {"query": "x" * 4_097}),
    ("save", [1]),
    ("save", "x"),
]


@pytest.mark.one_database
@pytest.mark.parametrize(("path", "body", "told"), REQUIRED)
def test_what_is_required_is_named(door: TestClient, path: str, body: Any, told: str) -> None:
    assert error(door.post(f"/api/{path}", json=body), 400, "INVALID_REQUEST") == told


@pytest.mark.one_database
@pytest.mark.parametrize(("path", "body"), WRONG)
def test_what_makes_no_sense_is_an_invalid_request(door: TestClient, path: str, body: Any) -> None:
    error(door.post(f"/api/{path}", json=body), 400, "INVALID_REQUEST")


@pytest.mark.one_database
def test_sizes_have_their_bounds(door: TestClient, runtime: Runtime) -> None:
    assert recall(door, "é" * 2_048) == recall(door, "x" * 4_096) == []
    runtime.settings = runtime.settings.model_copy(update={"max_memory_size": 1_000})
    save(door, "x" * 1_000)
    error(door.post("/api/save", json={"content": "x" * 1_001}), 413, "INVALID_REQUEST")
    long = b'{"content": "' + b"x" * MAX_BODY + b'"}'
    error(door.post("/api/save", content=long, headers=JSON), 413, "INVALID_REQUEST")
    chunks = (long[start : start + 2**20] for start in range(0, len(long), 2**20))
    error(door.post("/api/save", content=chunks, headers=JSON), 413, "INVALID_REQUEST")


@pytest.mark.one_database
def test_errors_of_the_framework_have_this_shape(door: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("/api/nowhere", f"/api/{UNKNOWN}", "/api/a/b", "/api", "/api/", "/api/v2"):
        answer = door.get(path)
        error(answer, 404, "NOT_FOUND")
        assert_cors(answer)
    error(door.delete("/api/v2"), 404, "NOT_FOUND")
    assert door.get("/api/v1").json() == {"detail": "Not Found"}
    for method, path in (("GET", "/api/save"), ("POST", "/api/list"), ("PUT", "/api/health")):
        error(door.request(method, path), 405, "METHOD_NOT_ALLOWED")
    error(door.post("/api/save", content=b"{", headers=JSON), 400, "INVALID_REQUEST")

    def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("app.services.namespaces.listing", fail)
    answer = door.get("/api/list")
    assert "secret" not in error(answer, 500, "INTERNAL_ERROR")
    assert_cors(answer)


def assert_cors(answer: Response) -> None:
    """The three headers, each once."""
    for name, value in ALLOWED.items():
        assert answer.headers.get_list(name) == [value]


@pytest.mark.one_database
@pytest.mark.parametrize("origin", [None, "https://any.example", "http://localhost:3000"])
@pytest.mark.parametrize("allowed", [[], ["https://board.example"], ["*"]])
def test_every_answer_carries_cors(runtime: Runtime, origin: str | None, allowed: Sequence[str]) -> None:
    settings = runtime.settings.model_copy(update={"cors_origins": list(allowed)})
    client = TestClient(create_app(settings, runtime), headers={"Origin": origin} if origin else {})
    key = {"x-api-key": ADMIN_KEY}
    for answer in (
        client.get("/api/health"),
        client.get("/api/list"),
        client.get("/api/list", headers=key),
        client.get("/api/nowhere"),
        client.put("/api/save"),
        client.post("/api/save", json={}, headers=key),
        client.post("/api/save", content=b"{", headers=key),
        client.delete("/api/x", headers=key),
    ):
        assert_cors(answer)
        assert "access-control-allow-credentials" not in answer.headers
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    for path in ("save", "nowhere"):
        answer = client.options(f"/api/{path}", headers=preflight)
        assert answer.status_code == 204
        assert_cors(answer)


@pytest.mark.one_database
def test_where_everybody_is_the_admin_pages_of_strangers_are_refused(runtime: Runtime) -> None:
    runtime.settings = runtime.settings.model_copy(update={"auth_mode": "open"})

    def ask(origin: str, *allowed: str) -> Response:
        runtime.settings = runtime.settings.model_copy(update={"cors_origins": list(allowed)})
        client = TestClient(create_app(runtime.settings, runtime), headers={"Origin": origin})
        return client.post("/api/save", json={"content": "planted"})

    refused = ask("https://evil.example")
    error(refused, 403, "FORBIDDEN")
    assert_cors(refused)
    error(ask("http://localhost.evil.example"), 403, "FORBIDDEN")
    assert ask("http://localhost:3000").status_code == 200
    assert ask("https://board.example", "https://board.example").status_code == 200
    assert ask("https://any.example", "*").status_code == 200
    client = TestClient(create_app(runtime.settings, runtime))
    assert listed(client) == ["planted"] * 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("One. Two.", "One."),
        ("No end", "No end"),
        ("Version 1.2 is out! Yes", "Version 1.2 is out!"),
        ("  a line\nand another", "a line"),
        ("これはペンです。それも。", "これはペンです。"),
        ("x" * 121, "x" * 119 + "…"),
        ("word " * 50, ("word " * 24)[:119].rstrip() + "…"),
    ],
)
@pytest.mark.one_database
def test_a_summary_is_the_first_sentence(content: str, told: str) -> None:
    assert summary(content) == told
    assert len(summary(content)) <= 120


READS = [
    ("POST", "recall", {"query": "note", "namespace": "p"}),
    ("POST", "recall", {"query": "note", "searchMode": "keyword", "tags": ["a"]}),
    ("POST", "search", {"query": "note", "searchMode": "hybrid"}),
    ("GET", "list?namespace=p&limit=5&tags=a&container=p", None),
    ("GET", "health", None),
]


def test_a_read_costs_little_with_few_and_with_many(door: TestClient, runtime: Runtime) -> None:
    for count in (5, 200):
        items = [{"text": f"note {number}", "metadata": {"tags": ["a"]}} for number in range(count)]
        ok(door.post(f"{API}/memories/bulk", json={"app": "p", "memories": items}))
        for method, path, body in READS:
            ok(door.request(method, f"/api/{path}", json=body))
            accesses.spread(runtime)
            with statements(runtime) as seen:
                ok(door.request(method, f"/api/{path}", json=body))
            most = 6 if method == "GET" else 10 if runtime.database.is_sqlite else 17
            assert len(seen) <= most, (path, seen)
