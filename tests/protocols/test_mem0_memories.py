"""The mem0 door, as its clients use it: memories in and out, changes, history, deletes."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.context import Runtime
from app.database import now
from app.models import Memory
from app.services import accesses, expiry
from tests.conftest import ADMIN_KEY
from tests.protocols.asking import API, UNKNOWN, Person, ok, searched, shape
from tests.protocols.asking import listed as openmemory_listed
from tests.protocols.asking import remember as openmemory_remember
from tests.protocols.mem0_asking import ALICE, add, chain, found, golden, listed, remember

PIZZA = "I love fresh vegetable pizza."
CONVERSATION = [
    {"role": "system", "content": "You are a waiter."},
    {"role": "user", "content": PIZZA, "name": "Alice"},
    {"role": "assistant", "content": "Noted: pizza with vegetables.", "tool_calls": []},
]


def today(days: int = 0) -> str:
    """The date in so many days, UTC."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def test_what_is_answered(door: TestClient) -> None:
    sent = {"agent_id": "waiter", "run_id": "table-7", "metadata": {"topic": "food", "score": None}}
    created = ok(
        door.post(
            "/memories",
            json={"messages": CONVERSATION, "infer": False, **ALICE, **sent, "expiration_date": "2099-12-31"},
        )
    )
    assert shape(created) == golden("add")
    assert shape(ok(door.get("/memories", params=ALICE))) == golden("list")
    id = created["results"][0]["id"]
    assert shape(ok(door.get(f"/memories/{id}"))) == golden("get")
    hits = ok(door.post("/search", json={"query": "Who loves pizza?", "top_k": 1, "filters": ALICE}))
    assert 0 < hits["results"][0].pop("score") <= 1
    assert shape(hits) == golden("search")
    assert ok(door.put(f"/memories/{id}", json={"text": "I hate pizza."})) == golden("updated")
    assert ok(door.delete(f"/memories/{id}")) == golden("deleted")
    assert shape(ok(door.get(f"/memories/{id}/history"))) == golden("history")
    assert sorted(shape(ok(door.get("/entities"))), key=lambda one: one["type"]) == golden("entities")
    assert ok(door.delete("/memories", params=ALICE)) == golden("all_deleted")
    assert ok(door.delete("/entities/user/alice")) == golden("entity_deleted")
    assert ok(door.post("/reset")) == golden("reset")


def test_the_seed_pages_example(door: TestClient) -> None:
    body = {"messages": [{"role": "user", "content": PIZZA}], **ALICE}
    (result,) = ok(door.post("/memories", json=body))["results"]
    assert (result["event"], result["memory"]) == ("ADD", PIZZA)
    assert found(door, "vegetable", user_id="alice") == [PIZZA]
    assert ok(door.post("/memories", json=body)) == {"results": []}  # known already, so nothing new


@pytest.mark.parametrize("body", [{}, {"user_id": ""}, {"user_id": None, "agent_id": " "}])
def test_somebody_must_be_named(door: TestClient, body: dict[str, Any]) -> None:
    answer = door.post("/memories", json={"messages": PIZZA, **body})
    assert answer.status_code == 400
    assert answer.json() == {"detail": "At least one identifier (user_id, agent_id, run_id) is required."}


SAID: list[tuple[Any, list[str]]] = [
    ("I sail", ["I sail"]),
    ({"role": "user", "content": "I sail"}, ["I sail"]),
    ([{"content": "I sail"}], ["I sail"]),
    ([{"role": "user", "content": [{"type": "text", "text": "I"}, {"type": "image_url"}, "sail"]}], ["I\nsail"]),
    ([{"role": "assistant", "content": None}, {"role": "user", "content": "I sail"}], ["I sail"]),
    ([{"role": "tool", "content": "42"}, {"role": "user", "content": "I sail"}], ["I sail"]),
]


@pytest.mark.one_database
@pytest.mark.parametrize("said", SAID)
def test_messages_come_in_many_forms(door: TestClient, said: tuple[Any, list[str]]) -> None:
    messages, wanted = said
    assert [one["memory"] for one in add(door, messages)] == wanted


@pytest.mark.one_database
@pytest.mark.parametrize("messages", [[], "", "  ", [{"role": "system", "content": "x"}], [{"role": "user"}], None, 3])
def test_nothing_said_is_refused(door: TestClient, messages: Any) -> None:
    answer = door.post("/memories", json={"messages": messages, **ALICE})
    assert answer.status_code in (400, 422)
    assert listed(door) == []


