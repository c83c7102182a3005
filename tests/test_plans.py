"""How the databases go about our lists among a hundred thousand memories: by an index, in the order that is asked for.

The statements are the services' own, caught on their way to the database, so that nobody has to keep a copy of them.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Connection, event, select, text

from app import migrations
from app.context import Caller, Context, Runtime
from app.database import Database, now
from app.engine.index import Index, Together
from app.engine.sync import sync_all
from app.models import Memory
from app.services import (
    access_logs,
    accounts,
    apps,
    categories,
    days,
    examinations,
    expiry,
    findings,
    listings,
    purges,
    recalls,
    retention,
    selections,
    stats,
    tags,
)
from app.services.listings import Filter
from app.services.recalls import Asked
from app.services.retention_rules import Rule
from app.services.spaces import Node, Space
from app.services.views import Window
from app.settings import Settings
from tests import volume

OWNER = "owner-0"
OTHER = "owner-1"  # of whose memories none has expired
FIRST = Window(50)
DEEP = Window(50, 30_000)


def number(kind: int, n: int) -> UUID:
    """The id of the `n`th row of a kind."""
    return UUID(f"{kind:08x}{n:024x}")


APP = number(volume.APP, 1)
MEMORY = number(volume.MEMORY, 2)
SPACE = Space((Node(Caller(number(volume.USER, 0), OWNER, None, frozenset({"read"}))),))
EARLY, LATE = (volume.START + volume.MINUTE * n for n in (40_000, 60_000))

Verb = Callable[[Context], object]


def of_mem0(
    ctx: Context,
    identifiers: dict[str, str | None],
    filters: dict[str, Any] | None = None,
    show_expired: bool = False,
) -> object:
    """The first page of what is selected in mem0's words."""
    chosen = selections.chosen(ctx, identifiers, filters)
    return selections.listing(ctx, chosen, FIRST, app="mem0", show_expired=show_expired, is_counted=not show_expired)


# Lists in the order of `created_at`: whatever page is asked for, nothing is sorted.
ORDERED: dict[str, Verb] = {
    "list, page 1": lambda ctx: listings.shown(ctx, FIRST, user_id=OWNER),
    "list, a deep page": lambda ctx: listings.shown(ctx, DEEP, user_id=OWNER),
    "list, where nothing expired": lambda ctx: listings.shown(ctx, FIRST, user_id=OTHER),
    "list, where nothing expired, a deep page": lambda ctx: listings.shown(ctx, Window(50, 700), user_id=OTHER),
    "list, oldest first": lambda ctx: listings.shown(ctx, FIRST, user_id=OWNER, direction="asc"),
    "list, one app": lambda ctx: listings.shown(ctx, FIRST, user_id=OWNER, narrowed=Filter(app_ids=[APP])),
    "list, between dates": lambda ctx: listings.shown(
        ctx, FIRST, user_id=OWNER, narrowed=Filter(from_date=EARLY, to_date=LATE)
    ),
    "list, words": lambda ctx: listings.shown(ctx, FIRST, user_id=OWNER, narrowed=Filter(text="7 says")),
    "list, everybody's": lambda ctx: listings.shown(ctx, FIRST),
    "list, everybody's, a deep page": lambda ctx: listings.shown(ctx, DEEP),
    "filter": lambda ctx: listings.governed(ctx, FIRST, user_id=OWNER),
    "filter, a deep page": lambda ctx: listings.governed(ctx, DEEP, user_id=OWNER),
    "filter, archived too": lambda ctx: listings.governed(ctx, FIRST, user_id=OWNER, show_archived=True),
    "filter, one app": lambda ctx: listings.governed(ctx, FIRST, user_id=OWNER, narrowed=Filter(app_ids=[APP])),
    "an app's memories": lambda ctx: apps.memories_of(ctx, APP, FIRST),
    "filter, everybody's": lambda ctx: listings.governed(ctx, FIRST),
    "filter, everybody's, a deep page": lambda ctx: listings.governed(ctx, DEEP, show_archived=True),
    "mem0, everybody's": lambda ctx: selections.listing(ctx, selections.of_list(ctx, {}), FIRST, app="mem0"),
    "mem0, an agent's": lambda ctx: of_mem0(ctx, {"user_id": OWNER, "agent_id": "a1"}),
    "mem0, filtered": lambda ctx: of_mem0(ctx, {"user_id": OWNER}, {"topic": {"ne": "food"}}),
    "mem0, expired too": lambda ctx: of_mem0(ctx, {"user_id": OWNER}, show_expired=True),
    "mem0, several users'": lambda ctx: of_mem0(ctx, {}, {"user_id": [OWNER, OTHER]}),
    "an access log": lambda ctx: access_logs.listing(ctx, MEMORY, Window(10)),
}
# In the order of the last change.
ORDERED |= {
    "a space, page 1": lambda ctx: recalls.ask(ctx, SPACE, Asked(FIRST)),
    "a space, a deep page": lambda ctx: recalls.ask(ctx, SPACE, Asked(DEEP)),
    "a space, every state": lambda ctx: recalls.ask(ctx, SPACE, Asked(FIRST, state="all")),
}
# Others, which must not look at every memory either.
UNORDERED: dict[str, Verb] = {
    "filter, one category": lambda ctx: listings.governed(
        ctx, FIRST, user_id=OWNER, narrowed=Filter(category_ids=[number(volume.CATEGORY, 1)])
    ),
    "what an app was shown": lambda ctx: apps.accessed_by(ctx, APP, Window(10)),
    "related": lambda ctx: listings.related(ctx, MEMORY, OWNER, 1),
    "apps": lambda ctx: apps.listing(ctx, Window(10), user_id=OWNER),
    "apps, everybody's, by memories": lambda ctx: apps.listing(ctx, Window(10), sort_by="memories"),
    "categories": lambda ctx: categories.listing(ctx, OWNER),
    "categories, everybody's": lambda ctx: categories.listing(ctx, None),
    "filter, a session": lambda ctx: listings.governed(ctx, FIRST, user_id=OWNER, narrowed=Filter(run_id="none")),
    "filter, one tag": lambda ctx: listings.governed(ctx, FIRST, user_id=OWNER, narrowed=Filter(tags=["tag-1"])),
    "tags": lambda ctx: tags.listing(ctx, OWNER),
    "tags, everybody's": lambda ctx: tags.listing(ctx, None),
    "an app over time": lambda ctx: days.of_app(ctx, APP, 30),
    "figures over time": lambda ctx: stats.overview(ctx, OWNER, 30),
    "figures over time, everybody's": lambda ctx: stats.overview(ctx, None, 30),
    "review": lambda ctx: findings.listing(ctx, FIRST, OWNER, kind="duplicate"),
    "review, everybody's": lambda ctx: findings.listing(ctx, FIRST),
    "review, decided": lambda ctx: findings.listing(ctx, FIRST, OWNER, is_resolved=True),
    "review, counts": lambda ctx: findings.counts(ctx, OWNER),
    "figures": lambda ctx: stats.get(ctx, OWNER),
    "figures, everybody's": lambda ctx: stats.get(ctx, None),
}


