"""Several server processes on one PostgreSQL: they share what waits, one is killed, nothing is lost or done twice."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.context import Runtime
from app.models import Event, IndexClaim, Memory, MemoryVector
from app.services import accounts, configs, doctor, inference, memories
from app.services.drafts import draft
from app.services.intakes import intake
from app.settings import Settings
from tests.conftest import MODEL_CACHE, migrate
from tests.postgres import Postgres

MEMORIES, ADDS, WORKERS = 1_500, 60, 3
PATIENCE = 120  # seconds

Work = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def runtime(postgres: Postgres, tmp_path: Path) -> Iterator[Runtime]:
    """A server on PostgreSQL whose embedder is away, so that what it is given waits for the others."""
    MODEL_CACHE.mkdir(parents=True, exist_ok=True)
    (tmp_path / "models").symlink_to(MODEL_CACHE)
    url = postgres.create()
    migrate(url)
    runtime = Runtime(Settings(_env_file=None, data_dir=tmp_path, database_url=url))  # type: ignore[call-arg]
    accounts.bootstrap(runtime)
    configs.refresh(runtime)
    runtime.engine.index.close()
    runtime.engine.fail("it is the others' to index")
    yield runtime
    runtime.close()


@pytest.fixture
def work(runtime: Runtime, tmp_path: Path) -> Iterator[Work]:
    """Start `commonplace work` on the same database; its log goes to a file of its own."""
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": runtime.settings.url,
            "SWEEP_SECONDS": "0.3",
            "LOG_LEVEL": "INFO",
        }
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            command = [str(Path(sys.executable).with_name("commonplace")), "work"]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def swept(log: Path) -> list[int]:
    """Of each sweep that this process made, how many memories it had brought level in the end."""
    totals: list[int] = []
    for line in log.read_text().splitlines():
        entry: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
        if entry.get("message") == "swept":
            done = int(entry["memories"])
            totals = [*totals[:-1], done] if totals and done > totals[-1] else [*totals, done]
    return totals


def waiting(runtime: Runtime) -> tuple[int, int]:
    """Memories that are not indexed, and adds that are not done."""
    with runtime.database.reading() as session:
        pending = select(func.count()).select_from(Memory).where(Memory.indexed_at.is_(None))
        adds = select(func.count()).select_from(Event).where(Event.status.in_(("PENDING", "RUNNING")))
        return session.scalar(pending) or 0, session.scalar(adds) or 0


def until(is_so: Callable[[], bool], workers: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it takes too long"
        assert any(worker.poll() is None for worker in workers), "every worker has ended"
        time.sleep(0.05)


def fill(runtime: Runtime) -> None:
    caller = accounts.admin(runtime)
    with runtime.context(caller, writing=True) as ctx:
        texts = [f"note {number} about the harbour and the ferry" for number in range(MEMORIES)]
        memories.add(ctx, None, [draft(text) for text in texts], app=None)
    for number in range(ADDS):
        with runtime.context(caller, writing=True) as ctx:
            said = intake(
                f"the parcel {number * 7919} is at the {'north' if number % 2 else 'south'} gate", infer=False
            )
            inference.add(ctx, None, said, app=None, later=True)


def test_three_processes_share_what_waits_and_one_is_killed(runtime: Runtime, work: Work, tmp_path: Path) -> None:
    fill(runtime)
    assert waiting(runtime) == (MEMORIES, ADDS)
    workers = [work() for _ in range(WORKERS)]
    until(lambda: waiting(runtime)[0] < MEMORIES + ADDS - 300, workers)
    os.kill(workers[0].pid, signal.SIGKILL)
    until(lambda: waiting(runtime) == (0, 0), workers)
    with runtime.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Memory)) == MEMORIES + ADDS
        assert session.scalar(select(func.count()).select_from(MemoryVector)) == MEMORIES + ADDS
        assert session.scalar(select(func.count()).select_from(Event).where(Event.status == "FAILED")) == 0
        until(lambda: session.scalar(select(func.count()).select_from(IndexClaim)) == 0, workers)
    totals = [sum(swept(tmp_path / f"worker-{number}.log")) for number in range(WORKERS)]
    # Each memory of the bulk was swept by one of them; what the killed one had not told of yet is missing here.
    assert MEMORIES - 256 <= sum(totals) <= MEMORIES + ADDS
    assert sum(total > 0 for total in totals) >= 2, f"one did everything: {totals}"
    assert [finding.text for finding in doctor.examine(runtime) if not finding.is_well] == []
