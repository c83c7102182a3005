"""Random lives of a memory: versions, the status history and the counters always tell the truth; on both databases."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from app.context import Caller, Context, Runtime
from app.database import now
from app.errors import Conflict, NotFound
from app.models import (
    AccessBatch,
    AccessLog,
    Event,
    Memory,
    MemoryTally,
    MemoryVersion,
    SessionMessage,
    State,
    StatusChange,
)
from app.services import accounts, histories, memories, purges, restores, states, undo
from app.services.drafts import draft
from app.services.views import Window

TEXTS = ("We fly to Rome", "My salary goes to the bank", "We had an operation")
MOODS = ("glad", "sad")


@dataclass(frozen=True)
class Face:
    """What a version says."""

    content: str
    metadata: dict[str, Any]
    state: str


@dataclass
class Life:
    """One owner's memories as they must be: by id all their versions, and the steps between states."""

    runtime: Runtime
    caller: Caller
    versions: dict[UUID, list[Face]] = field(default_factory=dict)
    steps: dict[UUID, list[tuple[str, str]]] = field(default_factory=dict)
    receipts: list[tuple[UUID, dict[UUID, tuple[int, int]]]] = field(default_factory=list)

    def at(self, number: int) -> UUID | None:
        """One of the memories."""
        ids = list(self.versions)
        return ids[number % len(ids)] if ids else None

    def note(self, id: UUID, face: Face) -> None:
        """A version that must be there from now on, unless nothing changed."""
        before = self.versions.setdefault(id, [])
        if before and before[-1] == face:
            return
        if before and before[-1].state != face.state:
            self.steps.setdefault(id, []).append((before[-1].state, face.state))
        before.append(face)

    def writing(self) -> Any:
        """A request that writes."""
        return self.runtime.context(self.caller, writing=True)


def add(life: Life, text: int, other: int) -> None:
    """One or two memories with one receipt."""
    drafted = [draft(TEXTS[text % 3], {"mood": MOODS[other % 2]}) for _ in range(1 + other % 2)]
    with life.writing() as ctx:
        added = memories.add(ctx, None, drafted, app=None, infer=False)
    for view in added.memories:
        life.note(view.id, Face(view.content, view.metadata, "active"))
    life.receipts.append((added.event_id, {view.id: (0, 1) for view in added.memories}))


def edit(life: Life, which: int, text: int) -> None:
    """Change what one says; a deleted one is not there."""
    id = life.at(which)
    if id is None:
        return
    now = life.versions[id][-1]
    try:
        with life.writing() as ctx:
            memories.edit(ctx, id, TEXTS[text % 3])
    except NotFound:
        assert now.state == "deleted"
        return
    life.note(id, Face(TEXTS[text % 3], now.metadata, now.state))


def move(life: Life, which: int, where: int) -> None:
    """To another state."""
    id = life.at(which)
    if id is None:
        return
    state = list(State)[where % 4]
    now = life.versions[id][-1]
    try:
        with life.writing() as ctx:
            states.set_many(ctx, [id], state)
    except NotFound:
        assert now.state == "deleted"
        return
    life.note(id, Face(now.content, now.metadata, state))


def restore(life: Life, which: int, version: int) -> None:
    """To an older version, or back from deleted."""
    id = life.at(which)
    if id is None:
        return
    known = life.versions[id]
    asked = version % (len(known) + 2) or None
    now = known[-1]
    state = life.steps[id][-1][0] if now.state == "deleted" else now.state
    try:
        with life.writing() as ctx:
            restores.restore(ctx, id, asked)
    except NotFound:
        assert asked is not None
        assert asked > len(known)
        return
    wanted = now if asked is None else known[asked - 1]
    life.note(id, Face(wanted.content, wanted.metadata, state))


def take_back(life: Life, which: int, force: int) -> None:
    """Undo a receipt: all of it, or nothing if one of its memories was changed since."""
    if not life.receipts:
        return
    event_id, spans = life.receipts[which % len(life.receipts)]
    changed = [id for id, (_, last) in spans.items() if len(life.versions[id]) != last]
    try:
        with life.writing() as ctx:
            done = undo.undo(ctx, event_id, force=bool(force % 2))
    except Conflict:
        assert not spans or (changed and not force % 2)
        return
    assert force % 2 or not changed
    after = {}
    for id, (before, _) in spans.items():
        known = life.versions[id]
        start = len(known)
        old = known[before - 1] if before else Face(known[-1].content, known[-1].metadata, "deleted")
        life.note(id, old)
        if len(known) > start:
            after[id] = (start, start + 1)
    assert {UUID(result["id"]): result["version"] for result in done.results} == {
        id: end for id, (_, end) in after.items()
    }
    life.receipts.append((done.event_id, after))


