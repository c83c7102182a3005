"""The picture of the memories: what joins them, whose they are, how much of it there is, what it costs."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from tests.protocols.asking import API, UNKNOWN, Person, filtered, ok, remember, statements

TEXTS = [
    "Maria moved to Lisbon in May and works at Orbital Labs.",
    "On Fridays Maria and Tom play chess in Lisbon.",
    "Tom is allergic to penicillin.",
    "The deploys of Orbital Labs need two approvals.",
    "Nobody else knows of the heron.",
]


def graph(door: TestClient, **query: Any) -> dict[str, Any]:
    """GET /graph."""
    answer: dict[str, Any] = ok(door.get(f"{API}/graph", params=query))
    return answer


def texts(answer: dict[str, Any]) -> list[str]:
    """What its memories say."""
    return [node["text"] for node in answer["memories"]]


def members(answer: dict[str, Any], entity: str) -> set[str]:
    """The memories that are joined to an entity."""
    place = [node["name"] for node in answer["entities"]].index(entity)
    return {node["text"] for node in answer["memories"] if place in node["entities"]}


@pytest.fixture
def told(person: Person) -> TestClient:
    """Ann, who has told all of TEXTS."""
    ann = person("ann")
    ok(ann.post(f"{API}/memories/bulk", json={"app": "notes", "memories": [{"text": one} for one in TEXTS]}))
    return ann


def test_memories_are_joined_by_what_two_of_them_speak_of(told: TestClient) -> None:
    answer = graph(told)
    assert answer["total"] == len(TEXTS)
    assert members(answer, "Maria") == set(TEXTS[:2])
    # One that a sentence begins with cannot be told for a name there, but it is known from the other sentence.
    assert members(answer, "Tom") == set(TEXTS[1:3])
    assert members(answer, "Orbital Labs") == {TEXTS[0], TEXTS[3]}
    counts = {node["name"]: node["count"] for node in answer["entities"]}
    assert counts["Lisbon"] == 2
    assert not any("heron" in name for name in counts)


def test_places_lead_to_apps_and_categories(told: TestClient) -> None:
    remember(told, "The violin needs new strings.", app="music")
    answer = graph(told)
    of_app = {node["text"]: answer["apps"][node["app"]]["name"] for node in answer["memories"]}
    assert of_app["The violin needs new strings."] == "music"
    assert {node["name"]: node["count"] for node in answer["apps"]} == {"notes": len(TEXTS), "music": 1}
    for node in answer["memories"]:
        stored = ok(told.get(f"{API}/memories/{node['id']}"))["categories"]
        assert sorted(answer["categories"][place]["name"] for place in node["categories"]) == sorted(stored)


def test_the_newest_are_shown_and_the_rest_is_counted(told: TestClient) -> None:
    answer = graph(told, limit=2)
    assert answer["total"] == len(TEXTS)
    assert texts(answer) == filtered(told, size=2)
    assert told.get(f"{API}/graph", params={"limit": 1_501}).status_code == 422


def test_it_is_narrowed_as_the_list_is(told: TestClient) -> None:
    made = remember(told, "The violin needs new strings.", app="music")
    assert texts(graph(told, app_id=made["app_id"])) == ["The violin needs new strings."]
    assert texts(graph(told, search_query="penicillin")) == [TEXTS[2]]
    assert texts(graph(told, to_date=1)) == []
    assert told.get(f"{API}/graph", params={"from_date": 2, "to_date": 1}).status_code == 400
    ok(told.post(f"{API}/memories/actions/archive", json={"memory_ids": [made["id"]]}))
    assert texts(graph(told, state="archived")) == ["The violin needs new strings."]
    assert len(texts(graph(told))) == len(TEXTS)


def test_around_an_entity_are_those_that_speak_of_it(told: TestClient) -> None:
    remember(told, "Planning tombolas is hard work.")
    answer = graph(told, around="entity:tom")
    assert set(texts(answer)) == set(TEXTS[1:3])
    assert answer["total"] == 2
    alone = graph(told, around="entity:heron")
    assert members(alone, "heron") == {TEXTS[4]}
    assert texts(graph(told, around="entity:Zanzibar")) == []


def test_around_an_app_and_a_category(told: TestClient) -> None:
    made = remember(told, "The violin needs new strings.", app="music")
    assert texts(graph(told, around=f"app:{made['app_id']}")) == ["The violin needs new strings."]
    for name in made["categories"] or ["none that there is"]:
        found = texts(graph(told, around=f"category:{name}"))
        assert found == [one for one in filtered(told) if one in found]


def test_around_a_memory_are_the_alike_and_those_of_the_same_names(told: TestClient) -> None:
    centre = remember(told, "Maria and her sister Zoe live in Lisbon.")
    remember(told, "Maria lives in Lisbon with her sister.")
    answer = graph(told, around=f"memory:{centre['id']}")
    assert answer["centre"] == 0
    assert answer["memories"][0]["id"] == centre["id"]
    found = texts(answer)
    assert {TEXTS[0], TEXTS[1], "Maria lives in Lisbon with her sister."} <= set(found)
    assert TEXTS[2] not in found
    nearest = max(answer["similar"], key=lambda pair: pair["cosine"])
    assert (nearest["one"], found[nearest["other"]]) == (0, "Maria lives in Lisbon with her sister.")


@pytest.mark.parametrize("around", ["heron", "memory:heron", "app:1", "entity:", "category: ", "entity:" + "x" * 256])
def test_an_around_that_is_none_is_refused(told: TestClient, around: str) -> None:
    answer = told.get(f"{API}/graph", params={"around": around})
    assert answer.status_code == 400
    assert "around" in answer.json()["detail"]


def test_a_text_and_an_entity_are_one_too_many(told: TestClient) -> None:
    assert told.get(f"{API}/graph", params={"around": "entity:Tom", "search_query": "x"}).status_code == 400


def test_nobody_sees_another_s(told: TestClient, person: Person, door: TestClient) -> None:
    bo = person("bo")
    mine = remember(bo, "Maria owes Tom a book.")
    assert texts(graph(bo)) == ["Maria owes Tom a book."]
    assert graph(bo)["entities"] == []
    assert texts(graph(bo, around="entity:Lisbon")) == []
    theirs = graph(told)["memories"][0]["id"]
    for id in (theirs, UNKNOWN):
        assert bo.get(f"{API}/graph", params={"around": f"memory:{id}"}).status_code == 404
    assert bo.get(f"{API}/graph", params={"user_id": "ann"}).status_code == 404
    of_ann = graph(told)["apps"][0]["id"]
    assert texts(graph(bo, around=f"app:{of_ann}")) == []
    around = graph(bo, around=f"memory:{mine['id']}")
    assert texts(around) == ["Maria owes Tom a book."]
    assert len(graph(door)["memories"]) == len(TEXTS) + 1  # an admin who names nobody: everybody's


def test_a_key_of_an_app_sees_what_is_visible_to_it(told: TestClient, person: Person) -> None:
    paused = graph(told)["memories"][0]
    ok(told.post(f"{API}/memories/actions/pause", json={"memory_ids": [paused["id"]], "state": "paused"}))
    assert paused["text"] in texts(graph(told))
    bound = person("ann", app="notes")
    assert paused["text"] not in texts(graph(bound))
    assert bound.get(f"{API}/graph", params={"around": f"memory:{paused['id']}"}).status_code == 404
    assert texts(graph(bound, state="paused")) == []
    app = graph(told)["apps"][0]["id"]
    ok(told.put(f"{API}/apps/{app}", params={"is_active": False}))
    assert texts(graph(bound)) == []


def test_a_key_of_an_app_leaves_traces(told: TestClient, person: Person) -> None:
    bound = person("ann", app="reader")
    id = graph(bound)["memories"][0]["id"]
    assert [log["app_name"] for log in ok(told.get(f"{API}/memories/{id}/access-log"))["logs"]] == ["reader"]


def test_long_texts_are_cut(told: TestClient) -> None:
    remember(told, "A long story. " * 500)
    assert max(map(len, texts(graph(told)))) == 240


def test_it_costs_as_many_statements_with_few_as_with_many(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    counts = []
    for many in (10, 300):
        made = [{"text": f"Maria and Tom met in Lisbon, room {n}, the {many}th."} for n in range(many)]
        bulk = ok(ann.post(f"{API}/memories/bulk", json={"memories": made}))
        id = bulk["results"][0]["id"]
        costs = []
        for around in (None, "entity:Lisbon", f"memory:{id}"):
            query = {"limit": 1_500} | ({"around": around} if around else {})
            graph(ann, **query)
            with statements(runtime) as seen:
                graph(ann, **query)
            costs.append(len(seen))
        counts.append(costs)
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 16
