"""Vectors in a store that is not beside the memories: a real Qdrant in this process, and scripted ones that are slow,
failing or empty. Writes never fail, searches fall back to words in bounded time, the sweep catches up."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from app.context import Runtime
from app.engine.engine import Built
from app.engine.index import Index, Vectors
from app.engine.providers import Place, build_store, build_words
from app.engine.stores import elsewhere, workers
from app.engine.stores.elsewhere import ElsewhereStore
from app.engine.sync import sync_all
from app.errors import Invalid, StoreUnavailable
from app.models import State
from app.services import configs, doctor, indexes, memories, rebuilds, searches, states
from app.services.drafts import draft
from app.services.searches import Query, Result
from tests.conftest import AsCaller

TEXTS = ["Anna likes green tea", "Bert plays the violin", "Clara moved to Lisbon"]
ANN, BO = str(UUID(int=1)), str(UUID(int=2))


@dataclass
class Scripted:
    """A mem0 vector store that does as it is told: it answers from a dictionary, hangs, or fails."""

    hangs: threading.Event | None = None
    fails: bool = False
    vectors: dict[str, tuple[list[float], dict[str, str]]] = field(default_factory=dict)
    busy: int = 0
    most_busy: int = 0

    def _act(self) -> None:
        if self.hangs is not None:
            self.hangs.wait(20)
        if self.fails:
            raise ConnectionError("sk-secret refused")

    def insert(self, vectors: Any, payloads: Any, ids: Any) -> None:
        self._act()
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        time.sleep(0.001)
        self.vectors |= {id: (list(vectors[i]), payloads[i]) for i, id in enumerate(ids)}
        self.busy -= 1

    def delete(self, vector_id: str) -> None:
        self._act()
        del self.vectors[vector_id]  # a KeyError for what is not there, as some stores have it

    def get(self, vector_id: str) -> Any:
        return self.vectors.get(vector_id)

    def search(self, query: str, vectors: Any, top_k: int, filters: Any) -> list[Any]:
        self._act()
        scored = [
            elsewhere.Hit(id, float(np.dot(vector, vectors)), payload)
            for id, (vector, payload) in self.vectors.items()
            if payload["user_id"] == filters["user_id"]
        ]
        return sorted(scored, key=lambda hit: -hit.score)[:top_k]


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "SEARCH_SECONDS", 0.3)
    monkeypatch.setattr(elsewhere, "WRITE_SECONDS", 0.3)
    monkeypatch.setattr(workers, "PAUSE", 0.2)


@pytest.fixture
def scripted(runtime: Runtime, built: Built) -> Iterator[Scripted]:
    """The server's vectors lie in a scripted store."""
    store = Scripted()
    place = Place(runtime.relaxed, runtime.settings.data_dir, 2**26)
    index = Index(
        built.index._embedder, ElsewhereStore("scripted", lambda: store, is_local=False), build_words(place), "m"
    )
    runtime.engine.index.close()
    runtime.engine.use(Built(index, built.categoriser, built.config))
    yield store
    if store.hangs is not None:
        store.hangs.set()


def add(ctx: AsCaller, *texts: str) -> list[UUID]:
    with ctx(writing=True) as c:
        return [
            one.id for one in memories.add(c, None, [draft(text) for text in texts], app=None, infer=False).memories
        ]


def search(ctx: AsCaller, text: str, mode: Any = "hybrid") -> Result:
    with ctx() as c:
        return searches.search(c, Query(text, mode=mode))


def first(ctx: AsCaller, text: str, mode: Any = "hybrid") -> str:
    return search(ctx, text, mode).hits[0].memory.content


def sweep(runtime: Runtime) -> int:
    time.sleep(0.25)  # the pause after a failure
    return sum(1 for _ in sync_all(runtime.relaxed, runtime.engine.index))


def pending(runtime: Runtime) -> str:
    return next(finding.text for finding in doctor.examine(runtime) if finding.name == "pending")


def test_it_is_searched_written_and_removed_from(ctx: AsCaller, scripted: Scripted) -> None:
    ids = add(ctx, *TEXTS)
    assert set(scripted.vectors) == {str(id) for id in ids}
    assert first(ctx, "a musical instrument", "vector") == TEXTS[1]
    assert first(ctx, "who likes tea") == TEXTS[0]
    with ctx(writing=True) as c:
        states.change(c, [ids[1]], State.archived)
    assert set(scripted.vectors) == {str(ids[0]), str(ids[2])}


@pytest.mark.parametrize("trouble", ["hangs", "fails"])
def test_a_dead_one_leaves_the_words_and_the_sweep_catches_up(
    ctx: AsCaller, runtime: Runtime, scripted: Scripted, trouble: str
) -> None:
    add(ctx, TEXTS[0])
    scripted.hangs, scripted.fails = (threading.Event(), False) if trouble == "hangs" else (None, True)
    start = time.monotonic()
    add(ctx, TEXTS[1])
    found = search(ctx, "violin")
    assert time.monotonic() - start < 5, "whatever the store does"
    assert [hit.memory.content for hit in found.hits] == [TEXTS[1]]
    assert found.mode == "keyword"
    assert found.warning == "The vector store does not answer: searched by keywords only"
    with pytest.raises(StoreUnavailable) as caught:
        search(ctx, "violin", "vector")
    assert "secret" not in str(caught.value)
    assert pending(runtime).startswith("1 ")
    if scripted.hangs is not None:
        scripted.hangs.set()
    scripted.hangs, scripted.fails = None, False
    sweep(runtime)
    assert pending(runtime).startswith("0 ")
    assert first(ctx, "a musical instrument", "vector") == TEXTS[1]
    assert search(ctx, "violin").warning is None


