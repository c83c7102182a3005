"""What the ranking asks of the truth: traits of memories and of their neighbours, of the owner's active ones alone."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, insert, select

from app.context import Context, Runtime
from app.engine.engine import Built
from app.models import Memory, MemoryTokens, State, User
from app.services import accounts, features, memories, searches, states
from app.services.drafts import draft
from app.services.searches import Query
from tests.conftest import ADMIN_KEY, AsCaller, engine_for

TURNS = ("We need a boat.", "Which one? ", "The blue one, it floats.", "Done.")


def told(ctx: AsCaller, *texts: str, run: str | None = "s1") -> list[UUID]:
    """Memories of one session, by their ids."""
    metadata = {"speaker": "Ann", "date": "8 May 2023"} | ({"session": run} if run else {})
    with ctx(writing=True) as c:
        added = memories.add(c, None, [draft(text, metadata) for text in texts], app=None, infer=False)
    return [view.id for view in added.memories]


def known(ctx: AsCaller, runtime: Runtime, *ids: UUID) -> dict[UUID, features.Trait]:
    with ctx() as c:
        owner = c.session.scalars(select(User.id)).one()
        found = features.traits(c, owner, runtime.engine.index.tokens.model, [id.hex for id in ids])
    return {UUID(key): trait for key, trait in found.items()}


def test_traits_of_a_memory_and_of_what_was_said_before_and_after(ctx: AsCaller, runtime: Runtime) -> None:
    one, two, three, four = told(ctx, *TURNS)
    told(ctx, "Something else.", run="s2")
    found = known(ctx, runtime, two)
    assert found.keys() == {one, two, three}
    trait = found[two]
    assert (trait.run, trait.before, trait.after, trait.author) == ("s1", one.hex, three.hex, "Ann")
    assert (trait.is_question, trait.length, trait.day) == (True, len(TURNS[1]), date(2023, 5, 8))
    assert [found[id].is_question for id in (one, three)] == [False, False]
    assert (found[one].after, found[three].before) == (
        two.hex,
        two.hex,
    )  # from there; their own others were not asked for
    assert (found[one].before, found[three].after) == (None, None)
    assert known(ctx, runtime, two, three)[three].after == four.hex


def test_what_is_not_active_is_no_neighbour_and_has_no_traits(ctx: AsCaller, runtime: Runtime) -> None:
    one, two, three, _ = told(ctx, *TURNS)
    with ctx(writing=True) as c:
        states.change(c, [two], State.paused)
    found = known(ctx, runtime, one, two)
    assert found.keys() == {one, three}
    assert found[one].after == three.hex


def test_without_a_session_there_are_no_neighbours(ctx: AsCaller, runtime: Runtime) -> None:
    one, _ = told(ctx, "We need a boat.", "Which one?", run=None)
    found = known(ctx, runtime, one)
    assert (found.keys(), found[one].before, found[one].after) == ({one}, None, None)


def test_another_owners_memories_have_no_traits(ctx: AsCaller, runtime: Runtime) -> None:
    ids = told(ctx, *TURNS)
    with ctx() as c:
        assert features.traits(c, UUID(int=7), "any", [id.hex for id in ids]) == {}


def test_tokens_are_stored_with_the_index_and_go_with_the_memory(ctx: AsCaller, runtime: Runtime) -> None:
    one, two = told(ctx, "We need a boat.", "Which one?")
    tokens = known(ctx, runtime, one)[one].tokens
    assert tokens is not None
    assert len(tokens) > 4 * 64
    assert len(tokens) % 64 == 0
    with ctx(writing=True) as c:
        states.change(c, [two], State.deleted)
    with runtime.database.reading() as session:
        assert session.scalars(select(MemoryTokens.memory_id)).all() == [one]


def test_tokens_of_another_text_do_not_stay(ctx: AsCaller, runtime: Runtime) -> None:
    (one,) = told(ctx, "We need a boat.")
    before = known(ctx, runtime, one)[one].tokens
    runtime.engine.index.embed(["Nobody asks for this one."])
    with ctx(writing=True) as c:
        memories.edit(c, one, "It was a train that we took to the sea.")
    after = known(ctx, runtime, one)[one].tokens
    assert before is not None
    assert after is not None
    assert len(after) > len(before)
    with runtime.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(MemoryTokens)) == 1


def test_an_answer_is_found_by_the_question_that_stands_before_it(ctx: AsCaller) -> None:
    for number in range(30):
        told(ctx, f"The weather of day {number} was fine.", "We talked for an hour.", run=f"day {number}")
    answer = told(ctx, "Which instrument does your niece play in the orchestra?", "Since last year it is the cello.")[1]
    with ctx() as c:
        found = searches.search(c, Query("instrument of the niece in the orchestra", explain=True)).hits
    places = {hit.memory.id: hit for hit in found[:3]}
    assert answer in places
    assert (places[answer].parts or {})["context"] > 0.1
    assert found[0].confidence > found[-1].confidence


@pytest.mark.one_database  # the plan is SQLite's
def test_neighbours_are_found_in_the_index_of_turns_and_the_rest_by_id(ctx: AsCaller, runtime: Runtime) -> None:
    ids, seen = told(ctx, *TURNS), []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        seen.append((statement, parameters))

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    known(ctx, runtime, *ids)
    event.remove(runtime.database.engine, "before_cursor_execute", note)
    statement, parameters = next(one for one in seen if "memory_tokens" in one[0])
    with runtime.database.engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert sum("COVERING INDEX ix_memories_turns" in step for step in plan) == 2
    assert not any(step.startswith("SCAN memor") or "ix_memories_owner" in step for step in plan)


def asked(ctx: AsCaller, runtime: Runtime, words: str) -> tuple[list[str], int]:
    """What a search finds, and how often it asks for traits."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    with ctx() as c:
        found = [hit.memory.content for hit in searches.search(c, Query(words)).hits]
    event.remove(runtime.database.engine, "before_cursor_execute", note)
    return found, sum("memory_tokens" in statement for statement in seen)


