"""The schema on SQLite and PostgreSQL: up and down, the same as the models, its triggers and constraints at work."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, insert, inspect, select, text, update
from sqlalchemy.exc import IntegrityError

from app import migrations
from app.database import Database
from app.errors import Conflict
from app.models import (
    AccessControl,
    AccessLog,
    ApiKey,
    App,
    AppAccess,
    AppDay,
    Category,
    Event,
    Memory,
    MemoryTally,
    MemoryVersion,
    State,
    User,
    memory_categories,
    memory_tags,
)
from app.settings import ROOT
from tests.postgres import Postgres

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def empty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Makes new empty databases; answers their URLs."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        return server.create
    folder: Path = tmp_path_factory.mktemp("migrations")
    return lambda: f"sqlite:///{folder / uuid4().hex}.db"


@pytest.fixture(scope="module")
def database(empty: Callable[[], str]) -> Iterator[Database]:
    """A migrated database, for tests that leave nothing behind."""
    url = empty()
    migrations.migrate(url)
    database = Database(url)
    yield database
    database.dispose()


@contextmanager
def alembic(url: str) -> Iterator[AlembicConfig]:
    """Alembic's own configuration on one connection, committed at the end."""
    database = Database(url)
    with database.engine.connect() as connection:
        config = AlembicConfig(str(ROOT / "alembic.ini"))
        config.attributes["connection"] = connection
        yield config
        connection.commit()
    database.dispose()


@contextmanager
def undone(database: Database) -> Iterator[Connection]:
    """A connection whose changes are rolled back at the end."""
    with database.engine.execution_options(writing=True).connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


def tables(url: str) -> set[str]:
    """The tables that are there."""
    database = Database(url)
    found = set(inspect(database.engine).get_table_names())
    database.dispose()
    return found - {"alembic_version", "sqlite_sequence"}


def expected(url: str) -> set[str]:
    """The tables that the models describe for this kind of database."""
    dialect = "sqlite" if url.startswith("sqlite") else "postgresql"
    return {t.name for t in Memory.metadata.tables.values() if t.info.get("dialect") in {None, dialect}}


def left_over(url: str) -> set[str]:
    """Triggers and functions that are there."""
    database = Database(url)
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if not database.is_sqlite:
        query = """SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"""  # pgvector's
    with database.engine.connect() as connection:
        found = set(connection.scalars(text(query)))
    database.dispose()
    return found


def test_up_down_up(empty: Callable[[], str]) -> None:
    url = empty()
    for _ in range(2):
        with alembic(url) as config:
            command.upgrade(config, "head")
        assert tables(url) == expected(url)
        assert left_over(url)
        with alembic(url) as config:
            command.downgrade(config, "base")
        assert tables(url) == set()
        assert left_over(url) == set()


def test_each_step_down_and_up_again(empty: Callable[[], str]) -> None:
    url = empty()
    with alembic(url) as config:
        command.upgrade(config, "head")
    steps = len(list((ROOT / "alembic" / "versions").glob("*.py")))
    for _ in range(steps):
        with alembic(url) as config:
            command.downgrade(config, "-1")
    for _ in range(steps):
        with alembic(url) as config:
            command.upgrade(config, "+1")
    assert tables(url) == expected(url)


def test_models_and_migrations_agree(empty: Callable[[], str]) -> None:
    url = empty()
    migrations.migrate(url)
    with alembic(url) as config:
        command.check(config)


def test_migrating_twice_does_nothing(empty: Callable[[], str]) -> None:
    url = empty()
    assert migrations.migrate(url)
    assert not migrations.migrate(url)


def test_a_newer_database_is_left_alone(empty: Callable[[], str]) -> None:
    url = empty()
    migrations.migrate(url)
    with alembic(url) as config:
        config.attributes["connection"].execute(text("UPDATE alembic_version SET version_num = 'from_the_future'"))
    with pytest.raises(Conflict, match="newer"):
        migrations.migrate(url)