def test_an_empty_one_is_filled_by_a_reindex(ctx: AsCaller, runtime: Runtime, scripted: Scripted) -> None:
    add(ctx, *TEXTS)
    scripted.vectors.clear()
    assert search(ctx, "a musical instrument", "vector").hits == []
    assert first(ctx, "violin") == TEXTS[1]
    indexes.forget(runtime)
    sweep(runtime)
    assert first(ctx, "a musical instrument", "vector") == TEXTS[1]


def test_after_a_failure_nobody_waits_again(ctx: AsCaller, scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PAUSE", 60)
    add(ctx, *TEXTS)
    scripted.hangs = threading.Event()
    search(ctx, "violin")
    start = time.monotonic()
    for _ in range(20):
        assert search(ctx, "violin").warning
    assert time.monotonic() - start < 3


def test_writes_come_one_after_the_other(scripted: Scripted) -> None:
    store = ElsewhereStore("scripted", lambda: scripted, is_local=False)
    vector = [[1.0, 0.0]]
    threads = [
        threading.Thread(target=store.insert, args=(vector, [{"user_id": ANN}], [str(UUID(int=n))])) for n in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(scripted.vectors) == 20
    assert scripted.most_busy == 1
    store.close()


def unit(*numbers: float) -> Vectors:
    vector = np.zeros(384, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


@pytest.fixture(params=["qdrant", "chroma"])
def local(
    request: pytest.FixtureRequest, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ElsewhereStore]:
    """A real one in this process."""
    if request.param == "chroma":
        pytest.importorskip("chromadb")
    for name in ("SEARCH_SECONDS", "WRITE_SECONDS"):
        monkeypatch.setattr(elsewhere, name, 30)
    place = Place(runtime.relaxed, runtime.settings.data_dir / "models", 2**20)
    store: ElsewhereStore = build_store({"provider": request.param, "config": {}}, "model", 384, place)
    yield store
    store.close()


@pytest.mark.one_database
def test_real_ones_find_replace_and_remove(local: ElsewhereStore) -> None:
    local.check()
    names = [str(UUID(int=100 + n)) for n in range(4)]
    vectors = [unit(1, 0), unit(0.8, 0.6), unit(0, 1), unit(1, 0)]
    local.insert(vectors, [{"user_id": ANN}] * 3 + [{"user_id": BO}], names)
    found = local.search("", unit(1, 0), 10, {"user_id": ANN})
    assert [(hit.id, pytest.approx(hit.score, abs=1e-4)) for hit in found] == [
        (names[0], 1.0),
        (names[1], 0.8),
        (names[2], 0.0),
    ]
    among = local.search("", unit(1, 0), 10, {"user_id": ANN, "ids": [names[1], names[3]]})
    assert [hit.id for hit in among] == [names[1]]
    assert local.search("", unit(1, 0), 10, {"user_id": ANN, "ids": []}) == []
    assert local.similarities(ANN, unit(0, 1), [names[1], names[3]]) == {names[1]: pytest.approx(0.6, abs=1e-4)}
    local.insert([unit(0, 1)], [{"user_id": ANN}], [names[0]])
    assert local.search("", unit(1, 0), 1, {"user_id": ANN})[0].id == names[1]
    local.delete_many([names[1], str(UUID(int=999))])
    assert {hit.id for hit in local.search("", unit(1, 0), 10, {"user_id": ANN})} == {names[0], names[2]}


@pytest.mark.one_database
def test_many_threads_at_once(local: ElsewhereStore) -> None:
    def work(number: int) -> None:
        local.insert([unit(1, number)], [{"user_id": ANN}], [str(UUID(int=number + 1))])
        seen.append(len(local.search("", unit(1, 0), 50, {"user_id": ANN})))

    seen: list[int] = []
    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 16
    assert len(local.search("", unit(1, 0), 50, {"user_id": ANN})) == 16


def test_the_index_moves_to_another_store_in_the_background(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "WRITE_SECONDS", 30)
    monkeypatch.setattr(elsewhere, "SEARCH_SECONDS", 30)
    configs.refresh(runtime)
    add(ctx, *TEXTS)
    with ctx(writing=True) as c:
        configs.merge(c, {"mem0": {"vector_store": {"provider": "qdrant"}}})
    for _ in rebuilds.run(runtime):
        pass
    sweep(runtime)
    assert isinstance(runtime.engine.index.store, ElsewhereStore)
    assert first(ctx, "a musical instrument", "vector") == TEXTS[1]
    assert all(finding.is_well for finding in doctor.examine(runtime))
    runtime.engine.index.close()


def test_one_that_does_not_answer_is_not_saved(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise ConnectionError("sk-secret")

    providers = runtime.engine.providers()
    create: Callable[..., Any] = providers.VectorStoreFactory.create
    wrapped = lambda name, config: refuse() if name == "qdrant" else create(name, config)  # noqa: E731
    monkeypatch.setattr(providers.VectorStoreFactory, "create", wrapped)
    with pytest.raises(Invalid, match="ConnectionError") as caught, ctx(writing=True) as c:
        configs.merge(c, {"mem0": {"vector_store": {"provider": "qdrant"}}})
    assert "secret" not in str(caught.value)
    with ctx() as c:
        assert configs.current(c)["mem0"]["vector_store"]["provider"] == "database"


def test_a_server_that_starts_without_it_answers_by_words() -> None:
    opened: list[int] = []

    def open_store() -> Any:
        opened.append(1)
        if len(opened) == 1:
            raise ConnectionError("not yet")
        return Scripted()

    store = ElsewhereStore("scripted", open_store, is_local=False)
    with pytest.raises(StoreUnavailable):
        store.search("", unit(1), 5, {"user_id": ANN})
    time.sleep(0.25)
    assert store.search("", unit(1), 5, {"user_id": ANN}) == []
    store.close()
