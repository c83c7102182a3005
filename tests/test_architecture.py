"""The rules of the house that neither ruff nor import-linter can see."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from app.models import Memory
from app.settings import ROOT

APP = ROOT / "api" / "app"
FILES = sorted(path.relative_to(APP).as_posix() for path in APP.rglob("*.py"))

MAX_FILE = 400
MAX_FUNCTION = 50
MAX_BROAD_PER_1000_LINES = 1.0
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

# Who may commit: a request's Context, the database's sessions, the index, the command line.
MAY_COMMIT = {"context.py", "database.py", "cli.py"}
MAY_COMMIT_IN = "engine/stores/"

# ASGI itself is asynchronous, and so is an upload while it comes in, and what reads a query (a thread costs more than
# that), and files, and the MCP SDK, whose handlers hand the work to threads; nothing else of ours is.
MAY_BE_ASYNC = {
    "main.py",
    "logs.py",
    "routers/bounds.py",
    "routers/habits.py",
    "routers/hosts.py",
    "routers/dashboard.py",
    "routers/limiting.py",
    "routers/measuring.py",
    "routers/memento/cors.py",
    "routers/protocol.py",
    "routers/mem9/door.py",
    "routers/mem9/imports.py",
    "routers/mem0/memories.py",
    "routers/mcp/entrance.py",
    "routers/mcp/oauth.py",
    "routers/mcp/server.py",
    "routers/mcp/stdio.py",
    "routers/mcp/transports.py",
    "routers/openmemory/backup.py",
    "routers/openmemory/imports.py",
    "routers/openmemory/paging.py",
}
TOUCHES_THE_DATABASE = {
    "execute", "scalar", "scalars", "commit", "rollback", "flush", "session", "database", "relaxed", "context",
    "transaction", "reading", "exec_driver_sql",
}  # fmt: skip

# Broad excepts, each where anything at all may come from outside and something better than dying can be done.
BROAD = {
    "context.py": 1,  # the write is committed; an index that fails must not fail it
    "database.py": 1,  # gives the write lock back, and raises on
    "engine/engine.py": 3,  # any provider's any failure: of an embedder, of an LLM, of what is asked of them
    "engine/llm.py": 1,  # any client's any failure, in its thread
    "engine/probing.py": 1,  # any provider's any failure, told to the admin who tries it
    "engine/reranking.py": 1,  # any reranker's any failure, in a thread of its own
    "engine/rerankers.py": 1,  # says which provider cannot be made, and raises on
    "engine/stores/elsewhere.py": 1,  # a store's own error for an id that is not there
    "engine/stores/workers.py": 2,  # any store's any failure is told to whoever waits, as one that has a name
    "routers/mcp/tools.py": 1,  # whatever happens to a call, the model is told without the exception's own text
    "routers/protocol.py": 1,  # the last net of a door
    "services/inference.py": 1,  # whatever happens to an add, its receipt says so
    "services/rebuilds.py": 1,  # any provider's any failure leaves the old index serving
    "sweep.py": 1,  # the sweep and the worker must outlive any store's failure
}


@cache
def tree(file: str) -> ast.Module:
    """The parsed file."""
    return ast.parse((APP / file).read_text())


@cache
def lines(file: str) -> list[str]:
    """Its lines."""
    return (APP / file).read_text().splitlines()


def functions(file: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function in it, inner ones too."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def broad_excepts(file: str) -> list[ast.ExceptHandler]:
    """Handlers of Exception, of BaseException, and of everything."""
    handlers = [node for node in ast.walk(tree(file)) if isinstance(node, ast.ExceptHandler)]
    return [one for one in handlers if one.type is None or {"Exception", "BaseException"} & _names(one.type)]


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


@pytest.mark.parametrize("file", FILES)
def test_commits_only_where_transactions_end(file: str) -> None:
    if file in MAY_COMMIT or file.startswith(MAY_COMMIT_IN):
        return
    commits = [
        node.lineno
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert commits == [], f"{file} commits in lines {commits}: verbs work in their Context's transaction"


@pytest.mark.parametrize("file", FILES)
def test_async_code_does_not_touch_the_database(file: str) -> None:
    asynchronous = [node for node in functions(file) if isinstance(node, ast.AsyncFunctionDef)]
    assert not asynchronous or file in MAY_BE_ASYNC, f"{file} has async def: endpoints and verbs are plain def"
    for function in asynchronous:
        touched = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)} & TOUCHES_THE_DATABASE
        assert not touched, f"{file}: async def {function.name} would stop everybody with {touched}"


@pytest.mark.parametrize("file", FILES)
def test_files_and_functions_are_short(file: str) -> None:
    assert len(lines(file)) <= MAX_FILE, f"{file} has {len(lines(file))} lines"
    long = {f.name: size for f in functions(file) if (size := (f.end_lineno or f.lineno) - f.lineno + 1) > MAX_FUNCTION}
    assert long == {}, f"{file}: functions over {MAX_FUNCTION} lines: {long}"


@pytest.mark.parametrize("file", FILES)
def test_imports_stand_at_the_top(file: str) -> None:
    inner = [
        node.lineno
        for function in functions(file)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inner == [], f"{file} imports inside functions in lines {inner}"


def test_broad_excepts_are_few_and_known() -> None:
    assert {file: len(found) for file in FILES if (found := broad_excepts(file))} == BROAD
    total = sum(len(lines(file)) for file in FILES)
    assert 1000 * sum(BROAD.values()) / total <= MAX_BROAD_PER_1000_LINES


@pytest.mark.parametrize("file", sorted(BROAD))
def test_every_broad_except_has_its_reason(file: str) -> None:
    for handler in broad_excepts(file):
        raises = any(isinstance(node, ast.Raise) and node.exc is None for node in handler.body)
        assert raises or "#" in lines(file)[handler.lineno - 1], f"{file}:{handler.lineno} has no reason beside it"


@pytest.mark.parametrize("file", FILES)
def test_names_say_what_is_inside(file: str) -> None:
    assert not VAGUE & set(file.removesuffix(".py").split("/")), f"{file} says nothing"


@pytest.mark.parametrize("file", [file for file in FILES if "/wire" in file])
def test_wire_shapes_are_pure(file: str) -> None:
    imported = {alias.name for node in ast.walk(tree(file)) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom)}
    impure = {"fastapi", "starlette", "sqlalchemy", "os", "pathlib", "httpx", "requests"}
    assert not {name.split(".")[0] for name in imported} & impure


def test_relationships_never_load_by_themselves() -> None:
    loose = [
        f"{mapper.class_.__name__}.{one.key}"
        for mapper in Memory.registry.mappers
        for one in mapper.relationships
        if one.lazy not in {"raise", "raise_on_sql"}
    ]
    assert loose == []


def contracts() -> list[dict[str, object]]:
    """import-linter's contracts."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, object]] = config["tool"]["importlinter"]["contracts"]
    return found


