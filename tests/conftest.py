"""Fixtures: a migrated database a test, the real embedder shared by all, the server's app on a test client."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fastapi.dependencies.models
import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from fastapi.testclient import TestClient
from sqlalchemy import make_url

from app.context import Caller, Context, Runtime
from app.database import Database
from app.engine.engine import Built, Engine
from app.engine.index import Index, Vectors
from app.engine.providers import Place, build_store, build_words
from app.main import create_app
from app.services import accounts, passwords
from app.settings import ROOT, Settings
from tests import made_once
from tests.places import in_memory

if TYPE_CHECKING:
    from tests.postgres import Postgres  # pytest imports plugins itself

pytest_plugins = ["tests.postgres", "tests.redis_server", "tests.scripted_llm"]


DATABASES = ["sqlite", "postgresql"]
# Files of few tests that take long: they come first, lest one process still works at them when the others are through.
FIRST = ("test_schemathesis", "test_crash", "test_cli", "test_backups", "test_imports_survive", "test_many_sessions")
FORGETTING = 20  # tests
PASSED = pytest.StashKey[int]()
ADMIN_KEY = "cp_admin_key_of_the_tests"
READINGS, LONG = 20_000, 1_000  # texts that are remembered; longer ones (characters) are not
MODEL_CACHE = ROOT / "data" / "test-models"  # the graph is built once a checkout, not once a run


def migrate(url: str) -> None:
    """Bring the database at `url` to the newest revision."""
    database = Database(url)
    with database.engine.connect() as connection:
        config = AlembicConfig(str(ROOT / "alembic.ini"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    database.dispose()


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """argon2id with the least that it takes: what makes it slow is no test's business but that of its parameters."""
    passwords._context.update(argon2__memory_cost=8, argon2__rounds=1)


@pytest.fixture(scope="session", autouse=True)
def shared() -> Iterator[None]:
    """What is made once for all tests of this process (`tests/made_once.py`)."""
    with pytest.MonkeyPatch.context() as patch, made_once.loop(patch):
        made_once.doors(patch)
        made_once.statements(patch)
        made_once.certificates(patch)
        yield


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("template") / "commonplace.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def default_config() -> dict[str, Any]:
    """`default_config.json`."""
    config: dict[str, Any] = json.loads((ROOT / "default_config.json").read_text())
    return config


