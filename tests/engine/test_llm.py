"""Prompts, answers and turns: pure functions, for any text; and the model's own bounds, with a model of Python."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine import extraction, reconciliation, turns
from app.engine.answers import Unusable, items
from app.engine.engine import Engine
from app.engine.extraction import Wishes
from app.engine.llm import Llm, LlmFailure
from app.engine.reconciliation import Action
from app.engine.text import gist
from app.errors import Invalid, Unavailable

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["facts", "text", "turns", "fact", "action", "memory", "categories"]), inner)
    ),
    max_leaves=12,
)


@given(st.text() | JSON.map(lambda value: json.dumps(value)))
def test_any_answer_is_read_or_refused(answer: str) -> None:
    wishes = Wishes(categories={"travel": "trips"})
    try:
        found = extraction.read(answer, wishes, 2)
    except Unusable:
        found = []
    assert all(fact.text and set(fact.turns) <= {0, 1} and set(fact.categories) <= {"travel"} for fact in found)
    try:
        verdicts = reconciliation.read(answer, ["a", "b"], 3)
    except Unusable:
        return
    assert len(verdicts) == 2
    for verdict in verdicts:
        assert verdict.memory is None or 0 <= verdict.memory < 3
        assert verdict.memory is not None or verdict.action in (Action.add, Action.none)


def test_a_long_answer_of_brackets_takes_no_time() -> None:
    started = time.perf_counter()
    for text in ("[" * 100_000, "{" * 100_000, '{"a":' * 20_000):
        with pytest.raises(Unusable):
            items(text, ("facts",))
    assert time.perf_counter() - started < 2


@given(st.text())
def test_turns_without_blocks_only_lose(text: str) -> None:
    left = turns.without_blocks(text)
    assert len(left) <= len(text)
    assert turns.without_blocks(left) == left or "memor" in text.lower() or "recalled" in text.lower()


@pytest.mark.parametrize(
    "text",
    [
        "My favourite memories:\n- Rome\n- Oslo",
        "I have memories of Rome",
        "The <b>memory</b> of the machine is 16 GB",
        "memory: 16 GB\n- disk: 1 TB",
        "<memories> without an end",
        "How do memories: work",
    ],
)
def test_what_only_looks_like_a_block_stays(text: str) -> None:
    assert turns.without_blocks(text) == text


@pytest.mark.parametrize("text", ["<memory>" * 12_000, "<memories " * 9_000, "a" + " " * 99_000 + "b", "- " * 50_000])
def test_hostile_texts_take_no_time(text: str) -> None:
    started = time.perf_counter()
    turns.without_blocks(text)
    list(turns.pieces(text))
    turns.without_pieces(text, {"x"})
    assert time.perf_counter() - started < 1


def test_pieces_are_plain() -> None:
    text = '- [2026-05-01] I like tea. I live in Rome.\n> "My dog is called Rex"\n2) Ann'
    found = list(turns.pieces(text))
    for piece in ("I like tea.", "I live in Rome.", "My dog is called Rex", "Ann"):
        assert piece in found
    assert turns.without_pieces(text, {"I like tea.", "My dog is called Rex"}) == "I live in Rome.\n2) Ann"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("I love hiking in the mountains", "I love to hike in the mountains!", True),
        ("User likes black coffee", "The user likes black coffee.", True),
        ("I like tea", "I don't like tea", False),
        ("John owes Mary money", "Mary owes John money", False),
        ("Take it before lunch", "Take it after lunch", False),
        ("The key changes every 30 days", "The key changes every 90 days", False),
        ("She likes tea", "He likes tea", False),
    ],
)
def test_gist(one: str, other: str, same: bool) -> None:
    assert (gist(one) == gist(other)) is same


class Thinking:
    """A model of Python that does what it is told to."""

    def __init__(self, act: Any) -> None:
        self.act = act
        self.asked = 0

    def generate_response(self, messages: Any) -> Any:
        """What `act` says."""
        self.asked += 1
        return self.act()


def failing(error: Exception) -> Any:
    """Something that raises the error."""

    def act() -> None:
        raise error

    return act


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for between two tries."""
    monkeypatch.setattr("app.engine.llm.wait", lambda _: 0.0)


class Refused(Exception):
    """A client's error with a status."""

    def __init__(self, **fields: Any) -> None:
        super().__init__("secret words")
        self.__dict__ |= fields


@pytest.mark.parametrize(
    ("error", "asked", "told"),
    [
        (ConnectionError(), 3, "cannot be reached"),
        (TimeoutError(), 3, "too long"),
        (Refused(status_code=529), 3, "529"),
        (Refused(code=429), 3, "429"),
        (Refused(response={"ResponseMetadata": {"HTTPStatusCode": 503}}), 3, "503"),
        (Refused(status_code=403), 1, "403"),
        (type("APIConnectionError", (Exception,), {})(), 3, "cannot be reached"),
        (ValueError("secret words"), 1, "ValueError"),
    ],
)
def test_failures(error: Exception, asked: int, told: str) -> None:
    model = Thinking(failing(error))
    with pytest.raises(LlmFailure, match=told) as failure:
        Llm(model, "x", 1).ask([{"role": "user", "content": "hello"}], time.monotonic() + 5)
    assert model.asked == asked
    assert "secret" not in str(failure.value)


def test_a_model_that_hangs_is_left_alone() -> None:
    model = Thinking(lambda: time.sleep(3))
    started = time.monotonic()
    with pytest.raises(LlmFailure, match="too long"):
        Llm(model, "x", 0.1).ask([], time.monotonic() + 0.25)
    assert time.monotonic() - started < 1


def test_no_answer_is_an_empty_one() -> None:
    assert Llm(Thinking(lambda: None), "x", 1).ask([], time.monotonic() + 1) == ""


def section(provider: str, **config: Any) -> dict[str, Any]:
    """A configuration with just what an LLM is built from."""
    return {"mem0": {"llm": {"provider": provider, "config": config}}, "openmemory": {"llm_timeout": 5}}


@pytest.fixture
def engine(tmp_path: Any) -> Engine:
    """An engine that has built nothing."""
    return Engine(f"sqlite:///{tmp_path / 'x.db'}", tmp_path, 2**20)


def test_a_missing_package_is_named(engine: Engine) -> None:
    with pytest.raises(Invalid, match=r"'anthropic' needs a package that is not installed: .*pip install anthropic"):
        engine.build_llm(section("anthropic", api_key="x"))


def test_a_missing_variable_is_named(engine: Engine) -> None:
    with pytest.raises(Unavailable, match="NOT_SET_API_KEY"):
        engine.build_llm(section("openai", api_key="env:NOT_SET_API_KEY"))


def test_only_the_provider_s_own_keys_are_given_to_it(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "sk-from-the-environment")
    llm = engine.build_llm(section("openai", model="m", api_key="env:SOME_API_KEY", ollama_base_url="http://x"))
    assert llm is not None
    assert llm.name == "openai:m"
    client = llm._model.client
    assert (client.api_key, client.timeout, client.max_retries) == ("sk-from-the-environment", 5, 0)
