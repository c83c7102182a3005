"""/api/v1/apps and /stats as the OpenMemory page has them: shapes, figures, sorting, paging, pausing."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.context import Runtime
from app.database import now
from app.models import Memory
from tests.protocols.asking import API, UNKNOWN, Person, filtered, golden, listed, ok, remember, searched, shape

METADATA = {"session_id": "s1", "speaker": "Ann", "date": "1:56 pm on 8 May, 2023", "deep": {"a": [1, 2.5, None, "é"]}}
COFFEE = "I drink strong coffee, my favourite is espresso"


@pytest.fixture
def notes(door: TestClient) -> dict[str, Any]:
    """A memory of ann's, written by the app `notes`."""
    return remember(door, COFFEE, user_id="ann", metadata=METADATA, app="notes")


def names(door: TestClient, **query: Any) -> list[str]:
    return [app["name"] for app in ok(door.get(f"{API}/apps", params=query))["apps"]]


def figures(door: TestClient, app_id: str) -> tuple[int, int]:
    """What the list and the detail both say: memories created and accessed."""
    of_list = next(app for app in ok(door.get(f"{API}/apps"))["apps"] if app["id"] == app_id)
    of_one = ok(door.get(f"{API}/apps/{app_id}"))
    assert of_list.items() <= of_one.items()
    return of_one["total_memories_created"], of_one["total_memories_accessed"]


def set_active(door: TestClient, app_id: str, is_active: bool) -> None:
    ok(door.put(f"{API}/apps/{app_id}", params={"is_active": is_active}))


# -- shapes ------------------------------------------------------------------------------------------------------------


def test_the_list_answers_figures(door: TestClient, notes: dict[str, Any]) -> None:
    assert shape(ok(door.get(f"{API}/apps"))) == golden("apps")


def test_one_app_answers_its_figures_and_times(door: TestClient, notes: dict[str, Any]) -> None:
    searched(door, "coffee", user_id="ann", app="notes")
    assert shape(ok(door.get(f"{API}/apps/{notes['app_id']}"))) == golden("app")


def test_an_app_that_read_nothing_has_no_times(door: TestClient, notes: dict[str, Any]) -> None:
    found = ok(door.get(f"{API}/apps/{notes['app_id']}"))
    assert (found["total_memories_accessed"], found["first_accessed"], found["last_accessed"]) == (0, None, None)


def test_memories_of_an_app_have_iso_times_and_no_app_name(door: TestClient, notes: dict[str, Any]) -> None:
    assert shape(ok(door.get(f"{API}/apps/{notes['app_id']}/memories"))) == golden("app_memories")


def test_accessed_memories_carry_their_count(door: TestClient, notes: dict[str, Any]) -> None:
    searched(door, "coffee", user_id="ann", app="notes")
    assert shape(ok(door.get(f"{API}/apps/{notes['app_id']}/accessed"))) == golden("app_accessed")


def test_stats_answer_memories_and_apps(door: TestClient, notes: dict[str, Any]) -> None:
    assert shape(ok(door.get(f"{API}/stats", params={"user_id": "ann"}))) == golden("stats")


@pytest.mark.parametrize("way", ["query", "body"])
def test_an_update_by_query_or_body_answers_the_pages_sentence(
    door: TestClient, notes: dict[str, Any], way: str
) -> None:
    path = f"{API}/apps/{notes['app_id']}"
    answer = (
        door.put(path, params={"is_active": False}) if way == "query" else door.put(path, json={"is_active": False})
    )
    assert ok(answer) == {"status": "success", "message": "Updated app details successfully"}
    assert ok(door.get(path))["is_active"] is False


def test_an_update_that_says_nothing_is_refused(door: TestClient, notes: dict[str, Any]) -> None:
    for body in (None, {}):
        answer = door.put(f"{API}/apps/{notes['app_id']}", json=body)
        assert (answer.status_code, answer.json()) == (400, {"detail": "is_active is missing"})


