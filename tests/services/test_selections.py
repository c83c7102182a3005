"""What mem0's identifiers and filters select: whose memories, which of them, and never more than asked for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.context import Caller, Runtime
from app.database import now
from app.errors import Forbidden, Invalid, NotFound
from app.models import Event, Memory, MemoryVersion
from app.services import accounts, apps, entities, keys, memories, selections, states, undo
from app.services.drafts import draft
from app.services.searches import Query
from app.services.selections import Selection
from app.services.views import Window
from tests.conftest import AsCaller
from tests.protocols.asking import statements

ALL = Window(100)
Someone = Callable[..., Caller]


@pytest.fixture
def someone(runtime: Runtime, ctx: AsCaller) -> Someone:
    """`someone("ann", app=...)`: a user's caller, by a new key that may read and write."""

    def made(name: str, app: str | None = None) -> Caller:
        with ctx(writing=True) as c:
            accounts.ensure_user(c, name)
            key = keys.create(c, "test", ["read", "write"], app_name=app, user_id=name)
        return accounts.authenticate(runtime, key.secret)

    return made


@pytest.fixture
def store(ctx: AsCaller) -> None:
    """Memories of Ann and Bo, some of agents and sessions."""
    add(ctx, "ann", "Ann likes tea", agent_id="a1", topic="drinks")
    add(ctx, "ann", "Ann lives in Rome", session_id="s1")
    add(ctx, "ann", "Ann fears wasps", agent_id="a2", session_id="s2")
    add(ctx, "bo", "Bo likes coffee", agent_id="a1", topic="drinks")


def add(ctx: AsCaller, owner: str, text: str, **metadata: Any) -> Any:
    """Store a memory."""
    with ctx(writing=True) as c:
        return memories.add(c, owner, [draft(text, metadata)], app="mem0").memories[0]


def listed(ctx: AsCaller, caller: Caller | None, sent: dict[str, Any] | None = None, **identifiers: str) -> list[str]:
    """What is listed, newest first."""
    with ctx(caller) as c:
        chosen = selections.chosen(c, identifiers, sent)
        page = selections.listing(c, chosen, ALL, app=scope_app(c.caller))
        assert page.total == len(page.items)
        return [view.content for view in page.items]


def scope_app(caller: Caller) -> str:
    """The app that the tests read as."""
    return caller.app or "mem0"


TEA, ROME, WASPS, COFFEE = "Ann likes tea", "Ann lives in Rome", "Ann fears wasps", "Bo likes coffee"

OF_AN_ADMIN: list[tuple[dict[str, Any] | None, dict[str, str], list[str]]] = [
    (None, {"user_id": "ann"}, [WASPS, ROME, TEA]),
    ({"user_id": "ann"}, {}, [WASPS, ROME, TEA]),
    ({"user_id": {"eq": "ann"}}, {}, [WASPS, ROME, TEA]),
    ({"AND": [{"user_id": "ann"}, {"agent_id": "a1"}]}, {}, [TEA]),
    ({"AND": [{"AND": {"user_id": "ann"}}, {"run_id": "*"}]}, {}, [WASPS, ROME]),
    ({"topic": "drinks"}, {"user_id": "bo"}, [COFFEE]),
    ({"user_id": ["ann", "bo"], "topic": "drinks"}, {}, [COFFEE, TEA]),
    ({"user_id": {"in": ["bo", "nobody"]}}, {}, [COFFEE]),
    ({"user_id": "*"}, {}, [COFFEE, WASPS, ROME, TEA]),
    ({"AND": [{"user_id": "*"}, {"agent_id": "a1"}]}, {}, [COFFEE, TEA]),
    ({"OR": [{"user_id": "bo"}, {"run_id": "s1"}]}, {}, [COFFEE, ROME]),
    ({"NOT": {"user_id": "ann"}}, {}, [COFFEE]),
    ({"user_id": {"ne": "bo"}}, {}, [WASPS, ROME, TEA]),
    ({"user_id": "ann"}, {"user_id": "bo"}, []),
    ({"agent_id": "a1"}, {}, []),  # the admin's own: whose an agent is without a user
    (None, {"agent_id": "a1", "run_id": "s1"}, []),
    (None, {"user_id": "nobody"}, []),
    (None, {"user_id": "*"}, []),  # beside the filters just a name
    (None, {"user_id": "ann", "agent_id": "*"}, []),
    ({"agent_id": "a1"}, {"user_id": "ann", "agent_id": "a2"}, []),
]


@pytest.mark.usefixtures("store")
def test_an_admin_selects_of_whom_it_names(ctx: AsCaller) -> None:
    for sent, identifiers, wanted in OF_AN_ADMIN:
        assert listed(ctx, None, sent, **identifiers) == wanted, (sent, identifiers)


