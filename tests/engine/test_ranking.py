"""Ranking: the arithmetic of each mode by hand, and what must hold for any candidates."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.ranking import SIGNALS, Candidate, Mode, rank

MODES = st.sampled_from(sorted(SIGNALS))
COSINES = st.none() | st.floats(-1, 1)
KEYWORDS = st.none() | st.floats(0, 100, exclude_min=True)
POOLS = st.lists(st.builds(Candidate, st.uuids(), COSINES, KEYWORDS), unique_by=lambda c: c.id, max_size=30)


def candidate(number: int, similarity: float | None, keyword: float | None) -> Candidate:
    return Candidate(UUID(int=number), similarity, keyword)


def scores(mode: Mode, *candidates: Candidate) -> dict[int, float]:
    return {one.id.int: pytest.approx(one.score) for one in rank(candidates, mode)}


def test_hybrid_is_half_min_max_cosine_and_half_keyword_over_its_maximum() -> None:
    found = rank([candidate(1, 0.2, 8.0), candidate(2, 0.6, 4.0), candidate(3, 0.4, None)], "hybrid")
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
    found = rank([candidate(1, 0.2, 1e-6), candidate(2, 0.6, None), candidate(3, 0.0, None)], "hybrid")
    assert [one.id.int for one in found] == [2, 1, 3]


def test_nothing_found_ranks_nothing() -> None:
    assert rank([], "hybrid") == []


@given(pool=POOLS, mode=MODES)
def test_ranked_by_score_within_0_and_1_with_everybody_in_it(pool: list[Candidate], mode: Mode) -> None:
    found = rank(pool, mode)
    assert {one.id for one in found} == {c.id for c in pool}
    assert all(0.0 <= one.score <= 1.0 for one in found)
    assert all(one.score == pytest.approx(min(1.0, sum(one.parts.values()))) for one in found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


@given(pool=POOLS, mode=MODES, data=st.data())
def test_the_order_of_the_candidates_does_not_matter(pool: list[Candidate], mode: Mode, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(pool))
    assert rank(shuffled, mode) == rank(pool, mode)


@given(pool=POOLS, other=st.uuids())
def test_better_in_both_legs_is_better(pool: list[Candidate], other: UUID) -> None:
    best = Candidate(other, 1.0, 101.0)
    found = rank([*(c for c in pool if c.id != other), best], "hybrid")
    assert next(one.score for one in found if one.id == other) == pytest.approx(found[0].score)


def test_weights_of_a_mode_are_positive_and_names_are_unique() -> None:
    for signals in SIGNALS.values():
        assert all(signal.weight > 0 for signal in signals)
        assert len({signal.name for signal in signals}) == len(signals)
