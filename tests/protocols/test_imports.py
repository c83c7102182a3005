"""/imports: a file is looked at before anything is written, taken in by the worker, called off, and taken back."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.context import Runtime
from app.models import Memory, SessionMessage
from app.services import inference
from tests.export_files import chatgpt, claude, mem0, zipped
from tests.protocols.asking import Person, ok, statements
from tests.protocols.mem9_asking import work
from tests.scripted_llm import ScriptedLlm, facts

IMPORTS = "/api/v1/imports"
NOTES = b"# Home\n\n- The cat is called Mia\n- The garden faces south\n\n# Work\n\nDeploys happen on Tuesdays.\n"


def send(client: TestClient, data: Any, name: str = "notes.md", to: str = "", **options: Any) -> Any:
    """Send a file to /imports, or to the preview."""
    held = data if isinstance(data, bytes) else json.dumps(data).encode()
    return client.post(IMPORTS + to, files={"file": (name, held)}, data={"options": json.dumps(options)})


def look(client: TestClient, data: Any, name: str = "notes.md", **options: Any) -> dict[str, Any]:
    """The preview."""
    found: dict[str, Any] = ok(send(client, data, name, "/preview", **options))
    return found


def bring(client: TestClient, runtime: Runtime, data: Any, name: str = "notes.md", **options: Any) -> dict[str, Any]:
    """Import the file, have all of it done, and look."""
    answer = send(client, data, name, **options)
    assert answer.status_code == 202, answer.text
    work(runtime)
    found: dict[str, Any] = ok(client.get(f"{IMPORTS}/{answer.json()['id']}"))
    return found


def memories(client: TestClient, **narrowed: Any) -> list[dict[str, Any]]:
    """All memories of the client's user, oldest first."""
    found = ok(client.get("/api/v1/memories", params={"size": 100, "sort_column": "created_at", **narrowed}))
    return sorted(found["items"], key=lambda item: str(item["content"]))


def contents(client: TestClient) -> list[str]:
    """What they say."""
    return [item["content"] for item in memories(client)]