@pytest.mark.one_database
def test_habits_of_old_clients(door: TestClient) -> None:
    sent = {"X-API-Key": ADMIN_KEY, "Authorization": "", "Content-Type": ""}
    body = b'{"messages": "I sail", "user_id": "alice", "infer": false, "output_format": "v1.1", "zzz": [1]}'
    created = ok(door.post("/memories/", content=body, headers=sent))["results"]
    id = created[0]["id"]
    for path in ("/memories/?user_id=alice&version=v2", f"/memories/{id}/", f"/memories/{id}/history/", "/entities/"):
        ok(door.get(path, headers=sent))
    assert found(door, "sail", user_id="alice", limit=5, keyword_search=True) == ["I sail"]
    ok(door.put(f"/memories/{id}/", json={"memory": "I row"}, headers=sent))
    ok(door.put(f"/memories/{id}", json={"data": "I swim"}, headers=sent))
    assert [one[0] for one in chain(door, id)] == ["ADD", "UPDATE", "UPDATE"]
    ok(door.delete(f"/memories/{id}/", headers=sent))
    ok(door.delete("/memories/?user_id=alice", headers=sent))


def test_an_owner_is_the_user_or_the_keys_own(door: TestClient, person: Person) -> None:
    ann = person("ann")
    remember(ann, "of Ann", user_id="ann")
    remember(ann, "of Ann's agent", agent_id="a1")
    remember(ann, "of Ann's session", run_id="r1", agent_id="a1")
    remember(door, "of the admin's agent", agent_id="a1")
    remember(door, "of Bo", user_id="bo")
    assert listed(ann, user_id="ann") == ["of Ann's session", "of Ann's agent", "of Ann"]
    assert listed(ann, agent_id="a1") == ["of Ann's session", "of Ann's agent"]
    assert listed(ann, agent_id="a1", run_id="r1") == ["of Ann's session"]
    assert listed(door, agent_id="a1") == ["of the admin's agent"]
    assert listed(door, user_id="ann", agent_id="a1") == ["of Ann's session", "of Ann's agent"]
    assert len(listed(door)) == 5
    assert ok(door.get("/memories", params={"user_id": "bo"}))["results"][0]["user_id"] == "bo"


def test_lists_are_bounded(door: TestClient) -> None:
    for i in range(4):
        remember(door, f"note {i}")
    assert listed(door, user_id="alice", top_k=2) == ["note 3", "note 2"]
    assert listed(door, user_id="alice", top_k=0) == found(door, "note", **ALICE, top_k=0) == []
    assert len(listed(door, user_id="alice", top_k=5000)) == len(found(door, "note", **ALICE, top_k=5000)) == 4
    assert len(found(door, "note", **ALICE, limit=3)) == 3
    for answer in (
        door.get("/memories", params={**ALICE, "top_k": -1}),
        door.post("/search", json={"query": "note", "top_k": -1}),
        door.post("/search", json={"query": "note", "threshold": 1.1}),
    ):
        assert answer.status_code == 422
        assert {"type", "loc", "msg"} <= answer.json()["detail"][0].keys()


