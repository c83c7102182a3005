"""mem0's filter grammar: the databases' answers are those of a plain evaluator; what makes no sense is refused."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app import migrations
from app.database import Database, new_id
from app.errors import Invalid
from app.models import App, Category, Memory, User, memory_categories
from app.services import filters
from app.services.filter_fields import FIELDS

START = datetime(2024, 1, 1, tzinfo=UTC)
TEXTS = [
    "",
    "a",
    "A",
    "ab",
    "Abc",
    "b",
    "5%",
    "5_%",
    "é",
    "咖啡",
    'a"b',
    "a\\b",
    "it's",
    "1",
    "true",
    "null",
    "😀",
    "*",
]
NAMES = ["k", "n.m", "é", "it's", "a b", "k\\", "$", "[0]", "😀", "tags", "priority"]
OWNERS, APPS, CATEGORIES = ("ann", "bo"), ("notes", "Chat"), ("travel", "ai, ml & technology", "work")
COLUMNS = ["agent_id", "run_id", "author", "content", "memory_type", "source", "priority"]


@dataclass(slots=True)
class Known:
    """A memory as the evaluator knows it."""

    id: UUID
    owner: str
    app: str
    columns: dict[str, Any]
    times: dict[str, datetime | None]
    metadata: dict[str, Any]
    tags: list[str]
    categories: list[str] = field(default_factory=list)


def values(memory: Known, name: str) -> list[Any]:
    """All values of a field, without nulls."""
    if name in ("user_id", "app", "app_id", "categories"):
        return {"user_id": [memory.owner], "categories": memory.categories}.get(name, [memory.app])
    if name in memory.times:
        return [memory.times[name]] if memory.times[name] else []
    found = _listed(memory.columns.get(name)) + (memory.tags if name == "tags" else [])
    if name in FIELDS and name not in ("tags", "priority", "source"):
        return found
    below: Any = memory.metadata
    for key in name.removeprefix("metadata.").split("."):
        below = below.get(key) if isinstance(below, dict) else None
    return found + _listed(below)


def _listed(value: Any) -> list[Any]:
    return [one for one in (value if isinstance(value, list) else [value]) if one is not None]


def same_kind(one: Any, other: Any) -> bool:
    """Whether the two may be compared."""
    kinds = (bool, str, datetime)
    return next((k for k in kinds if isinstance(one, k)), _number(one)) == next(
        (k for k in kinds if isinstance(other, k)), _number(other)
    ) and not isinstance(one, list | dict)


def _number(value: Any) -> Any:
    return int if isinstance(value, int | float) else type(value)


TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda one, other: one == other,
    "gt": lambda one, other: one > other,
    "gte": lambda one, other: one >= other,
    "lt": lambda one, other: one < other,
    "lte": lambda one, other: one <= other,
    "contains": lambda one, other: other in one,
    "icontains": lambda one, other: other.lower() in one.lower(),
}


def one_holds(found: list[Any], operator: str, value: Any) -> bool:
    """One operator, in plain Python."""
    if operator == "ne":
        return not one_holds(found, "eq", value)
    if operator == "nin":
        return not one_holds(found, "in", value)
    if operator == "in":
        return any(one_holds(found, "eq", one) for one in value)
    if value is None:
        return not found
    return any(same_kind(one, value) and TESTS[operator](one, value) for one in found)


def evaluated(memory: Known, asked: dict[str, Any]) -> bool:
    """The whole grammar, in plain Python."""
    return all(_one(memory, name, value) for name, value in asked.items())


def _one(memory: Known, name: str, value: Any) -> bool:
    if name in filters.LOGIC:
        held = [evaluated(memory, member) for member in (value if isinstance(value, list) else [value])]
        return {"AND": all(held), "OR": any(held), "NOT": not any(held)}[name]
    found = values(memory, name)
    if value == "*":
        return bool(found)
    if isinstance(value, dict):
        return all(one_holds(found, operator, one) for operator, one in value.items())
    return one_holds(found, "in" if isinstance(value, list) else "eq", value)


text = st.sampled_from(TEXTS)
number = st.sampled_from([0, 1, -1, 2, 10, 2.5, 1.0, 0.1, -0.5, 10**15, 2**53 + 1, 1e20])
scalar = st.one_of(text, number, st.booleans())
thing = st.one_of(scalar, st.none())
stored = st.one_of(thing, st.lists(thing, max_size=3), st.dictionaries(st.sampled_from(["m", "x"]), thing, max_size=2))
stored_deep = st.one_of(stored, st.lists(stored, max_size=2))
when = st.integers(0, 4).map(lambda day: START + timedelta(days=day, microseconds=day))

memories = st.builds(
    Known,
    id=st.builds(new_id),
    owner=st.sampled_from(OWNERS),
    app=st.sampled_from(APPS),
    columns=st.fixed_dictionaries(
        {
            "content": text,
            "memory_type": text,
            **{name: st.one_of(st.none(), text) for name in COLUMNS if name not in ("content", "memory_type")},
        }
    ),
    times=st.fixed_dictionaries({"created_at": when, "occurred_at": st.one_of(st.none(), when)}),
    metadata=st.dictionaries(st.sampled_from([name.split(".")[0] for name in NAMES]), stored_deep, max_size=4),
    tags=st.lists(text, max_size=2),
    categories=st.lists(st.sampled_from(CATEGORIES), max_size=2, unique=True),
)

of_metadata = st.sampled_from([*NAMES, "metadata.k", "metadata.n.m"])
of_text = st.sampled_from([*COLUMNS, "user_id", "app", "categories"]) | st.just("app_id")
ordered = st.sampled_from(["gt", "gte", "lt", "lte"])
containing = st.sampled_from(["contains", "icontains"])
equal, among = st.sampled_from(["eq", "ne"]), st.sampled_from(["in", "nin"])


def asked_of(value: st.SearchStrategy[Any], orders: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What may stand beside a name whose values are `value`, null among them where it may be."""
    maybe = st.one_of(value, st.none())
    some = st.lists(maybe, min_size=1, max_size=3)
    return st.one_of(
        maybe,
        some,
        st.just("*"),
        st.dictionaries(equal, maybe, min_size=1, max_size=2),
        st.dictionaries(among, some, min_size=1, max_size=2),
        orders,
    )


