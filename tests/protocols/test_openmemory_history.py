"""Versions through the page: the history, the way back to an older version, the undo of a receipt."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.context import Runtime
from app.models import Event, Memory, StatusChange
from tests.protocols.asking import API, UNKNOWN, Person, dump, listed, ok, remember, searched, statements

TRAIN = "We take the train to Rome"
FLIGHT = "We take the flight to Rome, on Monday"


def history(door: TestClient, id: str, **query: Any) -> list[dict[str, Any]]:
    """The versions, newest first."""
    items: list[dict[str, Any]] = ok(door.get(f"{API}/memories/{id}/history", params=query))["items"]
    return items


def edit(door: TestClient, id: str, words: str) -> dict[str, Any]:
    """Change what a memory says."""
    changed: dict[str, Any] = ok(door.put(f"{API}/memories/{id}", json={"memory_content": words}))
    return changed


def restore(door: TestClient, id: str, **body: Any) -> dict[str, Any]:
    """Bring a memory back."""
    restored: dict[str, Any] = ok(door.post(f"{API}/memories/{id}/restore", json=body))
    return restored


def undo(door: TestClient, event_id: str, **body: Any) -> dict[str, Any]:
    """Undo a receipt."""
    undone: dict[str, Any] = ok(door.post(f"{API}/events/{event_id}/undo", json=body))
    return undone


def test_every_change_is_a_version_and_says_what_it_changed(door: TestClient) -> None:
    id = remember(door, TRAIN, metadata={"mood": "glad"})["id"]
    edit(door, id, FLIGHT)
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [id]}))
    paused, edited, added = history(door, id)
    assert [one["event"] for one in (paused, edited, added)] == ["PAUSE", "UPDATE", "ADD"]
    assert [one["version"] for one in (paused, edited, added)] == [3, 2, 1]
    assert (added["content"], added["changes"], added["metadata"]) == (TRAIN, None, {"mood": "glad"})
    assert paused["changes"] == {
        "content": [], "metadata": {}, "state": {"old": "active", "new": "paused"}, "expires_at": None, "labels": None
    }  # fmt: skip
    assert edited["changed_by"] == "admin"
    steps = edited["changes"]["content"]
    assert "".join(step["text"] for step in steps if step["op"] != "insert") == TRAIN
    assert "".join(step["text"] for step in steps if step["op"] != "delete") == FLIGHT
    assert {"op": "delete", "text": "train"} in steps
    assert {"op": "insert", "text": "flight"} in steps


def test_history_is_paged_and_a_page_knows_what_came_before_it(door: TestClient) -> None:
    id = remember(door, "note 0")["id"]
    for number in range(1, 5):
        edit(door, id, f"note {number}")
    page = ok(door.get(f"{API}/memories/{id}/history", params={"page": 2, "size": 2}))
    assert (page["total"], page["pages"], page["size"]) == (5, 3, 2)
    assert [one["content"] for one in page["items"]] == ["note 2", "note 1"]
    assert {"op": "delete", "text": "0"} in page["items"][1]["changes"]["content"]
    assert history(door, id, page=4, size=2) == []


def test_an_older_version_comes_back_as_a_new_one(door: TestClient) -> None:
    id = remember(door, "We fly to Rome and stay at a hotel", metadata={"author": "Ann"})["id"]
    edit(door, id, "My salary goes to the bank")
    back = restore(door, id, version=1)
    assert (back["content"], back["version"], back["author"]) == ("We fly to Rome and stay at a hotel", 3, "Ann")
    assert "travel" in back["categories"]
    assert "finance" not in back["categories"]
    assert history(door, id)[0]["event"] == "RESTORE"
    assert searched(door, "hotel in Rome")[0] == back["content"]
    assert searched(door, "salary", mode="keyword") == []


def test_restoring_what_is_there_changes_nothing(door: TestClient, runtime: Runtime) -> None:
    id = remember(door, TRAIN)["id"]
    before = dump(runtime)
    assert restore(door, id, version=1)["version"] == 1
    assert restore(door, id)["version"] == 1
    assert ok(door.post(f"{API}/memories/{id}/restore"))["version"] == 1
    assert dump(runtime) == before


@pytest.mark.parametrize("state", ["active", "paused", "archived"])
def test_what_was_deleted_comes_back_in_its_state(door: TestClient, runtime: Runtime, state: str) -> None:
    id = remember(door, TRAIN)["id"]
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [id], "state": state}))
    ok(door.delete(f"{API}/memories/{id}"))
    assert history(door, id)[0]["event"] == "DELETE"
    assert restore(door, id)["state"] == state
    assert listed(door) == searched(door, "train") == ([TRAIN] if state == "active" else [])
    with runtime.database.reading() as session:
        steps = select(StatusChange.old_state, StatusChange.new_state).order_by(StatusChange.changed_at)
        assert session.execute(steps).all()[-2:] == [(state, "deleted"), ("deleted", state)]


def test_a_version_of_a_deleted_memory_brings_it_back_too(door: TestClient) -> None:
    id = remember(door, TRAIN)["id"]
    edit(door, id, FLIGHT)
    ok(door.delete(f"{API}/memories/{id}"))
    back = restore(door, id, version=1)
    assert (back["content"], back["state"], back["version"]) == (TRAIN, "active", 4)
    assert listed(door) == [TRAIN]


def test_what_cannot_be_restored(door: TestClient, runtime: Runtime) -> None:
    id = remember(door, TRAIN)["id"]
    before = dump(runtime)
    for path, body, status in [
        (f"/memories/{id}/restore", {"version": 2}, 404),
        (f"/memories/{id}/restore", {"version": 0}, 422),
        (f"/memories/{id}/restore", {"version": 2**40}, 422),
        (f"/memories/{id}/restore", {"version": "x"}, 422),
        (f"/memories/{id}/restore", {"user_id": "bo"}, 404),
        (f"/memories/{UNKNOWN}/restore", {}, 404),
        (f"/events/{UNKNOWN}/undo", {}, 404),
        (f"/events/{UNKNOWN}/undo", {"force": "perhaps"}, 422),
        ("/events/x/undo", {}, 422),
    ]:
        assert door.post(f"{API}{path}", json=body).status_code == status, path
    assert door.get(f"{API}/memories/{UNKNOWN}/history").status_code == 404
    assert dump(runtime) == before


def test_an_undone_add_is_deleted_and_the_undo_can_be_undone(door: TestClient, runtime: Runtime) -> None:
    items = [{"text": f"note {number}"} for number in range(3)]
    added = ok(door.post(f"{API}/memories/bulk", json={"memories": items}))
    undone = undo(door, added["event_id"])
    assert [one["event"] for one in undone["results"]] == ["DELETE"] * 3
    assert (undone["undoes"], listed(door)) == (added["event_id"], [])
    with runtime.database.reading() as session:
        event = session.get_one(Event, UUID(undone["event_id"]))
        assert (event.kind, event.status, str(event.undoes)) == ("UNDO", "SUCCEEDED", added["event_id"])
    again = undo(door, undone["event_id"])
    assert [one["event"] for one in again["results"]] == ["RESTORE"] * 3
    assert sorted(listed(door)) == sorted(searched(door, "note")) == ["note 0", "note 1", "note 2"]


def test_an_undo_stops_at_what_was_changed_since(door: TestClient, runtime: Runtime) -> None:
    items = [{"text": f"note {number}"} for number in range(3)]
    added = ok(door.post(f"{API}/memories/bulk", json={"memories": items}))
    changed = added["results"][1]["id"]
    edit(door, changed, "another note")
    before = dump(runtime)
    refused = door.post(f"{API}/events/{added['event_id']}/undo")
    assert refused.status_code == 409
    assert refused.json() == {"detail": f"1 of its memories were changed or purged since: {changed}"}
    assert dump(runtime) == before
    undo(door, added["event_id"], force=True)
    assert listed(door) == []


def test_a_receipt_of_many_kinds_is_undone_as_one(door: TestClient, runtime: Runtime) -> None:
    ids = {kind: remember(door, f"We fly to Rome: {kind}")["id"] for kind in ("UPDATE", "DELETE", "ARCHIVE", "NONE")}
    ids["ADD"] = remember(door, "My salary goes to the bank")["id"]
    edit(door, ids["UPDATE"], "We had an operation in the hospital")
    ok(door.delete(f"{API}/memories/{ids['DELETE']}"))
    ok(door.post(f"{API}/memories/actions/archive", json=[ids["ARCHIVE"]]))
    results = [{"id": id, "event": kind, "version": 1 if kind == "ADD" else 2} for kind, id in ids.items()]
    with runtime.database.transaction() as session:
        owner = session.scalars(select(Memory.user_id)).first()
        session.get_one(Memory, UUID(ids["ARCHIVE"])).superseded_by = UUID(ids["ADD"])
        event = Event(user_id=owner, kind="ADD", status="SUCCEEDED", results=results)
        session.add(event)
        session.flush()
    undone = undo(door, str(event.id))
    assert {one["event"] for one in undone["results"]} == {"UPDATE", "RESTORE", "DELETE"}
    assert sorted(listed(door)) == [f"We fly to Rome: {kind}" for kind in ("ARCHIVE", "DELETE", "NONE", "UPDATE")]
    update = ok(door.get(f"{API}/memories/{ids['UPDATE']}"))
    assert (update["version"], "travel" in update["categories"]) == (3, True)
    with runtime.database.reading() as session:
        assert session.get_one(Memory, UUID(ids["ARCHIVE"])).superseded_by is None


def test_a_receipt_that_changed_nothing_cannot_be_undone(door: TestClient, runtime: Runtime) -> None:
    id = remember(door, TRAIN)["id"]
    with runtime.database.transaction() as session:
        owner = session.scalars(select(Memory.user_id)).first()
        event = Event(user_id=owner, kind="ADD", status="FAILED", results=[{"id": id, "event": "NONE", "version": 1}])
        session.add(event)
        session.flush()
    assert door.post(f"{API}/events/{event.id}/undo").status_code == 409


def test_a_bound_key_sees_the_history_of_what_is_visible_and_takes_nothing_back(
    door: TestClient, person: Person, runtime: Runtime
) -> None:
    agent = person("ann", app="cursor")
    added = remember(agent, TRAIN)
    id = added["id"]
    assert [one["event"] for one in history(agent, id)] == ["ADD"]
    before = dump(runtime)
    for path in (f"/memories/{id}/restore", f"/memories/{UNKNOWN}/restore", f"/events/{added['event_id']}/undo"):
        assert agent.post(f"{API}{path}").status_code == 403
    assert dump(runtime) == before
    ok(door.delete(f"{API}/memories/{id}"))
    assert agent.get(f"{API}/memories/{id}/history").status_code == 404
    assert len(history(person("ann"), id)) == 2


def test_history_is_few_statements_whatever_there_is(door: TestClient, runtime: Runtime) -> None:
    id = remember(door, "note")["id"]
    costs = []
    for rounds in (2, 30):
        for number in range(rounds):
            edit(door, id, f"note {rounds} {number}")
        with statements(runtime) as seen:
            history(door, id, size=50)
        costs.append(len(seen))
    assert costs[0] == costs[1] <= 6


def test_an_undo_of_many_costs_as_many_statements_as_one_of_few(door: TestClient, runtime: Runtime) -> None:
    costs = []
    for count in (2, 200):
        items = [{"text": f"We fly to Rome, hotel {i}"} for i in range(count)]
        added = ok(door.post(f"{API}/memories/bulk", json={"memories": items}))
        with statements(runtime) as seen:
            undo(door, added["event_id"])
        costs.append(len(seen))
    assert costs[0] == costs[1]


def test_many_deleted_memories_are_back_in_the_states_that_they_had(door: TestClient) -> None:
    ids = [remember(door, words)["id"] for words in ("active", "paused", "deleted twice", "never deleted")]
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [ids[1]], "state": "paused"}))
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [ids[2]]}))
    ok(door.post(f"{API}/memories/{ids[2]}/restore"))
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": ids[:3]}))
    answer = ok(door.post(f"{API}/memories/actions/restore", json={"memory_ids": [*ids, ids[0]]}))
    assert answer == {"message": "Successfully restored 4 memories"}
    states = [ok(door.get(f"{API}/memories/{id}"))["state"] for id in ids]
    assert states == ["active", "paused", "active", "active"]


def test_many_are_restored_or_none(door: TestClient, person: Person) -> None:
    mine = remember(door, "mine")["id"]
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [mine]}))
    for asked, ids in ((door, [mine, UNKNOWN]), (person("ann"), [mine])):
        assert asked.post(f"{API}/memories/actions/restore", json={"memory_ids": ids}).status_code == 404
    assert (
        person("admin", app="cursor").post(f"{API}/memories/actions/restore", json={"memory_ids": [mine]}).status_code
        == 403
    )
    assert door.get(f"{API}/memories/{mine}").status_code == 404
