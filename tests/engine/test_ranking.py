"""Ranking: the arithmetic of each mode by hand, each signal alone, and what must hold for any candidates."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.confidence import confidences
from app.engine.late import Question, pack
from app.engine.ranking import SIGNALS, WITH_TOKENS, Candidates, Mode, Pool, Ranked, Trait, best, rank, signals


class Candidate(NamedTuple):
    """What the legs say of one memory; None where they say nothing."""

    key: str
    similarity: float | None = None
    keyword: float | None = None


MODES = st.sampled_from(sorted(SIGNALS))
COSINES = st.none() | st.floats(-1, 1)
KEYWORDS = st.none() | st.floats(0, 100, exclude_min=True)
CANDIDATES = st.lists(
    st.builds(Candidate, st.uuids().map(lambda id: id.hex), COSINES, KEYWORDS), unique_by=lambda c: c.key, max_size=30
)
AXES = np.eye(64, dtype=np.float32)
WORD = st.sampled_from(["ann", "bo", "cy"])


def together(candidates: Sequence[Candidate]) -> Candidates:
    similar = {c.key: c.similarity for c in candidates if c.similarity is not None}
    keyword = {c.key: c.keyword for c in candidates if c.keyword is not None}
    return Candidates.of([c.key for c in candidates], similar, keyword)


def pooled(candidates: Sequence[Candidate], traits: Mapping[str, Trait] | None = None, *more: Any) -> Pool:
    return Pool(together(candidates), traits or {}, *more)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Candidates of which some have traits, their neighbours among them and outside."""
    candidates = draw(CANDIDATES)
    ids = st.none() | st.sampled_from([*(c.key for c in candidates), UUID(int=0).hex])
    tokens = st.none() | st.sampled_from([pack(AXES[:2]), pack(0.7 * AXES[3:4])])
    traits = st.builds(
        Trait,
        st.none() | WORD,
        ids,
        ids,
        st.none() | WORD,
        st.none() | st.dates(),
        st.booleans(),
        st.integers(0),
        tokens,
    )
    known = draw(st.lists(st.sampled_from(candidates), unique_by=lambda c: c.key)) if candidates else []
    question = Question(np.ones(4, dtype=np.float32), tokens=AXES[:3])
    weight = np.array([0.5, 0.25, 0.25], dtype=np.float32)
    return pooled(candidates, {c.key: draw(traits) for c in known}, "What did Bo do in May 2023?", question, weight)


def candidate(number: int, similarity: float | None = None, keyword: float | None = None) -> Candidate:
    return Candidate(f"{number:032x}", similarity, keyword)


def ranked(mode: Mode, *candidates: Candidate) -> list[Ranked]:
    return rank(pooled(candidates), mode)


def scores(mode: Mode, *candidates: Candidate) -> dict[int, float]:
    return {one.id.int: pytest.approx(one.score) for one in ranked(mode, *candidates)}


def valued(signal: str, text: str, **traits: Trait) -> list[float]:
    """The signal's values of candidates a, b, c, ... that have these traits, and no leg found."""
    numbers = {f"{ord(name):032x}": trait for name, trait in traits.items()}
    pool = pooled([Candidate(key, None, None) for key in numbers], numbers, text)
    return getattr(signals, signal)(pool).tolist()


def test_hybrid_is_half_min_max_cosine_and_half_keyword_over_its_maximum() -> None:
    found = ranked("hybrid", candidate(1, 0.2, 8.0), candidate(2, 0.6, 4.0), candidate(3, 0.4, None))
    assert [one.id.int for one in found] == [2, 1, 3]
    assert [one.score for one in found] == pytest.approx([0.75, 0.5, 0.25])
    assert found[0].parts == pytest.approx({"similarity": 0.5, "keyword": 0.25})


def test_a_leg_that_did_not_return_a_candidate_gives_it_nothing() -> None:
    assert scores("hybrid", candidate(1, None, 5.0), candidate(2, 0.9, None)) == {1: 0.5, 2: 0.5}
    assert scores("hybrid", candidate(1, None, 5.0)) == {1: 0.5}


def test_vector_scores_are_cosines_and_never_negative() -> None:
    assert scores("vector", candidate(1, 0.3, 9.0), candidate(2, -0.2, None), candidate(3, None, 9.0)) == {
        1: 0.3,
        2: 0.0,
        3: 0.0,
    }


def test_keyword_scores_are_bm25_over_its_maximum() -> None:
    assert scores("keyword", candidate(1, 0.9, 2.0), candidate(2, 0.1, 8.0)) == {1: 0.25, 2: 1.0}


