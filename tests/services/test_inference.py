"""Adds that fail, wait, are left behind and taken up again. The LLM is scripted: see tests/scripted_llm.py."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app import migrations
from app.context import Runtime
from app.database import now
from app.engine.engine import Chosen
from app.engine.turns import Turn
from app.errors import Kept
from app.models import App, Event, Memory, MemoryVersion, SessionMessage, State
from app.services import accounts, inference, memories, receipts
from app.services.inference import Learned
from app.services.intakes import Intake, intake, restored
from app.services.views import Window
from app.settings import Settings
from app.sweep import Sweep
from tests.conftest import AsCaller
from tests.postgres import Postgres
from tests.scripted_llm import ScriptedLlm, change, decisions, facts

BERLIN = "Ann lives in Berlin"


def learn(ctx: AsCaller, said: str = "some words", **more: object) -> Learned:
    """An add of the admin's."""
    with ctx(writing=True) as c:
        return inference.add(c, None, intake(said), app=None, **more)  # type: ignore[arg-type]


def counted(runtime: Runtime) -> dict[str, int]:
    """How many rows there are of what an add writes."""
    with runtime.database.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Memory, MemoryVersion, Event, SessionMessage)
        }


def event(runtime: Runtime, id: UUID) -> Event:
    """A receipt's row."""
    with runtime.database.reading() as session:
        return session.get_one(Event, id)


def test_what_is_kept_is_what_came() -> None:
    turns = [Turn("user", "I live in Berlin", "ann"), Turn("assistant", "Nice")]
    metadata = {"session_id": "s1", "timestamp": "2026-05-08T10:00:00Z", "x": [1, None]}
    taken_in = intake(turns, metadata, agent_id="a1", prompt=" look closely ")
    assert restored(taken_in.kept()) == taken_in
    assert (taken_in.prompt, taken_in.template.run_id, taken_in.template.agent_id) == ("look closely", "s1", "a1")
    assert isinstance(taken_in, Intake)


