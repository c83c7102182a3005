"""mem9's conversations: raw turns kept once, remembered, and learned from."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app.context import Runtime
from app.models import Memory, SessionMessage
from tests.protocols.asking import listed, ok, searched, shape
from tests.protocols.mem9_asking import (
    IMPORTS,
    MEMORIES,
    SESSIONS,
    Space,
    contents,
    golden,
    page,
    refused,
    say,
    turns,
    work,
)
from tests.scripted_llm import Reply, ScriptedLlm, facts


def counted(runtime: Runtime, table: type[Memory] | type[SessionMessage]) -> int:
    """How many rows there are."""
    with runtime.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_conversation_is_kept_and_remembered_without_a_model(space: Space) -> None:
    client = space("claude")
    messages = [
        {"role": "user", "content": "I moved to Lisbon last week"},
        {"role": "assistant", "content": '{"city": "Lisbon"}'},
        {"role": "tool", "content": "exit 0"},
        {"role": "user", "content": " "},
    ]
    sent = {"messages": messages, "session_id": "s1", "tags": ["move"], "sync": True}
    assert ok(client.post(MEMORIES, json=sent)) == {"status": "ok"}
    rows = ok(client.get(SESSIONS, params={"session_id": "s1"}))
    assert shape(rows) == golden("session_messages")
    recalled = page(client, q="where did I move to", memory_type="session")["memories"]
    assert (recalled[0]["content"], recalled[0]["metadata"]) == (
        "I moved to Lisbon last week",
        {"role": "user", "seq": 0, "content_type": "text"},
    )
    assert recalled[0]["id"] == rows["messages"][0]["id"]
    assert len(contents(client, memory_type="session")) == 2  # what a tool answered says nothing about anybody
    assert contents(client, q="moved last week", session_id="s1", limit=1) == ["I moved to Lisbon last week"]
    assert "I moved to Lisbon last week" in listed(client)
    assert searched(client, "moved to Lisbon")[0] == "I moved to Lisbon last week"


def test_windows_that_overlap_double_nothing(space: Space, runtime: Runtime) -> None:
    client = space()
    say(client, "one boat", "two boats")
    say(client, "two boats", "three boats")
    say(client, "one boat", "two boats", "three boats")
    assert turns(client, "s1") == ["one boat", "two boats", "three boats"]
    assert sorted(contents(client, memory_type="session")) == ["one boat", "three boats", "two boats"]
    say(client, "one boat", session="s2")
    assert turns(client, "s1", "s2") == ["one boat", "two boats", "three boats", "one boat"]
    assert counted(runtime, Memory) == counted(runtime, SessionMessage) == 4


def test_numbered_turns_that_say_the_same_are_two(space: Space) -> None:
    client = space()
    say(client, ("yes", 4), ("yes", 7))
    say(client, ("yes", 7), ("no", 8))
    assert turns(client, "s1") == ["yes", "yes", "no"]
    rows = ok(client.get(SESSIONS, params={"session_id": "s1"}))["messages"]
    assert [row["seq"] for row in rows] == [4, 7, 8]
    assert len(contents(client, memory_type="session")) == 3


def test_without_a_session_what_is_sent_again_is_known_too(space: Space, runtime: Runtime) -> None:
    client = space()
    for _ in range(2):
        say(client, "no session here", session=None)
    assert contents(client, memory_type="session") == ["no session here"]
    assert counted(runtime, SessionMessage) == 1


def test_blocks_of_memories_that_an_agent_put_in_are_not_kept(space: Space) -> None:
    client = space()
    say(client, "<relevant-memories>\nold things\n</relevant-memories>What is new?", "<memories>only</memories>")
    assert turns(client, "s1") == ["What is new?"]


@pytest.mark.parametrize("mode", ["smart", "raw"])
def test_a_model_learns_beside_the_turns_unless_they_are_raw(space: Space, llm: ScriptedLlm, mode: str) -> None:
    client = space()
    llm.say(facts("The user lives in Lisbon"))
    answer = client.post(
        MEMORIES,
        json={
            "messages": [{"role": "user", "content": "I live in Lisbon"}],
            "mode": mode,
            "session_id": "s1",
            "sync": True,
        },
    )
    assert ok(answer) == {"status": "ok"}
    learned = ["The user lives in Lisbon"] if mode == "smart" else []
    assert contents(client, memory_type="insight") == learned
    assert contents(client, memory_type="session") == turns(client, "s1") == ["I live in Lisbon"]
    assert len(llm.requests) == len(learned)


def test_a_turn_does_not_stand_in_the_way_of_the_fact_that_it_says(space: Space, llm: ScriptedLlm) -> None:
    client = space()
    llm.say(facts("Ann lives in Lisbon"), facts("Ann lives in Lisbon"))
    say(client, "Ann lives in Lisbon")
    say(client, "Ann lives in Lisbon", session="s2")
    assert contents(client, memory_type="insight") == ["Ann lives in Lisbon"]
    assert contents(client, memory_type="session") == ["Ann lives in Lisbon"] * 2


def test_what_a_failing_model_has_not_learned_is_learned_when_it_is_sent_again(
    space: Space, llm: ScriptedLlm, runtime: Runtime
) -> None:
    client = space()
    body = {"messages": [{"role": "user", "content": "I live in Lisbon"}], "session_id": "s1", "sync": True}
    llm.say(Reply(status=400))
    failed = client.post(MEMORIES, json=body)
    assert refused(failed, 500) == "ingest reconciliation failed"
    assert ok(client.get(f"/api/v1/events/{failed.json()['id']}"))["status"] == "FAILED"
    assert turns(client, "s1") == ["I live in Lisbon"]
    llm.requests.clear()
    llm.say(facts("The user lives in Lisbon"))
    assert ok(client.post(MEMORIES, json=body)) == {"status": "ok"}
    assert contents(client, memory_type="insight") == ["The user lives in Lisbon"]
    assert ok(client.post(MEMORIES, json=body)) == {"status": "ok"}  # the model is not asked about what it has seen
    assert counted(runtime, SessionMessage) == 1
    assert len(llm.requests) == 1


def test_an_accepted_conversation_waits_for_the_worker(space: Space, runtime: Runtime) -> None:
    client = space()
    sent = {"messages": [{"role": "user", "content": "later"}], "session_id": "s1"}
    answer = client.post(MEMORIES, json=sent)
    assert (answer.status_code, shape(answer.json())) == (202, golden("accepted"))
    assert turns(client, "s1") == ["later"]
    assert contents(client) == []
    work(runtime)
    assert contents(client) == ["later"]
    assert client.post(MEMORIES, json=sent).status_code == 202
    work(runtime)
    assert contents(client) == ["later"]
    empty = client.post(MEMORIES, json={"messages": [{"role": "user", "content": " "}]})
    assert (empty.status_code, empty.json()) == (202, {"status": "accepted"})


def test_a_long_conversation_is_taken_in_piece_by_piece(space: Space) -> None:
    client = space()
    say(client, *(f"turn {number} of many" for number in range(530)), session="long")
    rows = ok(client.get(SESSIONS, params={"session_id": "long", "limit_per_session": 9_999}))
    assert (rows["limit_per_session"], len(rows["messages"])) == (500, 500)
    assert [row["seq"] for row in rows["messages"]] == list(range(500))
    assert page(client, memory_type="session")["total"] == 530


def test_sessions_are_listed_by_name_each_up_to_its_limit(space: Space) -> None:
    client = space()
    for session in ("b", "a", "c"):
        say(client, *(f"{session}{number}" for number in range(3)), session=session)
    assert turns(client, "b", "a", "none", "b", limit_per_session=2) == ["a0", "a1", "b0", "b1"]
    assert ok(client.get(SESSIONS, params={"session_id": "none"})) == {"messages": [], "limit_per_session": 500}
    for query, error in (
        ({}, "session_id: at least one session_id required"),
        ({"session_id": ["", " "]}, "session_id: at least one session_id required"),
        ({"session_id": [str(n) for n in range(101)]}, "session_id: too many session_ids: maximum is 100"),
        ({"session_id": "a", "limit_per_session": "0"}, "limit_per_session: must be a positive integer"),
        ({"session_id": "a", "limit_per_session": "x"}, "limit_per_session: must be a positive integer"),
    ):
        assert refused(client.get(SESSIONS, params=query), 400) == error


def test_a_turn_is_deleted_changed_and_hidden_with_its_memory(space: Space) -> None:
    client = space("one")
    say(client, "first", "second", "third")
    ids = {row["content"]: row["id"] for row in page(client)["memories"]}
    ok(client.put(f"{MEMORIES}/{ids['second']}", json={"content": "changed"}))
    assert client.delete(f"{MEMORIES}/{ids['first']}").status_code == 204
    assert turns(client, "s1") == ["changed", "third"]
    say(client, "first")  # sent again: it was deleted, and stays so
    assert turns(client, "s1") == ["changed", "third"]
    ok(client.post("/api/v1/memories/actions/archive", json=[ids["third"]]))
    assert turns(client, "s1") == ["changed"]


def test_a_purged_turn_leaves_nothing(space: Space, door: TestClient, runtime: Runtime) -> None:
    client = space("one")
    say(client, "first", "second")
    (id,) = [row["id"] for row in page(client)["memories"] if row["content"] == "first"]
    client.delete(f"{MEMORIES}/{id}")
    ok(door.post(f"/api/v1/memories/{id}/purge"))
    assert turns(client, "s1") == ["second"]
    with runtime.database.reading() as session:
        assert session.scalars(select(SessionMessage.content)).all() == ["second"]


def test_turns_that_were_shown_are_in_the_access_log(space: Space) -> None:
    client = space("claude")
    say(client, "first")
    (id,) = [row["id"] for row in page(client)["memories"]]
    turns(client, "s1")
    log = ok(client.get(f"/api/v1/memories/{id}/access-log"))["logs"]
    assert [entry["access_type"] for entry in log] == ["session", "list"]


def test_what_an_import_of_a_session_brings_is_no_news_to_it(space: Space, runtime: Runtime) -> None:
    client = space()
    say(client, "said before")
    file = b'{"role": "user", "content": "said before"}\nnonsense\n{"role": "user", "content": "new"}\n'
    for _ in range(2):
        ok_202(
            client.post(IMPORTS, files={"file": ("s.jsonl", file)}, data={"file_type": "session", "session_id": "s1"})
        )
        work(runtime)
    assert turns(client, "s1") == ["said before", "new"]
    assert sorted(contents(client)) == ["new", "said before"]
    assert [task["status"] for task in ok(client.get(IMPORTS))["tasks"]] == ["done", "done"]


def ok_202(response: Any) -> Any:
    """The body of a 202."""
    assert response.status_code == 202, response.text
    return response.json()
