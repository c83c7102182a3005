"""mem9's memories: what is sent and answered, as its clients expect it, and what the genuine server loses."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app import logs
from app.context import Runtime
from app.models import AccessBatch, Event, MemoryVersion
from tests.conftest import ADMIN_KEY
from tests.protocols.asking import UNKNOWN, Person, listed, ok, remember, searched, shape
from tests.protocols.mem9_asking import (
    MEM9S,
    MEMORIES,
    V1,
    V2,
    Space,
    contents,
    golden,
    key_of,
    page,
    pin,
    refused,
    say,
    work,
    write,
)

POSTGRES = "Project uses PostgreSQL 15"


def test_the_page_own_flow(space: Space, runtime: Runtime) -> None:
    client = space("openclaw-main")
    note = {"content": POSTGRES, "tags": ["tech", "database"], "metadata": {"source": "setup-note"}}
    answer = client.post(MEMORIES, json=note)
    assert (answer.status_code, shape(answer.json())) == (202, golden("accepted"))
    work(runtime)
    recalled = page(client, q="postgres", limit=5)
    assert 0 < recalled["memories"][0]["score"] <= 1
    assert 0 <= recalled["memories"][0]["confidence"] <= 100
    recalled["memories"][0] |= {"score": "<score>", "confidence": "<confidence>"}
    assert shape(recalled) == golden("recalled")
    assert list(recalled["memories"][0]) == list(golden("recalled")["memories"][0])
    assert shape(page(client, tags="tech", source="openclaw-main", limit=10)) == golden("listed")
    id = recalled["memories"][0]["id"]
    assert shape(ok(client.get(f"{MEMORIES}/{id}"))) == golden("memory")
    changed = client.put(f"{MEMORIES}/{id}", json={"content": "Project uses PostgreSQL 16"}, headers={"If-Match": "3"})
    assert (changed.status_code, changed.headers["ETag"]) == (200, "2")
    assert shape(changed.json()) == golden("updated")
    assert contents(client, q="which database") == ["Project uses PostgreSQL 16"]
    gone = client.delete(f"{MEMORIES}/{id}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert client.delete(f"{MEMORIES}/{id}").status_code == 204
    assert refused(client.get(f"{MEMORIES}/{id}"), 404) == "not found"
    assert page(client) == {"memories": [], "total": 0, "limit": 10, "offset": 0}


def test_an_accepted_write_has_a_receipt(space: Space, runtime: Runtime) -> None:
    client = space()
    receipt = client.post(MEMORIES, json={"content": POSTGRES}).json()["id"]
    assert ok(client.get(f"/api/v1/events/{receipt}"))["status"] == "PENDING"
    assert contents(client) == []
    work(runtime)
    done = ok(client.get(f"/api/v1/events/{receipt}"))
    assert (done["status"], [result["event"] for result in done["results"]]) == ("SUCCEEDED", ["ADD"])
    assert contents(client) == [POSTGRES]


def test_a_pinned_memory_is_stored_at_once_with_all_that_was_sent(space: Space) -> None:
    client = space("claude")
    memory = pin(client, "Always answer in English", tags=["rule"], session_id="s9", metadata={"a": 1})
    assert shape(memory) == golden("pinned")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            {"content": "a", "messages": [{"role": "user", "content": "b"}]},
            "body: provide either content or messages, not both",
        ),
        (
            {"messages": [{"role": "user", "content": "b"}], "memory_type": "pinned"},
            "memory_type: memory_type is only allowed with content, not messages",
        ),
        ({}, "content: content or messages required"),
        ({"content": "  ", "messages": []}, "content: content or messages required"),
        ({"content": "a", "mode": "smart"}, "body: content mode does not accept mode"),
        (
            {"content": "a", "memory_type": "insight"},
            'memory_type: unsupported value "insight"; only "pinned" is supported on the explicit content path',
        ),
        ({"content": "é" * 25_001}, "content: too long (max 50000)"),
        ({"content": "a", "tags": [str(number) for number in range(21)]}, "tags: too many (max 20)"),
        (
            {"messages": [{"role": "user", "content": "b"}], "mode": "bogus"},
            'mode: unsupported value "bogus"; use "smart" or "raw"',
        ),
        ({"messages": [{"role": "user", "content": "b" * 100_001}]}, "messages[0].content: too long (max 100000)"),
        ({"content": "a", "session_id": "s" * 256}, "session_id: A name has 1 to 255 characters"),
    ],
)
@pytest.mark.one_database
def test_what_cannot_be_stored_is_refused_before_it_is_accepted(space: Space, body: dict[str, Any], error: str) -> None:
    client = space()
    for sync in (False, True):
        assert refused(client.post(MEMORIES, json={**body, "sync": sync}), 400) == error


@pytest.mark.one_database
def test_json_is_read_as_leniently_as_clients_need(space: Space) -> None:
    client = space()
    sent = b'{"content": "a note", "sync": true, "source": "x", "unknown": 1} and more'
    assert ok(client.post(MEMORIES, content=sent, headers={"Content-Type": "text/plain"})) == {"status": "ok"}
    assert refused(client.post(MEMORIES, content=b""), 400) == "invalid JSON: EOF"
    for wrong in (b"{", b"[]", b'{"content": 7}', b'{"tags": "a"}', b"\xff", b'{"metadata": NaN}', b"[" * 100_000):
        assert refused(client.post(MEMORIES, content=wrong), 400).startswith("invalid JSON: ")


@pytest.mark.one_database
def test_a_web_page_writes_nothing_unasked_where_no_key_is_needed(server: FastAPI, runtime: Runtime) -> None:
    runtime.settings.auth_mode = "open"
    bare = TestClient(server, raise_server_exceptions=False)
    page_of = {"Origin": "https://example.com", "Content-Type": "text/plain"}
    assert refused(bare.post(MEMORIES, content=b'{"content": "a", "sync": true}', headers=page_of), 403)
    assert refused(bare.post(f"{V1}/mem9s", headers={"Origin": "https://example.com"}), 403)
    file = {"file": ("a.md", b"a note")}
    sent = bare.post(f"{MEM9S}/imports", files=file, data={"file_type": "memory"}, headers={"Origin": "https://a.b"})
    assert refused(sent, 403)
    assert contents(bare) == []
    assert bare.post(MEMORIES, content=b'{"content": "a", "sync": true}').status_code == 200


@pytest.mark.one_database
def test_a_body_is_bounded_whatever_it_says_it_is(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    client = space()
    monkeypatch.setattr("app.routers.mem9.door.MAX_BODY", 1_000)
    large = client.post(MEMORIES, content=b"x" * 2_000, headers={"Content-Type": "multipart/form-data; boundary=y"})
    assert refused(large, 400) == "body: too long (max 1000)"


@pytest.mark.parametrize("metadata", [{"a": {"b": [1, None]}}, ["x", 2], "text", 7.5, False])
def test_metadata_is_any_json(space: Space, metadata: Any) -> None:
    client = space()
    memory = pin(client, "a rule", metadata=metadata)
    assert memory["metadata"] == metadata
    assert page(client)["memories"][0]["metadata"] == metadata


def test_what_content_says_of_its_session_is_kept(space: Space) -> None:
    client = space("one")
    write(client, "The build takes nine minutes", session_id="s7", agent_id="two")
    (memory,) = page(client, session_id="s7", agent_id="two")["memories"]
    assert (memory["session_id"], memory["agent_id"], memory["source"]) == ("s7", "two", "two")
    assert contents(client, session_id="s7", q="build", source="two") == ["The build takes nine minutes"]
    assert contents(client, session_id="s8", q="build") == []


def test_filters_hold_in_lists_and_in_recalls(space: Space) -> None:
    client = space("one")
    write(client, "the red boat is fast", tags=["boat", "red"])
    write(client, "the blue boat is slow", tags=["boat"], agent_id="two")
    pin(client, "boats need paint", tags=["boat"])
    for query in ({}, {"q": "boat"}):
        assert sorted(contents(client, tags="boat,red", **query)) == ["the red boat is fast"]
        assert sorted(contents(client, source="two", **query)) == ["the blue boat is slow"]
        assert sorted(contents(client, agent_id="two", **query)) == ["the blue boat is slow"]
        assert sorted(contents(client, memory_type="pinned", **query)) == ["boats need paint"]
        assert len(contents(client, memory_type="pinned,insight", **query)) == 3
        assert contents(client, memory_type="nonsense", **query) == []
        assert contents(client, tags="*", **query) == contents(client, source="*", **query) == []
        assert contents(client, created_after="2999-01-01T00:00:00Z", **query) == []
        assert len(contents(client, created_before="2999-01-01T00:00:00+02:00", **query)) == 3
        assert contents(client, state="nonsense", **query) == contents(client, state="deleted", **query) == []
    assert refused(client.get(MEMORIES, params={"created_after": "soon"}), 400).startswith("created_after: ")


def test_every_item_of_every_recall_has_score_confidence_and_age(space: Space) -> None:
    client = space()
    write(client, "the red boat is fast")
    pin(client, "boats need paint")
    say(client, "I love boats")
    for kinds in (None, "pinned", "insight", "session", "insight,pinned"):
        found = page(client, q="boat", **({"memory_type": kinds} if kinds else {}))["memories"]
        assert found
        for memory in found:
            assert 0 <= memory["score"] <= 1
            assert isinstance(memory["confidence"], int)
            assert memory["relative_age"] == "just now"
    assert all("score" not in memory and "confidence" not in memory for memory in page(client)["memories"])


def test_pages_of_lists_and_recalls_hold_together(space: Space) -> None:
    client = space()
    for number in range(7):
        write(client, f"boat number {number} is in the harbour")
    for query in ({}, {"q": "which books or boats are there"}):
        whole = contents(client, limit=7, **query)
        assert len(set(whole)) == 7
        pages = [page(client, limit=3, offset=offset, **query) for offset in (0, 3, 6, 9)]
        assert [memory["content"] for one in pages for memory in one["memories"]] == whole
        assert [one["offset"] for one in pages] == [0, 3, 6, 9]
        assert pages[2]["total"] == 7
        assert all(one["total"] >= one["offset"] + len(one["memories"]) for one in pages[:3])
    assert contents(client) == [f"boat number {number} is in the harbour" for number in reversed(range(7))]
    assert page(client)["total"] == 7


@pytest.mark.parametrize(
    ("sent", "applied"), [("0", 10), ("-3", 10), ("x", 10), ("201", 200), ("9" * 30, 10), ("7", 7)]
)
@pytest.mark.one_database
def test_a_limit_is_capped_and_nonsense_is_the_default(space: Space, sent: str, applied: int) -> None:
    client = space()
    assert page(client, limit=sent)["limit"] == applied
    assert page(client, limit=sent, offset=sent)["offset"] == max(0, int(sent) if sent in ("201", "7") else 0)
    assert page(client, q="boat", limit=200, offset=10**12)["memories"] == []


def test_put_changes_what_is_sent_and_nothing_else(space: Space, runtime: Runtime) -> None:
    client, other = space("one"), "two"
    id = pin(client, "first", tags=["a"], metadata={"k": 1})["id"]

    def put(body: dict[str, Any], **headers: str) -> dict[str, Any]:
        memory: dict[str, Any] = ok(client.put(f"{MEMORIES}/{id}", json=body, headers=headers))
        return memory

    assert put({})["version"] == 2
    assert put({"content": "", "tags": None, "state": "archived", "memory_type": "x"})["content"] == "first"
    changed = put({"content": "second"}, **{"X-Mnemo-Agent-Id": other})
    assert (changed["content"], changed["tags"], changed["metadata"], changed["updated_by"]) == (
        "second", ["a"], {"k": 1}, other,
    )  # fmt: skip
    assert "tags" not in put({"tags": []})
    assert put({"metadata": {"l": 2}})["metadata"] == {"l": 2}
    last = put({"metadata": None})
    assert "metadata" not in last
    assert (last["version"], last["state"], last["memory_type"]) == (7, "active", "pinned")
    assert (
        refused(client.put(f"{MEMORIES}/{id}", json={"content": "a" * 50_001}), 400) == "content: too long (max 50000)"
    )
    assert refused(client.put(f"{MEMORIES}/{UNKNOWN}", json={}), 404) == "not found"
    assert refused(client.put(f"{MEMORIES}/no-uuid", json={}), 404) == "not found"
    with runtime.database.reading() as session:
        said = session.scalars(select(MemoryVersion.content).order_by(MemoryVersion.version)).all()
    assert said == ["first", "first", "first", "second", "second", "second", "second"]
    assert contents(client, q="second") == ["second"]


def test_if_match_is_advice_unless_it_is_meant(space: Space, runtime: Runtime) -> None:
    client = space()
    id = pin(client, "first")["id"]

    def put(content: str, match: str, **headers: str) -> Any:
        return client.put(f"{MEMORIES}/{id}", json={"content": content}, headers={"If-Match": match, **headers})

    assert put("second", "9").headers["ETag"] == "2"
    assert put("third", '"x"').headers["ETag"] == "3"
    meant = {"Prefer": "handling=strict"}
    assert refused(put("no", "2", **meant), 412) == "version mismatch: the memory is at version 3"
    assert put("fourth", '"3"', **meant).headers["ETag"] == "4"
    runtime.settings.mem9_strict_if_match = True
    assert refused(put("no", "3"), 412).startswith("version mismatch")
    assert refused(put("no", "x"), 400) == "If-Match: must be a version"
    assert put("fifth", "*").status_code == 200
    assert contents(client) == ["fifth"]


def test_batch_delete_counts_what_it_deleted(space: Space) -> None:
    client, stranger = space(), space()
    ids = [pin(client, f"rule {number}")["id"] for number in range(4)]
    theirs = pin(stranger, "another's rule")["id"]
    client.delete(f"{MEMORIES}/{ids[0]}")
    sent = {"ids": [*ids[:3], ids[1], UNKNOWN, "no-uuid", " ", theirs]}
    assert ok(client.post(f"{MEMORIES}/batch-delete", json=sent)) == {"deleted": 2}
    assert (contents(client), contents(stranger)) == (["rule 3"], ["another's rule"])
    for wrong in ({}, {"ids": []}, {"ids": [" ", ""]}):
        assert refused(client.post(f"{MEMORIES}/batch-delete", json=wrong), 400) == "ids: required"
    many = {"ids": ["x"] * 1001}
    assert refused(client.post(f"{MEMORIES}/batch-delete", json=many), 400) == "ids: too many (max 1000)"
    assert client.post(f"{V1}/mem9s/{key_of(client)}/memories/batch-delete", json=sent).status_code == 405


def test_bulk_stores_all_or_none(space: Space) -> None:
    client = space("one")
    items = [{"content": "a note", "tags": ["x"], "metadata": {"k": 1}}, {"content": "a rule", "memory_type": "pinned"}]
    made = client.post(f"{MEMORIES}/bulk", json={"memories": items})
    assert (made.status_code, shape(made.json())) == (201, golden("bulk"))
    wrong = {"memories": [{"content": "fine"}, {"content": "x" * 50_001}]}
    assert refused(client.post(f"{MEMORIES}/bulk", json=wrong), 400) == "memories[1].content: too long (max 50000)"
    assert refused(client.post(f"{MEMORIES}/bulk", json={"memories": []}), 400).startswith("memories: 1 to 1000")
    assert len(contents(client)) == 2
    briefing = ok(client.get(f"{MEMORIES}/bootstrap", params={"limit": 1}))
    assert (len(briefing["memories"]), briefing["total"]) == (1, 2)


def test_the_key_may_stand_in_the_path(space: Space, server: FastAPI) -> None:
    key = key_of(space())
    bare = TestClient(server, raise_server_exceptions=False)
    path = f"{V1}/mem9s/{key}"
    assert bare.post(f"{path}/memories", json={"content": "a", "sync": True}).status_code == 200
    (memory,) = ok(bare.get(f"{path}/memories"))["memories"]
    one = f"{path}/memories/{memory['id']}"
    assert ok(bare.get(one))["content"] == "a"
    assert ok(bare.put(one, json={"content": "b"}))["version"] == 2
    assert bare.delete(one).status_code == 204
    assert ok(bare.get(f"{path}/imports")) == {"status": "empty", "tasks": []}
    assert ok(bare.get(f"{path}/session-messages?session_id=s"))["messages"] == []
    assert refused(bare.get(f"{V1}/mem9s/unknown/memories"), 404) == "tenant not found"


def test_a_key_in_the_path_reaches_no_log(space: Space, server: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(logs.Formatter())
    caplog.set_level("INFO")
    bare = TestClient(server, raise_server_exceptions=False)
    for key in (key_of(space()), ADMIN_KEY, "any secret/../x", "chain_" + "k" * 43):
        bare.get(f"{V1}/mem9s/{quote(key, safe='')}/memories?x=1")
        bare.get(f"{V1}/mem9s/{quote(key, safe='')}")
        assert key not in caplog.text
        assert key.split("/")[0] not in caplog.text
    assert f'"path": "{V1}/mem9s/[redacted]/memories"' in caplog.text


def test_a_revoked_key_is_said_to_be_one_where_that_is_asked(space: Space, server: FastAPI, door: TestClient) -> None:
    key = key_of(space())
    bare = TestClient(server, raise_server_exceptions=False)
    assert ok(bare.get(f"{V2}/status", headers={"X-API-Key": key})) == {"status": "active"}
    known = ok(door.get("/api/v1/api-keys"))["items"]
    (id,) = [one["id"] for one in known if key.startswith(one["prefix"])]
    assert door.delete(f"/api/v1/api-keys/{id}").is_success
    assert ok(bare.get(f"{V2}/status", headers={"X-API-Key": key})) == {"status": "inactive"}
    assert refused(bare.get(f"{V2}/status"), 401) == "missing or malformed X-API-Key"
    assert refused(bare.get(f"{V2}/status", headers={"X-API-Key": "nobody's"}), 404) == "key not found"
    assert refused(bare.get(MEMORIES, headers={"X-API-Key": key}), 400) == "invalid API key"
    assert refused(bare.get(f"{V1}/mem9s/{key}/memories"), 403) == "tenant is not active"


@pytest.mark.one_database
def test_errors_that_no_handler_gives(space: Space, server: FastAPI) -> None:
    bare, client = TestClient(server, raise_server_exceptions=False), space()
    assert refused(bare.get(MEMORIES), 400) == "missing API key"
    assert refused(bare.get(MEMORIES, headers={"X-API-Key": "  "}), 400) == "missing API key"
    assert refused(bare.get(MEMORIES, headers={"X-API-Key": "nobody's"}), 400) == "invalid API key"
    for path in (f"{V2}/nothing", f"{MEM9S}/nothing", f"{V1}/nothing"):
        lost = client.get(path)
        assert (lost.status_code, lost.text) == (404, "404 page not found\n")
        assert lost.headers["Content-Type"].startswith("text/plain")
    for method, path in (("PATCH", MEMORIES), ("POST", "/healthz"), ("GET", f"{V1}/mem9s")):
        wrong = client.request(method, path)
        assert (wrong.status_code, wrong.content) == (405, b"")
    assert refused(client.get(MEMORIES, headers={"X-Mnemo-Agent-Id": "a" * 256}), 400).startswith("A name has")


@pytest.mark.one_database
def test_a_crash_is_answered_without_its_text(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    client = space()

    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the inner secret")

    monkeypatch.setattr("app.services.recalls.ask", crash)
    assert refused(client.get(MEMORIES), 500) == "internal server error"


@pytest.mark.one_database
def test_the_server_says_that_it_is_up(server: FastAPI) -> None:
    bare = TestClient(server)
    assert ok(bare.get("/healthz")) == {"status": "ok"}
    told = ok(bare.get("/versionz"))
    assert {"go_version", "started_at"} <= told.keys()


def test_only_what_is_active_is_shown_by_id_and_the_rest_by_its_state(space: Space) -> None:
    client = space("one")
    ids = {state: pin(client, f"an {state} rule")["id"] for state in ("active", "paused", "archived", "deleted")}
    for state in ("paused", "archived", "deleted"):
        sent = {"memory_ids": [ids[state]], "state": state}
        ok(client.post("/api/v1/memories/actions/pause", json=sent))
        assert refused(client.get(f"{MEMORIES}/{ids[state]}"), 404) == "not found"
        assert refused(client.put(f"{MEMORIES}/{ids[state]}", json={}), 404) == "not found"
    assert contents(client) == contents(client, q="rule") == ["an active rule"]
    assert contents(client, state="archived") == contents(client, state="archived", q="RULE") == ["an archived rule"]
    assert set(contents(client, state="all")) == {"an active rule", "an archived rule", "an paused rule"}
    assert contents(client, state="deleted") == []
    assert client.delete(f"{MEMORIES}/{ids['archived']}").status_code == 204
    assert contents(client, state="archived") == []


def test_one_space_knows_nothing_of_another(space: Space, door: TestClient) -> None:
    ann, ben = space("agent"), space("agent")
    id = pin(ann, "Ann's secret rule", session_id="s1")["id"]
    say(ann, "my secret harbour", session="s1")
    for client in (ben, space("agent", key=door.headers["Authorization"].removeprefix("Bearer "))):
        assert contents(client) == contents(client, q="secret") == contents(client, state="all") == []
        assert ok(client.get(f"{MEM9S}/session-messages?session_id=s1"))["messages"] == []
        for method, body in (("GET", None), ("PUT", {"content": "mine"}), ("DELETE", None)):
            theirs = client.request(method, f"{MEMORIES}/{id}", json=body)
            unknown = client.request(method, f"{MEMORIES}/{UNKNOWN}", json=body)
            assert (theirs.status_code, theirs.content) == (unknown.status_code, unknown.content) == (
                404, b'{"error": "not found"}',
            )  # fmt: skip
        assert ok(client.post(f"{MEMORIES}/batch-delete", json={"ids": [id]})) == {"deleted": 0}
    assert "Ann's secret rule" in contents(ann)


def test_a_key_that_may_only_read_does_not_write(person: Person, space: Space) -> None:
    reader = person("ann", scopes=["read"])
    client = space(key=reader.headers["Authorization"].removeprefix("Bearer "))
    assert page(client)["total"] == 0
    assert refused(client.post(MEMORIES, json={"content": "a"}), 403) == "This needs the scope 'write'"
    assert refused(client.put(f"{MEMORIES}/{UNKNOWN}", json={}), 403)
    assert refused(client.delete(f"{MEMORIES}/{UNKNOWN}"), 403)


def test_any_key_of_a_user_opens_what_they_wrote_elsewhere(person: Person, space: Space) -> None:
    ann = person("ann")
    client = space("claude", key=ann.headers["Authorization"].removeprefix("Bearer "))
    remember(ann, "Ann keeps bees", app="notes")
    write(client, "Ann sells honey")
    assert set(contents(client)) == set(listed(ann)) == {"Ann keeps bees", "Ann sells honey"}
    assert contents(client, q="honey")[0] == searched(ann, "honey")[0] == "Ann sells honey"


def test_a_bound_key_stays_in_its_app_whoever_it_says_to_be(person: Person, space: Space) -> None:
    ann = person("ann", app="notes")
    client = space("claude", key=ann.headers["Authorization"].removeprefix("Bearer "))
    write(client, "Ann keeps bees")
    (memory,) = page(client)["memories"]
    assert memory["agent_id"] == "claude"
    (shown,) = ok(ann.get("/api/v1/memories"))["items"]
    assert shown["app_name"] == "notes"
    assert contents(client, state="archived") == []


def test_a_paused_app_reads_and_writes_nothing(space: Space) -> None:
    client, other = space("one"), None
    id = pin(client, "a rule")["id"]
    other = space("two", key=key_of(client))
    assert contents(other) == ["a rule"]
    (app,) = [one for one in ok(client.get("/api/v1/apps"))["apps"] if one["name"] == "one"]
    ok(client.put(f"/api/v1/apps/{app['id']}", params={"is_active": "false"}))
    assert contents(client) == contents(client, q="rule") == contents(client, state="all") == []
    assert refused(client.get(f"{MEMORIES}/{id}"), 404) == "not found"
    assert refused(client.post(MEMORIES, json={"content": "a"}), 403).startswith("App one is currently paused")
    assert refused(client.delete(f"{MEMORIES}/{id}"), 404) == "not found"
    assert contents(other) == ["a rule"]


def test_what_was_shown_is_in_the_access_log(space: Space, runtime: Runtime) -> None:
    client = space("claude")
    id = pin(client, "boats need paint")["id"]
    page(client)
    page(client, q="boat")
    ok(client.get(f"{MEMORIES}/{id}"))
    log = ok(client.get(f"/api/v1/memories/{id}/access-log"))["logs"]
    assert [(entry["app_name"], entry["access_type"]) for entry in log] == [
        ("claude", "get"), ("claude", "search"), ("claude", "list"),
    ]  # fmt: skip
    with runtime.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AccessBatch)) == 0


def test_writes_leave_receipts(space: Space, runtime: Runtime) -> None:
    client = space()
    write(client, "a note")
    pin(client, "a rule")
    say(client, "hello there")
    client.post(f"{MEMORIES}/bulk", json={"memories": [{"content": "one more"}]})
    with runtime.database.reading() as session:
        assert session.scalars(select(Event.status)).all() == ["SUCCEEDED"] * 4


@pytest.mark.parametrize("policy", ["open", "admin", "off"])
@pytest.mark.one_database
def test_who_may_make_spaces(server: FastAPI, runtime: Runtime, door: TestClient, policy: Any, space: Space) -> None:
    member = key_of(space())
    runtime.settings.mem9_provisioning = policy
    bare = TestClient(server, raise_server_exceptions=False)
    admin = {"X-API-Key": door.headers["Authorization"].removeprefix("Bearer ")}
    sent = [bare.post(f"{V1}/mem9s", headers=headers) for headers in ({}, {"X-API-Key": member}, admin)]
    expected = {"open": [201, 201, 201], "admin": [400, 403, 201], "off": [400, 400, 400]}
    assert [one.status_code for one in sent] == expected[policy]
    chained = [bare.post(f"{V2}/space-chains", json={"name": "all"}, headers=h) for h in ({}, admin)]
    assert [one.status_code for one in chained] == [expected[policy][0], expected[policy][2]]
    if policy == "off":
        assert refused(sent[0], 400) == "provisioning not configured"


@pytest.mark.one_database
def test_everybody_together_makes_only_so_many_spaces(server: FastAPI, runtime: Runtime) -> None:
    runtime.settings.mem9_provisions_per_hour = 2
    bare = TestClient(server, raise_server_exceptions=False)
    keys = [bare.post(f"{V1}/mem9s?utm_source=a&b=c") for _ in range(3)]
    assert [one.status_code for one in keys] == [201, 201, 429]
    assert refused(keys[2], 429) == "rate limit exceeded"
    assert keys[0].json().keys() == {"id"}


def test_what_is_beyond_loopback_is_the_admins_to_provision(runtime: Runtime) -> None:
    assert runtime.settings.provisioning == "open"
    runtime.settings.host = "0.0.0.0"
    assert runtime.settings.provisioning == "admin"


def test_no_answer_is_anything_but_json(space: Space) -> None:
    client = space()
    pin(client, "<b>&\u2028 ü 🛶", tags=["ü"])
    answer = client.get(MEMORIES)
    assert answer.headers["Content-Type"] == "application/json"
    assert json.loads(answer.content)["memories"][0]["content"] == "<b>&\u2028 ü 🛶"