def test_a_search_is_narrowed_and_explained(door: TestClient) -> None:
    remember(door, "Tea at noon", metadata={"topic": "tea", "n": 1}, agent_id="a1", user_id="alice")
    remember(door, "Tea at five", metadata={"topic": "Tea", "n": 5}, run_id="r1", user_id="alice")
    remember(door, "Tea at night", user_id="alice")
    noon, five, night = "Tea at noon", "Tea at five", "Tea at night"
    for filters, wanted in (
        ({}, {noon, five, night}),
        ({"topic": "tea"}, {noon}),
        ({"topic": {"icontains": "TEA"}}, {noon, five}),
        ({"topic": {"contains": "Te"}}, {five}),
        ({"n": {"gte": 2}}, {five}),
        ({"n": {"in": [1, 2]}}, {noon}),
        ({"topic": {"ne": "tea"}}, {five, night}),
        ({"n": {"nin": [1]}}, {five, night}),
        ({"NOT": [{"topic": "*"}]}, {night}),
        ({"OR": [{"agent_id": "a1"}, {"run_id": "r1"}]}, {noon, five}),
        ({"AND": [{"user_id": "alice"}, {"run_id": "*"}]}, {five}),
        ({"role": "user"}, {noon, five, night}),
    ):
        assert set(found(door, "tea", **ALICE, filters=filters)) == wanted, filters
    assert found(door, "tea", filters={"user_id": "alice", "agent_id": "a1"}) == [noon]
    assert found(door, "tea", user_id="alice", run_id="r1") == [five]
    assert len(found(door, "tea", **ALICE, threshold=0)) == 3
    assert found(door, "tea", **ALICE, threshold=1) == []
    for filters in ({"n": {"above": 1}}, {"AND": 3}, {"OR": []}):
        answer = door.post("/search", json={"query": "tea", "filters": filters})
        assert answer.status_code == 400, filters
    (hit, *_) = ok(door.post("/search", json={"query": "tea at noon", **ALICE, "explain": True}))["results"]
    details = hit["score_details"]
    assert details.pop("threshold") is None
    assert details.pop("final_score") == hit["score"] == pytest.approx(sum(details.values()))
    assert {"semantic_score", "bm25_score"} <= details.keys()


def test_a_date_hides_a_memory_after_its_day(door: TestClient) -> None:
    past, now = remember(door, "past", expiration_date=today(-1)), remember(door, "today", expiration_date=today())
    remember(door, "always", expiration_date=None)
    assert listed(door, user_id="alice") == ["always", "today"]
    assert set(found(door, "past today always", **ALICE)) == {"always", "today"}
    assert door.get(f"/memories/{past}").status_code == 404
    assert ok(door.get(f"/memories/{now}"))["expiration_date"] == today()
    assert ok(door.get(f"/memories/{past}", params={"show_expired": True}))["expiration_date"] == today(-1)
    assert listed(door, user_id="alice", show_expired=True) == ["always", "today", "past"]
    assert "past" in found(door, "past", **ALICE, show_expired=True)
    assert "past" not in openmemory_listed(door, user_id="alice")
    ok(door.put(f"/memories/{past}", json={"expiration_date": None}))
    assert "expiration_date" not in ok(door.get(f"/memories/{past}"))
    ok(door.put(f"/memories/{now}", json={"expiration_date": today(-1)}))
    assert listed(door, user_id="alice") == ["always", "past"]
    for date in ("tomorrow", "2026-02-30", "2026-1-1", "2026-11-21T00:00:00", 20991231):
        sent = {"messages": "x", **ALICE, "expiration_date": date}
        assert door.post("/memories", json=sent).status_code == 422, date
        assert door.put(f"/memories/{past}", json={"expiration_date": date}).status_code == 422, date


def test_what_the_worker_deleted_because_it_expired_is_shown_on_request(door: TestClient, runtime: Runtime) -> None:
    id, gone = remember(door, "past", expiration_date=today(-1)), remember(door, "deleted")
    ok(door.delete(f"/memories/{gone}"))
    paused = remember(door, "paused", expiration_date="2099-01-01")
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [paused], "user_id": "alice"}))
    with runtime.database.transaction() as session:
        session.get_one(Memory, UUID(paused)).expires_at = now()
    assert expiry.expire(runtime) == 2
    assert listed(door, user_id="alice") == listed(door) == []
    assert door.get(f"/memories/{id}").status_code == 404
    shown = ok(door.get("/memories", params={**ALICE, "show_expired": True}))["results"]
    assert [(one["memory"], one["expiration_date"]) for one in shown] == [("past", today(-1))]
    assert ok(door.get(f"/memories/{id}", params={"show_expired": True})) == shown[0]
    assert listed(door, show_expired=True) == ["past"]
    assert door.get(f"/memories/{gone}", params={"show_expired": True}).status_code == 404
    assert chain(door, id)[-1] == ("DELETE", "past", None)
    assert door.put(f"/memories/{id}", json={"expiration_date": None}).status_code == 404
    ok(door.post(f"{API}/memories/{id}/restore"))
    assert listed(door, user_id="alice") == ["past"]
    ok(door.delete(f"/memories/{id}"))
    assert listed(door, user_id="alice", show_expired=True) == []


