"""The embedded vector store: exact whatever is written by whichever process, and closed between owners."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.engine.index import Vectors
from app.engine.stores import matrix
from app.engine.stores.sqlite import SqliteVectorStore

DIMENSIONS = 8
MODEL = "test:8"
ANN, BO, CY = (str(UUID(int=n)) for n in (1, 2, 3))
LARGE, TINY = 2**26, 1
CLOSE = 0.01  # vectors are kept as 8-bit integers, and with 8 dimensions an error has little to average out with

NewStore = Callable[..., SqliteVectorStore]


@pytest.fixture
def new_store(tmp_path: Path, template: Path) -> Iterator[NewStore]:
    """`new_store(cache_bytes=..., model=...)`: one more process's store on the same file."""
    shutil.copy(template, tmp_path / "store.db")
    opened: list[SqliteVectorStore] = []

    def make(cache_bytes: int = LARGE, model: str = MODEL) -> SqliteVectorStore:
        opened.append(SqliteVectorStore(model, DIMENSIONS, f"sqlite:///{tmp_path / 'store.db'}", cache_bytes))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def unit(seed: int) -> Vectors:
    """A random unit vector."""
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def name(number: int) -> str:
    return str(UUID(int=number + 1_000))


def put(store: SqliteVectorStore, owner: str, numbers: Iterable[int], seed: int = 0) -> None:
    """Entries by number; the vector follows from number and seed."""
    chosen = list(numbers)
    payloads = [{"user_id": owner}] * len(chosen)
    store.insert([unit(number + seed) for number in chosen], payloads, [name(number) for number in chosen])


def near(
    store: SqliteVectorStore, owner: str, vector: Vectors, top_k: int = 5, **filters: Any
) -> list[tuple[str, float]]:
    return [(hit.id, hit.score) for hit in store.search("", vector, top_k, {"user_id": owner, **filters})]


def ids(*numbers: int) -> set[str]:
    return {UUID(name(number)).hex for number in numbers}


class Processes(RuleBasedStateMachine):
    """Two stores on one file, as two processes have it, compared with arithmetic over a dictionary."""

    folder: Path
    template: Path

    @initialize(budgets=st.tuples(*[st.sampled_from([TINY, LARGE])] * 2))
    def start(self, budgets: tuple[int, int]) -> None:
        path = self.folder / "machine.db"
        for left in self.folder.glob("machine.db*"):
            left.unlink()
        shutil.copy(self.template, path)
        self.stores = [SqliteVectorStore(MODEL, DIMENSIONS, f"sqlite:///{path}", budget) for budget in budgets]
        self.truth: dict[int, tuple[str, Vectors]] = {}

    def teardown(self) -> None:
        for store in getattr(self, "stores", []):
            store.close()

    @rule(which=st.integers(0, 1), numbers=st.sets(st.integers(0, 14), min_size=1), seed=st.integers(0, 10_000))
    def insert(self, which: int, numbers: set[int], seed: int) -> None:
        vectors = {number: unit(number * 10_001 + seed) for number in numbers}
        payloads = [{"user_id": (ANN, BO, CY)[number % 3]} for number in vectors]
        self.stores[which].insert(list(vectors.values()), payloads, [name(number) for number in vectors])
        for number, vector in vectors.items():
            self.truth[number] = ((ANN, BO, CY)[number % 3], vector)

    @rule(which=st.integers(0, 1), numbers=st.sets(st.integers(0, 14), min_size=1))
    def delete(self, which: int, numbers: set[int]) -> None:
        self.stores[which].delete_many([name(number) for number in numbers])
        for number in numbers:
            self.truth.pop(number, None)

    @rule(which=st.integers(0, 1))
    def empty(self, which: int) -> None:
        self.stores[which].reset()
        self.truth.clear()

    @rule(
        which=st.integers(0, 1),
        owner=st.sampled_from([ANN, BO, CY]),
        seed=st.integers(0, 10_000),
        top_k=st.integers(1, 6),
        within=st.none() | st.sets(st.integers(0, 14)),
    )
    def search(self, which: int, owner: str, seed: int, top_k: int, within: set[int] | None) -> None:
        query = unit(seed)
        filters = {} if within is None else {"ids": [name(number) for number in within]}
        found = near(self.stores[which], owner, query, top_k, **filters)
        scores = {
            UUID(name(number)).hex: float(vector @ query)
            for number, (owned, vector) in self.truth.items()
            if owned == owner and (within is None or number in within)
        }
        best = sorted(scores.values(), reverse=True)[:top_k]
        assert [score for _, score in found] == pytest.approx(best, abs=CLOSE)
        assert {id: scores[id] for id, _ in found} == pytest.approx(dict(found), abs=CLOSE)

    @invariant()
    def counts(self) -> None:
        for store in getattr(self, "stores", []):
            assert store.count() == len(self.truth)


