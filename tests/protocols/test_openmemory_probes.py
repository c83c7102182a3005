"""/config/test, /config/schema, /config/providers, /index/rebuild. The LLM is scripted, over real HTTP; the embedder
and the stores are real."""

import logging
import os
import socket
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from app.engine import probing
from app.engine.sync import sync_all
from app.models import Config
from app.services import indexes
from tests.protocols.asking import API, Person, dump, ok, remember, statements
from tests.scripted_llm import CONNECTION_CUT, Reply, ScriptedLlm

TEST = f"{API}/config/test"
KEY = "sk-typed-0123456789abcdef"

Json = dict[str, Any]
Section = Callable[..., Json]


@pytest.fixture
def openai(scripted: ScriptedLlm, runtime: Runtime) -> Section:
    """A section that leads to the scripted LLM."""
    runtime.settings.allowed_provider_hosts = ["127.0.0.1"]

    def section(**config: Any) -> Json:
        return {
            "provider": "openai",
            "config": {"model": "scripted", "api_key": KEY, "openai_base_url": scripted.url, **config},
        }

    return section


def tried(door: TestClient, name: str, section: Json) -> Json:
    answer: Json = ok(door.post(TEST, json={"name": name, "section": section}))
    return answer


def refused(door: TestClient, name: str, section: Json) -> str:
    answer = tried(door, name, section)
    assert (answer["ok"], answer["milliseconds"]) == (False, None)
    return str(answer["detail"])


def dead_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


# An LLM


def test_an_llm_answers(door: TestClient, openai: Section, scripted: ScriptedLlm) -> None:
    scripted.say("Hello there, my dear friend!")
    answer = tried(door, "llm", openai())
    assert answer["ok"] is True
    assert (answer["model"], answer["answer"]) == ("openai:scripted", "Hello there, my dear friend!")
    assert answer["milliseconds"] > 0
    assert scripted.requests[0]["model"] == "scripted"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("Incorrect API key", status=401), "status 401: scripted Incorrect API key"),
        (Reply("no such model", status=404), "status 404: scripted no such model"),
        (Reply("later", status=503), "status 503: scripted later"),
        (Reply(status=CONNECTION_CUT), "cannot be reached"),
        (Reply(""), "nothing at all"),
    ],
)
def test_what_the_provider_refuses_is_told_in_its_words(
    door: TestClient, openai: Section, scripted: ScriptedLlm, reply: Reply, said: str
) -> None:
    scripted.say(reply)
    assert said in refused(door, "llm", openai())
    assert len(scripted.requests) == 1  # one real call, not three


def test_a_dead_port_is_told(door: TestClient, openai: Section) -> None:
    url = f"http://127.0.0.1:{dead_port()}/v1"
    for name in ("llm", "embedder"):
        assert "cannot be reached" in refused(door, name, openai(openai_base_url=url))
    assert "cannot be reached" in refused(door, "vector_store", {"provider": "qdrant", "config": {"url": url}})


@pytest.mark.parametrize(
    ("name", "section", "said"),
    [
        ("llm", {"provider": "ollama", "config": {}}, "ALLOWED_PROVIDER_HOSTS"),
        ("llm", {"provider": "openai", "config": {"openai_base_url": "http://10.0.0.1"}}, "ALLOWED_PROVIDER_HOSTS"),
        ("llm", {"provider": "groq", "config": {"api_key": KEY}}, "groq"),
        ("llm", {"provider": "openai", "config": {"api_key": "env:SURELY_UNSET_API_KEY"}}, "SURELY_UNSET_API_KEY"),
        ("llm", {"provider": "openai", "config": {"api_key": "env:JWT_SECRET"}}, "JWT_SECRET"),
        ("llm", {"provider": "openai", "config": {"api_key": "****9999"}}, "enter it again"),
        ("llm", {"provider": "skynet"}, "skynet"),
        ("llm", {"provider": None}, "No provider"),
        ("llm", {"provider": "openai", "config": {"temperature": 9}}, "temperature"),
        ("embedder", {"provider": "fastembed"}, "fastembed"),
        ("embedder", {"provider": "local", "config": {"model": "/nowhere"}}, "/nowhere"),
        ("vector_store", {"provider": "milvus", "config": {"url": "http://10.0.0.1"}}, "ALLOWED_PROVIDER_HOSTS"),
        ("vector_store", {"provider": "weaviate", "config": {}}, "weaviate"),
        ("reranker", {"provider": None}, "No provider"),
        ("reranker", {"provider": "cohere", "config": {"api_key": KEY}}, "cohere"),
    ],
)
@pytest.mark.one_database
def test_what_saving_would_refuse_is_told_the_same_way(door: TestClient, name: str, section: Json, said: str) -> None:
    told = refused(door, name, section)
    assert said in told
    assert KEY not in told


