"""What an LLM decided, undone and purged through the door. The LLM is scripted: see tests/scripted_llm.py."""

from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.context import Runtime
from app.models import Memory, SessionMessage
from tests.protocols.asking import API, listed, ok, remember
from tests.protocols.test_inference import BERLIN, COFFEE, MUNICH, add
from tests.protocols.test_openmemory_history import undo
from tests.protocols.test_openmemory_purge import OTHER, WORD, found_in_files, purge
from tests.scripted_llm import ScriptedLlm, decisions, facts


def test_an_undo_takes_back_what_the_model_decided(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    old = remember(door, BERLIN)["id"]
    llm.say(facts(MUNICH), decisions({"fact": 1, "action": "REPLACE", "memory": 1}))
    answer = add(door, "I moved to Munich in May", metadata={"expires_at": "2999-01-01"})
    assert answer["expires_at"] == "2999-01-02T00:00:00Z"
    done = undo(door, answer["event_id"])
    assert sorted(result["event"] for result in done["results"]) == ["DELETE", "RESTORE"]
    assert listed(door) == [BERLIN]
    with runtime.database.reading() as session:
        assert session.get_one(Memory, UUID(old)).superseded_by is None
    undo(door, done["event_id"])
    assert listed(door) == [MUNICH]
    shown = ok(door.get(f"{API}/events"))["items"]
    assert [(one["kind"], one["undoes"]) for one in shown[:3]] == [
        ("UNDO", done["event_id"]), ("UNDO", answer["event_id"]), ("ADD", None)
    ]  # fmt: skip


@pytest.mark.one_database  # it looks into SQLite's files
def test_the_raw_turns_go_with_what_was_learned_from_them(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    said = [f"My neighbour is called {WORD}, by the way", f"and {OTHER} brings me coffee"]
    learned = {"facts": [{"text": f"Ann's neighbour is {WORD}", "turns": [1]}, {"text": COFFEE, "turns": [2]}]}
    llm.say(learned)
    messages = [{"role": "user", "content": text} for text in said]
    answer = door.post(f"{API}/memories", json={"messages": messages, "run_id": "s1"}).json()
    first, second = (result["id"] for result in answer["results"] if result["event"] == "ADD")
    assert purge(door, first)["removed"]["messages"] == 1
    assert (found_in_files(runtime, WORD), found_in_files(runtime, OTHER)) == ([], ["commonplace.db"])
    assert purge(door, second)["removed"]["messages"] == 1
    assert found_in_files(runtime, OTHER) == []
    with runtime.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(SessionMessage)) == 0