OF_ANN: list[tuple[dict[str, Any] | None, dict[str, str], list[str]]] = [
    (None, {}, [WASPS, ROME, TEA]),
    (None, {"user_id": "ann"}, [WASPS, ROME, TEA]),
    (None, {"agent_id": "a1"}, [TEA]),
    ({"AND": [{"agent_id": "a1"}]}, {}, [TEA]),
    ({"user_id": "*"}, {}, [WASPS, ROME, TEA]),
    ({"user_id": ["ann", "bo"]}, {}, [WASPS, ROME, TEA]),
    ({"OR": [{"user_id": "bo"}, {"run_id": "s1"}]}, {}, [ROME]),
    ({"NOT": {"user_id": "ann"}}, {}, []),
    (None, {"user_id": "bo"}, []),
    ({"user_id": {"in": ["bo"]}}, {}, []),
    ({"AND": [{"user_id": "ann"}, {"user_id": "bo"}]}, {}, []),
    (None, {"user_id": "nobody"}, []),
]


@pytest.mark.usefixtures("store")
def test_others_select_of_their_own_alone(ctx: AsCaller, someone: Someone) -> None:
    ann = someone("ann")
    for sent, identifiers, wanted in OF_ANN:
        assert listed(ctx, ann, sent, **identifiers) == wanted, (sent, identifiers)


@pytest.mark.usefixtures("store")
def test_what_is_no_filter_is_refused_whoever_it_would_find(ctx: AsCaller, someone: Someone) -> None:
    for sent in ({"user_id": 3}, {"user_id": "bo", "agent_id": {"above": 1}}, {"AND": [1]}):
        with pytest.raises(Invalid), ctx(someone("ann")) as c:
            selections.chosen(c, {"user_id": "bo"}, sent)


def test_pages_are_counted_and_cost_the_same(ctx: AsCaller, runtime: Runtime) -> None:
    costs = []
    for count in (10, 60):
        for i in range(count - 10, count):
            add(ctx, "ann", f"note {i}", n=i, agent_id="a1")
        if count == 60:
            for i in range(10, 50):
                add(ctx, "ann", f"more {i}", n=i, agent_id="a1")
        with statements(runtime) as seen, ctx() as c:
            chosen = selections.chosen(c, {"user_id": "ann"}, {"n": {"gte": 0}})
            page = selections.listing(c, chosen, Window(4, 4), app="openmemory")
        assert (len(page.items), page.total) == (4, 10 if count == 10 else 60)
        costs.append(len(seen))
    assert costs[1] <= costs[0] <= 7  # the first makes the app that reads


@pytest.mark.usefixtures("store")
def test_what_is_paused_deleted_or_expired_is_not_selected(ctx: AsCaller) -> None:
    paused, gone = add(ctx, "ann", "paused", agent_id="a9"), add(ctx, "ann", "deleted", agent_id="a9")
    late = add(ctx, "ann", "expired", agent_id="a9")
    with ctx(writing=True) as c:
        states.change(c, [paused.id], states.State.paused)
        states.change(c, [gone.id], states.State.deleted)
        c.session.get_one(Memory, late.id).expires_at = now()
    assert listed(ctx, None, user_id="ann", agent_id="a9") == []
    with ctx() as c:
        chosen = selections.chosen(c, {"user_id": "ann", "agent_id": "a9"})
        page = selections.listing(c, chosen, ALL, app="mem0", show_expired=True)
        assert [view.content for view in page.items] == ["expired"]
        assert {one.name for one in entities.listing(c, ALL, app="mem0", kinds=["agent"]).items} == {"a1", "a2"}


@pytest.mark.usefixtures("store")
def test_a_paused_app_is_shown_nothing(ctx: AsCaller, someone: Someone) -> None:
    ann = someone("ann", app="mem0")
    with ctx(writing=True) as c:
        apps.set_active(c, _app_of(c, "ann"), False)
    assert listed(ctx, ann) == []
    with ctx(ann) as c:
        assert entities.listing(c, ALL, app="mem0").items == []
    with pytest.raises(Forbidden), ctx(ann, writing=True) as c:
        selections.delete(c, selections.chosen(c, {"user_id": "ann"}), app="mem0")


def _app_of(c: Any, owner: str) -> Any:
    return apps.listing(c, ALL, user_id=owner, name="mem0").items[0].id


@pytest.mark.usefixtures("store")
def test_a_delete_takes_what_is_selected_and_can_be_undone(ctx: AsCaller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selections, "BATCH", 2)
    with ctx(writing=True) as c:
        assert selections.delete(c, selections.chosen(c, {"user_id": "ann"}), app="mem0") == 3
    assert listed(ctx, None, {"user_id": "*"}) == [COFFEE]
    with ctx() as c:
        events = c.session.scalars(select(Event).where(Event.kind == "DELETE")).all()
        assert sorted(len(one.results) for one in events) == [1, 2]
        assert all(one.status == "SUCCEEDED" for one in events)
        kinds = c.session.scalars(select(MemoryVersion.event).where(MemoryVersion.version == 2)).all()
        assert list(kinds) == ["DELETE"] * 3
    for one in events:
        with ctx(writing=True) as c:
            undo.undo(c, one.id)
    assert listed(ctx, None, user_id="ann") == [WASPS, ROME, TEA]


