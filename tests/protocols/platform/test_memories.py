"""Adds, lists, searches, changes and deletes, version by version, in the shapes that mem0's clients read."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.context import Runtime
from app.database import now
from app.models import Event, Memory
from app.services import accesses, inference
from tests.protocols.asking import UNKNOWN, ok, shape
from tests.protocols.platform.asking import COFFEE, TRAIN, add, body, found, golden, refused, shown
from tests.protocols.platform.conftest import Hosted
from tests.scripted_llm import ScriptedLlm, facts

ADD = "/v3/memories/add/"
WHOLE = {"user_id": "ann", "agent_id": "a1", "run_id": "r1", "metadata": {"topic": "food"}}


def test_an_add_is_left_to_the_worker_and_its_event_tells_how_it_went(hosted: TestClient, runtime: Runtime) -> None:
    queued = ok(hosted.post(ADD, json={"messages": COFFEE, "user_id": "ann", "infer": False}))
    assert shape(queued) == golden("queued")
    path = f"/v1/event/{queued['event_id']}/"
    waiting = ok(hosted.get(path))
    assert (waiting["status"], waiting["completed_at"], waiting["latency"]) == ("PENDING", None, None)
    assert waiting["payload"]["messages"][0]["content"] == COFFEE
    assert shown(hosted, filters={"user_id": "ann"}) == []
    assert inference.perform_next(runtime)
    done = ok(hosted.get(path))
    assert done.pop("latency") >= 0
    assert shape(done) == golden("event")
    assert shown(hosted, filters={"user_id": "ann"}) == [COFFEE]


def test_an_add_is_done_at_once_on_request(hosted: TestClient) -> None:
    assert shape(ok(hosted.post(ADD, json=body(COFFEE, **WHOLE)))) == golden("added")


def test_older_clients_are_answered_before_the_worker_and_in_their_forms(hosted: TestClient, runtime: Runtime) -> None:
    sent = {"messages": [{"role": "user", "content": COFFEE}], "user_id": "ann", "infer": False}
    assert shape(ok(hosted.post("/v1/memories/", json=sent))) == golden("added_v1")
    newer = ok(hosted.post("/v1/memories/", json={**sent, "output_format": "v1.1", "enable_graph": True}))
    assert [one["event"] for one in newer["results"]] == ["ADD"]
    assert newer["relations"] == []
    later = ok(hosted.post("/v1/memories/", json={**sent, "output_format": "v1.1", "async_mode": True}))
    assert [one["status"] for one in later["results"]] == ["PENDING"]
    assert inference.perform_next(runtime)


def test_what_is_known_is_a_noop_and_says_so(hosted: TestClient) -> None:
    add(hosted, COFFEE)
    again = ok(hosted.post(ADD, json={**body(COFFEE), "infer": True}))
    assert [one["event"] for one in again["results"]] == ["NOOP"]
    told = ok(hosted.get(f"/v1/event/{again['event_id']}/"))["results"][0]
    assert (told["event"], told["reason"]) == ("NOOP", "exact duplicate")


def test_the_app_is_the_one_that_is_named(hosted: TestClient, someone: Hosted) -> None:
    for app, expected in ((None, "mem0"), ("notes", "notes")):
        id = add(hosted, TRAIN, app_id=app)
        assert ok(hosted.get(f"/v1/memories/{id}/"))["app_id"] == expected
    assert len(shown(hosted, filters={"app_id": "notes"})) == 1
    bound = someone("bo", app="diary")
    assert ok(bound.get(f"/v1/memories/{add(bound, TRAIN)}/"))["app_id"] == "diary"
    assert refused(bound.post(ADD, json=body(TRAIN, app_id="notes")))[0] == 403


def test_identifiers_may_stand_in_the_filters(hosted: TestClient) -> None:
    add(hosted, COFFEE, filters={"user_id": "ann", "agent_id": "a1"})
    add(hosted, TRAIN, user_id=7)
    assert shown(hosted, filters={"AND": [{"user_id": "ann"}, {"agent_id": "a1"}]}) == [COFFEE]
    assert shown(hosted, user_id="7") == [TRAIN]


def test_expiry_time_and_immutability_are_kept(hosted: TestClient, runtime: Runtime) -> None:
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    id = add(hosted, COFFEE, expiration_date=day, timestamp=1_700_000_000, immutable=True)
    one = ok(hosted.get(f"/v1/memories/{id}/"))
    assert (one["expiration_date"], one["immutable"]) == (day, True)
    with runtime.database.reading() as session:
        row = session.execute(select(Memory.occurred_at, Memory.memory_type).where(Memory.id == UUID(id))).one()
    assert (row.occurred_at.timestamp(), row.memory_type) == (1_700_000_000, "pinned")


def test_what_has_expired_is_shown_on_request_only(hosted: TestClient) -> None:
    id = add(hosted, COFFEE, expiration_date="2020-01-01")
    assert shown(hosted) == found(hosted, "coffee") == []
    assert shown(hosted, show_expired=True) == found(hosted, "coffee", show_expired=True) == [COFFEE]
    assert refused(hosted.get(f"/v1/memories/{id}/")) == (404, "Memory not found")


def test_a_message_may_be_in_parts_of_text(hosted: TestClient) -> None:
    parts = [{"type": "text", "text": "I live"}, {"type": "text", "text": "in Rome"}]
    sent = body("")
    sent["messages"] = [{"role": "user", "content": parts}]
    assert ok(hosted.post(ADD, json=sent))["results"][0]["memory"] == "I live\nin Rome"
    sent["messages"][0]["content"] = [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]
    assert "no images" in refused(hosted.post(ADD, json=sent))[1]


def test_words_to_the_model_reach_it(hosted: TestClient, llm: ScriptedLlm) -> None:
    llm.say(facts("Ann likes tea"))
    words = {"custom_instructions": "Use few words", "includes": "drinks", "excludes": "salaries"}
    sent = {**body("I like tea", user_id="ann", agent_id="a1", agent_custom_instructions="Be an owl"), **words}
    made = ok(hosted.post(ADD, json={**sent, "infer": True}))
    assert [(one["event"], one["memory"]) for one in made["results"]] == [("ADD", "Ann likes tea")]
    for expected in ("Use few words", "Only remember: drinks", "Never remember: salaries", "Be an owl"):
        assert expected in llm.prompts()[0]


def test_a_model_that_fails_is_a_503_that_names_the_event(hosted: TestClient, scripted: ScriptedLlm, llm: Any) -> None:
    scripted.default = lambda _: {"nothing": 1}
    answer = hosted.post(ADD, json={**body("I like tea"), "infer": True})
    assert answer.status_code == 503
    assert ok(hosted.get(f"/v1/event/{answer.json()['event_id']}/"))["status"] == "FAILED"


def test_every_add_leaves_a_receipt(hosted: TestClient, runtime: Runtime) -> None:
    add(hosted, COFFEE)
    ok(hosted.post("/v1/memories/", json={"messages": TRAIN}))
    ok(hosted.post(ADD, json={"messages": TRAIN}))
    with runtime.database.reading() as session:
        assert sorted(session.scalars(select(Event.status))) == ["PENDING", "SUCCEEDED", "SUCCEEDED"]


def test_a_memory_has_the_form_that_clients_read(hosted: TestClient) -> None:
    one = ok(hosted.get(f"/v1/memories/{add(hosted, COFFEE, **WHOLE)}/"))
    assert one["hash"] == hashlib.md5(COFFEE.encode()).hexdigest()
    assert shape(one) == golden("memory")


def test_lists_of_version_3_are_pages(hosted: TestClient) -> None:
    for number in range(5):
        add(hosted, f"note {number}", user_id="ann")
    first = ok(hosted.post("/v3/memories/?page_size=2", json={"filters": {"user_id": "ann"}}))
    assert (first["count"], first["previous"]) == (5, None)
    assert first["next"] == "http://testserver/v3/memories/?page=2&page_size=2"
    second = ok(hosted.post(first["next"], json={"filters": {"user_id": "ann"}}))
    assert [one["memory"] for one in second["results"]] == ["note 2", "note 1"]
    third = ok(hosted.post(second["next"], json={"filters": {"user_id": "ann"}}))
    assert (third["next"], third["previous"]) == (None, second["next"].replace("page=3", "page=2"))
    assert ok(hosted.post("/v3/memories/", json={"filters": {"user_id": "ann"}, "page": 9}))["results"] == []
    assert first | {"results": []} == golden("page")


def test_older_lists_are_lists_unless_a_page_or_an_object_is_asked_for(hosted: TestClient) -> None:
    add(hosted, COFFEE, user_id="ann", metadata={"topic": "food"})
    add(hosted, TRAIN, user_id="ann")
    asked = {"user_id": "ann"}
    for answer in (hosted.get("/v1/memories/", params=asked), hosted.post("/v2/memories/", json={"filters": asked})):
        assert [one["memory"] for one in ok(answer)] == [TRAIN, COFFEE]
    wrapped = ok(hosted.get("/v1/memories/", params={**asked, "output_format": "v1.1", "enable_graph": True}))
    assert (len(wrapped["results"]), wrapped["relations"]) == (2, [])
    paged = ok(hosted.get("/v1/memories/", params={**asked, "page": 2, "page_size": 1}))
    assert (paged["count"], [one["memory"] for one in paged["results"]]) == (2, [COFFEE])
    assert paged["previous"] == "http://testserver/v1/memories/?user_id=ann&page=1&page_size=1"
    assert len(ok(hosted.get("/v1/memories/", params={**asked, "limit": 1}))) == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"metadata": {"topic": "food"}},
        {"keywords": "ESPRESSO"},
        {"categories": ["preferences"]},
        {"filters": {"categories": {"contains": "pref"}}},
        {"filters": {"AND": [{"user_id": "ann"}, {"OR": [{"topic": "food"}, {"run_id": "none"}]}]}},
        {"filters": {"NOT": [{"memory": {"icontains": "berlin"}}]}},
        {"agent_id": "a1"},
        {"end_date": "2999-01-01", "start_date": "2000-01-01", "run_id": "r1"},
    ],
)
def test_lists_and_searches_are_narrowed_alike(hosted: TestClient, asked: dict[str, Any]) -> None:
    add(hosted, COFFEE, **WHOLE)
    add(hosted, TRAIN, user_id="ann")
    asked = {"user_id": "ann", **asked}
    assert shown(hosted, **asked) == found(hosted, "coffee or train", **asked) == [COFFEE]


@pytest.mark.one_database
def test_a_null_is_as_good_as_absent(hosted: TestClient) -> None:
    add(hosted, COFFEE)
    nothing = dict.fromkeys(("categories", "fields", "metadata", "keywords", "start_date", "user_id"))
    assert shown(hosted, **nothing) == found(hosted, "coffee", threshold=None, rerank=None, **nothing) == [COFFEE]
    assert ok(hosted.post(ADD, json=body(TRAIN, metadata=None, expiration_date=None, timestamp=None)))["results"]


def test_a_day_ends_at_its_end(hosted: TestClient) -> None:
    add(hosted, COFFEE)
    today = now().date()
    assert shown(hosted, end_date=today.isoformat()) == shown(hosted, start_date=today.isoformat()) == [COFFEE]
    assert shown(hosted, end_date=(today - timedelta(days=1)).isoformat()) == []


def test_searches_answer_in_each_versions_form(hosted: TestClient) -> None:
    add(hosted, COFFEE, **WHOLE)
    add(hosted, TRAIN, user_id="ann")
    asked = {"query": "coffee", "filters": {"user_id": "ann"}, "top_k": 1}
    newest = ok(hosted.post("/v3/memories/search/", json=asked))
    assert 0 < newest["results"][0]["score"] <= 1
    assert shape(newest | {"results": [newest["results"][0] | {"score": "<score>"}]}) == golden("search")
    for version in ("v1", "v2"):
        path = f"/{version}/memories/search/"
        assert ok(hosted.post(path, json=asked)) == newest["results"]
        assert ok(hosted.post(path, json={**asked, "output_format": "v1.1"})) == newest
    graph = ok(hosted.post("/v3/memories/search/", json={**asked, "enable_graph": True}))
    assert graph["relations"] == []


def test_a_search_takes_what_the_clients_offer(hosted: TestClient) -> None:
    add(hosted, COFFEE)
    add(hosted, TRAIN)
    assert found(hosted, "coffee", threshold=1.0) == []
    assert found(hosted, "coffee", rerank=True, limit=1, latest_only=True, reference_date="2026-01-01") == [COFFEE]
    assert found(hosted, "railway journey to Germany", keyword_search=False, top_k=1) == [TRAIN]
    hits = ok(hosted.post("/v3/memories/search/", json={"query": "coffee", "fields": ["memory", "score"]}))["results"]
    assert all(set(hit) == {"id", "memory", "score"} for hit in hits)


def test_what_is_shown_is_logged_as_shown_to_mem0(hosted: TestClient, door: TestClient, runtime: Runtime) -> None:
    id = add(hosted, COFFEE)
    shown(hosted)
    found(hosted, "coffee")
    ok(hosted.get(f"/v1/memories/{id}/"))
    accesses.spread(runtime)
    log = ok(door.get(f"/api/v1/memories/{id}/access-log"))["logs"]
    assert {(one["app_name"], one["access_type"]) for one in log} >= {("mem0", "list"), ("mem0", "search")}
    assert {one["app_name"] for one in log} == {"mem0"}


def test_a_change_changes_what_it_names(hosted: TestClient) -> None:
    id = add(hosted, COFFEE, **WHOLE)
    path = f"/v1/memories/{id}/"
    changed = ok(hosted.put(path, json={"text": TRAIN}))
    assert (changed["memory"], changed["text"], changed["metadata"]) == (TRAIN, TRAIN, {"topic": "food"})
    assert ok(hosted.put(path, json={"metadata": {"k": 1}}))["metadata"] == {"k": 1}
    day = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    assert ok(hosted.put(path, json={"expiration_date": day}))["expiration_date"] == day
    assert ok(hosted.put(path, json={"timestamp": 1_700_000_000}))["expiration_date"] == day
    assert ok(hosted.put(path, json={"expiration_date": None}))["expiration_date"] is None
    assert found(hosted, "railway", user_id="ann") == [TRAIN]
    assert "give text" in refused(hosted.put(path, json={"unknown": 1}))[1]
    assert refused(hosted.put(path, json={"text": "   "})) == (400, "The text is empty")


def test_the_history_is_a_chain_that_ends_with_the_delete(hosted: TestClient) -> None:
    id = add(hosted, COFFEE, **WHOLE)
    ok(hosted.put(f"/v1/memories/{id}/", json={"text": TRAIN}))
    assert ok(hosted.delete(f"/v1/memories/{id}/")) == {"message": "Memory deleted successfully!"}
    assert shape(ok(hosted.get(f"/v1/memories/{id}/history/"))) == golden("history")
    for again in (hosted.get, hosted.delete):
        assert refused(again(f"/v1/memories/{id}/")) == (404, "Memory not found")


def test_what_it_superseded_goes_with_it_on_request(hosted: TestClient, runtime: Runtime) -> None:
    old, older, new, other = (add(hosted, f"note {number}") for number in range(4))
    with runtime.database.transaction() as session:
        for one, by in ((older, old), (old, new)):
            change = {"state": "archived", "superseded_by": UUID(by)}
            session.execute(update(Memory).where(Memory.id == UUID(one)).values(**change))
    ok(hosted.delete(f"/v1/memories/{new}/?delete_linked=true"))
    with runtime.database.reading() as session:
        states = {str(row.id): row.state for row in session.execute(select(Memory.id, Memory.state))}
    assert states == {old: "deleted", older: "deleted", new: "deleted", other: "active"}


@pytest.mark.parametrize(
    "query",
    [
        {"user_id": "ann"},
        {"agent_id": "a1", "user_id": "ann"},
        {"filters": '{"user_id": "ann"}'},
        {"filters": "{'AND': [{'user_id': 'ann'}, {'agent_id': 'a1'}]}"},  # how Python's client writes a dict
        {"user_id": "*", "agent_id": "a1"},
    ],
)
def test_all_that_is_selected_is_deleted_and_nothing_else(hosted: TestClient, query: dict[str, str]) -> None:
    add(hosted, COFFEE, user_id="ann", agent_id="a1")
    add(hosted, TRAIN, user_id="bo", agent_id="a2")
    assert ok(hosted.delete("/v1/memories/", params=query)) == {"message": "Memories deleted successfully!"}
    assert shown(hosted, filters={"user_id": "*"}) == [TRAIN]


@pytest.mark.parametrize("query", ["", "?filters={}", "?filters=nonsense(", "?filters=[1]", "?filters={1:{2:(3,)}}x"])
def test_a_delete_of_nothing_in_particular_deletes_nothing(hosted: TestClient, query: str) -> None:
    add(hosted, COFFEE)
    assert hosted.delete(f"/v1/memories/{query}").status_code == 400
    assert shown(hosted) == [COFFEE]


def test_an_unknown_memory_is_404_whatever_is_asked_of_it(hosted: TestClient) -> None:
    for id in (UNKNOWN, "nonsense"):
        path = f"/v1/memories/{id}/"
        answers = [
            hosted.get(path),
            hosted.put(path, json={"text": "x"}),
            hosted.delete(path),
            hosted.get(f"{path}history/"),
        ]
        assert {refused(answer) for answer in answers} == {(404, "Memory not found")}