def test_two_processes_answer_exactly_what_arithmetic_says(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "BLOCK", 3)  # so that five rows an owner cross the borders of blocks
    machine = type("Machine", (Processes,), {"folder": tmp_path, "template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=20,
            derandomize=True,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def many(store: SqliteVectorStore, count: int) -> Vectors:
    """So many random unit vectors of Ann's: (count, DIMENSIONS)."""
    vectors = np.random.default_rng(0).standard_normal((count, DIMENSIONS)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store.insert(vectors, [{"user_id": ANN}] * count, [name(i) for i in range(count)])
    return vectors


def test_of_five_thousand_vectors_the_nearest_are_found(new_store: NewStore) -> None:
    store = new_store()
    similar = many(store, 5_000) @ (query := unit(7))
    for one in (store, new_store()):
        found = near(one, ANN, query, 20)
        true = [float(similar[UUID(id).int - 1_000]) for id, _ in found]
        assert true == pytest.approx(sorted(similar, reverse=True)[:20], abs=CLOSE)
        assert [score for _, score in found] == pytest.approx(true, abs=CLOSE)


def test_of_many_vectors_the_nearest_are_found_by_their_signs_first(
    new_store: NewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "BLOCK", 700)
    monkeypatch.setattr(matrix, "COARSE_FROM", 1_000)
    monkeypatch.setattr(matrix, "COARSE", 2_000)  # of 256 signs that eight dimensions can have
    store = new_store()
    similar = many(store, 5_000) @ (query := unit(7))
    store.delete_many([name(int(best)) for best in np.argsort(-similar)[:5]])
    found = near(store, ANN, query, 20)
    true = [float(similar[UUID(id).int - 1_000]) for id, _ in found]
    assert true == pytest.approx(sorted(similar, reverse=True)[5:25], abs=CLOSE)


def test_owners_that_do_not_fit_the_cache_are_read_again(new_store: NewStore) -> None:
    store = new_store(TINY)
    for owner, number in ((ANN, 1), (BO, 2), (CY, 3)):
        put(store, owner, [number])
    for _ in range(2):
        for owner, number in ((ANN, 1), (BO, 2), (CY, 3)):
            assert near(store, owner, unit(number)) == [(UUID(name(number)).hex, pytest.approx(1, abs=CLOSE))]
            assert len(store._matrices) == 1


def test_a_replaced_entry_is_found_by_its_new_vector_only(new_store: NewStore) -> None:
    store, other = new_store(), new_store()
    put(store, ANN, [1])
    near(other, ANN, unit(1))
    put(store, ANN, [1], seed=500)
    for one in (store, other):
        assert near(one, ANN, unit(501)) == [(UUID(name(1)).hex, pytest.approx(1, abs=CLOSE))]
        assert one.count() == 1


def test_the_filter_of_ids_holds(new_store: NewStore) -> None:
    store = new_store()
    put(store, ANN, range(10))
    within = [name(3), name(4), name(99)]
    assert {id for id, _ in near(store, ANN, unit(0), 10, ids=within)} == ids(3, 4)
    assert near(store, ANN, unit(0), 10, ids=[]) == []


def test_similarities_are_the_owners_alone(new_store: NewStore) -> None:
    store = new_store()
    put(store, ANN, [1])
    put(store, BO, [2])
    assert store.similarities(ANN, unit(1), [name(1), name(2), name(3)]) == {
        UUID(name(1)).hex: pytest.approx(1, abs=CLOSE)
    }


def test_another_models_vectors_are_not_compared(new_store: NewStore) -> None:
    old, new = new_store(model="old:8"), new_store(model="new:8")
    put(old, ANN, [1, 2])
    assert near(new, ANN, unit(1)) == []
    put(new, ANN, [1])
    assert [id for id, _ in near(new, ANN, unit(1))] == [UUID(name(1)).hex]
    assert (old.count(), new.count(), set(new.list_cols())) == (2, 1, {"old:8", "new:8"})
    new.delete(name(1))
    assert (old.count(), new.count(), near(new, ANN, unit(1))) == (1, 0, [])
    assert [id for id, _ in near(old, ANN, unit(1))] == [UUID(name(2)).hex]


def test_what_mem0_asks_of_a_store_is_answered(new_store: NewStore) -> None:
    store = new_store()
    put(store, ANN, [1, 2])
    put(store, BO, [3])
    assert {hit.id for hit in store.list({"user_id": ANN})[0]} == ids(1, 2)
    assert len(store.list(top_k=2)[0]) == 2
    assert store.get(name(3)).payload == {"user_id": UUID(BO).hex}
    assert store.get(name(9)) is None
    store.delete(name(3))
    store.delete(name(9))
    assert store.col_info() == {"name": MODEL, "dimensions": DIMENSIONS, "count": 2}
    store.update(name(1), list(unit(9)), {"user_id": ANN})
    assert near(store, ANN, unit(9), 1) == [(UUID(name(1)).hex, pytest.approx(1, abs=CLOSE))]
    store.reset()
    assert (store.count(), near(store, ANN, unit(1))) == (0, [])
