"""The index: one call to the embedder, both legs add candidates, answers within the owner and the limit."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from app.engine.index import Entry, Index, Mode, Vectors
from app.engine.stores.sqlite import SqliteVectorStore
from app.engine.words.sqlite import SqliteWords

ANN, BO = UUID(int=1), UUID(int=2)
AXES = {"coffee": 0, "train": 1, "hotel": 2, "hund": 3}


class Axes:
    """Embeds a text as the sum of the axes that its words name; counts its calls. Not of unit length."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def embed_batch(self, texts: list[str], memory_action: str = "add") -> list[list[float]]:
        self.calls.append(texts)
        return [self._vector(text) for text in texts]

    @staticmethod
    def _vector(text: str) -> list[float]:
        vector = [0.1] * 5
        for word in text.split():
            vector[AXES.get(word, 4)] += 3
        return vector


@pytest.fixture
def axes() -> Axes:
    return Axes()


@pytest.fixture
def index(tmp_path: Path, template: Path, axes: Axes) -> Iterator[Index]:
    """An index of a small embedder on a store of its own."""
    shutil.copy(template, tmp_path / "index.db")
    url = f"sqlite:///{tmp_path / 'index.db'}"
    index = Index(axes, SqliteVectorStore("axes:5", 5, url, 2**26), SqliteWords(url, 2**26), "axes:5")
    yield index
    index.close()


def put(index: Index, owner: UUID, texts: Sequence[str], start: int = 100) -> list[UUID]:
    entries = [Entry(UUID(int=start + i), owner, text) for i, text in enumerate(texts)]
    with index.together(index.store._database) as together:
        together.put(entries, index.embed(texts))
    return [entry.id for entry in entries]


def found(index: Index, query: str, mode: Mode = "hybrid", limit: int = 10, owner: UUID = ANN) -> list[UUID]:
    return [one.id for one in index.search(owner, query, mode, limit)]


def test_vectors_of_any_embedder_are_of_unit_length_and_one_call(index: Index, axes: Axes) -> None:
    vectors = index.embed(["coffee", "coffee train", ""])
    assert axes.calls == [["coffee", "coffee train", ""]]
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1])


def test_an_embedder_that_encodes_itself_is_asked_directly(index: Index, axes: Axes) -> None:
    def encode(texts: Sequence[str]) -> Vectors:
        return np.ones((len(texts), 5), dtype=np.float32)

    axes.encode = encode  # type: ignore[attr-defined]
    assert index.embed(["x", "y"]).tolist() == [[1.0] * 5] * 2
    assert axes.calls == []


def test_each_mode_finds_by_its_own_leg(index: Index) -> None:
    coffee, train, dog = put(index, ANN, ["coffee", "train zug", "hund train"])
    assert found(index, "zug", "keyword") == [train]
    assert found(index, "hund", "vector", limit=1) == [dog]
    assert set(found(index, "coffee zug", "hybrid")) == {coffee, train, dog}


def test_both_legs_add_candidates(index: Index) -> None:
    put(index, ANN, [f"coffee {i}" for i in range(300)])
    put(index, ANN, ["coffee coffee coffee coffee"], start=800)
    (rare,) = put(index, ANN, ["hund xylophone"], start=900)
    assert rare not in found(index, "coffee coffee coffee xylophone", "vector", limit=200)
    assert rare in found(index, "coffee coffee coffee xylophone", "hybrid", limit=200)


def test_a_keyword_hit_beyond_the_nearest_has_its_similarity_too(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine.index.LEAST_DEPTH", 2)
    put(index, ANN, ["coffee"] * 4)
    far, _ = put(index, ANN, ["coffee hund xylophone", "hund hund hund xylophone"], start=900)
    ranked = {one.id: one for one in index.search(ANN, "coffee xylophone", "hybrid", 2)}
    assert ranked[far].parts["keyword"] > 0
    assert ranked[far].parts["similarity"] > 0


def test_a_query_is_embedded_once_and_by_keywords_not_at_all(index: Index, axes: Axes) -> None:
    put(index, ANN, ["coffee", "train"])
    for mode, calls in (("hybrid", [["coffee"]]), ("vector", [["coffee"]]), ("keyword", [])):
        axes.calls.clear()
        found(index, "coffee", mode)
        assert axes.calls == calls


def test_owners_do_not_meet(index: Index) -> None:
    put(index, ANN, ["coffee"])
    (theirs,) = put(index, BO, ["coffee"], start=500)
    for mode in ("hybrid", "vector", "keyword"):
        assert found(index, "coffee", mode, owner=BO) == [theirs]


def test_limit_and_within_bound_the_answer(index: Index) -> None:
    ids = put(index, ANN, ["coffee"] * 20)
    assert found(index, "coffee", limit=3) == ids[:3]
    within = index.search(ANN, "coffee", "hybrid", 10, ids[5:7])
    assert [one.id for one in within] == ids[5:7]
    assert index.search(ANN, "coffee", "hybrid", 10, []) == []


def test_removing_and_putting_again_are_harmless_twice(index: Index) -> None:
    ids = put(index, ANN, ["coffee", "train"])
    put(index, ANN, ["coffee", "train"])
    assert index.store.count() == 2
    for _ in range(2):
        with index.together(index.store._database) as together:
            together.remove([ids[0], UUID(int=77)])
    assert found(index, "coffee", "keyword") == []
    assert found(index, "coffee", "vector") == [ids[1]]
    with index.together(index.store._database) as together:
        together.remove([])
        together.put([], np.empty((0, 5), dtype=np.float32))
