"""The mem0 door and its models: what an LLM's answers do, how a failing one is told, and the configuration."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from app.errors import RateLimited, StoreUnavailable, TooLarge
from app.routers.mem0.wire import Mem0Wire, unavailable
from tests.protocols.asking import API, Person, dump, ok
from tests.protocols.mem0_asking import ALICE, found, golden, listed, remember
from tests.scripted_llm import CONNECTION_CUT, Reply, ScriptedLlm, configure, decisions, facts

BERLIN = "Ann lives in Berlin"
MUNICH = "Ann lives in Munich since May 2026"
KEY = "sk-proj-abcdefghijklmnop1234"


def learn(door: TestClient, words: str = "some words", **fields: Any) -> list[tuple[str, str]]:
    """What an add with the LLM answers, as events and texts."""
    results = ok(door.post("/memories", json={"messages": words, **ALICE, **fields}))["results"]
    return [(one["event"], one["memory"]) for one in results]


def test_an_llm_adds_changes_and_takes_away(door: TestClient, llm: ScriptedLlm) -> None:
    llm.say(facts(BERLIN))
    assert learn(door, "I am Ann and live in Berlin", prompt="Places above all") == [("ADD", BERLIN)]
    assert "Places above all" in llm.prompts()[0]
    new = f"{BERLIN}, in Wedding"
    llm.say(facts(new), decisions({"fact": 1, "action": "UPDATE", "memory": 1, "text": new}))
    sent = {"messages": [{"role": "user", "content": "in Wedding"}], **ALICE}
    (result,) = ok(door.post("/memories", json=sent))["results"]
    assert (result["event"], result["memory"], result["previous_memory"]) == ("UPDATE", new, BERLIN)
    llm.say(facts(MUNICH), decisions({"fact": 1, "action": "REPLACE", "memory": 1}))
    assert learn(door, "I moved") == [("ADD", MUNICH), ("DELETE", new)]
    llm.say(facts("Ann moved away"), decisions({"fact": 1, "action": "DELETE", "memory": 1}))
    assert learn(door, "I moved away") == [("DELETE", MUNICH)]
    llm.say(facts())
    assert learn(door, "hello") == listed(door) == []


def test_as_it_is_asks_no_llm(door: TestClient, llm: ScriptedLlm) -> None:
    remember(door, BERLIN)
    assert llm.requests == []


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for between two tries."""
    monkeypatch.setattr("app.engine.llm.wait", lambda _: 0.0)


FAILURES = [
    (Reply("sk-scripted-0123456789abcdef", 401), "provider_auth_failed"),
    (Reply(status=403), "provider_auth_failed"),
    (Reply(status=429), "provider_rate_limited"),
    (Reply(status=404), "provider_bad_request"),
    (Reply(status=500), "provider_unavailable"),
    (Reply(status=CONNECTION_CUT), "provider_unavailable"),
    (Reply("{}", delay=2), "provider_timeout"),
    (Reply("I would rather not"), "unknown"),
]


@pytest.mark.one_database
@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure[1])
@pytest.mark.usefixtures("no_pause")
def test_a_failing_llm_is_told_and_what_was_sent_is_kept(
    door: TestClient, llm: ScriptedLlm, runtime: Runtime, failure: tuple[Reply, str]
) -> None:
    reply, code = failure
    if reply.delay:
        configure(runtime, llm, timeout=0.2)
    llm.default = lambda _: reply
    body: dict[str, Any] = {"messages": "my words", **ALICE}
    for path, sent in (("/memories", body), ("/generate-instructions", {"use_case": "a diary"})):
        refused = door.post(path, json=sent)
        told = refused.json()
        assert (refused.status_code, told["code"]) == (502, code), path
        assert told["request_id"] == refused.headers["X-Request-Id"]
        assert told["detail"]
        assert "sk-" not in refused.text
        assert ("event_id" in told) == (path == "/memories")
        body |= {"event_id": told.get("event_id", body.get("event_id"))}
    configure(runtime, llm, timeout=5)
    llm.default = lambda _: facts(BERLIN)
    assert ok(door.post(f"{API}/events/{body['event_id']}/retry"))["status"] == "SUCCEEDED"
    assert listed(door, user_id="alice") == [BERLIN]


def test_other_errors_in_this_protocols_shape() -> None:
    store = unavailable(StoreUnavailable("The vector store does not answer"), "id-1")
    assert store.body == {
        "detail": "The vector store does not answer",
        "code": "vector_store_unavailable",
        "request_id": "id-1",
    }
    assert (store.status, Mem0Wire().failure(TooLarge("too large")).status) == (502, 413)
    limited = Mem0Wire().failure(RateLimited("later", 0.2))
    assert (limited.status, limited.headers["Retry-After"]) == (429, "1")
    assert Mem0Wire().crash("id-2").body == {"detail": "Internal Server Error", "request_id": "id-2"}


