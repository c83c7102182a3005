"""Purge: afterwards the text is nowhere, not in the rows and not in the database's files."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from app.context import Runtime
from app.database import now
from app.models import AccessLog, Config, Event, Memory, MemoryTally, SessionMessage
from app.services import accesses, files, purges
from tests.conftest import AsCaller
from tests.protocols.asking import API, UNKNOWN, Person, dump, listed, ok, remember, searched
from tests.protocols.test_openmemory_history import edit, history

WORD = "Zyxquorvex"  # nobody else says it
OTHER = "Brimblewick"


def purge(door: TestClient, id: str) -> dict[str, Any]:
    """Delete a memory and purge it."""
    ok(door.delete(f"{API}/memories/{id}"))
    purged: dict[str, Any] = ok(door.post(f"{API}/memories/{id}/purge"))
    return purged


def found_in_files(runtime: Runtime, word: str) -> list[str]:
    """The database's files in which the word still is, in whatever case."""
    folder = runtime.settings.data_dir
    return [path.name for path in sorted(folder.glob("commonplace.db*")) if word.lower().encode() in _bytes(path)]


def _bytes(path: Path) -> bytes:
    return path.read_bytes().lower()


def age(runtime: Runtime, id: str, days: float) -> None:
    """Have the memory be deleted so long ago."""
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.id == UUID(id)).values(deleted_at=now() - timedelta(days=days)))


def keep_for(door: TestClient, days: int | None) -> None:
    """Set `purge_after_days`."""
    ok(door.put(f"{API}/config/openmemory", json={"purge_after_days": days}))


def leave_traces(door: TestClient, runtime: Runtime, id: str) -> None:
    """Everything that may hold a text: versions, queries, receipts, raw turns."""
    edit(door, id, f"{WORD} lives in Rome now")
    searched(door, f"where does {WORD} live? {WORD} lives in Rome now", limit=5)
    searched(door, f"{WORD} lives in Rome now")
    with runtime.database.transaction() as session:
        owner = session.scalars(select(Memory.user_id).where(Memory.id == UUID(id))).one()
        said = f"{WORD} lives in Paris"
        session.add(SessionMessage(user_id=owner, role="user", content=said))
        results = [
            {"id": id, "event": "UPDATE", "version": 2, "reason": f"{WORD} moved"},
            {"id": UNKNOWN, "event": "NONE", "reason": f"nothing of {WORD}"},
        ]
        kept = {"turns": [["user", said, None]], "infer": True}
        session.add(Event(user_id=owner, kind="ADD", status="SUCCEEDED", results=results, input=kept, error=WORD))
        session.add(Event(user_id=owner, kind="ADD", status="FAILED", results=[], input=kept))


