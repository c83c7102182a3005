"""The words: BM25 over one owner's memories, the same whatever was written by whichever process."""

import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from app.engine.text import terms
from app.engine.words import Said, postings
from app.engine.words.sqlite import SqliteWords

ANN, BO = UUID(int=1), UUID(int=2)
LARGE, TINY = 2**26, 1
VOCABULARY = ["coffee", "train", "hotel", "rome", "dog"]

NewWords = Callable[..., SqliteWords]


@pytest.fixture
def url(tmp_path: Path, template: Path) -> str:
    shutil.copy(template, tmp_path / "words.db")
    return f"sqlite:///{tmp_path / 'words.db'}"


@pytest.fixture
def new_words(url: str) -> Iterator[NewWords]:
    """One more process's words on the same file."""
    opened: list[SqliteWords] = []

    def make(cache_bytes: int = LARGE) -> SqliteWords:
        opened.append(SqliteWords(url, cache_bytes))
        return opened[-1]

    yield make
    for words in opened:
        words.close()


def put(words: SqliteWords, owner: UUID, texts: dict[int, str]) -> None:
    with words._database.transaction() as session:
        change = words.change(session)
        change.put([Said(UUID(int=number), owner, text.split()) for number, text in texts.items()])
    change.committed()


def remove(words: SqliteWords, *numbers: int) -> None:
    with words._database.transaction() as session:
        change = words.change(session)
        change.remove([UUID(int=number) for number in numbers])
    change.committed()


def found(words: SqliteWords, owner: UUID, query: str, limit: int = 50) -> list[int]:
    return [int(key, 16) for key in words.search(owner, query.split(), limit)]


def bm25(texts: dict[int, str], query: list[str]) -> dict[int, float]:
    """BM25 by its formula (k1 1.2, b .75), for the texts of one owner."""
    said = {number: text.split() for number, text in texts.items()}
    mean = sum(map(len, said.values())) / max(len(said), 1)
    scores = dict.fromkeys(said, 0.0)
    for term in set(query):
        having = sum(term in words for words in said.values())
        weight = math.log(1 + (len(said) - having + 0.5) / (having + 0.5))
        for number, words in said.items():
            times = words.count(term)
            if times:
                scores[number] += weight * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * len(words) / mean))
    return {number: score for number, score in scores.items() if score}


class Processes(RuleBasedStateMachine):
    """Two processes' words on one file, compared with the formula over a dictionary."""

    folder: Path
    template: Path

    @initialize(budgets=st.tuples(*[st.sampled_from([TINY, LARGE])] * 2))
    def start(self, budgets: tuple[int, int]) -> None:
        path = self.folder / "machine.db"
        for left in self.folder.glob("machine.db*"):
            left.unlink()
        shutil.copy(self.template, path)
        self.words = [SqliteWords(f"sqlite:///{path}", budget) for budget in budgets]
        self.truth: dict[UUID, dict[int, str]] = {ANN: {}, BO: {}}

    def teardown(self) -> None:
        for words in getattr(self, "words", []):
            words.close()

    @rule(
        which=st.integers(0, 1),
        owner=st.sampled_from([ANN, BO]),
        texts=st.dictionaries(
            st.integers(0, 9), st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=6).map(" ".join), min_size=1
        ),
    )
    def put(self, which: int, owner: UUID, texts: dict[int, str]) -> None:
        own = {number + (100 if owner == BO else 0): text for number, text in texts.items()}
        put(self.words[which], owner, own)
        self.truth[owner] |= own

    @rule(which=st.integers(0, 1), numbers=st.sets(st.integers(0, 109), max_size=5))
    def remove(self, which: int, numbers: set[int]) -> None:
        remove(self.words[which], *numbers)
        for texts in self.truth.values():
            for number in numbers:
                texts.pop(number, None)

    @rule(
        which=st.integers(0, 1),
        owner=st.sampled_from([ANN, BO]),
        query=st.lists(st.sampled_from([*VOCABULARY, "nobody"]), max_size=4),
        limit=st.integers(1, 5),
        within=st.none() | st.sets(st.integers(0, 109)),
    )
    def search(self, which: int, owner: UUID, query: list[str], limit: int, within: set[int] | None) -> None:
        scores = bm25(self.truth[owner], query)
        expected = {n: score for n, score in scores.items() if within is None or n in within}
        ids = None if within is None else [f"{number:032x}" for number in within]
        answer = self.words[which].search(owner, query, limit, ids)
        assert list(answer.values()) == pytest.approx(sorted(expected.values(), reverse=True)[:limit], rel=1e-4)
        assert all(expected[int(key, 16)] == pytest.approx(score, rel=1e-4) for key, score in answer.items())
        some = [f"{number:032x}" for number in (*self.truth[owner], 77)][:4]
        known = self.words[which].scores(owner, query, some)
        assert {int(key, 16): score for key, score in known.items()} == pytest.approx(
            {int(key, 16): scores[int(key, 16)] for key in some if int(key, 16) in scores}, rel=1e-4
        )

    @rule(which=st.integers(0, 1), owner=st.sampled_from([ANN, BO]))
    def count(self, which: int, owner: UUID) -> None:
        texts = self.truth[owner].values()
        having = {term: sum(term in text.split() for text in texts) for term in VOCABULARY}
        assert self.words[which].frequencies(owner, VOCABULARY) == (having, len(texts))