def orders_of(value: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """One or two comparisons."""
    return st.dictionaries(ordered, value, min_size=1, max_size=2)


lettered = st.dictionaries(containing, st.sampled_from([one for one in TEXTS if one != "é"]), min_size=1)
leaf = st.one_of(
    st.dictionaries(
        of_metadata, asked_of(scalar, st.one_of(orders_of(text), orders_of(number), lettered)), min_size=1, max_size=2
    ),
    st.dictionaries(of_text, asked_of(text, st.one_of(orders_of(text), lettered)), min_size=1, max_size=2),
    st.dictionaries(st.sampled_from(["created_at", "occurred_at"]), asked_of(when, orders_of(when)), min_size=1),
)
trees = st.recursive(
    leaf,
    lambda below: st.one_of(
        st.dictionaries(st.sampled_from(filters.LOGIC), st.lists(below, min_size=1, max_size=3), min_size=1),
        below.map(lambda one: {"NOT": one}),
    ),
    max_leaves=6,
)


class Store:
    """A database with two owners, to which memories are added in a transaction that is never committed."""

    def __init__(self, url: str) -> None:
        migrations.migrate(url)
        self.database = Database(url)
        self.owners, self.apps, self.categories = ({}, {}, {})  # type: ignore[var-annotated]
        with self.database.transaction() as session:
            for owner in OWNERS:
                self.owners[owner] = self._add(session, User(user_id=owner))
                for name in APPS:
                    self.apps[owner, name] = self._add(session, App(owner_id=self.owners[owner], name=name))
                for name in CATEGORIES:
                    self.categories[owner, name] = self._add(session, Category(user_id=self.owners[owner], name=name))

    @staticmethod
    def _add(session: Session, row: User | App | Category) -> UUID:
        session.add(row)
        session.flush()
        return row.id

    def matching(self, known: list[Known], asked: dict[str, Any]) -> set[UUID]:
        """Which of them the database says match."""
        with self.database.session(writing=True) as session:
            if known:
                session.execute(insert(Memory), [self._row(memory) for memory in known])
            links = [
                {"memory_id": memory.id, "category_id": self.categories[memory.owner, name]}
                for memory in known
                for name in memory.categories
            ]
            if links:
                session.execute(insert(memory_categories), links)
            condition = filters.compiled(asked)
            assert condition is not None
            found = set(session.scalars(select(Memory.id).where(condition)))
            beside = set(session.scalars(select(Memory.id).where(~condition)))
            assert len(found) + len(beside) == len(known), "a condition is true or false, never NULL"
            session.rollback()
        return found

    def _row(self, memory: Known) -> dict[str, Any]:
        return {
            "id": memory.id,
            "user_id": self.owners[memory.owner],
            "app_id": self.apps[memory.owner, memory.app],
            "content_hash": "",
            "metadata_": memory.metadata,
            "tags": memory.tags,
            **memory.columns,
            **memory.times,
        }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One of each database."""
    path: Path = tmp_path_factory.mktemp("filters") / "filters.db"
    url = f"sqlite:///{path}" if request.param == "sqlite" else request.getfixturevalue("postgres").create()
    store = Store(url)
    yield store
    store.database.dispose()


def known(**changed: Any) -> Known:
    """A memory with nothing in it but what is named."""
    columns = dict.fromkeys(COLUMNS) | {"content": "x", "memory_type": "insight"}
    plain: dict[str, Any] = {"owner": "ann", "app": "notes", "columns": columns, "metadata": {}, "tags": []}
    return Known(**{"id": new_id(), "times": {"created_at": START, "occurred_at": None}, **plain, **changed})


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(stored=st.lists(memories, max_size=8), asked=trees)
@example([known(metadata={"k": [[1], {"m": 1}]}), known(metadata={"k": {"m": 1}})], {"k": 1})
@example([known(metadata={"k": []}), known(metadata={"k": [None]}), known(metadata={"k": {}})], {"k": "*"})
@example([known(metadata={"k": True}), known(metadata={"k": 1}), known(metadata={"k": "true"})], {"k": True})
@example([known(metadata={"n": [{"m": 1}]}), known(metadata={"n": {"m": [1]}})], {"n.m": {"ne": 1}})
def test_the_databases_answer_what_a_plain_evaluator_answers(
    store: Store, stored: list[Known], asked: dict[str, Any]
) -> None:
    asked = {name: value for name, value in asked.items() if value is not None} or {"content": "*"}
    assert store.matching(stored, asked) == {memory.id for memory in stored if evaluated(memory, asked)}


def test_case_is_ignored_by_icontains_alone(store: Store) -> None:
    one = known(metadata={"k": "Big Ben"}, columns=known().columns | {"content": "Big Ben"})
    for name in ("content", "k"):
        assert store.matching([one], {name: {"contains": "big"}}) == set()
        assert store.matching([one], {name: {"icontains": "bIG b"}}) == {one.id}


def test_a_name_with_a_dot_is_asked_for_below_metadata(store: Store) -> None:
    dotted, nested = known(metadata={"a.b": 1}), known(metadata={"a": {"b": 1}})
    assert store.matching([dotted, nested], {"a.b": 1}) == {nested.id}
    assert store.matching([dotted, nested], {"metadata": {"a.b": {"gte": 1}}}) == {dotted.id}
    shadowed = known(metadata={"author": "Ann"})
    assert store.matching([shadowed], {"author": "Ann"}) == set()
    assert store.matching([shadowed], {"metadata.author": "Ann"}) == {shadowed.id}


def test_names_and_values_are_never_sql(store: Store) -> None:
    one = known(metadata={"k') OR 1=1 --": "x"})
    for name in ("k') OR 1=1 --", "k'", "'; DROP TABLE memories; --", ":param", "%s", "%(x)s", "$ ? (1 == 1)", "?"):
        expected = {one.id} if name in one.metadata else set()
        assert store.matching([one], {name: "x"}) == expected
        assert store.matching([one], {name: {"contains": "' OR 1=1 --"}}) == set()


def test_an_app_is_named_by_its_name_or_its_id(store: Store) -> None:
    one = known()
    id = str(store.apps["ann", "notes"])
    for asked in (id, "notes", [id, "none"], {"ne": "Chat"}, {"contains": "ote"}):
        assert store.matching([one], {"app_id": asked}) == {one.id}
    assert store.matching([one], {"app_id": {"ne": id}}) == set()
    assert store.matching([one], {"memory_ids": [str(one.id)], "id": {"ne": str(new_id())}}) == {one.id}


def test_the_largest_filter_that_is_taken_is_answered(store: Store) -> None:
    deep: dict[str, Any] = {"k": 1}
    for _ in range(10):
        deep = {"NOT": [deep]}
    one = known(metadata={"k": 1})
    assert store.matching([one], deep) == {one.id}
    wide = [{f"k{i}": {"eq": i}} for i in range(filters.MAX_KEYS // 2 - 1)]
    assert store.matching([one], {"OR": [*wide, {"k": 1}]}) == {one.id}
    assert store.matching([one], {"k": list(range(filters.MAX_VALUES))}) == {one.id}


def test_nothing_asked_is_no_condition() -> None:
    assert filters.compiled(None) is None
    assert filters.compiled({}) is None
    assert filters.compiled({"app": None, "AND": []}) is None


def test_clauses_are_what_stands_at_the_top() -> None:
    asked = {"AND": [{"k": 1}, {"AND": {"author": "Ann"}}], "OR": [{"n": 1}], "created_at": {"gte": 0, "lt": 9}}
    assert [json.loads(clause.text) for clause in filters.clauses(asked)] == [
        {"k": 1},
        {"author": "Ann"},
        {"OR": [{"n": 1}]},
        {"created_at": {"gte": 0, "lt": 9}},
    ]


SENSELESS: list[dict[str, Any]] = [
    {"author": 1},
    {"author": []},
    {"author": {}},
    {"author": {"like": "A%"}},
    {"author": {"in": "Ann"}},
    {"author": {"in": []}},
    {"author": {"gt": None}},
    {"created_at": "yesterday-ish"},
    {"created_at": {"contains": "2024"}},
    {"memory_ids": ["one"]},
    {"id": {"gt": "00000000-0000-4000-8000-000000000000"}},
    {"version": {"gt": "one"}},
    {"k": {"gt": True}},
    {"k": {"contains": 1}},
    {"k": [[1]]},
    {"k": 2**63},
    {"k": float("inf")},
    {"k": "x" * 10_001},
    {"k": "\x00"},
    {"k\x00": 1},
    {'k"': 1},
    {"": 1},
    {"x" * 256: 1},
    {".".join("x" * 17): 1},
    {"metadata": {"k": {"m": 1}}},
    {"metadata": "x", "metadata.k": {}},
    {"OR": []},
    {"NOT": []},
    {"AND": 1},
    {"OR": ["x"]},
    {"from_date": "2024-01-01", "to_date": "2023-01-01"},
    {"OR": [{"occurred_from": "2024-01-01", "occurred_to": "2023-01-01"}]},
    {"from_date": "soon"},
    {"OR": [{"k": i} for i in range(201)]},
    {"k": list(range(5_001))},
]


@pytest.mark.parametrize("asked", SENSELESS, ids=lambda asked: json.dumps(asked)[:40])
def test_what_makes_no_sense_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        filters.compiled(asked)


def test_an_unknown_operator_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(Invalid, match=r"'like' for 'k'.*eq, ne, gt, gte, lt, lte, in, nin, contains, icontains"):
        filters.compiled({"k": {"like": "x"}})
    deep: dict[str, Any] = {"k": 1}
    for _ in range(30):
        deep = {"NOT": deep}
    with pytest.raises(Invalid, match="nested deeper"):
        filters.compiled(deep)