@pytest.mark.usefixtures("store")
def test_a_delete_stops_at_ones_own(ctx: AsCaller, someone: Someone) -> None:
    ann = someone("ann")
    for sent, count in (({"user_id": "bo"}, 0), ({"AND": [{"user_id": "*"}, {"agent_id": "a1"}]}, 1)):
        with ctx(ann, writing=True) as c:
            assert selections.delete(c, selections.chosen(c, {}, sent), app="mem0") == count
    assert listed(ctx, None, {"user_id": "*"}) == [COFFEE, WASPS, ROME]


@pytest.mark.usefixtures("store")
def test_a_reset_takes_everything_and_is_the_admins(ctx: AsCaller, someone: Someone) -> None:
    with pytest.raises(Forbidden), ctx(someone("ann"), writing=True) as c:
        selections.reset(c, app="mem0")
    with ctx(writing=True) as c:
        assert selections.reset(c, app="mem0") == 4
    assert listed(ctx, None, {"user_id": "*"}) == []


@pytest.mark.usefixtures("store")
def test_a_search_goes_through_whom_it_names(ctx: AsCaller, someone: Someone, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(caller: Caller | None, sent: dict[str, Any], **more: Any) -> list[str]:
        with ctx(caller) as c:
            query = replace(Query("Who likes a drink?"), **more)
            result = selections.search(c, query, selections.chosen(c, {}, sent), app="mem0")
            scores = [hit.score for hit in result.hits]
            assert scores == sorted(scores, reverse=True)
            return [hit.memory.content for hit in result.hits]

    assert found(None, {"user_id": "ann"})[0] == TEA
    assert set(found(None, {"user_id": "*"})) == {TEA, ROME, WASPS, COFFEE}
    assert set(found(None, {"user_id": ["ann", "bo"]}, limit=2)) == {TEA, COFFEE}
    assert found(None, {"user_id": ["ann", "bo"]}, threshold=1.0) == []
    assert found(None, {"AND": [{"user_id": ["ann", "bo"]}, {"run_id": "s1"}]}) == [ROME]
    assert found(None, {"user_id": "nobody"}) == []
    ann = someone("ann")
    assert found(ann, {"user_id": "bo"}) == []
    assert set(found(ann, {"user_id": "*"})) == {TEA, ROME, WASPS}
    monkeypatch.setattr(selections, "MOST_SEARCHED", 1)
    with pytest.raises(Invalid, match="at most 1 users"):
        found(None, {"user_id": "*"})


@pytest.mark.usefixtures("store")
def test_entities_are_those_of_whom_memories_are(ctx: AsCaller, someone: Someone, runtime: Runtime) -> None:
    def shown(caller: Caller | None, **narrowed: Any) -> set[tuple[str, str, int]]:
        with ctx(caller) as c:
            page = entities.listing(c, ALL, app="mem0", **narrowed)
            assert page.total == len(page.items)
            times = [one.updated_at for one in page.items]
            assert times == sorted(times, reverse=True)
            assert all(one.created_at <= one.updated_at and one.created_at.tzinfo for one in page.items)
            return {(one.kind, one.name, one.total) for one in page.items}

    of_ann = {("user", "ann", 3), ("agent", "a1", 1), ("agent", "a2", 1), ("run", "s1", 1), ("run", "s2", 1)}
    assert shown(someone("ann")) == of_ann
    both = (of_ann - {("agent", "a1", 1)}) | {("user", "bo", 1), ("agent", "a1", 2)}
    assert shown(None) == both
    assert shown(None, kinds=["app"]) == {("app", "mem0", 4)}
    assert shown(None, kinds=["agent"], name="a1") == {("agent", "a1", 2)}
    with statements(runtime) as seen, ctx() as c:
        page = entities.listing(c, Window(2, 2), app="mem0")
        assert (len(page.items), page.total) == (2, 6)
        assert entities.listing(c, Window(2, 10), app="mem0").total == 6
    assert len(seen) <= 5


@pytest.mark.usefixtures("store")
def test_an_entity_goes_with_its_memories_within_reach(ctx: AsCaller, someone: Someone) -> None:
    ann = someone("ann")
    for kind, name, count in (("user", "bo", 0), ("agent", "a1", 1), ("run", "*", 0), ("user", "*", 0)):
        with ctx(ann, writing=True) as c:
            assert entities.delete(c, kind, name, app="mem0") == count, (kind, name)
    with ctx(ann) as c:
        assert entities.get(c, "agent", "a2", app="mem0").total == 1
        for kind, name in (("agent", "a1"), ("user", "bo")):
            with pytest.raises(NotFound):
                entities.get(c, kind, name, app="mem0")
        with pytest.raises(Invalid):
            entities.get(c, "team", "a1", app="mem0")
    with ctx(writing=True) as c:
        assert entities.delete(c, "user", "*", app="mem0") == 0
        assert entities.delete(c, "agent", "a1", app="mem0") == 1
        assert entities.delete(c, "app", "mem0", app="mem0") == 2
    assert listed(ctx, None, {"user_id": "*"}) == []


def test_nobody_at_all_selects_nothing(ctx: AsCaller) -> None:
    with ctx(writing=True) as c:
        nobody = Selection((), {})
        assert selections.listing(c, nobody, ALL, app="mem0").items == []
        assert selections.delete(c, nobody, app="mem0") == 0
