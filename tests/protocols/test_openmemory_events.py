"""Receipts: whose they are, how they are found, what they cost."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from app.models import AccessControl
from tests.protocols.asking import API, UNKNOWN, Person, ok, remember, statements
from tests.scripted_llm import Reply, ScriptedLlm, decisions, facts


def receipts(door: TestClient, **query: Any) -> list[dict[str, Any]]:
    """A page of receipts."""
    items: list[dict[str, Any]] = ok(door.get(f"{API}/events", params=query))["items"]
    return items


def failed(door: TestClient, **fields: Any) -> str:
    """The receipt of an add that failed."""
    answer = door.post(f"{API}/memories", json={"text": "my secret words", **fields})
    assert answer.status_code == 503
    return str(answer.json()["event_id"])


@pytest.fixture
def broken(llm: ScriptedLlm) -> ScriptedLlm:
    """An LLM that refuses everything."""
    llm.default = lambda _: Reply(status=401)
    return llm


def test_another_s_receipt_is_no_receipt(person: Person, broken: ScriptedLlm) -> None:
    ann, bo = person("ann"), person("bo")
    id = failed(ann)
    for method, path in (("GET", "/events/{}"), ("POST", "/events/{}/retry")):
        theirs = bo.request(method, f"{API}{path.format(id)}")
        nobody_s = bo.request(method, f"{API}{path.format(UNKNOWN)}")
        assert (theirs.status_code, theirs.json()) == (404, nobody_s.json())
    assert receipts(bo) == []
    assert bo.get(f"{API}/events", params={"user_id": "ann"}).status_code == 404
    assert bo.post(f"{API}/events/retry", params={"user_id": "ann"}).status_code == 404
    assert ok(bo.post(f"{API}/events/retry")) == {"retried": 0}
    assert [one["status"] for one in receipts(ann)] == ["FAILED"]


def test_the_admin_sees_everybody_s(door: TestClient, person: Person, broken: ScriptedLlm) -> None:
    failed(person("ann"))
    failed(person("bo"))
    assert [one["user_id"] for one in receipts(door)] == ["bo", "ann"]
    assert [one["user_id"] for one in receipts(door, user_id="ann")] == ["ann"]
    assert ok(door.post(f"{API}/events/retry")) == {"retried": 0}
    assert ok(door.post(f"{API}/events/retry", params={"user_id": "ann"})) == {"retried": 1}


def test_a_bound_key_sees_its_app_s(door: TestClient, person: Person) -> None:
    free, bound = person("ann"), person("ann", app="notes")
    hidden = remember(free, "We fly to Rome", app="vault")["event_id"]
    own = remember(bound, "We fly to Oslo")["event_id"]
    assert [one["id"] for one in receipts(bound)] == [own]
    assert bound.get(f"{API}/events/{hidden}").status_code == 404
    assert [one["id"] for one in receipts(free)] == [own, hidden]


def test_filters(door: TestClient, broken: ScriptedLlm) -> None:
    done = remember(door, "We fly to Rome", app="notes")["event_id"]
    id = failed(door, app="vault")
    assert [one["id"] for one in receipts(door, status="FAILED")] == [id]
    assert [one["id"] for one in receipts(door, app="notes")] == [done]
    assert [one["id"] for one in receipts(door, kind="ADD", size=1)] == [id]
    assert [one["id"] for one in receipts(door, kind="ADD", size=1, page=2)] == [done]
    assert receipts(door, kind="NOTHING") == receipts(door, to_date="2020-01-01") == []
    assert door.get(f"{API}/events", params={"from_date": "2026-02-01", "to_date": "2026-01-01"}).status_code == 400
    assert door.get(f"{API}/events", params={"status": "SLEEPING"}).status_code == 422


def test_a_list_does_not_show_what_was_sent(door: TestClient, broken: ScriptedLlm) -> None:
    failed(door)
    answer = door.get(f"{API}/events")
    assert "secret words" not in answer.text
    assert "sk-" not in answer.text


def test_what_is_gone_is_not_told_by_its_receipt(door: TestClient) -> None:
    made = remember(door, "We fly to Rome")
    path = f"{API}/events/{made['event_id']}"
    assert ok(door.get(path))["results"] == [
        {"id": made["id"], "memory": "We fly to Rome", "event": "ADD", "version": 1}
    ]
    ok(door.delete(f"{API}/memories/{made['id']}"))
    assert ok(door.get(path))["results"] == [{"id": made["id"], "event": "ADD", "version": 1}]


def test_a_list_costs_the_same_for_few_and_for_many(door: TestClient, runtime: Runtime) -> None:
    costs = []
    for count in (3, 40):
        for i in range(count):
            remember(door, f"We fly to town {i}")
        one = receipts(door)[0]["id"]
        for path in ("/events?size=100", f"/events/{one}"):
            with statements(runtime) as seen:
                ok(door.get(f"{API}{path}"))
            costs.append(len(seen))
    assert costs[:2] == costs[2:]
    assert max(costs) <= 6


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": None},
        {"text": "x", "messages": [{"role": "user", "content": "x"}]},
        {"messages": []},
        {"messages": [{"role": "", "content": "x"}]},
        {"messages": [{"content": "x"}]},
        {"messages": [{"role": "user", "content": 5}]},
        {"text": "x", "prompt": "p" * 20_001},
        {"text": "x", "run_id": ""},
        {"text": "x", "async": "perhaps"},
    ],
)
def test_what_is_no_add(door: TestClient, body: dict[str, Any]) -> None:
    assert door.post(f"{API}/memories", json=body).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{"role": "user", "content": "  "}]},
        {"messages": [{"role": "user", "content": "a\x00b"}]},
        {"text": "x", "prompt": "a\x00b"},
    ],
)
def test_what_says_nothing(door: TestClient, body: dict[str, Any]) -> None:
    assert door.post(f"{API}/memories", json=body).status_code == 400


def test_messages_without_a_model_are_kept_word_for_word(door: TestClient) -> None:
    said = [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": "I live in Berlin", "name": "ann"},
        {"role": "assistant", "content": "A fine city"},
    ]
    for infer in (True, False):
        answer = ok(door.post(f"{API}/memories", json={"messages": said, "infer": infer, "run_id": f"r{infer}"}))
        assert [one["memory"] for one in answer["results"]] == ["I live in Berlin", "A fine city"]
        assert [one["event"] for one in answer["results"]] == (["ADD", "ADD"])
        for one in answer["results"]:
            ok(door.delete(f"{API}/memories/{one['id']}"))


def test_bulk_with_infer_leaves_duplicates_out(door: TestClient, llm: ScriptedLlm) -> None:
    known = remember(door, "We fly to Rome")["id"]
    items = [{"text": text} for text in ("We fly to Rome", "We fly to Oslo", "We fly to Oslo")]
    answer = ok(door.post(f"{API}/memories/bulk", json={"infer": True, "memories": items}))
    assert [(one["index"], one["status"], one["event"]) for one in answer["results"]] == [
        (0, "duplicate", "NONE"),
        (1, "created", "ADD"),
        (2, "duplicate", "NONE"),
    ]
    assert (answer["results"][0]["id"], answer["inference"], llm.requests) == (known, "verbatim", [])


def test_an_app_s_rules_bind_the_model_too(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    hidden, shown = (remember(door, text) for text in ("Ann lives in Berlin", "Ann works in Berlin"))
    with runtime.database.transaction() as session:
        rule = {"subject_type": "app", "subject_id": UUID(hidden["app_id"]), "object_type": "memory", "effect": "deny"}
        session.add(AccessControl(**rule, object_id=UUID(hidden["id"])))
    llm.say(facts("Ann lives in Munich", "Ann lives in Berlin"))
    llm.default = lambda _: decisions({"fact": 1, "action": "DELETE", "memory": 2}, {"fact": 2, "action": "ADD"})
    answer = ok(door.post(f"{API}/memories", json={"text": "x"}))
    known = llm.prompts()[1].split("New facts:")[0]
    assert shown["text"] in known
    assert hidden["text"] not in known
    # Nor is what the app may not see told to it as the duplicate of what it says.
    assert [one["event"] for one in answer["results"]] == ["NONE", "ADD"]
    assert hidden["id"] not in str(answer)


def test_a_paused_app_asks_no_model(door: TestClient, llm: ScriptedLlm) -> None:
    app_id = remember(door, "Ann lives in Berlin", app="vault")["app_id"]
    ok(door.put(f"{API}/apps/{app_id}", params={"is_active": False}))
    assert door.post(f"{API}/memories", json={"text": "x", "app": "vault"}).status_code == 403
    assert (llm.requests, receipts(door, status="FAILED")) == ([], [])