@pytest.mark.one_database  # it looks into SQLite's files
def test_after_a_purge_the_text_is_nowhere(
    door: TestClient, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for number in range(30):
        remember(door, f"note {number} of {OTHER} in Rome")
    id = remember(door, f"{WORD} lives in Paris", metadata={"about": WORD})["id"]
    leave_traces(door, runtime, id)
    assert found_in_files(runtime, WORD) != []
    removed = purge(door, id)["removed"]
    assert found_in_files(runtime, WORD) == []
    assert found_in_files(runtime, OTHER) == ["commonplace.db"]
    assert WORD.lower() not in json.dumps(dump(runtime), default=str).lower()
    logged = "".join(record.getMessage() + repr(record.__dict__) for record in caplog.records)
    assert WORD.lower() not in logged.lower()
    assert removed["memories"] == removed["messages"] == 1
    assert (removed["versions"], removed["states"], removed["receipts"]) == (3, 1, 3)
    assert (removed["queries"], removed["accesses"]) == (15, 2)


def test_what_a_split_page_left_behind_is_gone_too(door: TestClient, runtime: Runtime) -> None:
    words = [f"{WORD}{number:04d}" for number in range(150)]
    items = [{"text": f"{word} {'x ' * (number % 40)}"} for number, word in enumerate(words)]
    ids = [one["id"] for one in ok(door.post(f"{API}/memories/bulk", json={"memories": items}))["results"]]
    for id, word in list(zip(ids, words, strict=True))[::3]:
        edit(door, id, f"{word} {'and more ' * 60}")
    ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": ids}))
    assert purges.run(runtime, days=0) == len(ids)
    assert found_in_files(runtime, WORD) == []


def test_a_purged_memory_is_not_there(door: TestClient, runtime: Runtime) -> None:
    added = remember(door, f"{WORD} lives in Paris")
    id = added["id"]
    purged = purge(door, id)
    for method, path in (("GET", ""), ("GET", "/history"), ("POST", "/restore"), ("POST", "/purge")):
        assert door.request(method, f"{API}/memories/{id}{path}").status_code == 404
    assert door.post(f"{API}/events/{added['event_id']}/undo").status_code == 409
    assert door.post(f"{API}/events/{added['event_id']}/undo", json={"force": True}).status_code == 409
    assert door.post(f"{API}/events/{purged['event_id']}/undo").status_code == 409
    assert searched(door, WORD) == []
    with runtime.database.reading() as session:
        receipt = session.get_one(Event, UUID(purged["event_id"]))
        assert (receipt.kind, receipt.status, receipt.results[0]["id"]) == ("PURGE", "SUCCEEDED", id)
        assert receipt.results[0]["removed"]["versions"] == 2
        assert session.get_one(Event, UUID(added["event_id"])).results == [{"id": id, "event": "ADD", "version": 1}]
        assert session.scalar(select(func.sum(MemoryTally.count))) == 0


def test_what_others_said_is_left_alone(door: TestClient, person: Person, runtime: Runtime) -> None:
    bo = person("bo")
    said = f"{WORD} lives in Paris"
    theirs, twin = remember(bo, said), remember(door, said)
    id = remember(door, said)["id"]
    with runtime.database.transaction() as session:
        for owner in session.scalars(select(Memory.user_id).distinct()).all():
            session.add(SessionMessage(user_id=owner, role="user", content=said))
            pending = {"turns": [["user", said, None]]}
            session.add(Event(user_id=owner, kind="ADD", status="PENDING", results=[], input=pending))
    purge(door, id)
    assert listed(bo) == listed(door, user_id="admin") == [said]
    assert searched(bo, said) == searched(door, said) == [said]
    assert [len(history(who, one["id"])) for who, one in ((bo, theirs), (door, twin))] == [1, 1]
    with runtime.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SessionMessage)) == 2
        waiting = session.scalars(select(Event).where(Event.status == "PENDING")).all()
        assert [event.input["turns"] for event in waiting if event.input] == [[["user", said, None]]] * 2


def test_who_may_purge(door: TestClient, person: Person, runtime: Runtime) -> None:
    ann, agent, bo = person("ann"), person("ann", app="cursor"), person("bo", scopes=("read", "write"))
    id = remember(ann, WORD)["id"]
    assert door.post(f"{API}/memories/{id}/purge").json() == {"detail": "Only a deleted memory can be purged"}
    ok(ann.delete(f"{API}/memories/{id}"))
    for who in (ann, agent, bo):  # that a key was used is noted the first time
        ok(who.get(f"{API}/stats"))
    before = dump(runtime)
    for who in (ann, agent, bo):  # programs all
        assert who.post(f"{API}/memories/{id}/purge").status_code == 403
    assert door.post(f"{API}/memories/{id}/purge", json={"user_id": "bo"}).status_code == 404
    assert door.post(f"{API}/memories/{UNKNOWN}/purge").status_code == 404
    assert door.post(f"{API}/memories/x/purge").status_code == 422
    assert dump(runtime) == before
    ok(door.post(f"{API}/memories/{id}/purge"))


