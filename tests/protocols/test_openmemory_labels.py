"""/api/v1: tags counted and filtered by, labels on many memories and off again, ids of a filter, exports of them."""

import io
import json
import zipfile
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.context import Runtime
from app.models import Memory, memory_tags
from tests.protocols.asking import API, UNKNOWN, Person, filtered, ok, remember, statements

LABEL = f"{API}/memories/actions/label"


def label(client: TestClient, ids: list[str], **names: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ok(client.post(LABEL, json={"memory_ids": ids, **names}))
    return answer


def one(client: TestClient, id: str) -> tuple[list[str], list[str], int]:
    """Categories, tags and version of a memory."""
    found = ok(client.get(f"{API}/memories/{id}"))
    return found["categories"], found["tags"], found["version"]


def tags(client: TestClient, **query: Any) -> dict[str, int]:
    return {tag["name"]: tag["count"] for tag in ok(client.get(f"{API}/memories/tags", params=query))["tags"]}


def made(client: TestClient, *texts: str, **fields: Any) -> list[str]:
    return [remember(client, words, **fields)["id"] for words in texts]


def test_labels_come_and_go_and_each_change_is_a_version(door: TestClient) -> None:
    a, b = made(door, "zzz one", "zzz two")
    label(door, [a], add_categories=["work"], add_tags=["old", "both"])
    before = one(door, b)
    done = label(
        door, [a, b], add_categories=["play"], remove_categories=["work"], add_tags=["both"], remove_tags=["old"]
    )
    assert (done["changed"], len(done["event_ids"])) == (2, 1)
    categories, carried, version = one(door, a)
    assert ("play" in categories, "work" in categories, carried, version) == (True, False, ["both"], 3)
    assert (one(door, b)[1], one(door, b)[2]) == (["both"], before[2] + 1)
    newest = ok(door.get(f"{API}/memories/{a}/history"))["items"][0]
    assert newest["event"] == "LABEL"
    assert newest["changes"]["labels"] == {
        "added": {"categories": ["play"], "tags": []},
        "removed": {"categories": ["work"], "tags": ["old"]},
    }
    assert newest["changes"]["content"] == []


def test_what_has_its_labels_already_is_not_changed(door: TestClient) -> None:
    (a,) = made(door, "zzz")
    label(door, [a], add_tags=["x"])
    assert label(door, [a], add_tags=["x"], remove_tags=["y"]) == {"changed": 0, "event_ids": []}
    assert one(door, a)[1:] == (["x"], 2)


def test_an_undo_takes_back_what_the_labelling_did_and_nothing_else(door: TestClient) -> None:
    a, b = made(door, "zzz one", "zzz two")
    label(door, [a], add_tags=["x"])
    done = label(door, [a, b], add_tags=["x", "y"], add_categories=["play"])
    label(door, [a], add_tags=["later"])
    undone = ok(door.post(f"{API}/events/{done['event_ids'][0]}/undo"))
    assert len(undone["results"]) == 2
    assert (one(door, a)[1], one(door, b)[1]) == (["x", "later"], [])
    assert "play" not in one(door, a)[0] + one(door, b)[0]
    again = ok(door.post(f"{API}/events/{undone['event_id']}/undo"))
    assert (sorted(one(door, a)[1]), one(door, b)[1]) == (["later", "x", "y"], ["x", "y"])
    assert again["undoes"] == undone["event_id"]
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [a, b]}))
    assert door.post(f"{API}/events/{again['event_id']}/undo").status_code == 409


def test_labels_are_all_or_none(door: TestClient, person: Person) -> None:
    (a,) = made(door, "zzz")
    (hers,) = made(person("ann"), "zzz")
    bob = person("bob")
    (his,) = made(bob, "zzz")
    assert door.post(LABEL, json={"memory_ids": [a, UNKNOWN], "add_tags": ["x"]}).status_code == 404
    assert bob.post(LABEL, json={"memory_ids": [his, hers], "add_tags": ["x"]}).status_code == 404
    assert (one(door, a)[1], one(bob, his)[1]) == ([], [])
    assert door.post(LABEL, json={"memory_ids": [a]}).status_code == 400
    assert door.post(LABEL, json={"memory_ids": [a], "add_tags": ["x" * 256]}).status_code == 422
    assert door.post(LABEL, json={"memory_ids": [a], "add_tags": [str(n) for n in range(33)]}).status_code == 422


