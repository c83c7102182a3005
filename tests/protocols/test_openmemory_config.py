"""/config over HTTP: the page's shapes, the genuine dashboard's habits, and what is refused."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from tests.protocols.asking import API, Person, dump, ok, raw

CONFIG = f"{API}/config"
KEY = "sk-proj-abcdefghijklmnop1234"
LLM_KEYS = {"model", "temperature", "max_tokens", "api_key", "ollama_base_url"}
EMBEDDER_KEYS = {"model", "api_key", "ollama_base_url"}

Json = dict[str, Any]

# The page's example of PUT /config.
PAGE = {
    "mem0": {
        "llm": {
            "provider": "openai",
            "config": {"model": "gpt-4o", "temperature": 0.7, "max_tokens": 4000, "api_key": "env:OPENAI_API_KEY"},
        }
    }
}


def test_the_pages_shape(door: TestClient, default_config: Json) -> None:
    config = ok(door.get(CONFIG))
    assert config == default_config
    assert "custom_instructions" in config["openmemory"]
    assert set(config["mem0"]["llm"]) == {"provider", "config"}
    assert set(config["mem0"]["llm"]["config"]) == LLM_KEYS
    assert set(config["mem0"]["embedder"]["config"]) == EMBEDDER_KEYS


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_pages_examples(door: TestClient, slash: str) -> None:
    config = ok(door.put(CONFIG + slash, json=PAGE))
    assert config["mem0"]["llm"]["config"] == {**PAGE["mem0"]["llm"]["config"], "ollama_base_url": None}
    assert config["mem0"]["embedder"]["provider"] == "local"
    assert ok(door.get(CONFIG + slash)) == config

    section = {"provider": "openai", "config": {"model": "gpt-4o-mini", "temperature": 0.3, "api_key": KEY}}
    answer = ok(door.put(f"{CONFIG}/mem0/llm{slash}", json=section))
    assert answer["config"] == {
        "model": "gpt-4o-mini",
        "temperature": 0.3,
        "max_tokens": 2000,
        "api_key": "****1234",
        "ollama_base_url": None,
    }
    assert ok(door.get(f"{CONFIG}/mem0/llm{slash}")) == answer

    wish = "Always prioritize recent memories in responses"
    openmemory = ok(door.put(f"{CONFIG}/openmemory{slash}", json={"custom_instructions": wish}))
    assert openmemory["custom_instructions"] == wish
    assert openmemory["categories"]
    assert ok(door.get(f"{CONFIG}/openmemory{slash}")) == openmemory


def test_reset(door: TestClient, default_config: Json) -> None:
    ok(door.put(CONFIG, json=PAGE))
    assert ok(door.post(f"{CONFIG}/reset")) == default_config
    assert ok(door.get(CONFIG)) == default_config


@pytest.mark.parametrize("vector_store", [{"provider": "database", "config": {}}, None])
def test_the_dashboard_sends_back_what_it_got_and_nothing_changes(
    door: TestClient, runtime: Runtime, vector_store: Json | None
) -> None:
    ok(door.put(CONFIG, json=PAGE))
    ok(door.patch(CONFIG, json={"mem0": {"llm": {"config": {"api_key": KEY}}}}))
    config = ok(door.get(CONFIG))
    sent = json.loads(json.dumps(config))
    sent["mem0"]["llm"]["config"]["ollama_base_url"] = None
    sent["mem0"]["embedder"]["config"]["ollama_base_url"] = None
    sent["mem0"]["vector_store"] = vector_store
    engine, before = runtime.engine.built, dump(runtime)["configs"]
    assert ok(door.put(CONFIG, json=sent)) == config
    assert dump(runtime)["configs"] == before
    assert runtime.engine.built is engine


def test_the_dashboard_knows_only_the_pages_keys_and_loses_no_other(door: TestClient, default_config: Json) -> None:
    known = {"openmemory": {"custom_instructions": "x"}, "mem0": default_config["mem0"]}
    assert ok(door.put(CONFIG, json=known))["openmemory"]["categories"] == default_config["openmemory"]["categories"]


def test_patch_merges_and_null_clears(door: TestClient) -> None:
    ok(door.put(CONFIG, json=PAGE))
    config = ok(door.patch(CONFIG, json={"mem0": {"llm": {"config": {"max_tokens": 7}}}}))["mem0"]["llm"]["config"]
    assert (config["model"], config["max_tokens"], config["api_key"]) == ("gpt-4o", 7, "env:OPENAI_API_KEY")
    ok(door.patch(CONFIG, json={"openmemory": {"custom_instructions": "x"}}))
    assert ok(door.put(CONFIG, json={"openmemory": {"custom_instructions": None}}))["openmemory"][
        "custom_instructions"
    ] is None  # fmt: skip


@pytest.mark.parametrize("part", ["mem0/llm", "mem0/embedder", "mem0/vector_store", "openmemory"])
def test_a_section_is_that_of_the_whole_and_can_be_sent_back(door: TestClient, part: str) -> None:
    whole = ok(door.get(CONFIG))
    section = ok(door.get(f"{CONFIG}/{part}"))
    for key in part.split("/"):
        whole = whole[key]
    assert section == whole
    assert ok(door.put(f"{CONFIG}/{part}", json=section)) == section
    assert ok(door.put(f"{CONFIG}/{part}", json={})) == section


def test_only_admins(door: TestClient, person: Person) -> None:
    ann = person("ann")
    for part in ("", "/mem0/llm", "/mem0/embedder", "/mem0/vector_store", "/openmemory"):
        assert ann.get(CONFIG + part).status_code == 403
        assert ann.put(CONFIG + part, json={}).status_code == 403
    assert ann.patch(CONFIG, json={}).status_code == 403
    assert ann.post(f"{CONFIG}/reset").status_code == 403
    assert door.get(CONFIG, headers={"Authorization": "Bearer nobody"}).status_code == 401


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"mem1": {}}, 400, "mem1"),
        ({"mem0": {"llm": {"config": {"copy": 1, "model_fields_set": 2}}}}, 400, "copy"),
        ({"mem0": {"llm": {"provider": "skynet"}}}, 400, "skynet"),
        ({"mem0": {"vector_store": {"provider": "skynet"}}}, 400, "database"),
        ({"mem0": {"llm": {"provider": "openai", "config": {"temperature": 9}}}}, 400, "temperature"),
        ({"mem0": {"llm": {"config": {"ollama_base_url": "http://127.0.0.1:1"}}}}, 400, "ALLOWED_PROVIDER_HOSTS"),
        ({"mem0": {"llm": {"provider": "openai", "config": {"api_key": "env:JWT_SECRET"}}}}, 400, "JWT_SECRET"),
        ({"mem0": {"embedder": {"provider": "fastembed"}}}, 400, "cannot be built"),
        ({"openmemory": {"custom_instructions": "a\x00b"}}, 400, "NUL"),
        ({"openmemory": {"custom_instructions": "\ud800"}}, 400, "surrogate"),
        ({"openmemory": {"custom_instructions": 5}}, 422, "custom_instructions"),
        ({"openmemory": {"categories": "all"}}, 422, "categories"),
        ({"mem0": []}, 422, "mem0"),
        ([], 422, "body"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_nonsense_is_refused_and_changes_nothing(
    door: TestClient, runtime: Runtime, method: str, body: Any, status: int, said: str
) -> None:
    before = dump(runtime)["configs"]
    response = raw(door, method, "/config", json.dumps(body).encode())
    assert response.status_code == status, response.text
    assert said in response.text
    assert dump(runtime)["configs"] == before


@pytest.mark.parametrize("depth", [20, 300, 900, 5_000])
def test_a_bottomless_body_is_refused(door: TestClient, depth: int) -> None:
    for start in ('{"mem0": {"llm": {"config": {"azure_kwargs": ', '{"x": '):
        body = start + '{"a":' * depth + "1" + "}" * (depth + start.count("{"))
        assert raw(door, "PUT", "/config", body.encode()).status_code in {400, 422}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"mem0": NaN}', b"null"])
def test_what_is_no_json_object_is_refused(door: TestClient, body: bytes) -> None:
    for part in ("", "/mem0/llm", "/mem0/embedder", "/mem0/vector_store", "/openmemory"):
        assert raw(door, "PUT", f"/config{part}", body).status_code in {400, 422}