@pytest.mark.one_database  # on PostgreSQL nothing says that nothing has changed: it is asked each time
def test_traits_are_asked_for_again_only_when_something_changed(ctx: AsCaller, runtime: Runtime) -> None:
    _, two, three, _ = told(ctx, *TURNS)
    assert asked(ctx, runtime, "a blue boat")[1] == 1
    found, times = asked(ctx, runtime, "the boat that floats")
    assert (TURNS[2] in found, times) == (True, 0)
    for change in (State.paused, State.active, State.deleted):
        with ctx(writing=True) as c:
            states.change(c, [three], change)
        found, times = asked(ctx, runtime, "the boat that floats")
        assert (TURNS[2] in found, times) == (change == State.active, 1)
        assert asked(ctx, runtime, "the boat that floats") == (found, 0)
    with ctx(writing=True) as c:
        memories.edit(c, two, "Which boat of the three?")
    found, times = asked(ctx, runtime, "boat")
    assert (TURNS[1] in found, "Which boat of the three?" in found, times) == (False, True, 1)


@pytest.mark.one_database
def test_another_owners_change_takes_nothing_away(ctx: AsCaller, runtime: Runtime) -> None:
    told(ctx, *TURNS)
    asked(ctx, runtime, "boat")
    with ctx(writing=True) as c:
        memories.add(c, "bo", [draft("We have a boat.")], app=None, infer=False)
    assert asked(ctx, runtime, "boat")[1] == 0


@pytest.mark.one_database
def test_what_is_kept_says_the_same_as_what_is_asked(ctx: AsCaller, runtime: Runtime) -> None:
    turns = told(ctx, *(f"Turn number {number}" for number in range(12)))
    model = runtime.engine.index.tokens.model
    with ctx() as c:
        owner = c.session.scalars(select(User.id)).one()
        for start, step in ((0, 5), (1, 2), (3, 1), (0, 1), (2, 4), (0, 3)):
            keys = [id.hex for id in turns[start::step]]
            kept = features.traits(c, owner, model, keys, (1, 0))
            fresh = features.traits(c, owner, model, keys)
            assert kept == fresh