def test_a_host_that_is_slow_is_not_waited_for(
    door: TestClient, openai: Section, scripted: ScriptedLlm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "SECONDS", 0.3)
    scripted.say(Reply("late", delay=1.0))
    # Who stops waiting first is a matter of milliseconds: the client, or whoever waits for it.
    assert refused(door, "llm", openai()) in {"It took too long", "It did not answer within 0.3 seconds"}


def test_few_are_tried_at_once(door: TestClient, runtime: Runtime, openai: Section) -> None:
    for _ in range(probing.AT_WORK):
        runtime.engine._prober._free.acquire()
    assert "other tests" in refused(door, "llm", openai())


def test_no_transaction_is_open_meanwhile(
    door: TestClient, openai: Section, scripted: ScriptedLlm, runtime: Runtime
) -> None:
    def write(_: Json) -> str:
        with runtime.database.transaction() as session:  # would wait for a lock, and a pool's last connection
            session.add(Config(key="meanwhile", value={}))
        return f"{runtime.database.engine.pool.checkedout()} connections are in use"  # type: ignore[attr-defined]

    scripted.default = write
    assert tried(door, "llm", openai())["answer"] == "0 connections are in use"


# Secrets


def test_a_masked_secret_is_the_one_that_is_kept(door: TestClient, openai: Section, scripted: ScriptedLlm) -> None:
    ok(door.patch(f"{API}/config", json={"mem0": {"llm": openai()}}))
    masked = ok(door.get(f"{API}/config"))["mem0"]["llm"]
    assert masked["config"]["api_key"] != KEY
    scripted.say("It is me")
    assert tried(door, "llm", masked)["ok"] is True
    masked["config"]["openai_base_url"] = "http://127.0.0.1:1/elsewhere"
    assert "enter the secret again" in refused(door, "llm", masked)
    assert len(scripted.requests) == 1


