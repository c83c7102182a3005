"""An import is done by real `commonplace work` processes that are killed: no piece is lost, none is done twice."""

import io
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from app.context import Runtime
from app.models import Memory, SessionMessage
from app.services import accounts, import_tasks, imports
from app.services.import_pieces import Options
from app.services.imports import TaskView
from app.services.spaces import Node, Space
from app.settings import Settings
from tests.conftest import MODEL_CACHE, migrate

MEMORIES, MESSAGES = 1_500, 500
PATIENCE = 120  # seconds


@pytest.fixture
def runtime(tmp_path: Path) -> Iterator[Runtime]:
    """A server that takes files in and does nothing itself."""
    MODEL_CACHE.mkdir(parents=True, exist_ok=True)
    (tmp_path / "models").symlink_to(MODEL_CACHE)
    url = f"sqlite:///{tmp_path / 'commonplace.db'}"
    migrate(url)
    runtime = Runtime(Settings(_env_file=None, data_dir=tmp_path, database_url=url))  # type: ignore[call-arg]
    accounts.bootstrap(runtime)
    yield runtime
    runtime.close()


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Start `commonplace work` on the same database."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DATA_DIR": str(tmp_path), "SWEEP_SECONDS": "0.2", "LOG_LEVEL": "WARNING"}
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            command = [str(Path(sys.executable).with_name("commonplace")), "work"]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def take_in(runtime: Runtime, kind: str, held: bytes) -> None:
    """Send a file in."""
    caller = accounts.admin(runtime)
    with runtime.context(caller, writing=True) as ctx:
        imports.create(ctx, Space((Node(caller),)), io.BytesIO(held), "file", kind, None, "s1")


def tasks(runtime: Runtime) -> list[TaskView]:
    """How far the imports are."""
    caller = accounts.admin(runtime)
    with runtime.context(caller) as ctx:
        return imports.listing(ctx, Space((Node(caller),)))


def done(runtime: Runtime) -> int:
    """How many pieces are done."""
    return sum(task.done for task in tasks(runtime))


def until(is_so: Callable[[], bool], worker: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it takes too long"
        assert worker.poll() is None, "the worker has ended"
        time.sleep(0.005)


def test_workers_that_are_killed_lose_and_double_nothing(
    runtime: Runtime, work: Callable[[], subprocess.Popen[bytes]]
) -> None:
    notes = [{"content": f"note {number} about the harbour"} for number in range(MEMORIES)]
    lines = [json.dumps({"role": "user", "content": f"turn {number} about the ferry"}) for number in range(MESSAGES)]
    take_in(runtime, "memory", json.dumps({"memories": notes}).encode())
    take_in(runtime, "session", "\n".join(lines).encode())
    total = sum(task.total for task in tasks(runtime))
    assert total == MEMORIES // 100 + MESSAGES // 50
    worker = work()
    until(lambda: done(runtime) >= 2, worker)
    worker.kill()
    worker.wait()
    assert done(runtime) < total, "it was killed too late to show anything"
    worker = work()
    until(lambda: done(runtime) == total, worker)
    assert [task.status for task in tasks(runtime)] == ["done", "done"]
    with runtime.database.reading() as session:
        said = Counter(session.scalars(select(Memory.content)))
        turns = session.scalars(select(SessionMessage.content)).all()
    assert (len(said), set(said.values())) == (MEMORIES + MESSAGES, {1})
    assert len(turns) == len(set(turns)) == MESSAGES


def test_notes_taken_in_by_the_dashboard_survive_as_well(
    runtime: Runtime, work: Callable[[], subprocess.Popen[bytes]]
) -> None:
    caller = accounts.admin(runtime)
    notes = "".join(f"- note {number} about the lighthouse\n" for number in range(MEMORIES)).encode()
    with runtime.context(caller, writing=True) as ctx:
        task = import_tasks.create(ctx, io.BytesIO(notes), "notes.md", Options())

    def pieces() -> int:
        with runtime.context(caller) as ctx:
            return import_tasks.get(ctx, task.id).done

    worker = work()
    until(lambda: pieces() >= 2, worker)
    worker.kill()
    worker.wait()
    assert pieces() < task.total, "it was killed too late to show anything"
    worker = work()
    until(lambda: pieces() == task.total, worker)
    with runtime.context(caller) as ctx:
        done = import_tasks.get(ctx, task.id)
    assert (done.status, done.imported, done.duplicates) == ("done", MEMORIES, 0)
    with runtime.database.reading() as session:
        said = Counter(session.scalars(select(Memory.content)))
    assert (len(said), set(said.values())) == (MEMORIES, {1})