def test_import_contracts_know_every_module() -> None:
    ours = {f"app.{file.split('/')[0].removesuffix('.py')}" for file in FILES} - {"app.__init__"}
    layers = next(one["layers"] for one in contracts() if one["type"] == "layers")
    assert isinstance(layers, list)
    assert {name.strip() for layer in layers for name in layer.split("|")} == ours
    doors = {"app.main", "app.routers"}
    web = next(one for one in contracts() if "fastapi" in _forbidden(one))
    assert set(_sources(web)) == ours - doors
    engine = next(one for one in contracts() if "mem0" in _forbidden(one))
    assert set(_sources(engine)) == ours - {"app.engine"}


def _forbidden(contract: dict[str, object]) -> list[str]:
    found = contract.get("forbidden_modules", [])
    assert isinstance(found, list)
    return found


def _sources(contract: dict[str, object]) -> list[str]:
    found = contract["source_modules"]
    assert isinstance(found, list)
    return found


def test_import_contracts_know_every_protocol() -> None:
    folders = {path.parent.name for path in (APP / "routers").glob("*/__init__.py")}
    (independent,) = [one["modules"] for one in contracts() if one["type"] == "independence"]
    assert isinstance(independent, list)
    assert {name.removeprefix("app.routers.") for name in independent} == folders
    for folder in folders:
        assert (APP / "routers" / folder / "README.md").is_file(), f"{folder} has no contract"
        assert (APP / "routers" / folder / "wire.py").is_file(), f"{folder} has no wire.py"


SILENT = """
import socket, sys, threading

def refuse(*arguments, **_):
    sys.exit(f"a connection was tried: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import app.engine.engine
assert "mem0.memory.telemetry" not in sys.modules
app.engine.engine.Engine.providers()
assert "posthog" not in sys.modules, "the factories need no PostHog"
assert threading.active_count() == 1, threading.enumerate()

from mem0.memory import telemetry  # should some other part of mem0 ever want it
assert telemetry.MEM0_TELEMETRY is False
telemetry.capture_event("commonplace.test", None, {})
telemetry.capture_client_event("commonplace.test", type("Client", (), {"user_email": "a@b.c", "user_id": "x"})(), {})
assert not [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
"""


def test_mem0_sends_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "api"), "HOME": str(tmp_path), "MEM0_DIR": str(tmp_path)}
    environment["MEM0_TELEMETRY"] = "True"  # ours, not the environment's word, must hold
    done = subprocess.run(
        [sys.executable, "-c", SILENT], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr + done.stdout


MACHINE = re.compile(r"""["'\s=](/(?:work|home|root|Users)/[\w./-]+)""")


@pytest.mark.parametrize("folder", ["api", "alembic", "bench", "tests"])
def test_no_path_of_one_machine(folder: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match}"
        for path in (ROOT / folder).rglob("*.py")
        for match in MACHINE.findall(path.read_text())
    }
    assert found == set()