@pytest.mark.parametrize("few", [0, 1_000])
def test_two_processes_answer_what_the_formula_says(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(postings, "FEW_DEAD", few)  # with 0 the gone texts are cleared away all the time
    machine = type("Machine", (Processes,), {"folder": tmp_path, "template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_is_rolled_back_is_not_found(new_words: NewWords) -> None:
    words = new_words()
    put(words, ANN, {1: "coffee"})
    assert found(words, ANN, "coffee") == [1]
    session = words._database.session(writing=True)
    words.change(session).put([Said(UUID(int=2), ANN, ["coffee"])])
    session.rollback()
    session.close()
    assert found(words, ANN, "coffee") == [1]


def test_owners_that_do_not_fit_the_cache_are_read_again(new_words: NewWords) -> None:
    words = new_words(TINY)
    put(words, ANN, {1: "coffee"})
    put(words, BO, {2: "coffee"})
    for _ in range(2):
        assert (found(words, ANN, "coffee"), found(words, BO, "coffee")) == ([1], [2])
        assert len(words._postings) == 1


def test_chinese_is_found_by_its_bigrams(new_words: NewWords) -> None:
    words = new_words()
    put(words, ANN, {1: " ".join(terms("我喜欢喝咖啡")), 2: " ".join(terms("我坐火车"))})
    assert found(words, ANN, " ".join(terms("咖啡"))) == [1]
    assert set(found(words, ANN, " ".join(terms("火车和咖啡")))) == {1, 2}


def test_a_word_that_a_quarter_of_the_memories_have_does_not_count_beside_another(new_words: NewWords) -> None:
    words = new_words()
    put(words, ANN, dict.fromkeys(range(1, 200), "ann hotel") | {200: "ann rome"})
    assert found(words, ANN, "ann rome") == [200]
    assert len(found(words, ANN, "ann", 300)) == 200


def test_scores_stay_the_same_when_what_is_gone_is_cleared_away(
    new_words: NewWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postings, "FEW_DEAD", 2)
    words = new_words()
    put(words, ANN, {1: "coffee " * 100 + "dog", 2: "coffee dog dog rome", **dict.fromkeys(range(3, 9), "train hotel")})
    words.search(ANN, ["coffee"], 5)
    for number in range(3, 8):
        remove(words, number)
    scores = words.search(ANN, ["coffee", "dog"], 5)
    assert list(scores) == [UUID(int=2).hex, UUID(int=1).hex]
    assert scores == pytest.approx(new_words().search(ANN, ["coffee", "dog"], 5))