def test_when_the_commit_fails_nothing_is_half_applied(
    ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ctx(writing=True) as c:
        old = inference.add(c, None, intake(BERLIN, infer=False), app=None).memories[0]
    before = counted(runtime)
    llm.say(facts("Ann lives in Munich", "Ann likes tea"))
    llm.say(decisions({"fact": 1, "action": "REPLACE", "memory": 1}, {"fact": 2, "action": "ADD"}))
    commit, broken = Session.commit, []

    def failing(session: Session) -> None:
        if llm.requests and len(llm.requests) == 2 and not broken:
            broken.append(session)
            session.rollback()
            raise OperationalError("COMMIT", {}, Exception("disk full"))
        commit(session)

    monkeypatch.setattr(Session, "commit", failing)
    with pytest.raises(Kept) as kept:
        learn(ctx)
    assert broken
    after = counted(runtime)
    assert after == {**before, "events": before["events"] + 1, "session_messages": 1}
    row = event(runtime, kept.value.event_id)
    assert (row.status, row.results, row.leased_until, row.worker) == ("FAILED", [], None, None)
    assert "disk full" not in (row.error or "")
    with runtime.database.reading() as session:
        assert session.get_one(Memory, old.id).state == State.active
    llm.say(facts("Ann lives in Munich"), decisions({"fact": 1, "action": "ADD"}))
    with ctx(writing=True) as c:
        assert inference.retry(c, kept.value.event_id).status == "SUCCEEDED"
    assert counted(runtime)["session_messages"] == 1


def test_what_changed_while_the_model_thought_stays_as_it_is(ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime) -> None:
    llm.say(facts(BERLIN))
    id = learn(ctx).memories[0].id

    def meanwhile(_: object) -> dict[str, object]:
        if len(llm.requests) % 2 == 0:
            return facts("Ann lives in Munich")
        with runtime.database.transaction() as session:
            session.execute(
                update(Memory).where(Memory.id == id).values(version=7, content="Ann lives in Berlin Mitte")
            )
        return decisions({"fact": 1, "action": "UPDATE", "memory": 1})

    llm.default = meanwhile  # type: ignore[assignment]
    done = learn(ctx)
    assert [(one.event, one.reason) for one in done.decisions] == [("ADD", "the memory changed meanwhile")]
    with runtime.database.reading() as session:
        assert session.get_one(Memory, id).content == "Ann lives in Berlin Mitte"


def test_what_a_dead_worker_held_is_taken_up_when_its_lease_has_run_out(
    ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime
) -> None:
    waiting = learn(ctx, later=True).event_id
    taken = receipts.claim(runtime, 60)
    assert taken is not None
    assert taken.id == waiting
    assert receipts.claim(runtime, 60) is None
    with runtime.database.transaction() as session:
        session.execute(update(Event).values(leased_until=now() - timedelta(seconds=1)))
    llm.default = lambda _: facts(BERLIN)
    assert inference.perform_next(runtime)
    row = event(runtime, waiting)
    assert (row.status, row.attempts) == ("SUCCEEDED", 2)
    # The first worker was only slow: it must not do it a second time.
    late = inference.perform(runtime, taken)
    assert (late.status, event(runtime, waiting).status) == ("FAILED", "SUCCEEDED")
    assert counted(runtime)["memories"] == 1


def test_what_kills_its_workers_is_given_up(ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime) -> None:
    waiting = learn(ctx, later=True).event_id
    for _ in range(receipts.MOST_TAKEN):
        assert receipts.claim(runtime, -1) is not None
    assert inference.perform_next(runtime)
    row = event(runtime, waiting)
    assert (row.status, row.error, llm.requests) == ("FAILED", inference.GIVEN_UP, [])
    assert row.input is not None


KILLED = """
import os, signal, sys
from pathlib import Path
from app.context import Runtime
from app.services import inference, learning
from app.services.views import Window
from app.settings import Settings

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

learning.plan = die
runtime = Runtime(Settings(_env_file=None, data_dir=Path(sys.argv[1]), database_url=sys.argv[2]))
runtime.engine._ready.set()
inference.perform_next(runtime)
"""


def test_an_add_survives_the_kill_of_its_worker_and_need_not_wait_for_the_lease(
    ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime, settings: Settings
) -> None:
    waiting = learn(ctx, later=True).event_id
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(settings.data_dir), settings.url], env=os.environ, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    row = event(runtime, waiting)
    assert (row.status, row.attempts) == ("RUNNING", 1)
    assert row.leased_until is not None
    assert row.leased_until > now()
    llm.say(facts(BERLIN))
    assert inference.perform_next(runtime)
    assert (event(runtime, waiting).status, counted(runtime)["memories"]) == ("SUCCEEDED", 1)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_two_workers_take_the_same(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, migrated: Callable[[str], Runtime]
) -> None:
    url = f"sqlite:///{tmp_path / 'work.db'}"
    if kind == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create()
    runtime = migrated(url)
    with runtime.database.transaction() as session:
        admin = accounts.admin(runtime)
        app = App(owner_id=admin.user_id, name="x", metadata_={})
        session.add(app)
        session.flush()
        kept = {**intake("x").kept(), "by": str(admin.user_id), "messages": []}
        session.add_all(
            Event(user_id=admin.user_id, app_id=app.id, kind="ADD", status="PENDING", input=kept, results=[])
            for _ in range(60)
        )
    found: list[UUID] = []

    def work() -> None:
        misses = 0
        while misses < 3:  # what another has locked is passed over, so an empty look is no proof
            taken = receipts.claim(runtime, 60)
            misses = misses + 1 if taken is None else 0
            if taken is not None:
                found.append(taken.id)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert len(found) == len(set(found)) == 60
    runtime.close()


@pytest.fixture
def migrated(tmp_path: Path) -> Callable[[str], Runtime]:
    """Makes a runtime over a new database."""

    def make(url: str) -> Runtime:
        migrations.migrate(url)
        runtime = Runtime(Settings(_env_file=None, data_dir=tmp_path, database_url=url))  # type: ignore[call-arg]
        accounts.bootstrap(runtime)
        assert runtime.database.url == url
        return runtime

    return make