@pytest.mark.parametrize("status", [200, 401])
def test_secrets_are_never_in_the_answer(
    door: TestClient,
    openai: Section,
    scripted: ScriptedLlm,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("OTHER_API_KEY", "other-0123456789")
    monkeypatch.setenv("NAMED_API_KEY", "named-0123456789")
    # A secret is what goes to this provider, and what its client might take from the environment instead.
    sent = {KEY: [KEY, "named-", "other-"], "env:NAMED_API_KEY": ["named-", "other-"]}
    for key in sent:
        scripted.say(Reply(f"you sent {KEY} named-0123456789 other-0123456789", status=status))
        answer = door.post(TEST, json={"name": "llm", "section": openai(api_key=key)}).text
        assert "you sent" in answer
        assert all(secret not in answer for secret in sent[key])
    assert "0123456789" not in caplog.text


# The others


def test_an_embedder_embeds(door: TestClient) -> None:
    answer = tried(door, "embedder", {"provider": "local", "config": {}})
    assert (answer["ok"], answer["model"], answer["dimensions"]) == (True, "local:default", 384)


@pytest.mark.parametrize("provider", ["database", "qdrant", "chroma"])
def test_a_store_keeps_finds_and_forgets(door: TestClient, runtime: Runtime, provider: str) -> None:
    remember(door, "what is there stays")
    before, files = dump(runtime), set(os.listdir(runtime.settings.data_dir))
    answer = tried(door, "vector_store", {"provider": provider, "config": {}})
    assert (answer["ok"], answer["model"]) == (True, provider), answer
    after = dump(runtime)
    assert {name for name in after if after[name] != before[name]} <= {"vector_owners"}  # a counter of nobody's
    assert set(os.listdir(runtime.settings.data_dir)) == files


def test_a_reranker_ranks(door: TestClient, openai: Section, scripted: ScriptedLlm) -> None:
    scripted.default = lambda sent: "0.9" if "animal that barks" in sent["messages"][-1]["content"] else "0.1"
    section = {"provider": "llm_reranker", "config": {"llm": openai()}}
    answer = tried(door, "reranker", section)
    assert (answer["ok"], answer["detail"]) == (True, "It put two texts in the right order")
    scripted.default = lambda _: "0.5"
    assert "alike" in refused(door, "reranker", section)
    scripted.default = lambda _: Reply("no", status=401)
    assert "status 401" in refused(door, "reranker", section)


def test_nothing_is_stored_and_the_engine_stays(door: TestClient, runtime: Runtime) -> None:
    engine, before = runtime.engine.built, dump(runtime)
    tried(door, "embedder", {"provider": "local", "config": {}})
    refused(door, "llm", {"provider": "groq"})
    assert runtime.engine.built is engine
    assert dump(runtime) == before


def test_only_admins(person: Person) -> None:
    ann = person("ann")
    assert ann.post(TEST, json={"name": "embedder", "section": {"provider": "local"}}).status_code == 403
    assert ann.post(f"{API}/index/rebuild").status_code == 403
    for page in ("schema", "providers"):
        assert ann.get(f"{API}/config/{page}").status_code == 403


@pytest.mark.parametrize("body", [{}, {"name": "graph", "section": {}}, {"name": "llm", "section": []}, []])
@pytest.mark.one_database
def test_another_shape_is_422(door: TestClient, body: Any) -> None:
    assert door.post(TEST, json=body).status_code == 422


@pytest.mark.one_database
def test_a_bottomless_section_is_told(door: TestClient) -> None:
    config: Json = {}
    for _ in range(20):
        config = {"a": config}
    assert "levels" in refused(door, "llm", {"provider": "openai", "config": config})


# What there is to choose


@pytest.mark.one_database
def test_providers_and_their_keys(door: TestClient, runtime: Runtime) -> None:
    with statements(runtime) as asked:
        known = ok(door.get(f"{API}/config/providers"))
    assert len(asked) <= 2  # the credential's
    assert [known[name]["is_optional"] for name in ("llm", "embedder", "vector_store", "reranker")] == [
        True, False, False, True,
    ]  # fmt: skip
    (openai,) = [one for one in known["llm"]["providers"] if one["name"] == "openai"]
    keys = {key["name"]: key for key in openai["keys"]}
    assert keys["api_key"] == {"name": "api_key", "kind": "text", "is_secret": True, "is_address": False}
    assert keys["openai_base_url"]["is_address"] is True
    assert (keys["temperature"]["kind"], keys["max_tokens"]["kind"], keys["store"]["kind"]) == (
        "number", "whole", "switch",
    )  # fmt: skip
    assert "response_callback" not in keys
    (weaviate,) = [one for one in known["vector_store"]["providers"] if one["name"] == "weaviate"]
    assert "weaviate" in weaviate["missing"]
    assert not any(one["name"] == "langchain" for one in known["llm"]["providers"])


@pytest.fixture
def valid(door: TestClient) -> Any:
    schema = ok(door.get(f"{API}/config/schema"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.one_database
def test_the_schema_takes_what_is_there(door: TestClient, valid: Any, default_config: Json) -> None:
    assert list(valid.iter_errors(default_config)) == []
    ok(door.patch(f"{API}/config", json={"mem0": {"llm": {"provider": "openai", "config": {"api_key": KEY}}}}))
    assert list(valid.iter_errors(ok(door.get(f"{API}/config")))) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("openmemory.category_threshold", 1.5),
        ("openmemory.category_threshold", "high"),
        ("openmemory.retention", [{"name": "x", "archive_after_days": 0}]),
        ("openmemory.surprise", 1),
        ("mem0.llm.provider", "skynet"),
        ("mem0.embedder.provider", None),
        ("mem0.embedder.config.nonsense", 1),
        ("mem0.llm.config.temperature", 9),
        ("mem0.graph", {}),
    ],
)
@pytest.mark.one_database
def test_the_schema_refuses_what_the_rules_refuse(
    door: TestClient, valid: Any, default_config: Json, path: str, value: Any
) -> None:
    config: Json = ok(door.get(f"{API}/config"))
    *above, last = path.split(".")
    place = config
    for key in above:
        place = place[key]
    place[last] = value
    found = {".".join(map(str, error.absolute_path)) for error in valid.iter_errors(config)}
    assert any(path.startswith(one) or one.startswith(path) for one in found), found
    if value is not None:  # null is the default
        assert door.put(f"{API}/config", json=config).status_code in (400, 422)


# The index, made again


def test_the_index_is_made_again_in_the_background(door: TestClient, runtime: Runtime) -> None:
    for number in range(3):
        remember(door, f"note {number} about the harbour")
    list(sync_all(runtime.relaxed, runtime.engine.index))
    assert ok(door.post(f"{API}/index/rebuild")) == {"memories": 3}
    assert runtime.wake.is_set()
    status = ok(door.get(f"{API}/index"))
    assert (status["memories"], status["indexed"]) == (3, 0)
    hits = ok(door.post(f"{API}/memories/search", json={"query": "harbour", "mode": "vector"}))
    assert hits["total"] == 3  # what was there serves meanwhile
    list(indexes.rebuild(runtime))
    assert ok(door.get(f"{API}/index"))["indexed"] == 3