@dataclass(slots=True)
class Caught:
    """Statements on their way, with their parameters."""

    statements: list[tuple[str, Any]] = field(default_factory=list)

    def catch(self, _: Any, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        """SQLAlchemy's before_cursor_execute."""
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            self.statements.append((statement, parameters[0] if many else parameters))


@contextmanager
def caught(database: Database) -> Iterator[Caught]:
    """Catch what goes to the database."""
    found = Caught()
    event.listen(database.engine, "before_cursor_execute", found.catch)
    yield found
    event.remove(database.engine, "before_cursor_execute", found.catch)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def runtime(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A server's runtime on a hundred thousand memories. Nobody analyses SQLite in production, so nor does this."""
    folder: Path = tmp_path_factory.mktemp("plans")
    url = f"sqlite:///{folder / 'plans.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create()
    migrations.migrate(url)
    settings = Settings(_env_file=None, data_dir=folder, database_url=url, default_user_id="admin")  # type: ignore[call-arg]
    runtime = Runtime(settings)
    accounts.bootstrap(runtime)
    with runtime.database.engine.execution_options(writing=True).begin() as connection:
        volume.fill(connection)
    if not runtime.database.is_sqlite:
        with runtime.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    yield runtime
    runtime.close()


@dataclass(frozen=True, slots=True)
class Plan:
    """How the database goes about one statement: a line a step."""

    statement: str
    steps: list[str]

    @property
    def scans(self) -> list[str]:
        """Steps that read every row of `memories` in no order."""
        return [step for step in self.steps if re.fullmatch(r"SCAN memories(_\d+)?|Seq Scan on memories", step)]

    @property
    def sorts(self) -> list[str]:
        """Steps that sort, other than the rows of a page that an index has picked."""
        return [
            step for step in self.steps if re.fullmatch(r"USE TEMP B-TREE FOR .*ORDER BY|(Incremental )?Sort", step)
        ]

    def __str__(self) -> str:
        return "\n".join([self.statement, *(f"    {step}" for step in self.steps)])


def explain(connection: Connection, statement: str, parameters: Any) -> Plan:
    """The database's own account."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        # A sort at the top of a statement without a limit of its own sorts what an inner one has picked.
        is_of_a_page = re.search(r"LIMIT \S+( OFFSET \S+)?\s*$", statement) is None
        return Plan(statement, [_labelled(row.detail, is_of_a_page and not row.parent) for row in rows])
    found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    tree = found if isinstance(found, list) else json.loads(found)
    return Plan(statement, list(_steps(tree[0]["Plan"])))


def _labelled(step: str, is_of_a_page: bool) -> str:
    return f"{step} (of a page)" if is_of_a_page and "ORDER BY" in step else step


def _steps(node: dict[str, Any]) -> Iterator[str]:
    on = f" on {node['Relation Name']}" if "Relation Name" in node else ""
    using = f" using {node['Index Name']}" if "Index Name" in node else ""
    inner = [step for child in node.get("Plans", ()) for step in _steps(child)]
    is_of_a_page = node["Node Type"] == "Sort" and "Limit" in inner
    yield f"{node['Node Type']}{on}{using}{' (of a page)' if is_of_a_page else ''}"
    yield from inner


def plans(runtime: Runtime, verb: Verb) -> list[Plan]:
    """The plans of the statements that a verb sends, asked by the admin."""
    caller: Caller = accounts.admin(runtime)
    with caught(runtime.database) as found, runtime.database.session() as session:
        verb(Context(runtime, caller, session))
    assert found.statements
    with runtime.database.engine.connect() as connection:
        return [explain(connection, *one) for one in found.statements]


def is_page_of_ids(plan: Plan) -> bool:
    """Whether it is the statement that picks a page, the others being about the rows of that page alone."""
    return "ORDER BY" in plan.statement and "LIMIT" in plan.statement


@pytest.mark.parametrize("name", [*ORDERED, *UNORDERED])
def test_no_list_reads_the_whole_table(runtime: Runtime, name: str) -> None:
    for plan in plans(runtime, (ORDERED | UNORDERED)[name]):
        assert not plan.scans, str(plan)


@pytest.mark.parametrize("name", ORDERED)
def test_pages_come_in_order(runtime: Runtime, name: str) -> None:
    pages = [plan for plan in plans(runtime, ORDERED[name]) if is_page_of_ids(plan)]
    assert pages
    for plan in pages:
        assert not plan.sorts, str(plan)


@pytest.mark.parametrize("name", ORDERED)
def test_pages_take_few_statements(runtime: Runtime, name: str) -> None:
    assert len(plans(runtime, ORDERED[name])) <= 5, "and one more to see who asks"


class NoIndex(Index):
    """Takes everything and keeps nothing."""

    def __init__(self) -> None:
        self.model = "none"

    def embed(self, texts: Any, action: Any = "add") -> Any:
        """Zeros."""
        return np.zeros((len(texts), 1), dtype=np.float32)

    is_beside_truth = False

    def put_elsewhere(self, entries: Any, vectors: Any) -> None:
        """Nothing."""

    def remove_elsewhere(self, ids: Any) -> None:
        """Nothing."""

    @contextmanager
    def together(self, database: Database) -> Iterator[Any]:
        """Only a transaction."""
        with database.transaction() as session:
            yield Together(session, NoWords(), NoWords(), None)


class NoWords:
    """Takes everything and keeps nothing."""

    def put(self, said: Any) -> None:
        """Nothing."""

    def remove(self, ids: Any) -> None:
        """Nothing."""

    def committed(self) -> None:
        """Nothing."""


def test_the_sweep_finds_what_waits_by_its_index(runtime: Runtime) -> None:
    with caught(runtime.relaxed) as found:
        done = [synced.total for synced in sync_all(runtime.relaxed, NoIndex())]
    assert done[-1] == volume.MEMORIES // 1000
    with runtime.database.engine.connect() as connection:
        for plan in (explain(connection, *one) for one in found.statements if "memories" in one[0]):
            assert not plan.scans, str(plan)
            looks = "ORDER BY" in plan.statement
            assert not looks or any("ix_memories_unindexed" in step for step in plan.steps), str(plan)


RULES = [
    {"archive_after_days": 20_000},
    {"archive_after_days_without_access": 20_000},
    {"app": "app-1", "archive_after_days": 20_000},
    {"category": "category-3", "archive_after_days_without_access": 20_000},
]


@pytest.mark.parametrize("rule", RULES)
def test_a_retention_rule_looks_only_at_what_is_old_enough(runtime: Runtime, rule: dict[str, Any]) -> None:
    conditions = retention.conditions(Rule(name="rule", **rule), now())
    with caught(runtime.database) as found, runtime.database.reading() as session:
        assert session.scalars(select(Memory.id).where(*conditions).limit(10)).all() == []
    check_worker(runtime, found, "ix_memories_(state|created|app)")


def test_the_worker_finds_what_expires_and_what_is_purged_by_their_indexes(runtime: Runtime) -> None:
    with caught(runtime.database) as found, runtime.database.reading() as session:
        session.execute(expiry.late(Memory.id).limit(10)).all()
    check_worker(runtime, found, "ix_memories_expires_at")
    with caught(runtime.database) as found:
        purges.due(runtime, 30)
    check_worker(runtime, found, "ix_memories_deleted_at")


def test_the_review_finds_what_waits_by_its_index(runtime: Runtime) -> None:
    with caught(runtime.database) as found:
        examinations._waiting(runtime.database, 10)
    check_worker(runtime, found, "ix_memories_unexamined")


def check_worker(runtime: Runtime, found: Caught, index: str) -> None:
    """The statement about memories goes by that index."""
    (asked,) = [one for one in found.statements if "FROM memories" in one[0]]
    with runtime.database.engine.connect() as connection:
        plan = explain(connection, *asked)
    assert not plan.scans, str(plan)
    assert any(re.search(index, step) for step in plan.steps), str(plan)
