"""What an LLM's answers do to memories, asked through the door. The LLM is scripted: see tests/scripted_llm.py."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.context import Runtime
from app.models import Event, Memory, MemoryVersion, SessionMessage, State
from app.services import inference
from tests.protocols.asking import API, Person, listed, ok, remember, searched
from tests.scripted_llm import Reply, ScriptedLlm, configure, decisions, facts

BERLIN = "Ann lives in Berlin"
MUNICH = "Ann lives in Munich since May 2026"
COFFEE = "Ann likes coffee without milk"


def add(door: TestClient, said: str = "some words", **fields: Any) -> dict[str, Any]:
    """An add that succeeds."""
    answer: dict[str, Any] = ok(door.post(f"{API}/memories", json={"text": said, **fields}))
    assert answer["status"] == "SUCCEEDED"
    return answer


def events(answer: dict[str, Any]) -> list[str]:
    """What was decided."""
    return [result["event"] for result in answer["results"]]


def stored(runtime: Runtime, id: str) -> Memory:
    """A memory's row."""
    with runtime.database.reading() as session:
        return session.get_one(Memory, UUID(id))


def test_facts_are_added_with_two_calls_and_one_embedding_whatever_their_number(
    door: TestClient, llm: ScriptedLlm, encodes: list[int]
) -> None:
    remember(door, "Ben has a boat in the harbour of Kiel")
    for count in (1, 40):
        llm.requests.clear()
        encodes.clear()
        texts = [f"Ben's boat number {count} {i} lies in harbour {i}" for i in range(count)]
        llm.say(facts(*texts), decisions(*({"fact": i + 1, "action": "ADD"} for i in range(count))))
        answer = add(door, f"I have {count} boats")
        assert events(answer) == ["ADD"] * count
        assert [result["memory"] for result in answer["results"]] == texts
        assert (len(llm.requests), encodes) == (2, [count])
    assert set(texts) <= set(listed(door, size=100))


def test_without_anything_near_one_call_is_enough(door: TestClient, llm: ScriptedLlm) -> None:
    llm.say(facts(BERLIN))
    answer = add(door, "I am Ann and live in Berlin")
    assert (answer["content"], answer["inference"], len(llm.requests)) == (BERLIN, "llm", 1)
    assert searched(door, "where does Ann live") == [BERLIN]