def check(life: Life, ctx: Context) -> None:
    """What is stored is what must be."""
    for id, known in life.versions.items():
        memory = ctx.session.get_one(Memory, id)
        assert Face(memory.content, memory.metadata_, memory.state) == known[-1]
        assert memory.version == len(known)
        assert (memory.deleted_at is not None) == (memory.state == "deleted")
        assert (memory.archived_at is not None) == (memory.state == "archived")
        told = histories.listing(ctx, id, Window(100))
        assert told.total == len(known)
        assert [Face(one.content, one.metadata, one.state) for one in reversed(told.items)] == known
        assert [one.version for one in told.items] == list(range(len(known), 0, -1))
        steps = select(StatusChange.old_state, StatusChange.new_state).where(StatusChange.memory_id == id)
        stored = ctx.session.execute(steps.order_by(StatusChange.changed_at, StatusChange.id)).all()
        assert [tuple(step) for step in stored] == life.steps.get(id, [])
    owned = select(Memory.state, func.count()).where(Memory.user_id == life.caller.user_id).group_by(Memory.state)
    sums = select(MemoryTally.state, func.sum(MemoryTally.count)).where(MemoryTally.user_id == life.caller.user_id)
    counted = {state: int(count) for state, count in ctx.rows(sums.group_by(MemoryTally.state)) if count}
    assert counted == dict(map(tuple, ctx.rows(owned)))


VERBS = {"add": add, "edit": edit, "move": move, "restore": restore, "undo": take_back}
STEPS = st.tuples(st.sampled_from([*VERBS, "move", "undo"]), st.integers(0, 11), st.integers(0, 11))


def test_versions_states_and_counters_tell_the_truth(bare: Runtime) -> None:
    number = iter(range(1_000_000))

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(STEPS, min_size=3, max_size=20))
    def live(steps: list[tuple[str, int, int]]) -> None:
        with bare.context(accounts.admin(bare), writing=True) as ctx:
            name = f"ann-{next(number)}"
            caller = Caller(accounts.ensure_user(ctx, name), name, None, frozenset({"read", "write"}))
        life = Life(bare, caller)
        for verb, one, other in [("add", 0, 1), *steps]:
            VERBS[verb](life, one, other)
        with bare.context(caller) as ctx:
            check(life, ctx)

    live()


def test_a_purge_leaves_nothing_on_either_database(bare: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purges, "withdraw", lambda runtime, ids: None)  # there is no engine, so nothing was indexed
    admin = accounts.admin(bare)
    life = Life(bare, admin)
    add(life, 0, 1)
    one, other = life.versions
    for id in (one, other):
        move(life, list(life.versions).index(id), 3)
    said = TEXTS[0]
    with bare.database.transaction() as session:
        app = session.scalars(select(Memory.app_id).distinct()).one()
        session.add(SessionMessage(user_id=admin.user_id, role="user", content=f" {said} "))
        session.add(SessionMessage(user_id=admin.user_id, role="user", content=f"{said}, I think"))
        read = {"app_id": app, "access_type": "search", "accessed_at": now(), "memory_ids": [one.hex]}
        session.execute(insert(AccessBatch), [{**read, "metadata_": {"query": f"Is it so? {said}"}}])
        session.execute(insert(AccessLog), [{**read, "memory_id": other, "metadata_": {"query": said}}])
        session.add(Event(user_id=admin.user_id, kind="ADD", status="FAILED", input={"turns": [["user", said]]}))
    with bare.context(admin, writing=True) as ctx:
        done = purges.purge(ctx, one)
    assert {what: count for what, count in done.removed.items() if count} == {
        "memories": 1, "versions": 2, "states": 1, "receipts": 2, "messages": 1, "queries": 2
    }  # fmt: skip
    with bare.database.reading() as session:
        assert session.scalars(select(Memory.id)).all() == [other]
        assert set(session.scalars(select(MemoryVersion.memory_id))) == {other}
        assert session.scalars(select(SessionMessage.content)).all() == [f"{said}, I think"]
        assert [*session.scalars(select(AccessLog.metadata_)), *session.scalars(select(AccessBatch.metadata_))] == [
            {},
            {},
        ]
        assert not any(session.scalars(select(Event.input)))
        assert {event.kind for event in session.scalars(select(Event))} == {"ADD", "PURGE"}
    with pytest.raises(Conflict), bare.context(admin, writing=True) as ctx:
        undo.undo(ctx, life.receipts[0][0])
    with bare.context(admin, writing=True) as ctx:
        assert [one["event"] for one in undo.undo(ctx, life.receipts[0][0], force=True).results] == []
