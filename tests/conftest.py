"""Fixtures: a migrated database a test, the real embedder shared by all, the server's app on a test client."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from fastapi.testclient import TestClient

from app.context import Caller, Context, Runtime
from app.database import Database
from app.engine.engine import Built, Engine
from app.engine.index import Index
from app.engine.words.sqlite import SqliteWords
from app.main import create_app
from app.services import accounts
from app.settings import ROOT, Settings

pytest_plugins = ["tests.postgres", "tests.scripted_llm"]

ADMIN_KEY = "cp_admin_key_of_the_tests"
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
    return Engine(f"sqlite:///{data / 'commonplace.db'}", data, 2**26).build(default_config)


@pytest.fixture
def settings(tmp_path: Path, template: Path) -> Settings:
    """A server's settings in a directory of its own, its database migrated and empty."""
    shutil.copy(template, tmp_path / "commonplace.db")
    (tmp_path / "models").symlink_to(MODEL_CACHE)
    return Settings(
        _env_file=None,  # type: ignore[call-arg]
        data_dir=tmp_path,
        database_url=f"sqlite:///{tmp_path / 'commonplace.db'}",
        admin_api_key=ADMIN_KEY,
        default_user_id="admin",
        sweep_seconds=3600,
    )


def engine_for(url: str, built: Built) -> Built:
    """The shared embedder and categoriser over a store in `url`."""
    store = type(built.index.store)(built.index.model, 384, url, 2**26)
    index = Index(built.index._embedder, store, SqliteWords(url, 2**26), built.index.model, built.index.identity)
    return Built(index, built.categoriser, built.config)


@pytest.fixture
def runtime(settings: Settings, built: Built) -> Iterator[Runtime]:
    """A runtime with the admin user and the real engine."""
    runtime = Runtime(settings)
    accounts.bootstrap(runtime)
    runtime.engine.use(engine_for(settings.url, built))
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