@pytest.fixture(scope="session")
def built(template: Path, default_config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The real engine of the default configuration; its parts are shared, its store is exchanged per test."""
    MODEL_CACHE.mkdir(parents=True, exist_ok=True)
    data = tmp_path_factory.mktemp("engine")
    (data / "models").symlink_to(MODEL_CACHE)
    shutil.copy(template, data / "commonplace.db")
    database = Database(f"sqlite:///{data / 'commonplace.db'}", durable=False)
    built = Engine(database, data, 2**26).build(default_config)
    remember_readings(built.index._embedder)
    return built


def remember_readings(embedder: Any) -> None:
    """Have the embedder read a text once a run: it says the same each time, and most tests write the same few."""
    read, known = embedder.read, dict[tuple[str, tuple[str, ...]], tuple[Vectors, ...]]()

    def reading(texts: Sequence[str], *outputs: str) -> list[tuple[Vectors, ...]]:
        new = list(dict.fromkeys(text for text in texts if (text, outputs) not in known))
        found = dict(zip(new, read(new, *outputs), strict=True)) if new else {}
        if len(known) < READINGS:
            known.update({(text, outputs): said for text, said in found.items() if len(text) < LONG})
        return [found.get(text) or known[text, outputs] for text in texts]

    embedder.read = reading


def pytest_configure() -> None:
    """Have the tests' folders be made in memory; with xdist the workers' lie in the first process's."""
    place = in_memory()
    if place is not None:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", place)


def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Now and then have FastAPI forget the callables that it has seen.

    It remembers the last 4,096, and by them the servers of hundreds of tests that are over: millions of objects, which
    every collection of garbage walks through.
    """
    passed = item.session.stash.get(PASSED, 0) + 1
    item.session.stash[PASSED] = passed
    if passed % FORGETTING == 0:
        for cached in vars(fastapi.dependencies.models).values():
            if hasattr(cached, "cache_clear"):
                cached.cache_clear()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database sqlite` for a quick run on one of the two."""
    parser.addoption("--database", choices=[*DATABASES, "both"], default="both", help="what the services' tests run on")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files of FIRST before all others; within them, and the others, all as it was."""
    items.sort(key=lambda item: FIRST.index(item.path.stem) if item.path.stem in FIRST else len(FIRST))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of the services and the doors that has a server's settings runs on both databases."""
    if "database_kind" not in metafunc.fixturenames or not {"services", "protocols"} & set(
        metafunc.definition.path.parts
    ):
        return
    chosen = metafunc.config.getoption("--database")
    one = metafunc.definition.get_closest_marker("one_database") is not None
    names = DATABASES[:1] if one else DATABASES if chosen == "both" else [chosen]
    metafunc.parametrize("database_kind", names, indirect=True)


@pytest.fixture
def database_kind(request: pytest.FixtureRequest) -> str:
    """The database that this test runs on."""
    name: str = getattr(request, "param", DATABASES[0])
    return name


@pytest.fixture(scope="session")
def postgres_template(postgres: "Postgres") -> str:
    """The name of a migrated database, to be copied."""
    url = postgres.create()
    migrate(url)
    return str(make_url(url).database)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of this test's own, migrated and empty."""
    if database_kind == "sqlite":
        shutil.copy(request.getfixturevalue("template"), tmp_path / "commonplace.db")
        yield f"sqlite:///{tmp_path / 'commonplace.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.create(request.getfixturevalue("postgres_template"))
    yield url
    server.drop(url)


@pytest.fixture(scope="session")
def any_settings() -> Settings:
    """A server's settings but for where its data is; made once, for pydantic looks for each in the environment."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        admin_api_key=ADMIN_KEY,
        default_user_id="admin",
        sweep_seconds=3600,
        # Tests ask as fast as they can; tests/test_limits.py is about the limits.
        rate_limit_mem0_local="off",
        rate_limit_mem9="off",
        rate_limit_login="off",
    )


@pytest.fixture
def settings(tmp_path: Path, database_url: str, any_settings: Settings) -> Settings:
    """A server's settings in a directory and with a database of its own."""
    (tmp_path / "models").symlink_to(MODEL_CACHE)
    return any_settings.model_copy(update={"data_dir": tmp_path, "database_url": database_url})


def engine_for(runtime: Runtime, built: Built) -> Built:
    """The shared embedder and categoriser over an index in the runtime's database."""
    place = Place(runtime.relaxed, runtime.settings.data_dir / "models", 2**26)
    model, identity = built.index.model, built.index.identity
    store = build_store(built.config["mem0"]["vector_store"], model, 384, place)
    return Built(
        Index(built.index._embedder, store, build_words(place), model, identity), built.categoriser, built.config
    )


@pytest.fixture
def runtime(settings: Settings, built: Built) -> Iterator[Runtime]:
    """A runtime with the admin user and the real engine."""
    runtime = Runtime(settings)
    accounts.bootstrap(runtime)
    runtime.engine.use(engine_for(runtime, built))
    yield runtime
    runtime.engine.index.close()
    runtime.close()


@pytest.fixture
def admin(runtime: Runtime) -> Caller:
    """The admin, by ADMIN_API_KEY."""
    return accounts.authenticate(runtime, ADMIN_KEY)


AsCaller = Callable[..., AbstractContextManager[Context]]


@pytest.fixture
def ctx(runtime: Runtime, admin: Caller) -> AsCaller:
    """`with ctx(writing=True) as c:` a Context of the admin's, or of another `caller`."""

    def open_context(caller: Caller | None = None, *, writing: bool = False) -> AbstractContextManager[Context]:
        return runtime.context(caller or admin, writing=writing)

    return open_context


@pytest.fixture
def client(runtime: Runtime) -> Iterator[TestClient]:
    """The server's app, asked as the admin."""
    app = create_app(runtime.settings, runtime)
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    with TestClient(app, headers=headers, raise_server_exceptions=False) as client:
        yield client
