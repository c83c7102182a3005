"""The reranker's section of the configuration: what is refused, what reaches the engine, what must not stop it."""

import logging
import socket
from typing import Any

import pytest
from mem0.configs.rerankers.base import BaseRerankerConfig
from mem0.utils.factory import RerankerFactory

from app.context import Runtime
from app.errors import Invalid
from app.services import configs, searches
from app.services.searches import Query
from tests.conftest import AsCaller
from tests.engine.test_reranking import Configured

KEY = "sk-proj-abcdefghijklmnop1234"
LOCAL = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, *_: Any, **__: Any) -> list[Any]:
        address = "127.0.0.1" if host in ("localhost", "127.0.0.1") else "8.8.8.8"
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripted` among mem0's rerankers: it turns the order around."""
    place = f"{Configured.__module__}.{Configured.__name__}"
    monkeypatch.setitem(RerankerFactory.provider_to_class, "scripted", (place, BaseRerankerConfig))


def section(provider: str | None, config: dict[str, Any] | None = None, **ours: Any) -> dict[str, Any]:
    return {"mem0": {"reranker": {"provider": provider, "config": config or {}}}, "openmemory": ours}


def nested(provider: str, **config: Any) -> dict[str, Any]:
    return section("llm_reranker", {"llm": {"provider": provider, "config": config}})


@pytest.mark.usefixtures("scripted")
def test_a_saved_reranker_is_used_and_its_key_is_not_shown(ctx: AsCaller, runtime: Runtime) -> None:
    with ctx(writing=True) as c:
        shown = configs.merge(c, section("scripted", {"api_key": KEY}, rerank=True, rerank_depth=7))
    assert shown["mem0"]["reranker"]["config"]["api_key"] == "****1234"
    built = runtime.engine.built
    assert built.reranker is not None
    assert built.reranker.name == "scripted"
    assert built.reranker._reranks.config.api_key == KEY  # type: ignore[attr-defined]
    with ctx() as c:
        assert searches.search(c, Query("hotel")).warning is None
    with ctx(writing=True) as c:
        configs.merge(c, {"mem0": {"reranker": None}})
    assert runtime.engine.built.reranker is None


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (section("skynet"), "mem0.reranker.provider: 'skynet' is not available; there are: cohere"),
        (section("cohere", {"api_key": KEY}), "needs a package that is not installed.*pip install cohere"),
        (section("cohere", {"nonsense": 1}), "there are no such keys: nonsense"),
        (section(None, {"device": "cpu"}), "there are no such keys: device"),
        (section("llm_reranker", {"llm": "gpt"}), "an object of a provider and its config"),
        (section("llm_reranker", {"llm": {"provider": "openai", "model": "m"}}), "an object of a provider"),
        (nested("skynet"), "mem0.reranker.config.llm.provider: there are: "),
        (nested("langchain"), "mem0.reranker.config.llm.provider: there are: "),
        (nested("openai", response_callback="x"), "no such keys: response_callback"),
        (nested("openai", api_key="env:JWT_SECRET"), "may not be used here"),
        (nested("openai", openai_base_url=LOCAL), "127.0.0.1"),
        (nested("ollama"), "localhost"),
        (section("llm_reranker", {"provider": "ollama"}), "localhost"),
        (section(None, rerank_budget_ms=0), "openmemory.rerank_budget_ms"),
        (section(None, rerank_depth=1), "openmemory.rerank_depth"),
        (section(None, rerank="yes"), "openmemory.rerank"),
    ],
)
def test_what_cannot_be_a_reranker_is_refused_by_name(ctx: AsCaller, sent: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid, match=told) as refused, ctx(writing=True) as c:
        configs.merge(c, sent)
    assert KEY not in str(refused.value)


@pytest.mark.usefixtures("scripted")
def test_a_reranker_that_is_gone_does_not_stop_the_server(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with ctx(writing=True) as c:
        configs.merge(c, section("scripted", {"api_key": KEY}, rerank=True))
    monkeypatch.setattr(Configured, "__init__", _missing)
    runtime.engine.fail("a new start")
    with caplog.at_level(logging.ERROR):
        configs.refresh(runtime)
    assert "there is no reranker" in caplog.text
    assert KEY not in caplog.text
    with ctx() as c:
        found = searches.search(c, Query("hotel"))
    assert found.mode == "hybrid", "the engine is there"


def _missing(*_: Any) -> None:
    raise ImportError(f"no such package, and the key was {KEY}")
