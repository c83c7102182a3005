"""What a filter can ask of a memory, as SQL for both databases.

Each field has some values: a column none or one, tags and categories any number, a key of the metadata what lies there,
a list counting as its elements. A test holds if it holds of any of them. It is never NULL, so `NOT` means not.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FunctionElement,
    Numeric,
    String,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute

from app.models import App, Category, Memory, User, memory_categories

Expression = ColumnElement[Any]


class Kind(StrEnum):
    """What a value is; only values of the same kind are compared."""

    text = "a text"
    number = "a number"
    truth = "true or false"
    time = "a time: epoch seconds or ISO 8601"
    id = "a UUID"


class Operator(StrEnum):
    """How a value is tested; `ne`, `nin` and `NOT` are their opposites."""

    any_of = "in"
    gt = "gt"
    gte = "gte"
    lt = "lt"
    lte = "lte"
    contains = "contains"
    icontains = "icontains"


ORDER: dict[Operator, Callable[[Expression, Any], ColumnElement[bool]]] = {
    Operator.gt: lambda one, other: one > other,
    Operator.gte: lambda one, other: one >= other,
    Operator.lt: lambda one, other: one < other,
    Operator.lte: lambda one, other: one <= other,
}
ORDERED = frozenset({Operator.any_of, *ORDER})
TAKES: dict[Kind, frozenset[Operator]] = {
    Kind.text: frozenset(Operator),
    Kind.number: ORDERED,
    Kind.truth: frozenset({Operator.any_of}),
    Kind.time: ORDERED,
    Kind.id: frozenset({Operator.any_of}),
}


class either(FunctionElement[bool]):  # named like a function of SQL, which it stands for
    """One condition, in each database's own words."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, on_sqlite: ColumnElement[bool], on_postgresql: ColumnElement[bool]) -> None:
        super().__init__(on_sqlite, on_postgresql)


@compiles(either, "sqlite")
def _on_sqlite(element: either, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(next(iter(element.clauses)), **options)})"


@compiles(either, "postgresql")
def _on_postgresql(element: either, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(list(element.clauses)[1], **options)})"