def test_only_what_is_sent_is_changed(door: TestClient) -> None:
    id = remember(door, "one", metadata={"a": 1, "b": 2}, expiration_date="2099-01-01")
    before = ok(door.get(f"/memories/{id}"))
    ok(door.put(f"/memories/{id}", json={"metadata": {"b": 3, "c": 4, "user_id": "bo"}}))
    after = ok(door.get(f"/memories/{id}"))
    assert after == {**before, "metadata": {"a": 1, "b": 3, "c": 4}, "updated_at": after["updated_at"]}
    ok(door.put(f"/memories/{id}", json={"text": "two", "metadata": None}))
    after = ok(door.get(f"/memories/{id}"))
    assert (after["memory"], after["metadata"]["c"], after["expiration_date"]) == ("two", 4, "2099-01-01")
    assert after["hash"] == "b8a9f715dbb64fd5c56e7783c6820a61"
    for body in ({}, {"text": None}, {"user_id": "bo"}):
        answer = door.put(f"/memories/{id}", json=body)
        assert (answer.status_code, "must be provided" in answer.text) == (400, True), body
    assert door.put(f"/memories/{id}", json={"text": " "}).status_code == 400


@pytest.mark.parametrize("id", [UNKNOWN, "abc", "%20"])
def test_unknown_memories(door: TestClient, id: str) -> None:
    for answer in (
        door.get(f"/memories/{id}"),
        door.put(f"/memories/{id}", json={"text": "x"}),
        door.delete(f"/memories/{id}"),
        door.get(f"/memories/{id}/history"),
    ):
        assert (answer.status_code, answer.json()) == (404, {"detail": "Memory not found"})


def test_history_is_a_chain_that_survives(door: TestClient) -> None:
    id = remember(door, "one")
    ok(door.put(f"/memories/{id}", json={"text": "two"}))
    ok(door.delete(f"/memories/{id}"))
    assert chain(door, id) == [("ADD", None, "one"), ("UPDATE", "one", "two"), ("DELETE", "two", None)]
    assert [door.get(f"/memories/{id}").status_code, door.delete(f"/memories/{id}").status_code] == [404, 404]
    ok(door.post(f"{API}/memories/{id}/purge"))
    assert door.get(f"/memories/{id}/history").status_code == 404


@pytest.mark.parametrize("state", ["paused", "archived"])
def test_what_is_put_away_is_not_there(door: TestClient, state: str) -> None:
    id = remember(door, "away")
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [id], "user_id": "alice", "state": state}))
    assert listed(door) == listed(door, user_id="alice", show_expired=True) == found(door, "away", **ALICE) == []
    for answer in (
        door.get(f"/memories/{id}", params={"show_expired": True}),
        door.put(f"/memories/{id}", json={"text": "x"}),
        door.delete(f"/memories/{id}"),
        door.get(f"/memories/{id}/history"),
    ):
        assert answer.status_code == 404
    assert ok(door.get("/entities")) == []
    ok(door.delete("/memories", params=ALICE))
    assert ok(door.post(f"{API}/memories/filter", json={"user_id": "alice", "show_archived": True}))["total"] == 0


def test_a_delete_by_identifier_goes_as_far_as_it_says(door: TestClient) -> None:
    for user, agent in (("alice", "a1"), ("alice", "a2"), ("bo", "a1"), ("*", "a1")):
        remember(door, f"{user} {agent}", user_id=user, agent_id=agent)
    answer = door.delete("/memories")
    assert (answer.status_code, answer.json()) == (400, {"detail": "At least one identifier is required."})
    for query in ({"agent_id": "a1"}, {"user_id": "nobody"}, {"user_id": "alice", "agent_id": "*"}):
        ok(door.delete("/memories", params=query))  # an agent without a user is the key's own user's
    assert len(listed(door)) == 4
    ok(door.delete("/memories", params={"user_id": "alice", "agent_id": "a1"}))
    assert listed(door) == ["* a1", "bo a1", "alice a2"]
    ok(door.delete("/memories", params={"user_id": "*"}))
    assert listed(door) == ["bo a1", "alice a2"]
    ok(door.delete("/entities/user/*"))
    assert door.delete("/entities/team/a1").status_code == 400
    ok(door.delete("/entities/agent/a1"))
    assert listed(door) == ["alice a2"]