@pytest.mark.one_database  # it looks into SQLite's files
def test_the_worker_purges_what_was_deleted_long_enough_ago(door: TestClient, runtime: Runtime) -> None:
    old, new = (remember(door, f"{word} lives in Rome")["id"] for word in (WORD, OTHER))
    living = remember(door, "alive")["id"]
    for id, days in ((old, 30.1), (new, 29.9)):
        ok(door.delete(f"{API}/memories/{id}"))
        age(runtime, id, days)
    purges.sweep(runtime)
    assert len(history(door, old)) == 2, "nothing is purged unless it is configured"
    keep_for(door, 30)
    assert (purges.due(runtime), purges.due(runtime, 0)) == (1, 2)
    purges.sweep(runtime)
    assert door.get(f"{API}/memories/{old}/history").status_code == 404
    assert len(history(door, new)) == 2
    assert (found_in_files(runtime, WORD), found_in_files(runtime, OTHER)) == ([], ["commonplace.db"])
    age(runtime, new, 31)
    purges.sweep(runtime)
    assert len(history(door, new)) == 2, "once a day is enough"
    with runtime.database.transaction() as session:
        session.merge(Config(key=purges.KEY, value={"ran_at": (now() - timedelta(hours=25)).isoformat()}))
    purges.sweep(runtime)
    assert door.get(f"{API}/memories/{new}/history").status_code == 404
    assert len(history(door, living)) == 1


@pytest.fixture
def reader(runtime: Runtime) -> Iterator[sqlite3.Connection]:
    """Somebody who reads the database file for long."""
    connection = sqlite3.connect(runtime.settings.data_dir / "commonplace.db", isolation_level=None)
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM memories").fetchone()
    yield connection
    connection.close()


@pytest.mark.one_database  # it looks into SQLite's files
def test_files_that_are_being_read_are_cleaned_later(
    door: TestClient, runtime: Runtime, reader: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PATIENCE", 0.1)
    purge(door, remember(door, f"{WORD} lives in Paris")["id"])
    assert found_in_files(runtime, WORD) != []
    reader.execute("ROLLBACK")
    purges.sweep(runtime)
    assert found_in_files(runtime, WORD) == []


def test_a_query_keeps_that_it_was_asked(door: TestClient, runtime: Runtime, ctx: AsCaller) -> None:
    kept = remember(door, "We fly to Rome")["id"]
    id = remember(door, f"{WORD} flies to Rome")["id"]
    searched(door, f"{WORD} flies to Rome")
    searched(door, "Rome")
    accesses.spread(runtime)
    purge(door, id)
    with runtime.database.reading() as session:
        rows = session.execute(select(AccessLog.memory_id, AccessLog.metadata_).order_by(AccessLog.accessed_at)).all()
    assert [tuple(row) for row in rows] == [(UUID(kept), {}), (UUID(kept), {"query": "Rome"})]


def learn(runtime: Runtime, ids: list[str], turns: list[str], event: str = "ADD") -> None:
    """Raw turns and a receipt, as an add leaves them that learned these memories from them."""
    when = now()
    with runtime.database.transaction() as session:
        memory = session.scalars(select(Memory).where(Memory.id == UUID(ids[0]))).one()
        whose = {"user_id": memory.user_id, "app_id": memory.app_id, "created_at": when}
        session.add_all([SessionMessage(**whose, run_id="s1", role="user", content=turn) for turn in turns])
        results = [{"id": id, "event": event, "version": 1} for id in ids]
        session.add(Event(**whose, kind="ADD", status="SUCCEEDED", results=results))


@pytest.mark.one_database  # it looks into SQLite's files
def test_raw_turns_go_with_the_last_memory_that_was_learned_from_them(door: TestClient, runtime: Runtime) -> None:
    one, two, three = (remember(door, f"fact {number}")["id"] for number in range(3))
    learn(runtime, [one, two], [f"{WORD} told me a fact, and another", "well"])
    learn(runtime, [two], [f"{WORD} says that it is otherwise"], "UPDATE")
    learn(runtime, [three], [f"{OTHER} told me something"])
    learn(runtime, [one], [f"{OTHER} told me what I know"], "NONE")
    assert purge(door, one)["removed"]["messages"] == 0
    assert found_in_files(runtime, WORD) != []
    assert purge(door, two)["removed"]["messages"] == 3
    assert found_in_files(runtime, WORD) == []
    with runtime.database.reading() as session:
        kept = session.scalars(select(SessionMessage.content)).all()
    assert sorted(kept) == [f"{OTHER} told me something", f"{OTHER} told me what I know"]