class People:
    """Two owners with two apps each, and memories in them, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.users = [uuid4(), uuid4()]
        self.apps = [uuid4() for _ in range(4)]
        self.memories: list[UUID] = []
        connection.execute(insert(User), [{"id": id, "user_id": id.hex, "metadata_": {}} for id in self.users])
        rows = [
            {"id": id, "owner_id": self.users[i // 2], "name": f"app {i}", "metadata_": {}}
            for i, id in enumerate(self.apps)
        ]
        connection.execute(insert(App), rows)

    def add(self, app: int, state: State = State.active, **values: Any) -> UUID:
        """A memory of that app's owner."""
        row = {"content": "x", "content_hash": "0" * 64, "metadata_": {}, "tags": [], "state": state.value, **values}
        id = uuid4()
        self.connection.execute(
            insert(Memory), [{"id": id, "app_id": self.apps[app], "user_id": self.users[app // 2], **row}]
        )
        self.memories.append(id)
        return id

    def read(self, memory: UUID, app: int, minute: int) -> None:
        """Log one access."""
        row = {"memory_id": memory, "app_id": self.apps[app], "access_type": "get", "metadata_": {}}
        self.connection.execute(insert(AccessLog), [{**row, "accessed_at": START + timedelta(minutes=minute)}])

    def check(self) -> None:
        """What the triggers keep is what a count would find."""
        counted = select(Memory.user_id, Memory.app_id, Memory.state, func.count()).group_by(
            Memory.user_id, Memory.app_id, Memory.state
        )
        kept = select(MemoryTally.user_id, MemoryTally.app_id, MemoryTally.state, MemoryTally.count)
        kept = kept.where(MemoryTally.count != 0)
        assert sorted(self.connection.execute(kept)) == sorted(self.connection.execute(counted))
        log = AccessLog
        summed = select(
            log.app_id, log.memory_id, func.count(), func.min(log.accessed_at), func.max(log.accessed_at)
        ).group_by(log.app_id, log.memory_id)
        sums = select(
            AppAccess.app_id,
            AppAccess.memory_id,
            AppAccess.access_count,
            AppAccess.first_accessed_at,
            AppAccess.last_accessed_at,
        )
        assert sorted(self.connection.execute(sums)) == sorted(self.connection.execute(summed))
        tagged = select(Memory.user_id, Memory.id, Memory.tags).where(Memory.state != State.deleted)
        links = {
            (user, tag, memory)
            for user, memory, tags in self.connection.execute(tagged)
            for tag in tags
            if 0 < len(tag) <= 255
        }
        assert set(self.connection.execute(select(memory_tags)).all()) == links
        distinct = Counter(row.app_id for row in self.connection.execute(sums))
        assert dict(self.connection.execute(select(App.id, App.accessed_count)).all()) == {
            id: distinct[id] for id in self.connection.scalars(select(App.id))
        }


STATES = st.sampled_from(list(State))
APPS = st.integers(0, 3)
WHICH = st.integers(0, 30)
TAGS = st.sampled_from(["a", "b", "é", "", "x" * 255, "x" * 256])
STEPS = st.one_of(
    st.tuples(st.just("add"), APPS, STATES),
    st.tuples(st.just("state"), WHICH, STATES),
    st.tuples(st.just("all"), APPS, STATES),
    st.tuples(st.just("move"), WHICH, APPS),
    st.tuples(st.just("delete"), WHICH, st.none()),
    st.tuples(st.just("tag"), WHICH, st.lists(TAGS, max_size=3)),
    st.tuples(st.just("read"), WHICH, st.tuples(APPS, st.integers(0, 100))),
)


def take(people: People, step: tuple[str, int, Any]) -> None:
    """One step of a scripted life; steps that concern a memory pass when there is none."""
    kind, which, value = step
    if kind == "add":
        people.add(which, value, tags=["a"] * (which % 2))
        return
    if kind == "all":
        everything = update(Memory).where(Memory.app_id == people.apps[which])
        people.connection.execute(everything.values(state=value.value))
        return
    if not people.memories:
        return
    id = people.memories[which % len(people.memories)]
    if kind == "state":
        people.connection.execute(update(Memory).where(Memory.id == id).values(state=value.value))
    elif kind == "move":
        values = {"app_id": people.apps[value], "user_id": people.users[value // 2]}
        people.connection.execute(update(Memory).where(Memory.id == id).values(**values))
    elif kind == "read":
        people.read(id, *value)
    elif kind == "tag":
        people.connection.execute(update(Memory).where(Memory.id == id).values(tags=value))
    else:
        people.connection.execute(delete(Memory).where(Memory.id == id))
        people.memories.remove(id)


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_triggers_count_right(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'triggers.db'}"
    if dialect == "postgresql":
        url = request.getfixturevalue("postgres").create()
    migrations.migrate(url)
    database = Database(url)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(STEPS, max_size=25))
    def live(steps: list[tuple[str, int, Any]]) -> None:
        with undone(database) as connection:
            people = People(connection)
            for step in steps:
                take(people, step)
            people.check()

    live()
    database.dispose()


def test_days_and_tags_are_filled_from_what_is_there(empty: Callable[[], str]) -> None:
    url = empty()
    migrations.migrate(url)
    database = Database(url)
    with database.transaction() as session:
        people = People(session.connection())
        one, gone = people.add(0, tags=["a", "b", "a"]), people.add(0, State.deleted, tags=["a"])
        people.add(2, tags=["a"])
        versions = [(one, 1, START), (one, 2, START + timedelta(days=1)), (gone, 1, START)]
        for memory, number, when in versions:
            row = {"memory_id": memory, "version": number, "event": "ADD", "content": "x", "metadata_": {}}
            session.execute(insert(MemoryVersion), [{**row, "state": "active", "created_at": when}])
        for memory, minute in ((one, 5), (gone, 5), (one, 24 * 60 - 1), (one, 24 * 60)):
            people.read(memory, 1, minute)
    kept, links = select(AppDay.day, AppDay.app_id, AppDay.writes), select(memory_tags)
    with database.reading() as session:
        written, tagged = sorted(session.execute(kept)), sorted(session.execute(links))
    with alembic(url) as config:
        command.downgrade(config, "0016")
        command.downgrade(config, "-1")
        command.upgrade(config, "head")
    with database.reading() as session:
        assert sorted(session.execute(kept.where(AppDay.writes > 0))) == written
        assert sorted(session.execute(links)) == tagged
        reads = select(AppDay.day, AppDay.reads, AppDay.shown).where(AppDay.app_id == people.apps[1])
        assert sorted(session.execute(reads)) == [
            (START.date(), 2, 3),
            (START.date() + timedelta(days=1), 1, 1),
        ]
        assert sorted(tag for _, tag, _ in tagged) == ["a", "a", "b"]
    assert [writes for _, _, writes in written] == [2, 1]
    database.dispose()


def test_first_and_last_access_do_not_depend_on_the_order(database: Database) -> None:
    with undone(database) as connection:
        people = People(connection)
        memory = people.add(0)
        for minute in (5, 1, 9, 3):
            people.read(memory, 0, minute)
        row = connection.execute(select(App).where(App.id == people.apps[0])).one()
        assert row.first_accessed_at == START + timedelta(minutes=1)
        assert row.last_accessed_at == START + timedelta(minutes=9)
        assert row.accessed_count == 1


def test_deleting_a_user_leaves_nothing(database: Database) -> None:
    with undone(database) as connection:
        people = People(connection)
        memory = people.add(0)
        people.add(2)
        people.read(memory, 1, 1)
        connection.execute(delete(User).where(User.id == people.users[0]))
        assert connection.scalar(select(func.count()).select_from(Memory)) == 1
        for table in (AccessLog, AppAccess):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
        people.check()


def test_deleting_an_app_keeps_the_others_counts(database: Database) -> None:
    with undone(database) as connection:
        people = People(connection)
        people.add(0)
        other = people.add(1)
        people.read(other, 0, 1)
        connection.execute(delete(App).where(App.id == people.apps[0]))
        people.check()


def test_what_superseded_it_may_go(database: Database) -> None:
    with undone(database) as connection:
        people = People(connection)
        newer = people.add(0)
        older = people.add(0, superseded_by=newer)
        connection.execute(delete(Memory).where(Memory.id == newer))
        assert connection.scalar(select(Memory.superseded_by).where(Memory.id == older)) is None


Rows = list[dict[str, Any]]


def _user(name: str) -> dict[str, Any]:
    return {"user_id": name, "metadata_": {}}


def _version(people: People, memory: UUID) -> dict[str, Any]:
    row = {"version": 1, "event": "ADD", "content": "x", "metadata_": {}, "state": "active"}
    return {**row, "id": uuid4(), "memory_id": memory}


BREACHES: dict[str, Callable[[People], tuple[Any, Rows]]] = {
    "two users of a name": lambda p: (User, [_user("same"), _user("same")]),
    "two apps of a name": lambda p: (
        App,
        [{"owner_id": p.users[0], "name": "same", "metadata_": {}} for _ in range(2)],
    ),
    "two categories of a name": lambda p: (Category, [{"user_id": p.users[0], "name": "same"} for _ in range(2)]),
    "two versions of a number": lambda p: (MemoryVersion, [_version(p, memory := p.add(0)), _version(p, memory)]),
    "two keys of a hash": lambda p: (
        ApiKey,
        [{"user_id": p.users[0], "label": "x", "prefix": "x", "key_hash": "same", "scopes": []} for _ in range(2)],
    ),
    "a category that is not there": lambda p: (
        memory_categories,
        [{"memory_id": p.add(0), "category_id": uuid4()}],
    ),
    "a memory of nobody's": lambda p: (Memory, [_memory(p, user_id=uuid4())]),
    "a memory of no app": lambda p: (Memory, [_memory(p, app_id=uuid4())]),
    "a memory superseded by nothing": lambda p: (Memory, [_memory(p, superseded_by=uuid4())]),
    "a memory in no known state": lambda p: (Memory, [_memory(p, state="asleep")]),
    "a memory without a version": lambda p: (Memory, [_memory(p, version=0)]),
    "a memory without a text": lambda p: (Memory, [_memory(p, content=None)]),
    "an app of nobody's": lambda p: (App, [{"owner_id": uuid4(), "name": "x", "metadata_": {}}]),
    "an access to nothing": lambda p: (
        AccessLog,
        [{"memory_id": uuid4(), "app_id": p.apps[0], "access_type": "get", "metadata_": {}}],
    ),
    "a rule that neither allows nor denies": lambda p: (
        AccessControl,
        [{"subject_type": "app", "object_type": "memory", "effect": "perhaps"}],
    ),
    "an event in no known status": lambda p: (
        Event,
        [{"user_id": p.users[0], "kind": "ADD", "status": "DREAMING", "results": []}],
    ),
}


def _memory(people: People, **values: Any) -> dict[str, Any]:
    row = {"user_id": people.users[0], "app_id": people.apps[0], "content": "x", "content_hash": "0" * 64}
    return {**row, "metadata_": {}, "tags": [], "state": "active", **values}


@pytest.mark.parametrize("breach", BREACHES)
def test_the_database_refuses(database: Database, breach: str) -> None:
    with undone(database) as connection:
        table, rows = BREACHES[breach](People(connection))
        with pytest.raises(IntegrityError):
            connection.execute(insert(table), rows)