def test_a_crash_shows_nothing(door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.services.selections.listing", lambda *_, **__: 1 / 0)
    answer = door.get("/memories", params=ALICE)
    assert (answer.status_code, answer.json()) == (
        500,
        {"detail": "Internal Server Error", "request_id": answer.headers["X-Request-Id"]},
    )


@pytest.mark.one_database
def test_instructions_for_a_use_case(door: TestClient, llm: ScriptedLlm) -> None:
    wanted = {"custom_instructions": "Keep every bird.", "test_message": "I saw a wren."}
    llm.say({**wanted, "custom_instructions": ["Keep every bird."]})
    assert ok(door.post("/generate-instructions", json={"use_case": "A diary of birds"})) == wanted
    assert "A diary of birds" in llm.prompts()[0]
    llm.say("no", wanted)
    assert ok(door.post("/generate-instructions", json={"use_case": "A diary of birds"})) == wanted
    for use_case in ("", " ", "x" * 10_001, "\x00"):
        assert door.post("/generate-instructions", json={"use_case": use_case}).status_code in (400, 413)
    assert len(llm.requests) == 3


def test_without_an_llm_there_are_no_instructions(door: TestClient) -> None:
    answer = door.post("/generate-instructions", json={"use_case": "A diary of birds"})
    assert (answer.status_code, answer.json()) == (503, {"detail": "No LLM is configured (mem0.llm)"})


def test_the_configuration_is_mem0s(door: TestClient) -> None:
    assert ok(door.get("/configure")) == golden("configure")
    assert ok(door.post("/configure", json={})) == {"message": "Configuration set successfully"}
    assert ok(door.get("/configure")) == golden("configure")
    providers = ok(door.get("/configure/providers"))
    assert providers.keys() == {"llm", "embedder"}
    assert {"openai", "ollama", "anthropic"} <= set(providers["llm"])
    assert {"openai", "ollama", "local"} <= set(providers["embedder"])


def test_what_a_body_names_is_merged(door: TestClient, runtime: Runtime) -> None:
    llm = {"provider": "openai", "config": {"model": "gpt-x", "temperature": 0.2, "api_key": KEY, "store": True}}
    sent = {"version": "v1.1", "llm": llm, "custom_instructions": "Keep names", "history_db_path": "/x", "zzz": 1}
    ok(door.post("/configure", json=sent))
    shown = ok(door.get("/configure"))
    assert shown["custom_instructions"] == "Keep names"
    assert shown["llm"]["config"]["api_key"] == "****1234"
    ok(door.post("/configure", json=shown))  # a masked secret is the one that is kept
    assert runtime.engine.in_use.llm is not None
    ok(door.post("/configure", json={"llm": {"config": {"model": "gpt-y"}}, "custom_fact_extraction_prompt": "Places"}))
    shown = ok(door.get("/configure"))
    assert (shown["llm"]["config"]["model"], shown["llm"]["config"]["store"]) == ("gpt-y", True)
    assert shown["custom_instructions"] == "Places"
    assert ok(door.get(f"{API}/config"))["openmemory"]["custom_instructions"] == "Places"
    ok(door.post("/configure", json={"llm": {"provider": "deepseek", "config": {"model": "m", "api_key": KEY}}}))
    after = ok(door.get("/configure"))["llm"]
    assert (after["provider"], "store" in after["config"]) == ("deepseek", False)
    ok(door.post("/configure", json={"llm": None, "custom_instructions": None}))
    assert ok(door.get("/configure")) == golden("configure")


REFUSED: list[dict[str, Any]] = [
    {"llm": {"provider": "nobody"}},
    {"embedder": {"provider": "nobody", "config": {}}},
    {"vector_store": {"provider": "pgvector", "config": {"host": "db"}}},
    {"llm": {"provider": "openai", "config": {"zzz": 1}}},
    {"llm": {"provider": "openai", "config": {"api_key": "****9999"}}},
    {"llm": {"provider": "openai", "config": {"api_key": KEY, "openai_base_url": "http://10.0.0.1/v1"}}},
    {"embedder": {"provider": "local", "config": {"model": "/no/such/model"}}},
    {"llm": "openai"},
    {"custom_instructions": 3},
]


@pytest.mark.one_database
@pytest.mark.parametrize("sent", REFUSED, ids=str)
def test_what_cannot_be_built_is_refused(door: TestClient, runtime: Runtime, sent: dict[str, Any]) -> None:
    remember(door, BERLIN)
    before = dump(runtime)
    refused = door.post("/configure", json=sent)
    assert refused.status_code == 400, refused.text
    assert KEY not in refused.text
    assert dump(runtime) == before
    assert found(door, "Where does Ann live?", **ALICE) == [BERLIN]


@pytest.mark.one_database
def test_a_body_that_is_no_object_is_refused(door: TestClient) -> None:
    for body in ([], "x", 3):
        assert door.post("/configure", json=body).status_code == 422


def test_the_configuration_is_the_admins(person: Person) -> None:
    ann = person("ann")
    assert ann.post("/configure", json={"custom_instructions": "mine"}).status_code == 403
    assert ann.get("/configure").status_code == 403
    ok(ann.get("/configure/providers"))