def holds(one: Expression, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a value that is there passes."""
    if operator is Operator.any_of:
        return one == values[0] if len(values) == 1 else one.in_(values)
    value = values[0]
    if operator in ORDER:
        compare = ORDER[operator]
        if kind is not Kind.text:
            return compare(one, value)
        # By code points, as SQLite and Python do it, not by the rules of whatever language the database was set up in.
        return either(compare(one, value), compare(one.collate("C"), value))
    if operator is Operator.icontains:
        one, value = func.lower(one), func.lower(value)
    # Not LIKE, whose wildcards would have to be escaped, and which SQLite takes without regard to case.
    return either(func.instr(one, value) > 0, func.strpos(one, value) > 0)


class Field(Protocol):
    """Something that a memory has."""

    @property
    def kinds(self) -> frozenset[Kind]:
        """What its values may be."""

    def passes(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether any of its values does."""

    def is_there(self) -> ColumnElement[bool]:
        """Whether it has any value."""


@dataclass(frozen=True, slots=True)
class ColumnField:
    """A column of the memory; NULL is no value."""

    column: InstrumentedAttribute[Any]
    kind: Kind = Kind.text

    @property
    def kinds(self) -> frozenset[Kind]:
        """One."""
        return frozenset({self.kind})

    def passes(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether it does."""
        tested = holds(self.column.expression, kind, operator, values)
        return and_(self.column.is_not(None), tested) if self.column.nullable else tested

    def is_there(self) -> ColumnElement[bool]:
        """Whether it is not NULL."""
        return self.column.is_not(None) if self.column.nullable else true()


@dataclass(frozen=True, slots=True)
class OwnerField:
    """The owner's name."""

    kinds = frozenset({Kind.text})

    def passes(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether it does."""
        return Memory.user_id.in_(select(User.id).where(holds(User.user_id.expression, kind, operator, values)))

    def is_there(self) -> ColumnElement[bool]:
        """Always."""
        return true()


@dataclass(frozen=True, slots=True)
class AppField:
    """The name of the app that wrote it; where `or_id`, the id as well: what mem0 calls `app_id` is a name."""

    or_id: bool = False
    kinds = frozenset({Kind.text})

    def passes(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether it does."""
        ids = [id for id in map(read_id, values) if id] if self.or_id and operator is Operator.any_of else []
        named = Memory.app_id.in_(select(App.id).where(holds(App.name.expression, kind, operator, values)))
        return or_(Memory.app_id.in_(ids), named) if ids else named

    def is_there(self) -> ColumnElement[bool]:
        """Always."""
        return true()


@dataclass(frozen=True, slots=True)
class CategoriesField:
    """The names of its categories."""

    kinds = frozenset({Kind.text})

    def passes(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether one of them does."""
        link = memory_categories.c
        ids = select(link.memory_id).join(Category, Category.id == link.category_id)
        return Memory.id.in_(ids.where(holds(Category.name.expression, kind, operator, values)))

    def is_there(self) -> ColumnElement[bool]:
        """Whether there is one."""
        return exists(select(literal(1)).where(memory_categories.c.memory_id == Memory.id))


# How the databases call JSON's scalars.
ON_SQLITE = {Kind.text: ("text",), Kind.number: ("integer", "real"), Kind.truth: ("true", "false")}
ON_POSTGRESQL = {Kind.text: "string", Kind.number: "number", Kind.truth: "boolean"}


@dataclass(frozen=True, slots=True)
class JsonField:
    """What lies in a JSON column at a path of keys; the elements, where that is a list."""

    column: InstrumentedAttribute[Any]
    path: tuple[str, ...] = ()
    kinds = frozenset({Kind.text, Kind.number, Kind.truth})

    def passes(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether one of them does."""
        return either(self._on_sqlite(kind, operator, values), self._on_postgresql(kind, operator, values))

    def is_there(self) -> ColumnElement[bool]:
        """Whether there is one that is not null."""
        item = self._items()
        is_object = func.coalesce(func.json_type(self.column, self._path), "") == "object"
        on_sqlite = or_(is_object, exists(select(literal(1)).select_from(item).where(item.c.type != "null")))
        found = func.jsonb_path_exists(self._below(), _elements('@.type() != "null"'))
        return either(on_sqlite, func.coalesce(found, false()))

    @property
    def _path(self) -> str:
        # As JSON writes it, because that is how older SQLites compare it with what is stored.
        return "$" + "".join(f".{json.dumps(key)}" for key in self.path)

    def _items(self) -> Any:
        return func.json_each(self.column, self._path).table_valued("key", "value", "type", name="item")

    def _on_sqlite(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        item = self._items()
        one = item.c.type if kind is Kind.truth else item.c.value
        return exists(
            select(literal(1))
            .select_from(item)
            .where(
                func.typeof(item.c.key) != "text",  # an object's members are not values of it
                item.c.type.in_(ON_SQLITE[kind]),
                holds(type_coerce(one, String()) if kind is not Kind.number else one, kind, operator, _plain(values)),
            )
        )

    def _on_postgresql(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        path = _elements(f'@.type() == "{ON_POSTGRESQL[kind]}"')
        item = func.jsonb_path_query(self._below(), path).table_valued("value", name="item").render_derived()
        text: Expression = type_coerce(item.c.value.op("#>>")(literal_column("'{}'")), String())
        if kind is not Kind.number:
            tested = holds(text, kind, operator, _plain(values))
        else:
            exact = [literal(Decimal(repr(value)), Numeric()) for value in values]
            tested = holds(cast(text, Numeric()), kind, operator, exact)
        return exists(select(literal(1)).select_from(item).where(tested))

    def _below(self) -> Expression:
        found: Expression = type_coerce(self.column, JSONB)
        for key in self.path:
            found = type_coerce(found.op("->")(cast(literal(key), String())), JSONB)
        return found


def _elements(condition: str) -> Expression:
    # Lax: a list is opened, once, before its elements are looked at; what is no list is looked at itself.
    return cast(literal(f"lax $ ? ({condition})"), JSONPATH)


def _plain(values: Sequence[Any]) -> list[Any]:
    return [str(value).lower() if isinstance(value, bool) else value for value in values]


@dataclass(frozen=True, slots=True)
class AnyField:
    """Several places where the same thing may stand."""

    places: tuple[Field, ...]

    @property
    def kinds(self) -> frozenset[Kind]:
        """All of theirs."""
        return frozenset().union(*(place.kinds for place in self.places))

    def passes(self, kind: Kind, operator: Operator, values: Sequence[Any]) -> ColumnElement[bool]:
        """Whether a value in one of them does."""
        return or_(*(place.passes(kind, operator, values) for place in self.places if kind in place.kinds))

    def is_there(self) -> ColumnElement[bool]:
        """Whether one of them has a value."""
        return or_(*(place.is_there() for place in self.places))


def read_id(value: object) -> UUID | None:
    """A UUID in any of its forms; None if it is not one."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def metadata(*path: str) -> JsonField:
    """What lies in the metadata at a path of keys."""
    return JsonField(Memory.metadata_, path)


def _beside_metadata(name: str, column: Field) -> Field:
    # Doors without such a field are given it in the metadata.
    return AnyField((column, metadata(name)))


_CONTENT = ColumnField(Memory.content)
_RUN = ColumnField(Memory.run_id)
_AUTHOR = ColumnField(Memory.author)
_OCCURRED = ColumnField(Memory.occurred_at, Kind.time)
_EXPIRES = ColumnField(Memory.expires_at, Kind.time)
_ID = ColumnField(Memory.id, Kind.id)

FIELDS: dict[str, Field] = {
    "id": _ID,
    "memory_ids": _ID,
    "user_id": OwnerField(),
    "app": AppField(),
    "app_id": AppField(or_id=True),
    "agent_id": ColumnField(Memory.agent_id),
    "run_id": _RUN,
    "session_id": _RUN,
    "author": _AUTHOR,
    "actor_id": _AUTHOR,
    "content": _CONTENT,
    "memory": _CONTENT,
    "keywords": _CONTENT,
    "hash": ColumnField(Memory.content_hash),
    "memory_type": ColumnField(Memory.memory_type),
    "state": ColumnField(Memory.state),
    "version": ColumnField(Memory.version, Kind.number),
    "categories": CategoriesField(),
    "tags": _beside_metadata("tags", JsonField(Memory.tags)),
    "priority": _beside_metadata("priority", ColumnField(Memory.priority)),
    "source": _beside_metadata("source", ColumnField(Memory.source)),
    "created_at": ColumnField(Memory.created_at, Kind.time),
    "updated_at": ColumnField(Memory.updated_at, Kind.time),
    "occurred_at": _OCCURRED,
    "timestamp": _OCCURRED,
    "expires_at": _EXPIRES,
    "expiration_date": _EXPIRES,
    "archived_at": ColumnField(Memory.archived_at, Kind.time),
}
