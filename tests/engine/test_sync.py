"""The index follows the truth: after a commit, after a failure, after a kill, and never with a transaction open."""

import os
import socket
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.context import Context, Runtime
from app.database import now
from app.engine.index import Vectors
from app.engine.sync import sync, sync_all
from app.models import IndexClaim, Memory, State
from app.services import memories, searches, states
from app.services.drafts import draft
from app.services.searches import Query
from tests.conftest import AsCaller

COFFEE, TRAIN = "I drink strong coffee", "The train to Berlin leaves at seven"

Embed = Callable[[Sequence[str]], Vectors]


class Apart:
    """A store that lies elsewhere: what it holds cannot change in a transaction of the truth."""

    def __init__(self, store: Any) -> None:
        self.insert, self.delete_many = store.insert, store.delete_many
        self.search, self.similarities, self.count = store.search, store.similarities, store.count


@pytest.fixture(params=["together", "apart"])
def anywhere(request: pytest.FixtureRequest, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> str:
    """The index beside the truth, and elsewhere."""
    if request.param == "apart":
        monkeypatch.setattr(runtime.engine.index, "store", Apart(runtime.engine.index.store))
    return str(request.param)


def add(ctx: AsCaller, *texts: str) -> list[UUID]:
    with ctx(writing=True) as c:
        added = memories.add(c, None, [draft(text) for text in texts], app=None, infer=False)
    return [view.id for view in added.memories]


def found(ctx: AsCaller, words: str) -> list[str]:
    """What both legs find, where there is only that."""
    with ctx() as c:
        similar = [hit.memory.content for hit in searches.search(c, Query(words, mode="vector")).hits]
    assert similar == keyed(ctx, words)
    return similar


def keyed(ctx: AsCaller, words: str) -> list[str]:
    """What the keyword leg finds."""
    with ctx() as c:
        return [hit.memory.content for hit in searches.search(c, Query(words, mode="keyword")).hits]


def pending(runtime: Runtime) -> list[UUID]:
    with runtime.database.reading() as session:
        return list(session.scalars(select(Memory.id).where(Memory.indexed_at.is_(None)).order_by(Memory.id)))


def sweep(runtime: Runtime) -> int:
    """Memories that a sweep brought level."""
    return max((done.total for done in sync_all(runtime.relaxed, runtime.engine.index)), default=0)


def forget(runtime: Runtime) -> None:
    """Have all memories looked at again."""
    with runtime.database.transaction() as session:
        session.execute(update(Memory).values(indexed_at=None))


def instead(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, embed: Callable[[Embed, Sequence[str]], Any]) -> None:
    """Embed by `embed(original, texts)`."""
    embedder = runtime.engine.index._embedder
    original = embedder.read
    monkeypatch.setattr(embedder, "read", lambda texts, *outputs: embed(lambda these: original(these, *outputs), texts))


def dead(*_: Any, **__: Any) -> None:
    raise ConnectionError("away")


# -- level -------------------------------------------------------------------------------------------------------------


def test_a_write_is_level_when_it_is_answered(ctx: AsCaller, runtime: Runtime) -> None:
    add(ctx, COFFEE)
    assert pending(runtime) == []
    assert found(ctx, "coffee") == [COFFEE]


def test_a_sync_does_no_harm_twice(ctx: AsCaller, runtime: Runtime) -> None:
    ids = add(ctx, COFFEE)
    assert sweep(runtime) == 0
    for _ in range(2):
        forget(runtime)
        assert sync(runtime.relaxed, runtime.engine.index, ids).put == 1
        assert sync(runtime.relaxed, runtime.engine.index, ids).total == 0
    assert runtime.engine.index.store.count() == 1
    assert found(ctx, "coffee") == [COFFEE]


def test_many_batches_are_swept(ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine.sync.BATCH", 3)
    add(ctx, *(f"note {i}" for i in range(8)))
    forget(runtime)
    assert [done.total for done in sync_all(runtime.relaxed, runtime.engine.index)][-1] == 8
    assert pending(runtime) == []


def test_only_active_memories_are_held(ctx: AsCaller, runtime: Runtime) -> None:
    ids = add(ctx, "one", "two", "three", "four")
    for id, state in zip(ids, (State.paused, State.archived, State.deleted), strict=False):
        with ctx(writing=True) as c:
            states.set_many(c, [id], state)
    assert runtime.engine.index.store.count() == 1
    forget(runtime)
    assert sweep(runtime) == 4
    assert runtime.engine.index.store.count() == 1


# -- changes that happen meanwhile -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("anywhere")
def test_a_memory_that_changes_while_it_is_embedded_stays_pending_and_is_corrected(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    (id,) = add(ctx, COFFEE)
    forget(runtime)

    def overtaken(original: Embed, texts: Sequence[str]) -> Vectors:
        with runtime.database.transaction() as session:
            session.execute(update(Memory).values(content=TRAIN, version=Memory.version + 1, indexed_at=None))
        return original(texts)

    with monkeypatch.context() as patched:
        instead(runtime, patched, overtaken)
        sync(runtime.relaxed, runtime.engine.index, [id])
    assert pending(runtime) == [id]
    assert sweep(runtime) == 1
    assert found(ctx, "train Berlin") == [TRAIN]
    assert keyed(ctx, "coffee") == []


def test_a_memory_that_is_deleted_while_it_is_embedded_leaves_no_vector(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, anywhere: str
) -> None:
    (id,) = add(ctx, COFFEE)
    forget(runtime)

    def overtaken(original: Embed, texts: Sequence[str]) -> Vectors:
        with ctx(writing=True) as c:  # its own sync removes the vector and marks the row before ours puts it back
            states.set_many(c, [id], State.deleted)
        return original(texts)

    with monkeypatch.context() as patched:
        instead(runtime, patched, overtaken)
        sync(runtime.relaxed, runtime.engine.index, [id])
    assert pending(runtime) == ([id] if anywhere == "apart" else [])
    sweep(runtime)
    assert (pending(runtime), runtime.engine.index.store.count()) == ([], 0)


def test_a_vector_made_before_the_write_is_not_used_for_another_text(ctx: AsCaller, runtime: Runtime) -> None:
    (id,) = add(ctx, COFFEE)
    forget(runtime)
    wrong = runtime.engine.index.embed([TRAIN])[0]
    sync(runtime.relaxed, runtime.engine.index, [id], {id: (TRAIN, wrong)})
    with ctx() as c:
        hit = searches.search(c, Query(COFFEE, mode="vector")).hits[0]
    assert hit.score == pytest.approx(1, abs=0.01)


# -- failures ----------------------------------------------------------------------------------------------------------


def test_a_dead_embedder_fails_no_write_and_the_sweep_makes_it_good(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        instead(runtime, patched, dead)
        (id,) = add(ctx, COFFEE)
        with ctx(writing=True) as c:
            memories.edit(c, id, TRAIN)
        assert pending(runtime) == [id]
        with pytest.raises(ConnectionError):
            sweep(runtime)
        assert pending(runtime) == [id]
    assert sweep(runtime) == 1
    assert found(ctx, "train Berlin") == [TRAIN]


@pytest.mark.parametrize("verb", ["change", "insert", "delete_many"])
def test_a_dead_store_fails_no_write_and_the_sweep_makes_it_good(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    if verb != "change":
        monkeypatch.setattr(runtime.engine.index, "store", Apart(runtime.engine.index.store))
    (old,) = add(ctx, TRAIN)
    with monkeypatch.context() as patched:
        patched.setattr(runtime.engine.index.store, verb, dead)
        add(ctx, COFFEE)
        with ctx(writing=True) as c:
            states.set_many(c, [old], State.deleted)
        assert pending(runtime) != []
    sweep(runtime)
    assert pending(runtime) == []
    assert found(ctx, "coffee") == [COFFEE]
    assert runtime.engine.index.store.count() == 1


def test_a_process_killed_after_its_commit_loses_nothing(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kept, dropped) = add(ctx, "the first note", TRAIN)
    with monkeypatch.context() as patched:
        patched.setattr(Context, "finish", lambda self: None)
        (fresh,) = add(ctx, COFFEE)
        with ctx(writing=True) as c:
            states.set_many(c, [dropped], State.deleted)
            memories.edit(c, kept, "the changed hotel")
    assert sorted(pending(runtime)) == sorted([fresh, dropped, kept])
    assert keyed(ctx, "train Berlin") == []
    assert sweep(runtime) == 3
    assert (keyed(ctx, "coffee"), keyed(ctx, "hotel")) == ([COFFEE], ["the changed hotel"])
    assert runtime.engine.index.store.count() == 2


# -- transactions ------------------------------------------------------------------------------------------------------


def test_no_transaction_is_open_while_the_embedder_is_asked(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def watched(original: Embed, texts: Sequence[str]) -> Vectors:
        engines = (runtime.database.engine, runtime.relaxed.engine, runtime.engine.index.store._database.engine)
        seen.append(sum(engine.pool.checkedout() for engine in engines))  # type: ignore[attr-defined]
        return original(texts)

    instead(runtime, monkeypatch, watched)
    (id,) = add(ctx, COFFEE)
    with ctx(writing=True) as c:
        memories.edit(c, id, TRAIN)
    with ctx() as c:
        searches.search(c, Query("train"))
    forget(runtime)
    sweep(runtime)
    assert seen == [0, 0, 0, 0]


def test_no_transaction_is_open_while_a_store_elsewhere_is_asked(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.engine.index, "store", Apart(runtime.engine.index.store))
    store, seen = runtime.engine.index.store, []

    def watch(verb: str) -> None:
        original = getattr(store, verb)

        def watched(*args: Any, **kwargs: Any) -> Any:
            engines = (runtime.database.engine, runtime.relaxed.engine)
            seen.append((verb, sum(engine.pool.checkedout() for engine in engines)))  # type: ignore[attr-defined]
            return original(*args, **kwargs)

        monkeypatch.setattr(store, verb, watched)

    for verb in ("insert", "delete_many", "search"):
        watch(verb)
    (id,) = add(ctx, COFFEE)
    with ctx() as c:
        searches.search(c, Query("coffee"))
    with ctx(writing=True) as c:
        states.set_many(c, [id], State.deleted)
    assert sorted(seen) == [("delete_many", 0), ("insert", 0), ("search", 0)]


# -- several processes -------------------------------------------------------------------------------------------------


def test_what_another_process_is_at_is_left_to_it(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = add(ctx, *(f"note {number}" for number in range(10)))
    forget(runtime)
    monkeypatch.setattr("app.engine.sync.BATCH", 4)
    here, there = sync_all(runtime.relaxed, runtime.engine.index), sync_all(runtime.relaxed, runtime.engine.index)
    embedded: list[int] = []

    def between(original: Embed, texts: Sequence[str]) -> Vectors:
        embedded.append(len(texts))
        if len(embedded) == 1:  # while this process embeds, another one sweeps
            with monkeypatch.context() as other:
                other.setattr("app.engine.claims.this_worker", lambda: "elsewhere:1:x")
                assert sum(1 for _ in there) == 2
        return original(texts)

    instead(runtime, monkeypatch, between)
    assert [done.total for done in here] == [4]
    assert sorted(embedded) == [2, 4, 4]
    assert pending(runtime) == []
    assert runtime.engine.index.store.count() == len(ids)


@pytest.mark.parametrize(("worker", "left"), [("elsewhere:1:x", 0), ("{host}:999999999:x", 3), ("{host}:{pid}:x", 3)])
def test_what_a_process_had_that_is_gone_is_taken_up(ctx: AsCaller, runtime: Runtime, worker: str, left: int) -> None:
    ids = add(ctx, "one", "two", "three")
    forget(runtime)
    named = worker.format(host=socket.gethostname(), pid=os.getpid())
    with runtime.database.transaction() as session:
        session.add_all(IndexClaim(memory_id=id, worker=named, until=now() + timedelta(minutes=1)) for id in ids)
    assert sweep(runtime) == left
    with runtime.database.transaction() as session:
        session.execute(update(IndexClaim).values(until=now()))
    assert sweep(runtime) == 3 - left
    with runtime.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(IndexClaim)) == 0