def test_an_unknown_app_is_not_found(door: TestClient) -> None:
    asked = [door.get(f"{API}/apps/{UNKNOWN}{path}") for path in ("", "/memories", "/accessed")]
    asked.append(door.put(f"{API}/apps/{UNKNOWN}", params={"is_active": True}))
    assert [(a.status_code, a.json()) for a in asked] == [(404, {"detail": "App not found"})] * 4


# -- the list ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def three(door: TestClient) -> None:
    """Apps whose names, memories and accesses sort differently."""
    for name, created in (("alpha", 2), ("beta", 3), ("gamma", 1)):
        for i in range(created):
            remember(door, f"{name} {i}", app=name)
    for name, count in (("alpha", 1), ("beta", 2), ("gamma", 4)):
        searched(door, "alpha beta gamma", app=name, limit=count)


ASCENDING = {
    "name": ["alpha", "beta", "gamma"],
    "memories": ["gamma", "alpha", "beta"],
    "memories_accessed": ["alpha", "beta", "gamma"],
    "created_at": ["alpha", "beta", "gamma"],
    "last_accessed": ["alpha", "beta", "gamma"],
}


def test_every_column_sorts_in_both_directions(door: TestClient, three: None) -> None:
    for column, ascending in ASCENDING.items():
        assert names(door, sort_by=column) == ascending, column
        assert names(door, sort_by=column, sort_direction="desc") == ascending[::-1], column


def test_apps_are_filtered_by_part_of_their_name_whose_wildcards_mean_themselves(door: TestClient) -> None:
    for name in ("Notes_App", "NotesXApp", "100%", "other"):
        remember(door, "x", app=name)
    assert names(door, name="otes") == ["NotesXApp", "Notes_App"]
    assert names(door, name="s_a") == ["Notes_App"]
    assert names(door, name="%") == ["100%"]


def test_apps_are_filtered_by_activity(door: TestClient) -> None:
    off = remember(door, "x", app="off")
    remember(door, "x", app="on")
    set_active(door, off["app_id"], False)
    assert (names(door, is_active=True), names(door, is_active=False), names(door)) == (["on"], ["off"], ["off", "on"])


def test_apps_are_paged(door: TestClient) -> None:
    for i in range(5):
        remember(door, "x", app=f"app {i}")
    for size in ({"page_size": 2}, {"size": 2}):
        page = ok(door.get(f"{API}/apps", params={"page": 2, **size}))
        assert (page["total"], page["page"], page["page_size"]) == (5, 2, 2)
        assert [app["name"] for app in page["apps"]] == ["app 2", "app 3"]


def test_an_admin_lists_everybodys_apps_and_one_users_by_name(door: TestClient) -> None:
    remember(door, "x", app="mine")
    remember(door, "x", user_id="ann", app="theirs")
    assert names(door) == ["mine", "theirs"]
    assert names(door, user_id="ann") == ["theirs"]


# -- figures -----------------------------------------------------------------------------------------------------------


def test_list_and_detail_agree_on_what_was_created_and_accessed(door: TestClient) -> None:
    ids = [remember(door, f"note {i}", app="notes")["id"] for i in range(4)]
    app_id = ok(door.get(f"{API}/memories/{ids[0]}"))["app_id"]
    for _ in range(3):
        searched(door, "note", app="notes", limit=2)
    assert figures(door, app_id) == (4, 2)
    door.delete(f"{API}/memories/{ids[3]}")
    assert figures(door, app_id)[0] == 3
    assert ok(door.get(f"{API}/apps/{app_id}/memories"))["total"] == 3