def same_of_many(c: Context, ids: list[UUID]) -> None:
    """An owner's traits are the same whether the truth is asked or, as of owners with many memories, the table."""
    index, owner = c.engine.index, c.session.scalars(select(User.id).where(User.user_id == "admin")).one()
    # Of others nobody asks; the truth tells of their neighbours, the table of nothing.
    ids = list(c.session.scalars(select(Memory.id).where(Memory.id.in_(ids), Memory.state == State.active)))
    c.release()
    index.words.frequencies(owner, ["boat"])
    level = index.words.level(owner)
    for keys in ([id.hex for id in ids], [id.hex for id in ids[::3]], [ids[0].hex, UUID(int=5).hex]):
        asked = features.traits(c, owner, index.tokens.model, keys)
        assert features.traits(c, owner, index.tokens.model, keys, level, features.KEPT_OF + 1) == asked


def test_the_table_of_an_owner_with_many_says_the_same_as_the_truth(ctx: AsCaller, runtime: Runtime) -> None:
    ids = [*told(ctx, *TURNS), *told(ctx, "We sail.", "Where? ", run="s2"), *told(ctx, "No session.", run=None)]
    with ctx(writing=True) as c:
        memories.add(c, "bo", [draft("We have a boat.", {"session": "s1"})], app=None, infer=False)
    changes: list[Callable[[Context], Any]] = [
        lambda c: None,
        lambda c: states.change(c, ids[1:3], State.paused),
        lambda c: memories.edit(c, ids[0], "Is a boat what we need?"),
        lambda c: memories.edit(c, ids[3], None, metadata={"session": "s2", "speaker": "Bo", "date": "1 June 2021"}),
        lambda c: states.change(c, [ids[1], ids[4]], State.active),
        lambda c: states.change(c, [ids[0]], State.deleted),
        lambda c: memories.add(c, None, [draft("Later.", {"session": "s1"})], app=None, infer=False),
    ]
    for change in changes:
        with ctx(writing=True) as c:
            change(c)
        with ctx() as c:
            ids = [*dict.fromkeys([*ids, *c.session.scalars(select(Memory.id).order_by(Memory.id))])]
            same_of_many(c, ids)


def test_the_table_forgets_what_was_deleted_before_it_was_indexed(ctx: AsCaller, runtime: Runtime) -> None:
    ids = told(ctx, *TURNS)
    with ctx(writing=True) as c:
        late = c.session.get_one(Memory, ids[0])
        values = {"user_id": late.user_id, "app_id": late.app_id, "content": "Later.", "content_hash": "0" * 64}
        pending = c.session.scalars(insert(Memory).values(run_id="s1", **values).returning(Memory.id)).one()
    with ctx() as c:
        same_of_many(c, ids[:2])  # the table is read now
    with ctx(writing=True) as c:
        states.change(c, [pending], State.deleted)
    with ctx() as c:
        same_of_many(c, ids)


def test_the_table_follows_what_another_process_writes(ctx: AsCaller, runtime: Runtime, built: Built) -> None:
    ids = told(ctx, *TURNS)
    other = Runtime(runtime.settings)
    other.engine.use(engine_for(other, built))
    with ctx() as c:
        same_of_many(c, ids)
    for change, chosen in ((State.paused, ids[1:2]), (State.active, ids[1:2]), (State.deleted, ids[2:])):
        with other.context(accounts.authenticate(other, ADMIN_KEY), writing=True) as c:
            states.change(c, chosen, change)
            ids += [view.id for view in memories.add(c, None, [draft("More.")], app=None, infer=False).memories]
        with ctx() as c:
            same_of_many(c, ids)
    other.engine.index.close()
    other.close()


def test_a_search_of_an_owner_with_many_finds_the_same(
    ctx: AsCaller, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    told(ctx, *TURNS)
    found = []
    for most in (5_000, 0):
        monkeypatch.setattr(features, "KEPT_OF", most)
        with ctx() as c:
            hits = searches.search(c, Query("Which boat is blue?", explain=True)).hits
        found.append([(hit.memory.id, hit.score, hit.parts) for hit in hits])
    assert len(found[0]) == len(TURNS)
    assert found[0] == found[1]