def rows(runtime: Runtime, model: type[Any]) -> int:
    """How many rows there are."""
    with runtime.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_preview_says_what_there_is_and_writes_nothing(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    found = look(ann, NOTES)
    assert (found["format"], found["app"], found["memories"], found["duplicates"]) == ("markdown", "import", 3, 0)
    assert [item["content"] for item in found["items"]] == [
        "The cat is called Mia", "The garden faces south", "Deploys happen on Tuesdays.",
    ]  # fmt: skip
    assert [item["categories"] for item in found["items"]] == [["Home"], ["Home"], ["Work"]]
    assert rows(runtime, Memory) == 0
    assert ok(ann.get(IMPORTS))["total"] == 0


def test_what_is_imported_is_found_and_a_second_time_changes_nothing(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    done = bring(ann, runtime, NOTES, app="notes", tags=["old"])
    assert (done["status"], done["imported"], done["duplicates"], done["app_name"]) == ("done", 3, 0, "notes")
    found = memories(ann)
    assert [item["app_name"] for item in found] == ["notes"] * 3
    assert found[0]["categories"] == ["Work"]
    found_by_tag = ok(ann.post("/api/v1/memories/search", json={"query": "What is the cat called?"}))
    assert "Mia" in json.dumps(found_by_tag)
    seen = look(ann, NOTES, app="notes")
    assert (seen["duplicates"], [item["is_known"] for item in seen["items"]]) == (3, [True] * 3)
    again = bring(ann, runtime, NOTES, app="notes")
    assert (again["status"], again["imported"], again["duplicates"]) == ("done", 0, 3)
    assert memories(ann) == found
    assert [item["imported"] for item in ok(ann.get(IMPORTS))["items"]] == [0, 3]


def test_mem0_keeps_its_dates_and_names(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    sent = {"results": [mem0(), mem0(memory="Lives in Porto", id="x2", categories=None), mem0(memory=""), {"a": 1}]}
    seen = look(ann, sent, "mem0.json")
    assert (seen["format"], seen["memories"], seen["unreadable"]) == ("mem0", 2, 2)
    assert [problem["where"] for problem in seen["problems"]] == ["results[2]", "results[3]"]
    assert bring(ann, runtime, sent, "mem0.json")["imported"] == 2
    seat = memories(ann)[1]
    assert seat["content"] == "Prefers window seats"
    assert (seat["categories"], seat["app_name"]) == (["travel"], "mem0")
    assert seat["created_at"] in (1721464236, "2024-07-20T08:30:36.275141Z", "2024-07-20T08:30:36.275141+00:00")
    assert seat["metadata_"]["mem0_user_id"] == "alex"


CHATS = [
    chatgpt("c1", "Sailing", ("user", "I sail on Sundays"), ("assistant", "Lovely"), ("user", "My boat is blue")),
    chatgpt("c2", "Bread", ("user", "Bread costs three euros"), ("assistant", "Thanks")),
]


def test_what_was_said_is_kept_of_the_chosen_conversations(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    export = zipped(conversations__json=CHATS, user__json={"id": "u"}, chat__html="<html>")
    seen = look(ann, export, "export.zip")
    assert (seen["format"], seen["conversations"], seen["messages"], seen["memories"]) == ("chatgpt", 2, 5, 0)
    assert {talk["title"]: talk["by_user"] for talk in seen["talks"]} == {"Sailing": 2, "Bread": 1}
    assert not seen["has_model"]
    assert "No model is configured" in seen["warnings"][0]
    assert send(ann, export, "export.zip").status_code == 400  # nothing was chosen: said, and not done silently
    assert send(ann, export, "export.zip", conversations="learn").status_code == 409
    done = bring(ann, runtime, export, "export.zip", conversations="keep", conversation_ids=["c1"])
    assert (done["status"], done["imported"], done["conversations"]) == ("done", 2, 1)
    assert contents(ann) == ["I sail on Sundays", "My boat is blue"]
    again = bring(ann, runtime, export, "export.zip", conversations="keep", conversation_ids=["c1"])
    assert (again["imported"], contents(ann)) == (0, ["I sail on Sundays", "My boat is blue"])


def test_a_model_learns_from_conversations_and_turns_do_not_flood(
    person: Person, runtime: Runtime, llm: ScriptedLlm
) -> None:
    ann = person("ann")
    export = zipped(conversations__json=[claude("k1", "Boats", ("human", "I sail on Sundays"), ("assistant", "Nice"))])
    assert look(ann, export, "claude.zip")["has_model"]
    llm.say(facts("Ann sails on Sundays"))
    done = bring(ann, runtime, export, "claude.zip", conversations="learn")
    assert (done["status"], done["imported"], done["format"]) == ("done", 1, "claude")
    assert contents(ann) == ["Ann sails on Sundays"]
    assert bring(ann, runtime, export, "claude.zip", conversations="learn")["imported"] == 0  # nor is the model asked


def test_what_is_not_begun_can_be_called_off(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    lines = "\n".join(json.dumps({"text": f"note number {number}"}) for number in range(250)).encode()
    task = send(ann, lines, "notes.jsonl").json()
    assert (task["status"], task["total"], task["memories"]) == ("pending", 3, 250)
    assert inference.perform_next(runtime)
    stopped = ok(ann.post(f"{IMPORTS}/{task['id']}/cancel"))
    assert (stopped["status"], stopped["done"], stopped["imported"]) == ("cancelled", 1, 100)
    assert stopped["cancelled_at"]
    work(runtime)
    assert rows(runtime, Memory) == 100
    assert ann.post(f"{IMPORTS}/{task['id']}/cancel").status_code == 409
    assert ann.post(f"{IMPORTS}/{task['id']}/retry").status_code == 409


def test_an_import_can_be_taken_back_and_taken_in_again(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    export = zipped(conversations__json=CHATS)
    done = bring(ann, runtime, export, "export.zip", conversations="keep")
    assert done["imported"] == 3
    assert ok(ann.post(f"{IMPORTS}/{done['id']}/undo")) == {"undone": 2, "left": 0, "changed": 0}
    assert ok(ann.get(f"{IMPORTS}/{done['id']}"))["status"] == "undone"
    assert (contents(ann), rows(runtime, SessionMessage)) == ([], 0)
    assert bring(ann, runtime, export, "export.zip", conversations="keep")["imported"] == 3


def test_what_was_changed_since_is_taken_back_only_by_force(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    done = bring(ann, runtime, NOTES)
    first = memories(ann)[0]["id"]
    ok(ann.put(f"/api/v1/memories/{first}", json={"memory_content": "Deploys happen on Fridays", "user_id": "ann"}))
    assert ok(ann.post(f"{IMPORTS}/{done['id']}/undo")) == {"undone": 0, "left": 0, "changed": 1}
    assert ok(ann.post(f"{IMPORTS}/{done['id']}/undo", json={"force": True}))["undone"] == 1
    assert contents(ann) == []


def test_a_backup_goes_from_one_user_to_another(person: Person, runtime: Runtime) -> None:
    ann, bob = person("ann"), person("bob")
    bring(ann, runtime, NOTES, app="notes")
    backup = ann.post("/api/v1/backup/export", json={"user_id": "ann"}).content
    assert ok(ann.post("/api/v1/backup/export/count", json={"user_id": "ann"})) == {"memories": 3}
    seen = look(bob, backup, "backup.zip")
    assert (seen["format"], seen["memories"], seen["duplicates"], seen["apps"]) == ("openmemory", 3, 0, 1)
    done = bring(bob, runtime, backup, "backup.zip")
    assert (done["status"], done["imported"], done["format"]) == ("done", 3, "openmemory")
    assert contents(bob) == contents(ann)
    assert look(bob, backup, "backup.zip")["duplicates"] == 3
    again = bring(bob, runtime, backup, "backup.zip", mode="skip")
    assert (again["imported"], again["duplicates"]) == (0, 3)
    assert bob.post(f"{IMPORTS}/{done['id']}/undo").status_code == 409


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.pdf", b"%PDF-1.7\xff\xfe\x00", "a PDF"),
        ("a.bin", bytes(range(256)), "not"),
        ("a.json", b'{"answer": 42, "question": null}', "keys answer, question"),
        ("a.json", b'{"a": ', "not valid JSON"),
        ("a.json", b"[" * 100_000, "not valid JSON"),
        ("a.json", b"[]", "empty list"),
        ("a.zip", zipped(photo__png=b"\x89PNG"), "Nothing in the zip can be read; it holds photo.png"),
        ("a.zip", b"PK\x03\x04 broken", "Invalid zip file"),
        ("a.md", b"", "nothing"),
    ],
)
@pytest.mark.one_database
def test_a_file_that_is_nothing_says_what_was_seen(person: Person, name: str, data: bytes, says: str) -> None:
    answer = send(person("ann"), data, name)
    assert answer.status_code == 400, answer.text
    assert says in answer.json()["detail"]


@pytest.mark.one_database
def test_a_form_that_is_wrong_is_refused(person: Person) -> None:
    ann = person("ann")
    assert ann.post(IMPORTS, data={"options": "{}"}).status_code == 422
    for options in ("[1]", '{"mode": "other"}', '{"more": 1}', "no json"):
        sent = ann.post(IMPORTS, files={"file": ("a.md", NOTES)}, data={"options": options})
        assert sent.status_code == 422, options


def test_imports_are_their_owners(person: Person, runtime: Runtime, door: TestClient) -> None:
    ann, bob = person("ann"), person("bob")
    done = bring(ann, runtime, NOTES)
    assert ok(bob.get(IMPORTS))["items"] == []
    for method, path in (("GET", ""), ("POST", "/cancel"), ("POST", "/retry"), ("POST", "/undo")):
        assert bob.request(method, f"{IMPORTS}/{done['id']}{path}").status_code == 404
    assert send(bob, NOTES, user_id="ann").status_code == 404
    assert send(bob, NOTES, "notes.md", "/preview", user_id="ann").status_code == 404
    assert ok(door.get(IMPORTS, params={"user_id": "ann"}))["total"] == 1
    assert ok(door.get(f"{IMPORTS}/{done['id']}"))["user_id"] == "ann"
    bound = person("ann", app="helper")
    assert ok(bound.get(IMPORTS))["items"] == []
    assert send(bound, NOTES, app="other").status_code == 403
    assert bring(bound, runtime, b"- Written by a helper")["app_name"] == "helper"
    assert person("ann", scopes=("read",)).post(IMPORTS, files={"file": ("a.md", NOTES)}).status_code == 403


def test_a_piece_that_fails_says_why_and_is_tried_again(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    ok(ann.post("/api/v1/memories", json={"user_id": "ann", "text": "The first", "app": "notes", "infer": False}))
    app = ok(ann.get("/api/v1/apps"))["apps"][0]["id"]
    task = send(ann, NOTES, app="notes").json()
    ok(ann.put(f"/api/v1/apps/{app}", params={"is_active": False}))
    work(runtime)
    failed = ok(ann.get(f"{IMPORTS}/{task['id']}"))
    assert (failed["status"], failed["failed"], failed["imported"]) == ("failed", 1, 0)
    assert "paused" in failed["failures"][0]["reason"]
    assert send(ann, NOTES, app="notes").status_code == 403
    ok(ann.put(f"/api/v1/apps/{app}", params={"is_active": True}))
    assert ok(ann.post(f"{IMPORTS}/{task['id']}/retry"))["status"] == "pending"
    work(runtime)
    assert ok(ann.get(f"{IMPORTS}/{task['id']}"))["status"] == "done"
    assert len(contents(ann)) == 4


def test_a_model_that_is_gone_meanwhile_is_said_and_nothing_is_lost(
    person: Person, runtime: Runtime, llm: ScriptedLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = person("ann")
    task = send(
        ann, zipped(conversations__json=CHATS), "export.zip", conversations="learn", conversation_ids=["c1"]
    ).json()
    with monkeypatch.context() as without:
        without.setattr(type(runtime.engine), "llm", None)
        work(runtime)
    failed = ok(ann.get(f"{IMPORTS}/{task['id']}"))
    assert (failed["status"], failed["failed"]) == ("failed", 1)
    assert "No model is configured" in failed["failures"][0]["reason"]
    llm.say(facts("Ann sails on Sundays"))
    ok(ann.post(f"{IMPORTS}/{task['id']}/retry"))
    work(runtime)
    assert contents(ann) == ["Ann sails on Sundays"]


def test_what_the_file_holds_twice_is_written_once(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    twice = ["one", "one", "two", " one "]
    assert look(ann, twice, "a.json")["duplicates"] == 2
    done = bring(ann, runtime, twice, "a.json")
    assert (done["imported"], done["duplicates"], contents(ann)) == (2, 2, ["one", "two"])


def test_an_admin_imports_for_somebody_new(door: TestClient, runtime: Runtime) -> None:
    assert look(door, NOTES, user_id="new")["duplicates"] == 0
    assert bring(door, runtime, NOTES, user_id="new")["user_id"] == "new"
    assert len(memories(door, user_id="new")) == 3


def test_a_list_of_imports_costs_as_much_with_few_and_with_many(person: Person, runtime: Runtime) -> None:
    ann = person("ann")
    costs = []
    for count in (1, 12):
        for number in range(count):
            send(ann, f"- note {count} {number}".encode())
        work(runtime)
        with statements(runtime) as seen:
            assert ok(ann.get(IMPORTS))["total"] >= count
        costs.append(len(seen))
    assert costs[0] == costs[1]
    assert costs[0] <= 8
