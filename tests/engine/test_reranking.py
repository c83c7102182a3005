"""Reranking in bounded time. The rerankers are scripted: none of mem0's works without a key or half a gigabyte."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from mem0.configs.rerankers.base import BaseRerankerConfig
from mem0.utils.factory import RerankerFactory

from app.engine import providers, rerankers
from app.engine.reranking import AT_WORK, Reranker
from app.errors import Invalid

Documents = list[dict[str, Any]]
TEXTS = {UUID(int=number): f"text {number}" for number in range(4)}
ONE, TWO, THREE, FOUR = TEXTS


class Scripted:
    """A reranker that does as it is told."""

    def __init__(self, script: Callable[[Documents], Documents]) -> None:
        self.script = script
        self.asked: list[tuple[str, Documents]] = []

    def rerank(self, query: str, documents: Documents, top_k: int | None = None) -> Documents:
        """As mem0's."""
        self.asked.append((query, documents))
        return self.script(documents)


def backwards(documents: Documents) -> Documents:
    """From the last to the first."""
    return [{**one, "rerank_score": 1 - 0.1 * place} for place, one in enumerate(reversed(documents))]


def named(*answer: tuple[str, Any]) -> Callable[[Documents], Documents]:
    """Always these."""
    return lambda _: [{"id": id, "rerank_score": score} for id, score in answer]


def test_the_order_is_the_rerankers() -> None:
    script = Scripted(backwards)
    found = Reranker(script, "scripted").rerank("why", TEXTS, 5)
    assert (found.order, found.warning) == ([FOUR, THREE, TWO, ONE], None)
    assert found.scores[FOUR] == 1
    assert script.asked == [("why", [{"id": str(id), "memory": text} for id, text in TEXTS.items()])]


@pytest.mark.parametrize(
    ("answer", "order"),
    [
        ([(str(THREE), 0.9)], [THREE, ONE, TWO, FOUR]),
        ([], list(TEXTS)),
        ([("made up", 0.99), (str(TWO), 0.5), (str(UUID(int=99)), 0.4)], [TWO, ONE, THREE, FOUR]),
        ([(str(TWO), 0.9), (str(TWO), 0.1), (str(ONE), 0.5)], [TWO, ONE, THREE, FOUR]),
        ([(str(FOUR), None), (str(ONE), None)], [FOUR, ONE, TWO, THREE]),
        ([(str(FOUR), float("nan")), (str(ONE), -7.5)], [FOUR, ONE, TWO, THREE]),
    ],
)
def test_every_hit_stays_whatever_the_reranker_answers(answer: list[tuple[str, Any]], order: list[UUID]) -> None:
    found = Reranker(Scripted(named(*answer)), "scripted").rerank("why", TEXTS, 5)
    assert (found.order, found.warning) == (order, None)
    assert all(score == score for score in found.scores.values()), "NaN is no JSON"


@pytest.mark.parametrize("script", [lambda _: 1 / 0, lambda _: None, lambda _: [{}], named((str(ONE), "best"))])
def test_a_failing_reranker_changes_nothing(script: Any) -> None:
    found = Reranker(Scripted(script), "scripted").rerank("why", TEXTS, 5)
    assert (found.order, dict(found.scores)) == (list(TEXTS), {})
    assert found.warning == "The reranker failed: not reranked"


def test_the_same_score_for_all_is_no_order() -> None:
    found = Reranker(Scripted(lambda docs: [{**one, "rerank_score": 0.0} for one in reversed(docs)]), "x").rerank(
        "why", TEXTS, 5
    )
    assert found.order == list(TEXTS)
    assert found.warning is not None
    assert "alike" in found.warning


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """What a slow reranker waits for."""
    gate = threading.Event()
    yield gate
    gate.set()