def test_a_reset_leaves_nothing_at_any_door(door: TestClient) -> None:
    id = remember(door, PIZZA)
    openmemory_remember(door, "I sail", user_id="bo")
    ok(door.post("/reset"))
    assert listed(door) == found(door, PIZZA, **ALICE) == ok(door.get("/entities")) == []
    assert (
        openmemory_listed(door) == searched(door, PIZZA, user_id="alice") == searched(door, "sail", user_id="bo") == []
    )
    assert door.get(f"/memories/{id}").status_code == 404
    for event in ok(door.get(f"{API}/events", params={"kind": "DELETE"}))["items"]:
        ok(door.post(f"{API}/events/{event['id']}/undo"))
    assert set(listed(door)) == {PIZZA, "I sail"}


def test_doors_see_each_others_memories(door: TestClient) -> None:
    sent = {"user_id": "alice", "metadata": {"author": "Ann", "session": "s1", "agent_id": "a1", "topic": "trip"}}
    theirs = openmemory_remember(door, "We fly to Rome", **sent)["id"]
    assert shape(ok(door.get(f"/memories/{theirs}"))) == golden("of_another_door")
    assert found(door, "Where do we fly?", filters={"user_id": "alice", "run_id": "s1"}) == ["We fly to Rome"]
    mine = remember(door, PIZZA, metadata={"topic": "food"}, agent_id="a2", user_id="alice")
    shown = ok(door.get(f"{API}/memories/{mine}"))
    assert (shown["text"], shown["app_name"], shown["agent_id"]) == (PIZZA, "mem0", "a2")
    assert shown["metadata_"] == {"topic": "food", "role": "user"}


def test_every_add_leaves_a_receipt(door: TestClient) -> None:
    remember(door, "one")
    ok(door.post("/memories", json={"messages": "two", **ALICE}))
    ok(door.post("/memories", json={"messages": "two", **ALICE}))
    events = ok(door.get(f"{API}/events", params={"user_id": "alice", "kind": "ADD"}))["items"]
    assert [(one["status"], [done["event"] for done in one["results"]]) for one in events] == [
        ("SUCCEEDED", ["NONE"]),
        ("SUCCEEDED", ["ADD"]),
        ("SUCCEEDED", ["ADD"]),
    ]
    assert {one["app_name"] for one in events} == {"mem0"}


def test_access_is_logged_as_the_app(door: TestClient, runtime: Runtime) -> None:
    id = remember(door, PIZZA)
    listed(door, user_id="alice")
    listed(door, user_id="alice", agent_id="none")
    found(door, "pizza", **ALICE)
    ok(door.get(f"/memories/{id}"))
    chain(door, id)
    accesses.spread(runtime)
    logs = ok(door.get(f"{API}/memories/{id}/access-log"))["logs"]
    assert [(one["app_name"], one["access_type"]) for one in logs] == [
        ("mem0", kind) for kind in ("history", "get", "search", "list")
    ]


def test_the_type_of_a_memory_is_kept(door: TestClient) -> None:
    id = remember(door, "Never call before ten", memory_type="pinned")
    assert ok(door.get(f"{API}/memories/{id}"))["memory_type"] == "pinned"


def test_a_restore_takes_no_role_for_an_author(door: TestClient) -> None:
    id = remember(door, "one")
    ok(door.put(f"/memories/{id}", json={"metadata": {"n": 1}}))
    ok(door.post(f"{API}/memories/{id}/restore", json={"version": 1}))
    restored = ok(door.get(f"/memories/{id}"))
    assert restored["role"] == "user"
    assert not {"actor_id", "metadata"} & restored.keys()


@pytest.mark.one_database
def test_a_person_who_signed_in_is_no_app(door: TestClient, server: FastAPI, runtime: Runtime) -> None:
    made = door.post(f"{API}/users", json={"user_id": "ann", "password": "correct horse battery staple"})
    assert made.status_code in (200, 201)
    login = {"user_id": "ann", "password": "correct horse battery staple"}
    token = ok(TestClient(server).post(f"{API}/auth/login", json=login))["access_token"]
    ann = TestClient(server, headers={"Authorization": f"Bearer {token}"})
    id = remember(ann, PIZZA, user_id="ann")
    assert listed(ann, user_id="ann") == found(ann, "pizza") == [PIZZA]
    accesses.spread(runtime)
    assert ok(door.get(f"{API}/memories/{id}/access-log"))["logs"] == []
    assert ok(door.get(f"{API}/memories/{id}"))["app_name"] == "mem0"