def test_update_keeps_the_old_version(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    id = remember(door, BERLIN)["id"]
    new = "Ann lives in Berlin, in the district of Wedding"
    llm.say(facts("Ann lives in the district of Wedding"))
    llm.say(decisions({"fact": 1, "action": "UPDATE", "memory": 1, "text": new}))
    answer = add(door)
    assert (answer["id"], answer["content"], answer["version"]) == (id, new, 2)
    (result,) = answer["results"]
    assert (result["event"], result["previous_memory"], result["version"]) == ("UPDATE", BERLIN, 2)
    with runtime.database.reading() as session:
        kept = session.scalars(select(MemoryVersion).where(MemoryVersion.memory_id == UUID(id)))
        assert {version.version: version.content for version in kept} == {1: BERLIN, 2: new}
    assert searched(door, "Wedding district", mode="vector", threshold=0.3) == [new]


def test_a_contradiction_archives_the_old_one(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    old = remember(door, BERLIN)["id"]
    llm.say(facts(MUNICH), decisions({"fact": 1, "action": "REPLACE", "memory": 1}))
    answer = add(door, "I moved to Munich in May")
    assert events(answer) == ["ADD", "ARCHIVE"]
    assert answer["results"][1]["superseded_by"] == answer["id"]
    row = stored(runtime, old)
    assert (row.state, row.superseded_by) == (State.archived, UUID(answer["id"]))
    assert listed(door) == [MUNICH]


def test_delete_and_none(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    gone, stays = remember(door, COFFEE)["id"], remember(door, BERLIN)["id"]
    llm.say(facts("Ann no longer likes coffee", "Ann's home is Berlin"))
    llm.default = lambda sent: decisions(
        {"fact": 1, "action": "DELETE", "memory": number_of(sent, COFFEE)},
        {"fact": 2, "action": "NONE", "memory": number_of(sent, BERLIN)},
    )
    answer = add(door)
    assert [(r["event"], r["id"]) for r in answer["results"]] == [("DELETE", gone), ("NONE", stays)]
    assert (stored(runtime, gone).state, answer["id"]) == (State.deleted, stays)
    assert listed(door) == [BERLIN]


def number_of(sent: dict[str, Any], text: str) -> int:
    """Under which number the model was shown a memory."""
    (line,) = [line for line in sent["messages"][-1]["content"].splitlines() if line.endswith(text)]
    return int(line.split("]")[0].strip("["))


def test_the_model_sees_small_numbers_and_ages_and_no_ids(door: TestClient, llm: ScriptedLlm) -> None:
    id = remember(door, BERLIN)["id"]
    llm.say(facts(MUNICH), decisions({"fact": 1, "action": "ADD"}))
    add(door)
    asked = llm.prompts()[1]
    assert f"[1] (today) {BERLIN}" in asked
    assert id not in asked


@pytest.mark.parametrize(("action", "expected"), [("UPDATE", ["ADD"]), ("REPLACE", ["ADD"]), ("DELETE", ["NONE"])])
def test_a_pinned_memory_is_never_changed(
    door: TestClient, llm: ScriptedLlm, runtime: Runtime, action: str, expected: list[str]
) -> None:
    id = remember(door, BERLIN)["id"]
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.id == UUID(id)).values(memory_type="pinned"))
    llm.say(facts(MUNICH), decisions({"fact": 1, "action": action, "memory": 1, "text": MUNICH}))
    answer = add(door)
    assert events(answer) == expected
    assert "pinned" in answer["results"][0]["reason"]
    row = stored(runtime, id)
    assert (row.content, row.state, row.version, row.superseded_by) == (BERLIN, State.active, 1, None)
    assert f"[1] (today, pinned) {BERLIN}" in llm.prompts()[1]


@pytest.mark.parametrize(
    ("action", "expected"), [("UPDATE", "ADD"), ("DELETE", "NONE"), ("NONE", "ADD"), ("EAT", "ADD")]
)
def test_what_a_model_makes_up_is_dropped_and_noted(
    door: TestClient, llm: ScriptedLlm, action: str, expected: str
) -> None:
    remember(door, BERLIN)
    llm.say(facts(MUNICH), decisions({"fact": 1, "action": action, "memory": 77}, {"fact": 9, "action": "ADD"}))
    answer = add(door)
    assert events(answer) == [expected]
    assert answer["results"][0]["reason"].startswith("the model ")
    assert BERLIN in listed(door)


def test_a_fact_that_the_model_forgot_is_added(door: TestClient, llm: ScriptedLlm) -> None:
    remember(door, BERLIN)
    llm.say(facts(MUNICH, COFFEE), decisions({"fact": 2, "action": "ADD"}))
    assert events(add(door)) == ["ADD", "ADD"]


def test_two_facts_about_one_memory_change_it_once(door: TestClient, llm: ScriptedLlm) -> None:
    remember(door, BERLIN)
    llm.say(facts("Ann lives in Berlin Mitte", MUNICH))
    llm.say(decisions({"fact": 1, "action": "UPDATE", "memory": 1}, {"fact": 2, "action": "UPDATE", "memory": 1}))
    answer = add(door)
    assert events(answer) == ["UPDATE", "ADD"]
    assert sorted(listed(door)) == ["Ann lives in Berlin Mitte", MUNICH]


def test_duplicates_need_no_model(door: TestClient, llm: ScriptedLlm) -> None:
    ids = [remember(door, text)["id"] for text in ("I love hiking in the mountains", COFFEE)]
    llm.say(facts("I love to hike in the mountains!", COFFEE))
    answer = add(door)
    assert [(r["event"], r["id"]) for r in answer["results"]] == [("NONE", id) for id in ids]
    assert [r["reason"][:14] for r in answer["results"]] == ["near duplicate", "exact duplicate"[:14]]
    assert len(llm.requests) == 1


def test_what_differs_in_one_word_is_no_duplicate(door: TestClient) -> None:
    pairs = [
        ("My left knee hurts", "My right knee hurts"),
        ("The key is changed every 30 days", "The key is changed every 90 days"),
    ]
    for one, other in pairs:
        add(door, one)
        assert events(add(door, other)) == ["ADD"]


def test_without_an_llm_duplicates_are_left_out_and_the_receipt_says_so(door: TestClient, runtime: Runtime) -> None:
    first = add(door, "I love hiking in the mountains")
    for again, reason in ((" I love hiking in the mountains", "exact"), ("I love to hike in the mountains", "near")):
        answer = add(door, again)
        assert (answer["id"], answer["inference"], events(answer)) == (first["id"], "verbatim", ["NONE"])
        assert answer["results"][0]["reason"].startswith(reason)
    assert len(listed(door)) == 1
    assert add(door, "I love hiking in the mountains", infer=False)["id"] != first["id"]


@pytest.mark.parametrize(
    "answer",
    [
        '```json\n{"facts": [{"text": "Ann lives in Berlin"}]}\n```',
        'Here you are: {"facts": ["Ann lives in Berlin"]} I hope it helps {"x": 1}',
        '{"memory": ["Ann lives in Berlin"]}',
        '[{"text": "Ann lives in Berlin", "turns": "x", "occurred_at": 5}]',
        '<think>{"facts": []} or not?</think>{"facts": [{"fact": "Ann lives in Berlin", "turns": [99]}, 5, null, {}]}',
    ],
)
def test_answers_in_many_forms(door: TestClient, llm: ScriptedLlm, answer: str) -> None:
    llm.say(answer)
    assert add(door)["content"] == BERLIN
    assert len(llm.requests) == 1


@pytest.mark.parametrize(
    "broken", ['{"facts": [{"text": "Ann li', "I found nothing special in it.", "", '{"facts": [{}]}']
)
def test_a_broken_answer_is_asked_for_once_more(door: TestClient, llm: ScriptedLlm, broken: str) -> None:
    llm.say(broken, facts(BERLIN))
    assert add(door)["content"] == BERLIN
    assert "cannot be used" in llm.prompts()[1]


def test_a_broken_answer_twice_fails_and_keeps_what_was_sent(door: TestClient, llm: ScriptedLlm) -> None:
    llm.say("prose", "more prose")
    refused = door.post(f"{API}/memories", json={"text": "my words", "metadata": {"a": 1}})
    assert refused.status_code == 503
    body = refused.json()
    assert (body["status"], len(llm.requests)) == ("FAILED", 2)
    receipt = ok(door.get(f"{API}/events/{body['event_id']}"))
    assert (receipt["status"], receipt["results"]) == ("FAILED", [])
    assert "JSON" in receipt["error"]
    said = [{"role": "user", "content": "my words", "name": None}]
    assert receipt["input"] == {"messages": said, "metadata": {"a": 1}, "prompt": None}
    assert listed(door) == []
    llm.say(facts(BERLIN))
    retried = ok(door.post(f"{API}/events/{body['event_id']}/retry"))
    assert (retried["status"], events(retried)) == ("SUCCEEDED", ["ADD"])
    receipt = ok(door.get(f"{API}/events/{body['event_id']}"))
    assert (receipt["input"], receipt["error"], receipt["attempts"]) == (None, None, 2)
    assert receipt["results"][0]["memory"] == BERLIN
    assert door.post(f"{API}/events/{body['event_id']}/retry").status_code == 409


@pytest.mark.parametrize("passing", [Reply(status=429), Reply(status=503), Reply(status=0)])
def test_what_passes_is_tried_again(door: TestClient, llm: ScriptedLlm, passing: Reply, no_pause: None) -> None:
    llm.say(passing, passing, facts(BERLIN))
    assert add(door)["content"] == BERLIN
    assert len(llm.requests) == 3


@pytest.mark.parametrize(("status", "calls"), [(401, 1), (404, 1), (429, 3), (500, 3)])
def test_what_does_not_pass_fails_with_the_reason(
    door: TestClient, llm: ScriptedLlm, no_pause: None, status: int, calls: int
) -> None:
    llm.default = lambda _: Reply("sk-scripted-0123456789abcdef my words", status)
    refused = door.post(f"{API}/memories", json={"text": "my words"})
    assert (refused.status_code, len(llm.requests)) == (503, calls)
    assert str(status) in refused.json()["detail"]
    assert "sk-" not in refused.text
    assert "my words" not in refused.text


def test_a_server_that_knows_no_json_form_is_asked_without(door: TestClient, llm: ScriptedLlm) -> None:
    llm.default = lambda sent: Reply(status=400) if "response_format" in sent else facts(BERLIN)
    assert add(door)["content"] == BERLIN
    add(door)
    assert ["response_format" in sent for sent in llm.requests] == [True, False, False]


def test_a_slow_llm_is_not_waited_for(door: TestClient, llm: ScriptedLlm, runtime: Runtime, no_pause: None) -> None:
    configure(runtime, llm, timeout=0.2)
    llm.default = lambda _: Reply("{}", delay=2)
    refused = door.post(f"{API}/memories", json={"text": "my words"})
    assert refused.status_code == 503
    assert refused.elapsed.total_seconds() < 1.5
    assert "too long" in refused.json()["detail"]


def test_an_llm_that_is_down(door: TestClient, llm: ScriptedLlm, no_pause: None) -> None:
    llm.close()
    refused = door.post(f"{API}/memories", json={"text": "my words"})
    assert refused.status_code == 503
    assert "cannot be reached" in refused.json()["detail"]
    assert ok(door.get(f"{API}/events", params={"status": "FAILED"}))["total"] == 1


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for between two tries."""
    monkeypatch.setattr("app.engine.llm.wait", lambda _: 0.0)


def test_prompts_instructions_and_categories_are_really_sent(
    door: TestClient, llm: ScriptedLlm, runtime: Runtime
) -> None:
    configure(runtime, llm, custom_instructions="Never remember phone numbers.")
    llm.say(facts({"text": BERLIN, "categories": ["Travel", "made up"], "occurred_at": "2026-05-03"}))
    answer = add(door, prompt="Only where she lives.", metadata={"timestamp": "2026-05-08T10:00:00Z"})
    (asked,) = llm.prompts()
    for words in ("Never remember phone numbers.", "Only where she lives.", "- travel: ", "Friday, 2026-05-08 10:00"):
        assert words in asked
    assert answer["categories"] == ["travel"]
    assert answer["occurred_at"] == "2026-05-03T00:00:00Z"


def test_a_memory_says_where_it_comes_from(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    said = [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "Hello", "name": "ann"},
        {"role": "user", "content": "I live in Berlin", "name": "ann"},
        {"role": "assistant", "content": "Nice!"},
    ]
    llm.say(facts({"text": BERLIN, "turns": [2]}))
    answer = ok(door.post(f"{API}/memories", json={"messages": said, "run_id": "r1", "agent_id": "a1"}))
    one = ok(door.get(f"{API}/memories/{answer['id']}"))
    assert (one["run_id"], one["agent_id"], one["author"]) == ("r1", "a1", "ann")
    with runtime.database.reading() as session:
        turns = session.scalars(select(SessionMessage).order_by(SessionMessage.id)).all()
    assert [(turn.role, turn.content, turn.run_id) for turn in turns] == [
        (one["role"], one["content"], "r1") for one in said
    ]
    assert one["provenance"] == {
        "event_id": answer["event_id"],
        "messages": [str(turns[2].id)],
        "model": "openai:scripted",
        "prompt_version": "1",
    }
    assert "You are helpful." not in llm.prompts()[0]
    llm.say(facts())
    add(door, "And so on", run_id="r1")
    assert "I live in Berlin" in llm.prompts()[1]


def test_nothing_to_remember_is_an_honest_answer(door: TestClient, llm: ScriptedLlm) -> None:
    llm.say(facts())
    answer = add(door, "Hello there")
    assert (answer["results"], "id" in answer) == ([], False)
    assert ok(door.get(f"{API}/events/{answer['event_id']}"))["status"] == "SUCCEEDED"


BLOCKS = [
    f"<memories>\n- {COFFEE}\n</memories>\nHello there",
    f"<relevant_memories count='1'>{COFFEE}</relevant_memories>Hello there",
    f"User memories:\n- {COFFEE}\n* more\n\nHello there",
    f"## Relevant memories from earlier:\n\n1. {COFFEE}\n\nHello there",
]


@pytest.mark.parametrize("text", BLOCKS)
def test_injected_memory_blocks_are_not_learned(door: TestClient, llm: ScriptedLlm, text: str) -> None:
    llm.say(facts())
    add(door, text)
    assert COFFEE not in llm.prompts()[0]
    assert "Hello there" in llm.prompts()[0]


@pytest.mark.parametrize("text", BLOCKS)
def test_nor_without_an_llm(door: TestClient, text: str) -> None:
    assert add(door, text)["content"] == "Hello there"


def test_what_was_served_is_not_learned_again(door: TestClient, llm: ScriptedLlm, person: Person) -> None:
    id = remember(door, COFFEE)["id"]
    llm.default = lambda _: facts()
    add(door, f"My notes:\n- {COFFEE}\nI bought a boat. {COFFEE}")
    assert COFFEE in llm.prompts()[-1]  # not served yet, so it is news
    assert searched(door, "coffee") == [COFFEE]
    answer = add(door, f"My notes:\n- [2026-05-01] {COFFEE}\nI bought a boat.")
    assert (answer["results"][0]["event"], answer["results"][0]["id"]) == ("NONE", id)
    assert "served" in answer["results"][0]["reason"]
    assert COFFEE not in llm.prompts()[-1]
    assert "I bought a boat." in llm.prompts()[-1]
    calls = len(llm.requests)
    assert events(add(door, COFFEE)) == ["NONE"]
    assert len(llm.requests) == calls
    add(door, COFFEE, app="another")  # which was served nothing
    assert len(llm.requests) == calls + 1


def test_what_another_session_was_served_is_news(door: TestClient, llm: ScriptedLlm) -> None:
    remember(door, COFFEE, run_id="one")
    assert searched(door, "coffee", filters={"run_id": "one"}) == [COFFEE]
    llm.default = lambda _: facts()
    for run_id, calls in (("one", 0), ("two", 1)):
        add(door, COFFEE, run_id=run_id)
        assert len(llm.requests) == calls


def test_async_is_left_to_the_worker(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    answer = door.post(f"{API}/memories", json={"text": "I live in Berlin", "async": True})
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["results"], llm.requests) == ("PENDING", [], [])
    llm.say(facts(BERLIN))
    assert inference.perform_next(runtime)
    assert not inference.perform_next(runtime)
    assert ok(door.get(f"{API}/events/{body['event_id']}"))["status"] == "SUCCEEDED"
    assert listed(door) == [BERLIN]


def test_async_as_it_is_loses_no_row(door: TestClient, runtime: Runtime) -> None:
    for _ in range(2):
        assert door.post(f"{API}/memories", json={"text": COFFEE, "async": True, "infer": False}).status_code == 202
    while inference.perform_next(runtime):
        pass
    assert listed(door) == [COFFEE, COFFEE]


def test_retrying_all_that_failed(
    door: TestClient, llm: ScriptedLlm, runtime: Runtime, person: Person, no_pause: None
) -> None:
    llm.default = lambda _: Reply(status=401)
    for who in (door, door, person("ann")):
        assert who.post(f"{API}/memories", json={"text": "my words"}).status_code == 503
    assert ok(door.post(f"{API}/events/retry")) == {"retried": 2}
    llm.default = lambda _: facts(BERLIN)
    while inference.perform_next(runtime):
        pass
    page = ok(door.get(f"{API}/events"))
    assert sorted((one["user_id"], one["status"]) for one in page["items"]) == [
        ("admin", "SUCCEEDED"),
        ("admin", "SUCCEEDED"),
        ("ann", "FAILED"),
    ]


def test_receipts_name_memories_and_do_not_repeat_them(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    remember(door, BERLIN)
    llm.say(facts(MUNICH, COFFEE), decisions({"fact": 1, "action": "REPLACE", "memory": 1}))
    answer = add(door, "secret words")
    with runtime.database.reading() as session:
        event = session.get_one(Event, UUID(answer["event_id"]))
    assert event.input is None
    assert [(r["event"], r["version"]) for r in event.results] == [("ADD", 1), ("ARCHIVE", 2), ("ADD", 1)]
    for text in (BERLIN, MUNICH, COFFEE, "secret"):
        assert text not in str(event.results)
