"""Batches, entities, events, feedback, exports, summaries, the project, and what this server has not."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from app.context import Runtime
from app.engine import digests as prompts
from app.models import Memory, MemoryExport, MemoryFeedback, MemoryVersion
from app.services import exports
from tests.protocols.asking import UNKNOWN, ok, shape
from tests.protocols.platform.asking import COFFEE, TRAIN, add, found, golden, refused, shown
from tests.protocols.platform.conftest import Hosted
from tests.scripted_llm import ScriptedLlm

PROJECT = "/api/v1/orgs/organizations/commonplace/projects/default/"


def change_all(client: TestClient, *items: dict[str, Any]) -> Any:
    return client.put("/v1/batch/", json={"memories": list(items)})


def test_a_batch_changes_all_that_it_names(hosted: TestClient, encodes: list[int]) -> None:
    ids = [add(hosted, f"note {number}", user_id="ann" if number else "bo", metadata={"n": 1}) for number in range(3)]
    encodes.clear()
    items = [{"memory_id": id, "text": f"We fly to Rome {place}"} for place, id in enumerate(ids)]
    items[1] |= {"metadata": {"k": 2}, "expiration_date": "2999-01-01"}
    assert ok(change_all(hosted, *items)) == {"message": "Successfully updated 3 memories"}
    assert encodes == [3]
    for place, id in enumerate(ids):
        one = ok(hosted.get(f"/v1/memories/{id}/"))
        assert one["memory"] == f"We fly to Rome {place}"
        assert "travel" in one["categories"]
        assert (one["metadata"], one["expiration_date"]) == (
            ({"k": 2}, "2999-01-01") if place == 1 else ({"n": 1}, None)
        )
        assert [link["event"] for link in ok(hosted.get(f"/v1/memories/{id}/history/"))] == ["ADD", "UPDATE"]
    assert sorted(found(hosted, "flying to Rome", user_id="ann")) == ["We fly to Rome 1", "We fly to Rome 2"]


def test_a_batch_is_all_or_none(hosted: TestClient, runtime: Runtime) -> None:
    one, two = add(hosted, COFFEE), add(hosted, TRAIN)
    for other, status in ((UNKNOWN, 404), ("nonsense", 404)):
        assert (
            change_all(hosted, {"memory_id": one, "text": "x"}, {"memory_id": other, "text": "y"}).status_code == status
        )
        gone = {"memories": [{"memory_id": one}, {"memory_id": other}]}
        assert hosted.request("DELETE", "/v1/batch/", json=gone).status_code == status
    assert refused(change_all(hosted, {"memory_id": one, "text": "x"}, {"memory_id": two, "text": " "}))[0] == 400
    assert refused(change_all(hosted, {"memory_id": one, "text": "x"}, {"memory_id": two}))[0] == 400
    assert shown(hosted) == [TRAIN, COFFEE]
    with runtime.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MemoryVersion)) == 2


def test_a_batch_of_nothing_new_writes_nothing(hosted: TestClient, runtime: Runtime, encodes: list[int]) -> None:
    id = add(hosted, COFFEE)
    encodes.clear()
    assert ok(change_all(hosted, {"memory_id": id, "text": COFFEE})) == {"message": "Successfully updated 1 memory"}
    assert encodes == []
    with runtime.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MemoryVersion)) == 1


def test_a_batch_deletes_what_it_names(hosted: TestClient) -> None:
    one, two, three = (add(hosted, f"note {number}") for number in range(3))
    sent = {"memories": [{"memory_id": one}, two, {"memory_id": one}]}
    answer = hosted.request("DELETE", "/v1/batch/", json=sent)
    assert ok(answer) == {"message": "Successfully deleted 2 memories"}
    assert [item["id"] for item in ok(hosted.get("/v1/memories/"))] == [three]


@pytest.mark.one_database
@pytest.mark.parametrize("count", [0, 1_001])
def test_a_batch_is_bounded(hosted: TestClient, count: int) -> None:
    sent = {"memories": [{"memory_id": UNKNOWN, "text": "x"}] * count}
    for method in ("PUT", "DELETE"):
        assert hosted.request(method, "/v1/batch/", json=sent).status_code == 400


def test_a_paused_memory_is_in_no_batch(hosted: TestClient, runtime: Runtime) -> None:
    id = add(hosted, COFFEE)
    with runtime.database.transaction() as session:
        session.execute(update(Memory).values(state="paused"))
    assert refused(change_all(hosted, {"memory_id": id, "text": "x"})) == (404, "Memory not found")
    assert refused(hosted.post("/v1/feedback/", json={"memory_id": id, "feedback": "NEGATIVE"}))[0] == 404
    assert hosted.request("DELETE", "/v1/batch/", json={"memories": [id]}).status_code == 404


def test_entities_are_users_agents_apps_and_runs(hosted: TestClient) -> None:
    add(hosted, COFFEE, user_id="ann", agent_id="a1", run_id="r1")
    add(hosted, TRAIN, user_id="team/bo x", app_id="notes")
    found = ok(hosted.get("/v1/entities/"))
    assert {(one["type"], one["name"], one["total_memories"]) for one in found["results"]} == {
        ("user", "ann", 1), ("user", "team/bo x", 1), ("agent", "a1", 1), ("run", "r1", 1), ("app", "mem0", 1),
        ("app", "notes", 1),
    }  # fmt: skip
    one = ok(hosted.get("/v1/entities/agent/a1/"))
    assert shape(one) == golden("entity")
    page = ok(hosted.get("/v1/entities/?page=2&page_size=4"))
    assert (page["count"], len(page["results"]), page["next"]) == (6, 2, None)


def test_an_entity_is_deleted_by_either_version(hosted: TestClient) -> None:
    add(hosted, COFFEE, user_id="ann", agent_id="a1")
    add(hosted, COFFEE, user_id="team/bo x")
    add(hosted, TRAIN, user_id="cy")
    assert ok(hosted.delete("/v2/entities/agent/a1/")) == {"message": "Entity deleted successfully!"}
    ok(hosted.delete("/v1/entities/user/team%2Fbo%20x/"))
    assert shown(hosted, user_id="*") == [TRAIN]
    assert refused(hosted.delete("/v2/entities/planet/mars/"))[0] == 400


def test_events_are_pages_of_receipts(hosted: TestClient) -> None:
    for number in range(3):
        add(hosted, f"note {number}", user_id="ann")
    page = ok(hosted.get("/v1/events/?page_size=2&event_type=ADD&status=SUCCEEDED&start_date=2020-01-01"))
    assert (page["count"], len(page["results"])) == (3, 2)
    assert page["next"].endswith("page=2&page_size=2")
    assert {one["event_type"] for one in page["results"]} == {"ADD"}
    assert ok(hosted.get("/v1/events/?event_type=SEARCH"))["count"] == 0
    assert ok(hosted.get("/v1/events/?end_date=2020-01-01"))["count"] == 0
    assert hosted.get("/v1/events/?page_size=101").status_code == 400
    assert hosted.get(f"/v1/event/{UNKNOWN}/").status_code == hosted.get("/v1/event/nonsense/").status_code == 404


def give(client: TestClient, id: str, **opinion: Any) -> Any:
    return ok(client.post("/v1/feedback/", json={"memory_id": id, **opinion}))


def opinions(runtime: Runtime) -> list[tuple[str, str | None]]:
    with runtime.database.reading() as session:
        rows = session.execute(select(MemoryFeedback.feedback, MemoryFeedback.reason).order_by(MemoryFeedback.feedback))
        return [(row.feedback, row.reason) for row in rows]


def test_feedback_is_kept_replaced_and_taken_back(hosted: TestClient, runtime: Runtime, someone: Hosted) -> None:
    ann = someone("ann")
    id = add(ann, COFFEE)
    assert shape(give(ann, id, feedback="positive", feedback_reason="helped")) == golden("feedback")
    give(hosted, id, feedback="NEGATIVE")
    assert opinions(runtime) == [("NEGATIVE", None), ("POSITIVE", "helped")]
    give(ann, id, feedback="VERY_NEGATIVE", feedback_reason="no longer")
    assert opinions(runtime) == [("NEGATIVE", None), ("VERY_NEGATIVE", "no longer")]
    assert give(ann, id)["feedback"] is None
    assert opinions(runtime) == [("NEGATIVE", None)]
    assert refused(ann.post("/v1/feedback/", json={"memory_id": id, "feedback": "MEH"}))[0] == 400


def test_feedback_goes_with_its_memory(hosted: TestClient, door: TestClient, runtime: Runtime) -> None:
    id = add(hosted, COFFEE)
    give(hosted, id, feedback="POSITIVE", feedback_reason=f"it said: {COFFEE}")
    ok(hosted.delete(f"/v1/memories/{id}/"))
    assert hosted.post("/v1/feedback/", json={"memory_id": id, "feedback": "POSITIVE"}).status_code == 404
    assert ok(door.post(f"/api/v1/memories/{id}/purge"))["removed"]["feedback"] == 1
    assert opinions(runtime) == []


SCHEMA = {"type": "object", "properties": {"drinks": {"type": "array"}}}


def order(client: TestClient, **asked: Any) -> str:
    answer = client.post("/v1/exports/", json={"schema": SCHEMA, **asked})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def exported(client: TestClient, **asked: Any) -> Any:
    return ok(client.post("/v1/exports/get/", json=asked))


def test_an_export_without_a_model_is_the_memories_and_says_so(hosted: TestClient) -> None:
    add(hosted, COFFEE, user_id="ann", agent_id="a1", run_id="r1", metadata={"topic": "food"})
    add(hosted, TRAIN, user_id="bo")
    id = order(hosted, filters={"user_id": "ann"})
    export = exported(hosted, memory_export_id=id)
    assert shape(export) == golden("export")
    assert exported(hosted, filters={"user_id": "ann"}) == export
    assert refused(hosted.post("/v1/exports/get/", json={"filters": {"user_id": "bo"}})) == (404, exports.NO_EXPORT)


def test_an_export_holds_what_there_is_when_it_is_read(hosted: TestClient) -> None:
    id = add(hosted, COFFEE, user_id="ann")
    number = order(hosted, user_id="ann")
    ok(hosted.delete(f"/v1/memories/{id}/"))
    add(hosted, TRAIN, user_id="ann")
    assert [one["memory"] for one in exported(hosted, memory_export_id=number)["memories"]] == [TRAIN]


def test_a_model_fills_in_the_form(hosted: TestClient, llm: ScriptedLlm) -> None:
    add(hosted, COFFEE, user_id="ann")
    id = order(hosted, user_id="ann", export_instructions="Only what is hot")
    llm.say("no json", {"drinks": ["coffee"]})
    assert exported(hosted, memory_export_id=id) == {"drinks": ["coffee"]}
    for expected in ('"drinks": {"type": "array"}', "Only what is hot", COFFEE):
        assert expected in llm.prompts()[0]
    llm.say("no json", "nor here")
    assert refused(hosted.post("/v1/exports/get/", json={"memory_export_id": id}))[0] == 503


@pytest.mark.one_database
def test_a_schema_may_be_written_and_has_to_be_one(hosted: TestClient) -> None:
    assert order(hosted, schema='{"type": "object"}')
    for bad in ("nonsense", "[1]", 7, None):
        assert hosted.post("/v1/exports/", json={"schema": bad}).status_code == 400, bad
    assert hosted.post("/v1/exports/", json={"schema": {}, "filters": {"a": {"wat": 1}}}).status_code == 400
    large = refused(hosted.post("/v1/exports/", json={"schema": {"a": "x" * 70_000}}))
    assert large == (413, "The schema is longer than 65536 bytes")


def test_the_oldest_orders_are_forgotten(hosted: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "KEPT", 2)
    ids = [order(hosted, user_id=name) for name in ("a", "b", "c")]
    with runtime.database.reading() as session:
        assert set(session.scalars(select(MemoryExport.id))) == {UUID(id) for id in ids[1:]}


def test_a_summary_without_a_model_is_the_memories_and_says_so(hosted: TestClient) -> None:
    add(hosted, COFFEE, user_id="ann")
    add(hosted, TRAIN, user_id="ann")
    told = ok(hosted.post("/v1/summary/", json={"filters": {"user_id": "ann"}}))
    assert told["summary"] == f"- {TRAIN}\n- {COFFEE}"
    assert (told["model"], told["total_memories"]) == (None, 2)
    assert told["message"].startswith("No LLM is configured")


def test_a_model_summarises(hosted: TestClient, llm: ScriptedLlm, monkeypatch: pytest.MonkeyPatch) -> None:
    add(hosted, COFFEE, user_id="ann")
    add(hosted, TRAIN, user_id="ann")
    llm.say({"summary": "Ann drinks and travels"}, {"summary": "Ann travels"})
    told = ok(hosted.post("/v1/summary/", json={"filters": {"user_id": "ann"}}))
    assert told == {
        "summary": "Ann drinks and travels", "model": "openai:scripted", "used_memories": 2, "total_memories": 2,
    }  # fmt: skip
    monkeypatch.setattr(prompts, "MAX_TEXT", len(TRAIN) + 20)
    assert ok(hosted.post("/v1/summary/", json={"user_id": "ann"}))["used_memories"] == 1
    assert COFFEE not in llm.prompts()[-1]
    assert ok(hosted.post("/v1/summary/", json={"user_id": "nobody"}))["message"] == "There are no such memories"
    assert len(llm.requests) == 2


@pytest.mark.one_database
def test_the_project_is_the_configuration(hosted: TestClient, someone: Hosted) -> None:
    sent = {"custom_instructions": "Be brief", "custom_categories": [{"food": "What one eats"}, "work"], "org_id": "x"}
    changed = ok(hosted.patch(PROJECT, json=sent))
    categories = [{"food": "What one eats"}, {"work": "work"}]
    assert (changed["custom_instructions"], changed["custom_categories"]) == ("Be brief", categories)
    assert ok(hosted.get(PROJECT))["custom_categories"] == categories
    fields = ok(hosted.get(f"{PROJECT}?fields=custom_instructions&fields=name"))
    assert fields == {"name": "Commonplace", "custom_instructions": "Be brief"}
    assert ok(hosted.patch(PROJECT, json={"custom_instructions": ""}))["custom_instructions"] is None
    assert ok(hosted.get(PROJECT))["custom_categories"] == categories
    add(hosted, COFFEE)
    ann = someone("ann")
    for answer in (ann.get(PROJECT), ann.patch(PROJECT, json=sent)):
        assert refused(answer)[0] == 403


@pytest.mark.one_database
def test_what_the_project_has_not_is_refused_and_nothing_is_changed(hosted: TestClient) -> None:
    sent = {"custom_instructions": "Be brief", "decay": True, "enable_graph": False}
    assert refused(hosted.patch(PROJECT, json=sent)) == (
        400, "non_field_errors: this server has no project setting decay",
    )  # fmt: skip
    assert ok(hosted.get(PROJECT))["custom_instructions"] is None
    assert refused(hosted.get(PROJECT.replace("default", "other"))) == (404, "Not found.")
    assert refused(hosted.get(PROJECT.replace("commonplace", "other"))) == (404, "Not found.")
    assert [one["org_id"] for one in ok(hosted.get("/api/v1/orgs/organizations/"))] == ["commonplace"]
    assert ok(hosted.get("/api/v1/orgs/organizations/commonplace/"))["name"] == "Commonplace"
    assert [one["project_id"] for one in ok(hosted.get(PROJECT.replace("default/", "")))] == ["default"]


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{PROJECT}members/"),
        ("POST", f"{PROJECT}members/"),
        ("DELETE", PROJECT),
        ("POST", PROJECT.replace("default/", "")),
        ("POST", "/api/v1/orgs/organizations/"),
        ("GET", "/api/v1/webhooks/projects/default/"),
        ("POST", "/api/v1/webhooks/projects/default/"),
        ("PUT", "/api/v1/webhooks/7/"),
        ("DELETE", "/api/v1/webhooks/7/"),
        ("POST", "/v2/profiles/jobs/"),
        ("GET", "/v2/profiles/jobs/7/"),
        ("POST", "/v2/profiles/settings/"),
    ],
)
def test_what_this_server_has_not_is_a_501_that_says_so(hosted: TestClient, method: str, path: str) -> None:
    status, detail = refused(hosted.request(method, path, json={}))
    assert status == 501
    assert detail.startswith("This server has no ")
    assert hosted.request(method, path, json={}, headers={"Authorization": "Token wrong"}).status_code == 401


@pytest.mark.one_database
def test_nobody_has_a_profile(hosted: TestClient) -> None:
    told = ok(hosted.get("/v2/entities/user/team%2Fann/profile/"))
    assert (told["status"], told["profile"], told["entity_id"]) == ("not_enabled", {}, "team/ann")
    assert ok(hosted.get("/v2/profiles/settings/"))["enabled"] is False