def test_a_late_reranker_is_not_waited_for_and_cannot_pile_up(gate: threading.Event) -> None:
    slow = Scripted(lambda docs: backwards(docs) if gate.wait(10) else [])
    reranker = Reranker(slow, "scripted")
    begin = time.monotonic()
    for _ in range(AT_WORK):
        late = reranker.rerank("why", TEXTS, 0.02)
        assert (late.order, late.warning) == (list(TEXTS), "The reranker did not answer within 0.02 s: not reranked")
    busy = reranker.rerank("why", TEXTS, 5)
    assert busy.order == list(TEXTS)
    assert busy.warning is not None
    assert "busy" in busy.warning
    assert time.monotonic() - begin < 2
    assert len(slow.asked) == AT_WORK
    gate.set()
    deadline = time.monotonic() + 5
    while (found := reranker.rerank("why", TEXTS, 5)).warning and time.monotonic() < deadline:
        time.sleep(0.01)
    assert found.order == [FOUR, THREE, TWO, ONE], "they are through, and it is asked again"


class Configured(Scripted):
    """A reranker that the factory makes."""

    def __init__(self, config: BaseRerankerConfig) -> None:
        super().__init__(backwards)
        self.config = config


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """`scripted` among mem0's rerankers."""
    place = f"{__name__}.Configured"
    monkeypatch.setitem(RerankerFactory.provider_to_class, "scripted", (place, BaseRerankerConfig))


@pytest.mark.usefixtures("registered")
def test_a_reranker_is_made_from_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_API_KEY", "from the environment")
    section = {"provider": "scripted", "config": {"model": "m", "api_key": "env:SCRIPTED_API_KEY", "top_k": None}}
    made = providers.build_reranker(section)
    assert made is not None
    assert made._reranks.config == BaseRerankerConfig(model="m", api_key="from the environment")  # type: ignore[attr-defined]
    assert made.rerank("why", TEXTS, 5).order[0] == FOUR
    assert providers.build_reranker({"provider": None, "config": {}}) is None


@pytest.mark.parametrize(
    ("provider", "config", "told"),
    [
        ("skynet", {}, "there are: cohere, huggingface, llm_reranker"),
        ("cohere", {"api_key": "k"}, "pip install cohere"),
        ("sentence_transformer", {}, "sentence-transformers"),
        ("llm_reranker", {"temperature": "warm"}, "does not take this configuration: temperature"),
        ("llm_reranker", {"provider": "skynet"}, "skynet"),
    ],
)
def test_what_cannot_be_made_says_why(provider: str, config: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        providers.build_reranker({"provider": provider, "config": config})


class ScriptedServer(BaseHTTPRequestHandler):
    """A server that speaks OpenAI's protocol over real HTTP, and finds longer documents better."""

    def do_POST(self) -> None:
        """One completion: a number."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        document = asked["messages"][-1]["content"].partition("Document: ")[2]
        message = {"role": "assistant", "content": f"{min(1.0, len(document) / 20):.2f}"}
        body = json.dumps(
            {
                "id": "1",
                "object": "chat.completion",
                "created": 0,
                "model": "m",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """Where the scripted server listens."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), ScriptedServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    server.server_close()


def test_mem0s_llm_reranker_works_with_a_server_of_openais_kind(address: str) -> None:
    llm = {"provider": "openai", "config": {"model": "m", "openai_base_url": address, "api_key": "k"}}
    made = providers.build_reranker({"provider": "llm_reranker", "config": {"llm": llm}})
    assert made is not None
    texts = {ONE: "short", TWO: "quite a long text", THREE: "of some length"}
    found = made.rerank("why", texts, 30)
    assert (found.order, found.warning) == ([TWO, THREE, ONE], None)
    assert found.scores == {TWO: 0.85, THREE: 0.7, ONE: 0.25}


def test_the_keys_are_mem0s() -> None:
    assert {"model", "api_key", "top_k", "device"} <= rerankers.keys("sentence_transformer")
    assert set(rerankers.names()) >= {"cohere", "huggingface", "llm_reranker", "sentence_transformer", "zero_entropy"}