def test_on_postgresql(postgres: Postgres, migrated: Callable[[str], Runtime], scripted: ScriptedLlm) -> None:
    """Without an index, which has tests of its own there: receipts, turns, duplicates, echoes, retries."""
    runtime = migrated(postgres.create())
    runtime.engine.fail("there is none in this test")
    section = {"provider": "openai", "config": {"model": "m", "api_key": "k", "openai_base_url": scripted.url}}
    config = {"mem0": {"llm": section}, "openmemory": {"llm_timeout": 5}}
    runtime.engine.use_llm(Chosen(runtime.engine.build_llm(config)))
    scripted.default = lambda sent: {"facts": 0} if "nothing at all" in str(sent) else facts(BERLIN)

    def post(said: str, later: bool = False, session: str = "s") -> Learned:
        with runtime.context(accounts.admin(runtime), writing=True) as c:
            return inference.add(c, None, intake(said, {"session": session}), app=None, later=later)

    made = post("I live in Berlin").memories[0]
    assert [(one.event, one.id) for one in post("Berlin, as I said").decisions] == [("NONE", made.id)]
    with runtime.context(accounts.admin(runtime)) as c:
        assert memories.get(c, made.id).provenance is not None  # and so it was served
    assert [one.reason for one in post(BERLIN).decisions] == ["served to this session within the hour"]
    with pytest.raises(Kept) as kept:
        post("nothing at all", session="other")
    waiting = post("Berlin again", later=True).event_id
    assert inference.perform_next(runtime)
    with runtime.context(accounts.admin(runtime), writing=True) as c:
        assert inference.retry(c, kept.value.event_id).status == "FAILED"
        assert inference.retry_all(c, None) == 1
    with runtime.context(accounts.admin(runtime)) as c:
        page = receipts.listing(c, Window(10), None, receipts.Filter())
        assert receipts.get(c, waiting).input is None
    assert Counter(one.status for one in page.items) == {"SUCCEEDED": 4, "PENDING": 1}
    runtime.close()


def test_the_worker_thread_does_what_waits(
    ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = Sweep(runtime)
    sweep.start()
    llm.default = lambda _: facts(BERLIN)
    waiting = learn(ctx, later=True).event_id
    deadline = time.monotonic() + 20
    while event(runtime, waiting).status != "SUCCEEDED" and time.monotonic() < deadline:
        time.sleep(0.02)
    sweep.stop()
    assert event(runtime, waiting).status == "SUCCEEDED"


def test_an_llm_that_cannot_be_built_yet_keeps_what_was_sent(ctx: AsCaller, runtime: Runtime) -> None:
    with ctx(writing=True) as c:
        change(c, {"mem0": {"llm": {"provider": "openai", "config": {"model": "x", "api_key": "env:NOT_SET_API_KEY"}}}})
    with pytest.raises(Kept, match="cannot be built") as kept:
        learn(ctx)
    assert event(runtime, kept.value.event_id).input is not None
    with ctx(writing=True) as c:
        change(c, {"mem0": {"llm": {"provider": None}}})
    with ctx(writing=True) as c:
        done = inference.retry(c, kept.value.event_id)
    assert (done.status, done.inference, done.memories[0].content) == ("SUCCEEDED", "verbatim", "some words")


def test_a_dead_embedder_fails_no_add(
    ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dead(*_: object) -> None:
        raise ConnectionError("no embedder")

    llm.say(facts(BERLIN))
    monkeypatch.setattr(runtime.engine.index._embedder, "read", dead)
    done = learn(ctx)
    assert [view.content for view in done.memories] == [BERLIN]


def test_a_paused_app_learns_nothing_more(ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime) -> None:
    waiting = learn(ctx, later=True).event_id
    with runtime.database.transaction() as session:
        session.execute(update(App).values(is_active=False))
    llm.default = lambda _: facts(BERLIN)
    assert inference.perform_next(runtime)
    row = event(runtime, waiting)
    assert (row.status, row.error) == ("FAILED", "The app has been paused meanwhile")
    assert counted(runtime)["memories"] == 0


def test_no_transaction_is_open_while_the_model_thinks(ctx: AsCaller, llm: ScriptedLlm, runtime: Runtime) -> None:
    wrote: list[str] = []

    def write(_: object) -> dict[str, object]:
        with runtime.database.transaction() as session:  # would wait for a minute if the add held the lock
            session.execute(update(App).values(description="written meanwhile"))
        wrote.append("once")
        return facts(BERLIN)

    llm.default = write  # type: ignore[assignment]
    started = time.monotonic()
    learn(ctx)
    assert wrote
    assert time.monotonic() - started < 10