def test_labels_of_several_owners_leave_a_receipt_each(door: TestClient, person: Person) -> None:
    ids = made(door, "zzz") + made(person("ann"), "zzz")
    assert len(label(door, ids, add_categories=["work"])["event_ids"]) == 2
    assert "work" in one(person("ann"), ids[1])[0]


def test_an_app_labels_what_it_sees_and_not_while_it_is_paused(door: TestClient, person: Person) -> None:
    agent = person("ann", app="agent")
    created = remember(agent, "zzz")
    assert label(agent, [created["id"]], add_tags=["x"])["changed"] == 1
    ok(door.put(f"{API}/apps/{created['app_id']}", params={"is_active": False}))
    assert agent.post(LABEL, json={"memory_ids": [created["id"]], "add_tags": ["y"]}).status_code == 403


def test_labels_leave_the_index_level(door: TestClient, runtime: Runtime) -> None:
    (a,) = made(door, "we fly to Rome")
    label(door, [a], add_tags=["x"])
    with runtime.database.reading() as session:
        assert session.scalar(select(Memory.indexed_at)) is not None
    found = ok(door.post(f"{API}/memories/search", json={"query": "Rome", "filters": {"tags": "x"}}))
    assert [hit["id"] for hit in found["results"]] == [a]


def test_tags_are_counted_most_first_and_by_what_they_begin_with(door: TestClient, person: Person) -> None:
    a, b, c = made(door, "1", "2", "3")
    label(door, [a, b, c], add_tags=["Red"])
    label(door, [a], add_tags=["reed", "100%", "a_b", "é"])
    ann = person("ann")
    label(ann, made(ann, "4"), add_tags=["Red", "hers"])
    assert next(iter(tags(door, user_id="admin").items())) == ("Red", 3)
    assert tags(door, user_id="admin", prefix="re") == {"Red": 3, "reed": 1}
    assert tags(door, user_id="admin", prefix="%") == {}
    assert len(tags(door, user_id="admin", size=2)) == 2
    assert tags(door)["Red"] == 4
    assert tags(ann) == {"Red": 1, "hers": 1}
    assert ann.get(f"{API}/memories/tags", params={"user_id": "admin"}).status_code == 404


def test_a_bound_key_is_shown_the_tags_of_what_it_sees(door: TestClient, person: Person) -> None:
    agent = person("ann", app="agent")
    a, b = made(agent, "1", "2")
    label(agent, [a], add_tags=["seen"])
    label(agent, [b], add_tags=["hidden"])
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [b], "state": "paused"}))
    assert tags(agent) == {"seen": 1}
    assert tags(person("ann")) == {"seen": 1, "hidden": 1}


def test_the_links_follow_deletes_restores_edits_and_purges(door: TestClient, runtime: Runtime) -> None:
    a, b = made(door, "1", "2")
    label(door, [a, b], add_tags=["x", "y"])
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [a]}))
    assert tags(door) == {"x": 1, "y": 1}
    ok(door.post(f"{API}/memories/actions/restore", json={"memory_ids": [a]}))
    label(door, [b], remove_tags=["y"])
    assert tags(door) == {"x": 2, "y": 1}
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [a]}))
    ok(door.post(f"{API}/memories/{a}/purge"))
    with runtime.database.reading() as session:
        assert session.execute(select(memory_tags.c.tag)).all() == [("x",)]


def test_a_list_is_narrowed_to_any_of_some_tags(door: TestClient) -> None:
    a, b, _ = made(door, "1", "2", "3")
    label(door, [a], add_tags=["x"])
    label(door, [b], add_tags=["y", "z"])
    assert filtered(door, tags=["x"]) == ["1"]
    assert sorted(filtered(door, tags=["x", "z"])) == ["1", "2"]
    assert filtered(door, tags=["none"]) == []
    assert ok(door.post(f"{API}/memories/filter", json={"tags": ["x", "y"], "size": 1}))["total"] == 2


def test_the_ids_of_a_filter_are_what_it_lists(door: TestClient, person: Person) -> None:
    ids = made(door, "1", "2", "3")
    remember(person("ann"), "hers")
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": ids[:1], "state": "archived"}))
    label(door, ids, add_tags=["x"])

    def found(**body: Any) -> dict[str, Any]:
        answer: dict[str, Any] = ok(door.post(f"{API}/memories/filter/ids", json=body))
        return answer

    assert found(user_id="admin") == {"ids": [ids[2], ids[1]], "total": 2}
    assert found(tags=["x"], show_archived=True)["ids"] == ids[::-1]
    assert found(states=["archived"]) == {"ids": ids[:1], "total": 1}
    assert ok(person("ann").post(f"{API}/memories/filter/ids", json={"tags": ["x"]})) == {"ids": [], "total": 0}


