"""Changing more of a memory than its text, the chain of its changes, and what a door may change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.errors import Invalid, NotFound
from app.models import State
from app.services import chains, memories, restores, selections, states
from app.services.drafts import draft
from app.services.memories import Edit
from app.services.searches import Query, search
from tests.conftest import AsCaller

PAST = datetime(2020, 1, 1, tzinfo=UTC)


def add(ctx: AsCaller, text: str, **metadata: Any) -> Any:
    """A memory of the admin's."""
    with ctx(writing=True) as c:
        return memories.add(c, None, [draft(text, metadata)], app="mem0").memories[0]


def test_metadata_is_replaced_or_laid_over_and_speaks_for_columns(ctx: AsCaller) -> None:
    id = add(ctx, "We fly to Rome", author="Ann", n=1).id
    with ctx(writing=True) as c:
        view = memories.change(c, id, Edit(metadata={"n": 2, "date": "2026-05-08"}, merges=True))
    assert (view.metadata, view.author, view.version) == ({"author": "Ann", "n": 2, "date": "2026-05-08"}, "Ann", 2)
    assert view.occurred_at == datetime(2026, 5, 8, tzinfo=UTC)
    with ctx(writing=True) as c:
        view = memories.change(c, id, Edit("We fly to Oslo", metadata={"author": "Bo"}))
    with ctx() as c:
        assert memories.get(c, id) == view
        assert (view.metadata, view.author, view.content) == ({"author": "Bo"}, "Bo", "We fly to Oslo")
        found = search(c, Query("What does Bo do in May?", filters={"author": "Bo"}))
        assert [hit.memory.id for hit in found.hits] == [id]


def test_what_changes_nothing_is_no_version(ctx: AsCaller) -> None:
    id = add(ctx, "We fly to Rome", n=1).id
    with ctx(writing=True) as c:
        same = memories.change(c, id, Edit("We fly to Rome", metadata={"n": 1}, merges=True))
    assert same.version == 1


def test_metadata_that_cannot_be_stored_changes_nothing(ctx: AsCaller) -> None:
    id = add(ctx, "We fly to Rome", n=1).id
    large = {"large": "x" * 40_000}
    for wanted in (Edit(metadata={"a": "\x00"}), Edit("x", metadata={"a": float("nan")})):
        with pytest.raises(Invalid), ctx(writing=True) as c:
            memories.change(c, id, wanted)
    with ctx(writing=True) as c:
        memories.change(c, id, Edit(metadata=large))
    with pytest.raises(Invalid), ctx(writing=True) as c:
        memories.change(c, id, Edit(metadata={"more": "x" * 40_000}, merges=True))
    with ctx() as c:
        assert memories.get(c, id).metadata == large


def test_a_door_finds_what_is_visible_and_brings_back_what_expired(ctx: AsCaller) -> None:
    id = add(ctx, "We fly to Rome").id
    with ctx(writing=True) as c:
        memories.change(c, id, Edit(expires_at=PAST), door="mem0")
    with ctx() as c:
        with pytest.raises(NotFound):
            memories.get(c, id, door="mem0")
        assert selections.get(c, id, door="mem0", show_expired=True).expires_at == PAST
        assert search(c, Query("Rome")).hits == []
        assert len(search(c, Query("Rome", show_expired=True)).hits) == 1
    with ctx(writing=True) as c:
        memories.change(c, id, Edit(expires_at=datetime.now(UTC) + timedelta(days=1)), door="mem0")
    with ctx() as c:
        assert memories.get(c, id, door="mem0").version == 3
    with ctx(writing=True) as c:
        states.change(c, [id], State.paused)
    for verb in (
        lambda c: memories.get(c, id, door="mem0"),
        lambda c: memories.change(c, id, Edit("x"), door="mem0"),
        lambda c: chains.chain(c, id, door="mem0"),
    ):
        with pytest.raises(NotFound), ctx(writing=True) as c:
            verb(c)


def chain(ctx: AsCaller, id: Any) -> list[tuple[Any, ...]]:
    """The chain, as short as it can be said."""
    with ctx() as c:
        return [(link.event, link.old, link.new) for link in chains.chain(c, id, door="mem0")]


def test_a_chain_ends_where_the_memory_does(ctx: AsCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    id = add(ctx, "one").id
    for text in ("two", "three"):
        with ctx(writing=True) as c:
            memories.edit(c, id, text)
    for state in (State.paused, State.active):
        with ctx(writing=True) as c:
            states.change(c, [id], state)
    with ctx(writing=True) as c:
        memories.change(c, id, Edit(metadata={"n": 1}))
    with ctx(writing=True) as c:
        states.change(c, [id], State.deleted)
    whole: list[tuple[Any, ...]] = [
        ("ADD", None, "one"),
        ("UPDATE", "one", "two"),
        ("UPDATE", "two", "three"),
        ("UPDATE", "three", "three"),
        ("DELETE", "three", None),
    ]
    assert chain(ctx, id) == whole
    with ctx(writing=True) as c:
        restores.restore(c, id)
    assert chain(ctx, id) == [*whole, ("ADD", None, "three")]
    monkeypatch.setattr(chains, "MOST", 2)
    monkeypatch.setattr(chains, "VERSIONS", chains.VERSIONS.limit(3))
    assert chain(ctx, id) == [("DELETE", "three", None), ("ADD", None, "three")]


def test_a_chain_says_when(ctx: AsCaller) -> None:
    made = add(ctx, "one", author="Ann")
    with ctx(writing=True) as c:
        memories.edit(c, made.id, "two")
    with ctx() as c:
        first, second = chains.chain(c, made.id, door="mem0")
        changed = memories.get(c, made.id).updated_at
    assert (first.created_at, first.updated_at, first.author) == (made.created_at, None, "Ann")
    assert (second.created_at, second.updated_at) == (made.created_at, changed)
