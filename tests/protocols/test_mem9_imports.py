"""mem9's imports: files of memories and of sessions, in pieces that no crash loses or doubles."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.context import Runtime
from app.models import Event
from app.services import imports, inference
from tests.protocols.asking import UNKNOWN, Person, ok, shape
from tests.protocols.mem9_asking import (
    IMPORTS,
    MEMORIES,
    Space,
    contents,
    golden,
    key_of,
    page,
    refused,
    turns,
    work,
)
from tests.scripted_llm import Reply, ScriptedLlm, facts

LEARNED = ("The user has many boats", "Bread costs three euros", "Ann was born in 1980")


def upload(client: TestClient, held: Any, kind: str = "memory", name: str = "memory.json", **fields: str) -> Any:
    """Send a file in; the answer."""
    file = held if isinstance(held, bytes) else json.dumps(held).encode()
    return client.post(IMPORTS, files={"file": (name, file)}, data={"file_type": kind, **fields})


def done(client: TestClient, runtime: Runtime, *sent: Any, **fields: str) -> dict[str, Any]:
    """Send a file in, have all of it done, and look."""
    answer = upload(client, *sent, **fields)
    assert (answer.status_code, shape(answer.json())) == (202, golden("import"))
    work(runtime)
    task: dict[str, Any] = ok(client.get(f"{IMPORTS}/{answer.json()['id']}"))
    return task


def test_memories_are_stored_as_they_are_in_pieces_of_a_hundred(space: Space, runtime: Runtime) -> None:
    client = space("claude")
    items: list[Any] = [{"content": f"note {number}"} for number in range(249)]
    items.append({"content": "a rule", "memory_type": "pinned", "tags": ["t"], "source": "old", "metadata": {"k": 1}})
    sent = upload(client, {"memories": items}, agent_id="importer").json()["id"]
    assert ok(client.get(f"{IMPORTS}/{sent}")) == {
        "id": sent, "file": "memory.json", "status": "pending", "total": 3, "done": 0,
    }  # fmt: skip
    assert ok(client.get(IMPORTS))["status"] == "processing"
    assert inference.perform_next(runtime)
    assert ok(client.get(f"{IMPORTS}/{sent}")) == {
        "id": sent, "file": "memory.json", "status": "processing", "total": 3, "done": 1,
    }  # fmt: skip
    work(runtime)
    assert shape(ok(client.get(IMPORTS))) == golden("imports")
    assert page(client)["total"] == 250
    (rule,) = page(client, memory_type="pinned")["memories"]
    assert (rule["tags"], rule["source"], rule["metadata"], rule["agent_id"]) == (["t"], "old", {"k": 1}, "importer")
    assert contents(client, q="rule", tags="t") == ["a rule"]
    assert done(client, runtime, {"memories": items})["status"] == "done"
    assert page(client)["total"] == 250  # once more adds nothing


def test_anything_else_is_one_memory_as_it_is_written(space: Space, runtime: Runtime) -> None:
    client = space()
    for text in ("# Notes\n\nWe sail on Sundays.", '["a", "list"]', '{"other": 1}'):
        assert done(client, runtime, text.encode(), name="notes.md")["total"] == 1
    assert "# Notes\n\nWe sail on Sundays." in contents(client)
    assert page(client)["total"] == 3


@pytest.mark.parametrize("form", ["object", "lines", "openclaw"])
def test_sessions_come_in_every_form(space: Space, runtime: Runtime, form: str) -> None:
    client = space()
    messages: list[Any] = [
        {"role": "user", "content": "I sail on Sundays"},
        {"role": "assistant", "content": [{"type": "text", "text": "Nice"}]},
    ]
    lines: list[Any] = ["no json", *map(json.dumps, messages), '{"type": "x"}', "[1]"]
    if form == "openclaw":
        lines = [json.dumps({"type": "message", "message": message}) for message in messages]
    file = {"session_id": "own", "agent_id": "other", "messages": messages} if form == "object" else None
    sent = json.dumps(file).encode() if file else "\n".join(lines).encode()
    task = done(client, runtime, sent, "session", session_id="ses-001", agent_id="claude")
    assert (task["status"], task["total"], task["done"]) == ("done", 1, 1)
    session = "own" if form == "object" else "ses-001"
    assert turns(client, session) == ["I sail on Sundays", "Nice"]
    (memory,) = page(client, session_id=session, q="sail", limit=1)["memories"]
    assert (memory["memory_type"], memory["agent_id"]) == ("session", "other" if form == "object" else "claude")


def test_a_long_session_is_learned_from_fifty_messages_at_a_time(
    space: Space, runtime: Runtime, llm: ScriptedLlm
) -> None:
    client = space()
    lines = b"\n".join(json.dumps({"role": "user", "content": f"boat {n}"}).encode() for n in range(120))
    llm.say(*map(facts, LEARNED))
    task = done(client, runtime, lines, "session", "s.jsonl", session_id="s1")
    assert (task["status"], task["total"], task["done"]) == ("done", 3, 3)
    assert set(contents(client, memory_type="insight")) == set(LEARNED)
    assert turns(client, "s1") == [f"boat {number}" for number in range(120)]


@pytest.mark.parametrize(
    ("kind", "held", "reason"),
    [
        ("session", b"not a message", "parse session file: no valid messages found in file"),
        ("session", b"\xff\xfe", "parse session file: not UTF-8 text"),
        ("session", {"messages": [{"role": "r" * 40, "content": "a"}]}, "parse session file: messages[0].role: must"),
        ("memory", b"  ", "parse memory file: The text is empty"),
        ("memory", {"memories": []}, "parse memory file: no memories found in file"),
        ("memory", {"memories": [{"content": "a"}, 7]}, "parse memory file: memories[1].content: must be a text"),
        ("memory", {"memories": [{"content": "a" * 50_001}]}, "parse memory file: memories[0].content: too long"),
        ("memory", {"memories": [{"content": "a", "tags": "b"}]}, "parse memory file: memories[0].tags: must be"),
        ("memory", {"memories": [{"content": "a", "memory_type": 7}]}, "parse memory file: memories[0].memory_type: "),
        ("memory", {"memories": [{"content": "a", "source": 7}]}, "parse memory file: memories[0].source: must be"),
        ("memory", {"memories": [{"content": "a", "session_id": [1]}]}, "parse memory file: memories[0].session_id: "),
        ("memory", b"[" * 100_000, "parse memory file: nested too deeply"),
    ],
)
@pytest.mark.one_database
def test_a_file_that_cannot_be_stored_fails_as_a_whole_and_says_why(
    space: Space, runtime: Runtime, kind: str, held: Any, reason: str
) -> None:
    client = space()
    task = done(client, runtime, held, kind)
    assert (task["status"], task["total"], task["done"]) == ("failed", 0, 0)
    assert task["error"].startswith(reason)
    assert contents(client) == []
    assert ok(client.get(IMPORTS))["status"] == "partial"


@pytest.mark.one_database
def test_what_is_no_upload_is_refused(space: Space, monkeypatch: pytest.MonkeyPatch) -> None:
    client = space()
    file = {"file": ("a.json", b"{}")}
    assert refused(client.post(IMPORTS, data={"file_type": "memory"}), 400) == "file: file required"
    for kind in ({}, {"file_type": "other"}):
        assert refused(client.post(IMPORTS, files=file, data=kind), 400) == "file_type: must be session or memory"
    for name in ("a/b", "a\\b", ".."):
        sent = client.post(IMPORTS, files=file, data={"file_type": "memory", "agent_id": name})
        assert refused(sent, 400) == "agent_id: invalid characters in agent_id"
    broken = client.post(IMPORTS, content=b"--x", headers={"Content-Type": "multipart/form-data; boundary=y"})
    assert refused(broken, 400)
    monkeypatch.setattr(imports, "MAX_BYTES", 1_000)
    large = client.post(IMPORTS, files={"file": ("a.json", b"x" * 2_000)}, data={"file_type": "memory"})
    assert refused(large, 400) == "invalid multipart form or file too large: more than 1000 bytes"
    assert refused(client.get(f"{IMPORTS}/{UNKNOWN}"), 404) == "not found"
    assert refused(client.get(f"{IMPORTS}/no-uuid"), 404) == "not found"
    assert ok(client.get(IMPORTS)) == {"status": "empty", "tasks": []}


def test_a_piece_that_a_dead_worker_had_is_done_by_another(space: Space, runtime: Runtime) -> None:
    client = space()
    sent = upload(client, {"memories": [{"content": f"note {n}"} for n in range(150)]}).json()["id"]
    with runtime.database.transaction() as session:
        first = session.scalars(select(Event.id).where(Event.import_id.is_not(None)).order_by(Event.created_at)).first()
        session.execute(update(Event).where(Event.id == first).values(status="RUNNING", attempts=1, leased_until=None))
    assert ok(client.get(f"{IMPORTS}/{sent}"))["status"] == "processing"
    work(runtime)
    assert ok(client.get(f"{IMPORTS}/{sent}"))["status"] == "done"
    assert page(client)["total"] == 150


def test_a_piece_that_fails_is_told_and_can_be_tried_again(space: Space, runtime: Runtime, llm: ScriptedLlm) -> None:
    client = space()
    llm.default = lambda _: Reply(status=401)
    task = done(client, runtime, b'{"role": "user", "content": "I sail"}', "session", session_id="s1")
    assert (task["status"], task["done"]) == ("failed", 0)
    assert "LLM" in task["error"]
    llm.default = None
    llm.say(facts("The user sails"))
    (failed,) = ok(client.get("/api/v1/events", params={"status": "FAILED"}))["items"]
    ok(client.post(f"/api/v1/events/{failed['id']}/retry"))
    assert ok(client.get(f"{IMPORTS}/{task['id']}"))["status"] == "done"
    assert contents(client, memory_type="insight") == ["The user sails"]


def test_an_add_does_not_wait_behind_an_import(space: Space, runtime: Runtime) -> None:
    client = space()
    upload(client, {"memories": [{"content": f"note {n}"} for n in range(150)]})
    client.post(MEMORIES, json={"content": "somebody waits for this"})
    assert inference.perform_next(runtime)
    assert contents(client) == ["somebody waits for this"]


def test_imports_are_each_spaces_own(space: Space, person: Person, runtime: Runtime) -> None:
    ann, ben = space("one"), space("one")
    task = done(ann, runtime, {"memories": [{"content": "a"}]})
    assert ok(ben.get(IMPORTS)) == {"status": "empty", "tasks": []}
    assert refused(ben.get(f"{IMPORTS}/{task['id']}"), 404) == "not found"
    owner = ok(ann.get("/api/v1/memories"))["items"][0]["app_name"]
    assert owner == "one"
    assert len(ok(space(key=key_of(ann)).get(IMPORTS))["tasks"]) == 1
    bound = person("carl", app="other")
    alone = space(key=bound.headers["Authorization"].removeprefix("Bearer "))
    assert ok(alone.get(IMPORTS))["tasks"] == []