def test_created_follows_every_state_but_deleted(door: TestClient) -> None:
    ids = [remember(door, f"note {i}", app="notes")["id"] for i in range(4)]
    app_id = ok(door.get(f"{API}/memories/{ids[0]}"))["app_id"]
    for id, state in zip(ids, ("paused", "archived", "deleted"), strict=False):
        door.post(f"{API}/memories/actions/pause", json={"memory_ids": [id], "state": state})
    page = ok(door.get(f"{API}/apps/{app_id}/memories"))
    assert [(m["content"], m["state"]) for m in page["memories"]] == [
        ("note 3", "active"),
        ("note 1", "archived"),
        ("note 0", "paused"),
    ]
    assert figures(door, app_id)[0] == page["total"] == 3


def test_totals_of_an_apps_memories_leave_out_expired_ones(door: TestClient, runtime: Runtime) -> None:
    ids = [remember(door, f"note {i}", app="notes")["id"] for i in range(3)]
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.id == UUID(ids[0])).values(expires_at=now() - timedelta(1)))
    app_id = ok(door.get(f"{API}/memories/{ids[1]}"))["app_id"]
    page = ok(door.get(f"{API}/apps/{app_id}/memories"))
    assert (page["total"], len(page["memories"])) == (2, 2)
    assert ok(door.get(f"{API}/stats"))["total_memories"] == 2


def test_accessed_memories_are_most_often_first_and_may_be_another_apps(door: TestClient) -> None:
    rare, often = remember(door, "rare", app="writer"), remember(door, "often", app="writer")
    for query in ("rare", "often", "often"):
        searched(door, query, app="reader", limit=1)
    reader = next(app for app in ok(door.get(f"{API}/apps"))["apps"] if app["name"] == "reader")
    page = ok(door.get(f"{API}/apps/{reader['id']}/accessed"))
    assert [(m["memory"]["id"], m["access_count"]) for m in page["memories"]] == [(often["id"], 2), (rare["id"], 1)]
    assert {m["memory"]["app_name"] for m in page["memories"]} == {"writer"}
    second = ok(door.get(f"{API}/apps/{reader['id']}/accessed", params={"page": 2, "page_size": 1}))
    assert (second["total"], [m["memory"]["id"] for m in second["memories"]]) == (2, [rare["id"]])


def test_stats_count_what_is_not_deleted(door: TestClient) -> None:
    ids = [remember(door, f"note {i}", app=f"app {i}")["id"] for i in range(4)]
    for id, state in zip(ids, ("paused", "archived", "deleted"), strict=False):
        door.post(f"{API}/memories/actions/pause", json={"memory_ids": [id], "state": state})
    found = ok(door.get(f"{API}/stats", params={"user_id": "admin"}))
    assert (found["total_memories"], found["total_apps"]) == (3, 4)
    assert [app["name"] for app in found["apps"]] == ["app 0", "app 1", "app 2", "app 3"]


# -- pausing -----------------------------------------------------------------------------------------------------------

READS = [
    ("GET", "/memories", None),
    ("POST", "/memories/filter", {}),
    ("POST", "/memories/search", {"query": "coffee"}),
    ("GET", "/memories/categories", None),
    ("GET", "/apps/{app}/memories", None),
    ("GET", "/apps/{app}/accessed", None),
]


def shown(ann: TestClient, app_id: str) -> list[tuple[int, int]]:
    """How many items each read shows, and the total that it tells."""
    found = [ok(ann.request(method, API + path.format(app=app_id), json=body)) for method, path, body in READS]
    lists = [next(one[key] for key in ("items", "results", "memories", "categories") if key in one) for one in found]
    return [(len(items), one["total"]) for items, one in zip(lists, found, strict=True)]


def test_a_paused_apps_key_reads_nothing(door: TestClient, person: Person) -> None:
    ann = person("ann", app="agent")
    created = remember(ann, COFFEE)
    assert shown(ann, created["app_id"]) == [(1, 1)] * len(READS)
    set_active(door, created["app_id"], False)
    assert shown(ann, created["app_id"]) == [(0, 0)] * len(READS)