def test_an_export_has_just_what_was_chosen_in_that_order(door: TestClient, person: Person) -> None:
    ids = made(door, "1", "2", "3")
    label(door, ids[:1], add_tags=["é"])
    answer = door.post(f"{API}/memories/actions/export", json={"memory_ids": [ids[2], ids[0]]})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert [(row["id"], row["content"], row["tags"]) for row in rows] == [(ids[2], "3", []), (ids[0], "1", ["é"])]
    assert rows[0]["created_at"].endswith("+00:00")
    ann = person("ann")
    assert ann.post(f"{API}/memories/actions/export", json={"memory_ids": ids}).status_code == 404
    bound = person("ann", app="agent")
    mine = remember(bound, "x")["id"]
    assert bound.post(f"{API}/memories/actions/export", json={"memory_ids": [mine]}).status_code == 403


def test_a_backup_of_chosen_memories_has_just_these(door: TestClient) -> None:
    ids = made(door, "1", "2", "3")
    answer = door.post(f"{API}/backup/export", json={"user_id": "admin", "memory_ids": ids[1:]})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        document = json.loads(archive.read("memories.json"))
    assert sorted(memory["id"] for memory in document["memories"]) == sorted(ids[1:])


def test_metadata_and_the_pin_are_changed(door: TestClient) -> None:
    (a,) = made(door, "1", metadata={"a": 1, "b": 2})
    answer = ok(door.put(f"{API}/memories/{a}", json={"metadata": {"a": 3}, "memory_type": "pinned"}))
    assert (answer["metadata_"], answer["memory_type"], answer["content"]) == ({"a": 3}, "pinned", "1")
    assert ok(door.get(f"{API}/memories/{a}"))["memory_type"] == "pinned"
    assert door.put(f"{API}/memories/{a}", json={"memory_type": "session"}).status_code == 422


def test_the_status_history_names_states_and_who(door: TestClient, person: Person) -> None:
    (a,) = made(door, "1")
    for state in ("paused", "active"):
        ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [a], "state": state}))
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [a]}))
    found = ok(door.get(f"{API}/memories/{a}/status-history", params={"size": 2}))
    assert [(step["old_state"], step["new_state"]) for step in found["items"]] == [
        ("active", "deleted"),
        ("paused", "active"),
    ]
    assert (found["total"], found["items"][0]["changed_by"]) == (3, "admin")
    assert person("ann").get(f"{API}/memories/{a}/status-history").status_code == 404
    (b,) = made(person("ann", app="agent"), "2")
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [b], "state": "paused"}))
    assert person("ann", app="agent").get(f"{API}/memories/{b}/status-history").status_code == 404


def test_a_memory_that_no_model_made_has_no_sources(door: TestClient, person: Person) -> None:
    (a,) = made(door, "1")
    assert ok(door.get(f"{API}/memories/{a}/sources")) == {"items": []}
    assert person("ann").get(f"{API}/memories/{a}/sources").status_code == 404


@pytest.mark.parametrize("action", ["label", "undo", "export", "ids", "tags"])
def test_many_cost_as_many_statements_as_few(door: TestClient, runtime: Runtime, action: str) -> None:
    costs = []
    for size in (10, 300):
        items = [{"text": f"note {size} {n}"} for n in range(size)]
        results = ok(door.post(f"{API}/memories/bulk", json={"memories": items, "infer": False}))["results"]
        ids = [result["id"] for result in results]
        ok(door.get(f"{API}/memories/tags"))
        if action == "undo":
            event = label(door, ids, add_tags=["t"], add_categories=["c"], remove_categories=["d"])["event_ids"][0]
        with statements(runtime) as seen:
            if action == "label":
                label(door, ids, add_tags=["x", "y"], add_categories=["one", "two"], remove_tags=["z"])
            elif action == "undo":
                ok(door.post(f"{API}/events/{event}/undo"))
            elif action == "export":
                door.post(f"{API}/memories/actions/export", json={"memory_ids": ids})
            elif action == "ids":
                ok(door.post(f"{API}/memories/filter/ids", json={"search_query": f"note {size} "}))
            else:
                ok(door.get(f"{API}/memories/tags"))
        costs.append(len(seen))
    # The first labelling makes the two categories.
    assert costs[1] <= costs[0], costs
    assert costs[1] <= {"label": 9, "undo": 12, "export": 4, "ids": 4, "tags": 3}[action], costs