def test_words_that_every_memory_has_do_not_outweigh_the_cosine() -> None:
    found = ranked("hybrid", candidate(1, 0.2, 1e-6), candidate(2, 0.6, None), candidate(3, 0.0, None))
    assert [one.id.int for one in found] == [2, 1, 3]


def test_nothing_found_ranks_nothing() -> None:
    assert all(rank(pooled([]), mode) == [] for mode in SIGNALS)


def test_what_stands_before_and_after_counts_and_before_counts_more() -> None:
    four = [candidate(1, 1.0, 4.0), candidate(2, 0.0), candidate(3, 0.0), candidate(4, 0.0)]
    one = four[0].key
    pool = pooled(four, {four[1].key: Trait(before=one), four[2].key: Trait(after=one), four[3].key: Trait()})
    assert signals.context(pool).tolist() == pytest.approx([0.0, 0.7, 0.3, 0.0])


def test_a_session_gives_its_best_keyword_score_to_each_of_its_turns() -> None:
    three = [candidate(1, None, 8.0), candidate(2), candidate(3, None, 2.0)]
    pool = pooled(three, {three[0].key: Trait("s"), three[1].key: Trait("s"), three[2].key: Trait()})
    assert signals.session(pool).tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What did Ann Lee buy?", [1.0, 0.0]),
        ("what did ann lee's mother buy?", [1.0, 0.0]),
        ("What did Ann buy?", [0.0, 0.0]),  # that may be another Ann
        ("What did Ann Lee and Bo buy?", [0.0, 0.0]),
        ("What was bought?", [0.0, 0.0]),
    ],
)
def test_the_one_author_who_is_named(text: str, expected: list[float]) -> None:
    assert valued("author", text, a=Trait(author="Ann Lee"), b=Trait(author="Bo")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("on 8 May, 2023", [1.0, 0.5, 0.0]),
        ("on May 8th", [1.0, 0.5, 0.0]),
        ("the 8th of May 2023", [1.0, 0.5, 0.0]),
        ("in May 2023", [1.0, 1.0, 0.0]),
        ("2023-05-08", [1.0, 0.5, 0.0]),
        ("in 2022?", [0.0, 0.0, 1.0]),
        ("in Sept. 2022", [0.0, 0.0, 1.0]),
        ("in september", [0.0, 0.0, 1.0]),
        ("It may be 45 May or 13/13", [0.0, 0.0, 0.0]),
        ("may she march?", [0.0, 0.0, 0.0]),
        ("in 2022-13-40 room 2310", [0.0, 0.0, 0.0]),
        ("who is maya", [0.0, 0.0, 0.0]),
    ],
)
def test_the_date_that_is_named(text: str, expected: list[float]) -> None:
    days = [date(2023, 5, 8), date(2023, 5, 20), date(2022, 9, 8)]
    traits = {name: Trait(day=day) for name, day in zip("abc", days, strict=True)}
    assert valued("date", text, **traits, d=Trait()) == [*expected, 0.0]


def test_statements_and_longer_texts() -> None:
    traits = {"a": Trait(is_question=True, length=2), "b": Trait(length=40), "c": Trait(length=9_000)}
    assert valued("statement", "", **traits) == [0.0, 1.0, 1.0]
    short, middle, long = valued("length", "", **traits)
    assert 0 < short < middle < long == 1


def test_tokens_are_compared_one_by_one_where_they_are_known() -> None:
    three = [candidate(1, 0.5), candidate(2, 0.5), candidate(3, 0.5)]
    question = Question(np.ones(4, dtype=np.float32), tokens=AXES[:2])
    traits = {three[0].key: Trait(tokens=pack(AXES[[0, 7]])), three[1].key: Trait(tokens=pack(AXES[[5, 0, 1]]))}
    pool = pooled(three, traits, "", question, np.array([0.75, 0.25], dtype=np.float32))
    assert pool.closeness == pytest.approx([0.75, 1.0, np.nan], nan_ok=True)
    found = rank(pool, "hybrid")
    assert [one.id.int for one in found] == [2, 1, 3]
    assert found[0].parts["tokens"] > 0


def test_a_passage_is_a_turn_with_those_before_and_after_it() -> None:
    four = [candidate(number, 0.5) for number in range(1, 5)]
    first, second, third, alone = (one.key for one in four)
    question = Question(np.ones(4, dtype=np.float32), tokens=AXES[:3])
    traits = {
        first: Trait(after=second, tokens=pack(AXES[[0, 9]])),
        second: Trait(before=first, after=third, tokens=pack(AXES[[8]])),
        third: Trait(before=second, tokens=pack(AXES[[1]])),
        alone: Trait(before="of whom nothing is known", tokens=pack(AXES[[2]])),
    }
    pool = pooled(four, traits, "", question, np.array([0.5, 0.25, 0.25], dtype=np.float32))
    assert pool.closeness == pytest.approx([0.5, 0.0, 0.25, 0.25])
    assert pool.passages == pytest.approx([0.5, 0.75, 0.25, 0.25])
    assert signals.passage(pool) == pytest.approx([0.5, 1.0, 0.0, 0.0])


