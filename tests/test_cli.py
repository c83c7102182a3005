"""The command line, in process; `serve` and `work` as the processes they are."""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select, text, update
from typer.testing import CliRunner, Result

from app import cli, migrations
from app.context import Runtime
from app.database import Database, new_id, now
from app.engine.sync import INDEX_KEY
from app.errors import Conflict, Invalid
from app.models import App, Config, Memory, MemoryVector, User
from app.services import accounts, doctor
from app.settings import ROOT, Settings
from tests.conftest import MODEL_CACHE

KEY = re.compile(r"cp_[A-Za-z0-9_-]{43}")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment whose DATA_DIR does not exist yet."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.delenv("USER", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DEFAULT_USER_ID", "boss")
    return tmp_path / "data"


def run(*arguments: str, lines: str = "") -> Result:
    """One command in this process; its logs go to a stream that is closed when it returns, so they are put back."""
    handlers, level = logging.root.handlers, logging.root.level
    try:
        return CliRunner().invoke(cli.app, list(arguments), input=lines)
    finally:
        logging.root.handlers, logging.root.level = handlers, level


def test_the_first_command_migrates_and_shows_the_first_key_beside_its_output(home: Path) -> None:
    result = run("user", "list")
    assert result.exit_code == 0, result.output
    assert result.stdout == "boss\t\tadmin\n"
    assert KEY.search(result.stderr)
    assert "http://127.0.0.1:8765" in result.stderr
    assert not KEY.search(run("user", "list").output)
    assert home.stat().st_mode & 0o777 == 0o700


def test_the_doctor_says_in_one_line_that_there_is_no_database_yet(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["commonplace", "doctor"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "commonplace: The database cannot be opened: unable to open database file\n"
    assert not home.exists()


def test_users_and_keys(home: Path) -> None:
    assert run("user", "add", "alice", "--name", "Alice", "--password", lines="long enough\n").exit_code == 0
    assert "alice\tAlice\tpassword" in run("user", "list").stdout
    assert run("user", "password", "alice", lines="another one\n").exit_code == 0
    made = run("key", "create", "laptop", "--user", "alice", "--scope", "read", "--app", "cursor", "--days", "3")
    key = made.stdout.strip()
    assert KEY.fullmatch(key)
    listed = run("key", "list", "--user", "alice").stdout
    assert key not in listed
    id, prefix, owner, app, scopes, label, _ = listed.rstrip("\n").split("\t")
    assert (key.startswith(prefix), owner, app, scopes, label) == (True, "alice", "cursor", "read", "laptop")
    assert run("key", "revoke", id).exit_code == 0
    assert "revoked" in run("key", "list", "--user", "alice").stdout
    assert len(run("key", "list").stdout.splitlines()) == 2


def test_what_goes_wrong_is_one_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["commonplace", "key", "create", "x", "--user", "nobody"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 1
    assert capsys.readouterr().err.splitlines()[-1] == "commonplace: User not found"


def test_an_environment_that_is_wrong_is_said_without_its_values(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_API_KEY", "secret")
    monkeypatch.setenv("PORT", "http")
    error = run("migrate").exception
    assert isinstance(error, Invalid)
    assert "ADMIN_API_KEY" in str(error)
    assert "PORT" in str(error)
    assert "secret" not in str(error)


@pytest.mark.parametrize(
    ("host", "allowed", "passes"),
    [
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("localhost", False, True),
        ("127.9.9.9", False, True),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("192.168.1.2", False, False),
        ("example.org", False, False),
        ("", False, False),
        ("0.0.0.0", True, True),
    ],
)
def test_open_mode_beyond_loopback_needs_a_second_yes(
    settings: Settings, host: str, allowed: bool, passes: bool
) -> None:
    settings.auth_mode, settings.host, settings.allow_open_beyond_loopback = "open", host, allowed
    if passes:
        cli.check_exposure(settings)
        return
    with pytest.raises(Invalid, match="ALLOW_OPEN_BEYOND_LOOPBACK"):
        cli.check_exposure(settings)
    settings.auth_mode = "required"
    cli.check_exposure(settings)


def test_migrate_says_what_it_did(home: Path) -> None:
    head = migrations.head()
    assert run("migrate").stdout == f"Migrated to {head}\n"
    assert run("migrate").stdout == f"Already at {head}\n"


def test_a_migrated_database_is_not_migrated_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations.importlib, "import_module", lambda name: pytest.fail(f"imported {name}"))
    assert migrations.migrate(settings.url) is False


def test_a_newer_database_is_left_alone(settings: Settings) -> None:
    database = Database(settings.url)
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="newer"):
        migrations.migrate(settings.url)
    assert migrations.current(database.engine) == "9999"
    database.dispose()


def test_processes_that_start_at_once_migrate_once(home: Path) -> None:
    code = "from app import migrations; from app.settings import Settings; print(migrations.migrate(Settings().url))"
    home.mkdir()
    started = [_python("-c", code, stdout=subprocess.PIPE) for _ in range(2)]
    answers = sorted(process.communicate(timeout=60)[0].strip() for process in started)
    assert answers == ["False", "True"]


def _python(*arguments: str, stdout: int | None = None) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "api")}
    return subprocess.Popen([sys.executable, *arguments], env=environment, stdout=stdout, text=True)