def test_a_paused_apps_key_finds_no_single_memory(door: TestClient, person: Person) -> None:
    ann = person("ann", app="agent")
    created = remember(ann, COFFEE)
    paths = [f"{API}/memories/{created['id']}{path}" for path in ("", "/related", "/access-log")]
    for path in paths:
        ok(ann.get(path))
    set_active(door, created["app_id"], False)
    for path in paths:
        answer = ann.get(path)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Memory not found"})


WRITES = [
    ("POST", "/memories", {"text": "x"}),
    ("POST", "/memories/bulk", {"memories": [{"text": "x"}]}),
    ("PUT", "/memories/{id}", {"memory_content": "x"}),
    ("DELETE", "/memories/{id}", None),
    ("DELETE", "/memories", {"memory_ids": ["{id}"]}),
    ("POST", "/memories/actions/archive", {"memory_ids": ["{id}"]}),
    ("POST", "/memories/actions/pause", {"memory_ids": ["{id}"], "state": "deleted"}),
    ("POST", "/memories/actions/pause", {"global_pause": True, "state": "deleted"}),
    ("PUT", "/apps/{app}?is_active=true", None),
]


def test_a_paused_apps_key_writes_nothing(door: TestClient, person: Person) -> None:
    ann = person("ann", app="agent")
    created = remember(ann, COFFEE)
    set_active(door, created["app_id"], False)
    for method, path, body in WRITES:
        fields = json.loads(json.dumps(body).replace("{id}", created["id"]))
        answer = ann.request(method, f"{API}{path.format(id=created['id'], app=created['app_id'])}", json=fields)
        assert answer.status_code == 403, (method, path, answer.text)
    assert filtered(door, user_id="ann") == [COFFEE]


def test_a_write_to_a_paused_app_is_refused_in_the_genuine_words(door: TestClient) -> None:
    created = remember(door, COFFEE, app="notes")
    set_active(door, created["app_id"], False)
    answer = door.post(f"{API}/memories", json={"text": "x", "app": "notes"})
    sentence = "App notes is currently paused. Cannot create new memories."
    assert (answer.status_code, answer.json()) == (403, {"detail": sentence})
    remember(door, "x", app="another")


def test_a_search_as_a_paused_app_finds_nothing(door: TestClient) -> None:
    created = remember(door, COFFEE, app="notes")
    set_active(door, created["app_id"], False)
    for mode in ("hybrid", "vector", "keyword"):
        assert searched(door, "coffee", app="notes", mode=mode) == []
        assert searched(door, "coffee", app="another", mode=mode) == [COFFEE]


def test_a_paused_default_app_lists_and_finds_nothing_but_its_admin_governs_on(door: TestClient) -> None:
    created = remember(door, COFFEE)
    assert created["app_name"] == "openmemory"
    set_active(door, created["app_id"], False)
    assert listed(door) == searched(door, "coffee") == []
    assert ok(door.get(f"{API}/memories"))["total"] == 0
    assert filtered(door) == [COFFEE]
    assert ok(door.get(f"{API}/memories/{created['id']}"))["content"] == COFFEE


def test_a_resumed_app_reads_and_writes_again(door: TestClient, person: Person) -> None:
    ann = person("ann", app="agent")
    created = remember(ann, COFFEE)
    for is_active in (False, True):
        set_active(door, created["app_id"], is_active)
    assert listed(ann) == searched(ann, "coffee") == [COFFEE]
    remember(ann, "x")


def test_an_app_does_not_free_itself(person: Person) -> None:
    ann = person("ann", app="agent")
    created = remember(ann, COFFEE)
    answer = ann.put(f"{API}/apps/{created['app_id']}", params={"is_active": True})
    assert (answer.status_code, answer.json()) == (403, {"detail": "An app's key may not change apps"})