def test_a_neighbour_without_tokens_takes_nothing_away() -> None:
    two = [candidate(1, 0.5), candidate(2, 0.5)]
    question = Question(np.ones(4, dtype=np.float32), tokens=AXES[:1])
    traits = {two[0].key: Trait(after=two[1].key, tokens=pack(AXES[[0]])), two[1].key: Trait(before=two[0].key)}
    pool = pooled(two, traits, "", question, np.ones(1, dtype=np.float32))
    assert pool.passages == pytest.approx([1.0, np.nan], nan_ok=True)


@given(pool=pools(), mode=MODES)
def test_every_candidate_is_ranked_once_and_its_parts_add_up_to_its_score(pool: Pool, mode: Mode) -> None:
    found = rank(pool, mode)
    assert {one.id.hex for one in found} == set(pool.candidates.keys)
    assert all(0.0 <= one.score <= 1.0 for one in found)
    assert all(one.score == pytest.approx(min(1.0, sum(one.parts.values()))) for one in found)
    assert all(part >= 0 for one in found for part in one.parts.values())
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert rank(pool, mode, 3) == found[:3]


@given(pool=pools(), mode=MODES, data=st.data())
def test_the_order_of_the_candidates_does_not_matter(pool: Pool, mode: Mode, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(pool))))
    old = pool.candidates
    shuffled = Candidates([old.keys[place] for place in order], old.cosines[order], old.keywords[order])
    again = rank(Pool(shuffled, pool.traits, pool.text, pool.question, pool.weight), mode)
    assert [(one.id, pytest.approx(one.score)) for one in again] == [(one.id, one.score) for one in rank(pool, mode)]


@given(candidates=CANDIDATES, other=st.uuids())
def test_better_in_both_legs_is_better(candidates: list[Candidate], other: UUID) -> None:
    first = Candidate(other.hex, 1.0, 101.0)
    found = rank(pooled([*(c for c in candidates if c.key != other.hex), first]), "hybrid")
    assert next(one.score for one in found if one.id == other) == pytest.approx(found[0].score)


@given(candidates=CANDIDATES, count=st.integers(1, 40))
def test_the_best_are_those_that_the_legs_rank_first(candidates: list[Candidate], count: int) -> None:
    chosen = set(best(together(candidates), count))
    found = rank(pooled(candidates), "hybrid")
    least = min((one.score for one in found if one.id.hex in chosen), default=0.0)
    assert len(chosen) == min(count, len(candidates))
    assert all(one.score <= least + 1e-9 for one in found if one.id.hex not in chosen)


@given(pool=pools(), rarity=st.floats(0, 50))
def test_confidence_is_a_percentage(pool: Pool, rarity: float) -> None:
    found = confidences(pool, rarity)
    assert len(found) == len(pool)
    assert ((found >= 0) & (found <= 100)).all()


@given(low=st.floats(0, 1), high=st.floats(0, 1), words=st.floats(0, 20), more=st.floats(0, 20))
def test_confidence_grows_with_each_piece_of_evidence(low: float, high: float, words: float, more: float) -> None:
    low, high, words, more = min(low, high), max(low, high), min(words, more), max(words, more)
    one, two = confidences(pooled([candidate(1, low, words), candidate(2, high, more)]), 10.0)
    assert one <= two


def test_confidence_means_the_same_whatever_else_was_found() -> None:
    alone = confidences(pooled([candidate(1, 0.4, 3.0)]), 10.0)[0]
    beside = confidences(pooled([candidate(1, 0.4, 3.0), candidate(2, 0.9, 9.0)]), 10.0)
    assert alone == beside[0] < beside[1]
    assert confidences(pooled([candidate(1, 0.95, 12.0)]), 10.0)[0] > 70
    assert confidences(pooled([candidate(1, 0.1, None)]), 10.0)[0] < 5


def test_weights_of_a_mode_are_positive_and_names_are_unique() -> None:
    for chosen in (*SIGNALS.values(), WITH_TOKENS):
        assert all(signal.weight > 0 for signal in chosen)
        assert len({signal.name for signal in chosen}) == len(chosen)