def a_memory(runtime: Runtime, **fields: object) -> Memory:
    caller = accounts.admin(runtime)
    with runtime.context(caller, writing=True) as ctx:
        app = App(id=new_id(), owner_id=caller.user_id, name=f"app {new_id()}")
        ctx.session.add(app)
        ctx.session.flush()
        memory = Memory(
            id=new_id(), user_id=caller.user_id, app_id=app.id, content="Tea at five", content_hash="0" * 64, **fields
        )
        ctx.session.add(memory)
        ctx.session.flush()
        ctx.touch([memory.id])
    return memory


def problems(runtime: Runtime) -> set[str]:
    return {finding.name for finding in doctor.examine(runtime) if not finding.is_well}


def spoil(runtime: Runtime, statement: str, *, keys: bool = True) -> None:
    with runtime.database.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        raw.execute(f"PRAGMA foreign_keys = {'ON' if keys else 'OFF'}")
        raw.execute(statement)
        raw.execute("PRAGMA foreign_keys = ON")


def test_the_doctor_finds_nothing_on_a_healthy_database(runtime: Runtime) -> None:
    with runtime.database.transaction() as session:
        session.add(Config(key=INDEX_KEY, value={"model": runtime.engine.index.model}))
    a_memory(runtime)
    a_memory(runtime, state="deleted")
    assert problems(runtime) == set()


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("DELETE FROM memory_terms", "keywords"),
        ("INSERT INTO memory_terms VALUES ('x', 'u', 1, 'x')", "keywords"),
        ("UPDATE memory_vectors SET model = 'another'", "missing vectors"),
        ("DELETE FROM memory_vectors", "missing vectors"),
        ("UPDATE memories SET state = 'archived'", "orphan vectors"),
        ("UPDATE memory_vectors SET memory_id = randomblob(16)", "orphan vectors"),
        ("UPDATE memory_vectors SET owner_id = 'x'", "owners of vectors"),
        ("UPDATE memory_tallies SET count = count + 1", "tallies"),
        ("DELETE FROM memory_tallies", "tallies"),
        ("UPDATE apps SET accessed_count = 3", "access counts"),
        ("DELETE FROM apps", "references"),
        ("UPDATE alembic_version SET version_num = '0001'", "migrations"),
    ],
)
def test_the_doctor_finds_what_is_wrong(runtime: Runtime, statement: str, name: str) -> None:
    with runtime.database.transaction() as session:
        session.add(Config(key=INDEX_KEY, value={"model": runtime.engine.index.model}))
    a_memory(runtime)
    spoil(runtime, statement, keys=False)
    assert name in problems(runtime)


def test_what_waits_for_the_sweep_is_no_problem(runtime: Runtime) -> None:
    memory = a_memory(runtime)
    with runtime.database.transaction() as session:
        session.add(Config(key=INDEX_KEY, value={"model": runtime.engine.index.model}))
        session.execute(update(Memory).values(state="deleted", indexed_at=None))
    assert problems(runtime) == set()
    with runtime.database.reading() as session:
        assert session.query(MemoryVector).filter_by(memory_id=memory.id).count() == 1
    assert any("1 memories wait" in finding.text for finding in doctor.examine(runtime))


def test_doctor_exits_by_what_it_found(home: Path) -> None:
    run("user", "list")
    result = run("doctor")
    assert result.exit_code == 0, result.output
    database = Database(Settings().url)
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    database.dispose()
    result = run("doctor")
    assert (result.exit_code, "PROBLEM" in result.stdout) == (1, True)


@pytest.fixture
def kept(home: Path) -> Iterator[Runtime]:
    """The environment's database with one memory that is not indexed, as a killed server leaves it."""
    home.mkdir()
    MODEL_CACHE.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(MODEL_CACHE)
    assert run("user", "list").exit_code == 0
    runtime = Runtime(Settings())
    runtime.engine.fail("it is the commands' to index")
    a_memory(runtime)
    yield runtime
    runtime.close()