def test_what_a_bound_key_reads_by_way_of_an_app_is_logged(door: TestClient, person: Person) -> None:
    ann = person("ann", app="agent")
    created = remember(ann, COFFEE)
    ok(ann.get(f"{API}/apps/{created['app_id']}/memories"))
    ok(ann.get(f"{API}/apps/{created['app_id']}/accessed"))
    logs = ok(door.get(f"{API}/memories/{created['id']}/access-log"))["logs"]
    assert [(log["app_name"], log["access_type"]) for log in logs] == [("agent", "list"), ("agent", "list")]


def test_the_overview_counts_by_state_category_and_day(door: TestClient, person: Person) -> None:
    ids = [remember(door, words)["id"] for words in ("We fly to Rome and stay at a hotel", "b", "c")]
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [ids[1]], "state": "paused"}))
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [ids[2]]}))
    remember(person("ann"), "somebody else's")
    mine = ok(door.get(f"{API}/stats/overview", params={"user_id": "admin", "days": 3}))
    assert mine["states"] == {"active": 1, "paused": 1, "archived": 0, "deleted": 1}
    assert {"name": "travel", "count": 1} in mine["categories"]
    assert [day["created"] for day in mine["days"]] == [0, 0, 2]
    everybody = ok(door.get(f"{API}/stats/overview"))
    assert (everybody["states"]["active"], len(everybody["days"])) == (2, 30)
    assert ok(person("ann").get(f"{API}/stats/overview"))["states"]["active"] == 1


def test_the_days_count_reads_writes_and_what_was_shown(door: TestClient, person: Person) -> None:
    ids = [remember(door, words, app="writer")["id"] for words in ("We fly to Rome", "We fly to Oslo")]
    app = ok(door.get(f"{API}/memories/{ids[0]}"))["app_id"]
    remember(person("ann"), "somebody else's")
    ok(door.put(f"{API}/memories/{ids[0]}", json={"memory_content": "We go by train to Rome"}))
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [ids[1]]}))
    before = ok(door.get(f"{API}/stats/overview", params={"user_id": "admin", "days": 2}))["days"]
    assert before[0] == {**before[0], "created": 0, "written": 0, "reads": 0, "shown": 0}
    searched(door, "Rome", app="reader", user_id="admin")
    listed(door, user_id="admin")
    days = ok(door.get(f"{API}/stats/overview", params={"user_id": "admin", "days": 2}))["days"]
    assert (days[1]["created"], days[1]["written"]) == (1, 4)
    assert (days[1]["reads"] - before[1]["reads"], days[1]["shown"] - before[1]["shown"]) == (2, 2)
    assert ok(door.get(f"{API}/stats/overview"))["days"][-1]["written"] == 5
    of_writer = ok(door.get(f"{API}/apps/{app}/days", params={"days": 1}))["days"]
    assert of_writer == [{"date": days[1]["date"], "created": 1, "written": 4, "reads": 0, "shown": 0}]
    reader = ok(door.get(f"{API}/apps", params={"name": "reader"}))["apps"][0]["id"]
    of_reader = ok(door.get(f"{API}/apps/{reader}/days"))["days"]
    assert (len(of_reader), of_reader[-1]["reads"], of_reader[-1]["shown"], of_reader[-1]["written"]) == (30, 1, 1, 0)


def test_an_apps_days_are_its_owners(door: TestClient, person: Person) -> None:
    created = remember(person("ann", app="agent"), COFFEE)
    path = f"{API}/apps/{created['app_id']}/days"
    assert ok(person("ann").get(path))["days"][-1]["created"] == 1
    assert person("ann", app="agent").get(path).status_code == 403
    assert person("bob").get(path).status_code == 404
    assert door.get(path, params={"days": 367}).status_code == 422


def test_the_overview_is_not_for_a_bound_key_nor_for_somebody_elses(person: Person) -> None:
    assert person("ann", app="cursor").get(f"{API}/stats/overview").status_code == 403
    assert person("ann").get(f"{API}/stats/overview", params={"user_id": "admin"}).status_code == 404
    assert person("ann").get(f"{API}/stats/overview", params={"days": 367}).status_code == 422