def is_indexed(runtime: Runtime) -> bool:
    with runtime.database.reading() as session:
        vectors = session.scalar(select(func.count()).select_from(MemoryVector))
        return vectors == 1 and session.scalars(select(Memory.indexed_at)).one() is not None


def test_reindex_makes_the_index_again(kept: Runtime) -> None:
    with kept.database.transaction() as session:
        session.add(MemoryVector(memory_id=new_id(), owner_id=new_id(), model="x", change=1, vector=b""))
    for _ in range(2):
        result = run("reindex")
        assert result.exit_code == 0, result.output
        assert "Indexed 1 memories" in result.stdout
        assert is_indexed(kept)
        assert problems(kept) == set()


def test_export_and_import(kept: Runtime, tmp_path: Path) -> None:
    result = run("export", "boss")
    assert result.stdout == "Wrote memories_export_boss.zip\n", result.output
    zipped = tmp_path / "memories_export_boss.zip"
    assert zipped.stat().st_mode & 0o777 == 0o600
    result = run("import", "alice", str(zipped))
    assert result.exit_code == 0, result.output
    assert "Imported 1, updated 0, unchanged 0, skipped 0; made 1 apps" in result.stdout
    assert "Indexed 1 memories" in result.stdout  # the one that was waiting; the commit brought the new one
    assert problems(kept) == set()
    assert "skipped 1" in run("import", "alice", str(zipped)).stdout
    assert "unchanged 1" in run("import", "alice", str(zipped), "--mode", "overwrite").stdout


def test_an_export_that_fails_leaves_what_was_there(kept: Runtime, tmp_path: Path) -> None:
    zipped = tmp_path / "backup.zip"
    zipped.write_text("the one before")
    assert run("export", "nobody", str(zipped)).exit_code == 1
    assert zipped.read_text() == "the one before"
    assert sorted(path.name for path in tmp_path.glob("*.part")) == []
    broken = run("import", "boss", str(zipped))
    assert isinstance(broken.exception, Invalid)


def test_work_sweeps_until_it_is_told_to_stop(kept: Runtime) -> None:
    worker = _python("-c", "from app.cli import main; main()", "work", stdout=subprocess.PIPE)
    try:
        for _ in range(600):
            if is_indexed(kept):
                break
            time.sleep(0.1)
        assert is_indexed(kept)
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=60)
    assert worker.returncode == 0


def test_serve_answers_shows_the_key_once_and_stops(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("PORT", str(port))
    first = _serve(port)
    key = KEY.search(first)
    assert key is not None
    assert f"http://127.0.0.1:{port}" in first
    assert not KEY.search(_serve(port, key[0]))


def _serve(port: int, key: str | None = None) -> str:
    """What `serve` prints until it has answered and been told to stop."""
    server = _python("-c", "from app.cli import main; main()", "serve", stdout=subprocess.PIPE)
    try:
        answer = _answer(f"http://127.0.0.1:{port}/health")
        assert answer.json()["data"]["status"] == "ok"
        assert "server" not in answer.headers
        if key:
            me = httpx.get(f"http://127.0.0.1:{port}/api/v1/auth/me", headers={"X-API-Key": key})
            assert me.json()["user"]["user_id"] == "boss"
    finally:
        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=60)
    assert server.returncode in (0, -signal.SIGTERM)
    return output


def _answer(url: str) -> httpx.Response:
    for _ in range(300):
        try:
            return httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


def test_purge_says_how_many_and_needs_to_know_how_long(home: Path) -> None:
    run("user", "list")
    (home / "models").symlink_to(MODEL_CACHE)
    database = Database(f"sqlite:///{home / 'commonplace.db'}")
    with database.transaction() as session:
        owner = session.scalars(select(User.id)).one()
        app = App(owner_id=owner, name="notes")
        session.add(app)
        session.flush()
        for days in (3, 1):
            row = {"user_id": owner, "app_id": app.id, "content": "x", "content_hash": "x", "state": "deleted"}
            session.add(Memory(**row, deleted_at=now() - timedelta(days=days)))
    database.dispose()
    assert "purge_after_days is not set" in str(run("purge").exception)
    assert "purge_after_days is not set" in str(run("purge", "--dry-run").exception)
    assert run("purge", "--days", "2", "--dry-run").stdout == "Would purge 1 memories\n"
    assert run("purge", "--days", "2").stdout == "Purged 1 memories\n"
    assert run("purge", "--days", "2", "--dry-run").stdout == "Would purge 0 memories\n"
    assert run("purge", "--days", "0", "--dry-run").stdout == "Would purge 1 memories\n"
