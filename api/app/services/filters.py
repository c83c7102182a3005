"""mem0's filter grammar, compiled to SQL once, for every door.

    {"agent_id": "a1", "priority": {"gte": 5}, "OR": [{"tags": "x"}, {"NOT": {"run_id": "*"}}]}

A value alone means equal, a list any of its values, "*" any value at all; several conditions in one object all hold.
Any name that is no field of a memory (`filter_fields.FIELDS`) is a key of its metadata. What a filter says narrows what
may be seen and never widens it: services put the condition beside the scope's own.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, not_, or_, true

from app.errors import Invalid
from app.services.drafts import MAX_NAME, checked_characters, moment
from app.services.filter_fields import FIELDS, TAKES, Field, Kind, Operator, metadata, read_id

MAX_KEYS = 200  # names and operators in all; SQLite takes expressions up to 1,000 deep
MAX_VALUES = 5_000
MAX_DEPTH = 24  # of the JSON: ten of AND, OR and NOT inside each other, and more
MAX_VALUE = 10_000  # characters
MAX_PATH = 16  # keys
LARGEST = 2**63  # whole numbers that SQLite holds exactly
SHOWN = 200  # characters of a clause where it is quoted

ANY = "*"
SELECTIVE = ("id", "memory_ids", "run_id", "session_id", "hash")
LOGIC = ("AND", "OR", "NOT")
OPERATORS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin", "contains", "icontains")
RANGES = {
    "from_date": "created_at",
    "occurred_from": "occurred_at",
    "to_date": "created_at",
    "occurred_to": "occurred_at",
}
STARTS = {"from_date": "to_date", "occurred_from": "occurred_to"}


@dataclass(frozen=True, slots=True)
class Clause:
    """One of the conditions that must all hold: as it was written, and as SQL.

    `is_selective` where it leaves few memories, and an index of the database finds them.
    """

    text: str
    condition: ColumnElement[bool]
    is_selective: bool = False


def compiled(filters: Mapping[str, Any] | None) -> ColumnElement[bool] | None:
    """The filters as one condition on `Memory`, never NULL; None if they narrow nothing.

    Raises:
        Invalid: they are not in the grammar, or too large.
    """
    found = [clause.condition for clause in clauses(filters)]
    return and_(*found) if found else None


def clauses(filters: Mapping[str, Any] | None) -> list[Clause]:
    """The conditions at the top, `AND` opened up; a null there is as good as absent, as clients send it.

    Raises:
        Invalid: they are not in the grammar, or too large.
    """
    sent = {key: value for key, value in (filters or {}).items() if value is not None}
    _check_size(sent)
    return list(_clauses(sent))


def _clauses(filters: Mapping[str, Any]) -> Iterator[Clause]:
    _check_ranges(filters)
    for name, value in filters.items():
        if name == "AND":
            for member in _members(name, value):
                yield from _clauses(member)
        else:
            text = json.dumps({name: value}, ensure_ascii=False, default=str)
            shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
            yield Clause(
                shown, _condition(name, value), name in SELECTIVE and value != ANY and isinstance(value, str | list)
            )


def _check_size(filters: Mapping[str, Any]) -> None:
    keys = values = 0
    for depth, below in _walk(filters, 1):
        if depth > MAX_DEPTH:
            raise Invalid(f"The filters are nested deeper than {MAX_DEPTH} levels")
        keys += isinstance(below, Mapping) and len(below)
        values += not isinstance(below, Mapping | list)
    if keys > MAX_KEYS or values > MAX_VALUES:
        raise Invalid(f"The filters have more than {MAX_KEYS} keys or {MAX_VALUES} values")


def _walk(value: Any, depth: int) -> Iterator[tuple[int, Any]]:
    yield depth, value
    if depth <= MAX_DEPTH:
        for below in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
            yield from _walk(below, depth + 1)


def _check_ranges(filters: Mapping[str, Any]) -> None:
    for first, last in STARTS.items():
        start, end = moment(filters.get(first)), moment(filters.get(last))
        if start and end and start > end:
            raise Invalid(f"{first} is after {last}")


def _condition(name: str, value: Any) -> ColumnElement[bool]:
    if name in LOGIC:
        return _logic(name, [and_(true(), *_conditions(member)) for member in _members(name, value)])
    if name in RANGES:
        operator = Operator.gte if name in STARTS else Operator.lte
        return FIELDS[RANGES[name]].passes(Kind.time, operator, [_time(name, value)])
    if name == "metadata" and isinstance(value, Mapping):
        return and_(true(), *(_of_field(f"metadata.{key}", metadata(_key(key)), below) for key, below in value.items()))
    return _of_field(name, _field(name), value)


def _conditions(filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    _check_ranges(filters)
    return [_condition(name, value) for name, value in filters.items()]


def _members(name: str, value: Any) -> Sequence[Mapping[str, Any]]:
    members = [value] if isinstance(value, Mapping) else value
    if not isinstance(members, list) or not all(isinstance(member, Mapping) for member in members):
        raise Invalid(f"{name} takes an object or a list of objects")
    if not members and name != "AND":
        raise Invalid(f"{name} takes at least one condition")
    return members


def _logic(name: str, conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    if name == "AND":
        return and_(true(), *conditions)
    return or_(false(), *conditions) if name == "OR" else not_(or_(false(), *conditions))


def _field(name: str) -> Field:
    if name in FIELDS:
        return FIELDS[name]
    path = name.removeprefix("metadata.").split(".")
    if len(path) > MAX_PATH:
        raise Invalid(f"A name in the filters has more than {MAX_PATH} parts")
    return metadata(*map(_key, path))


def _key(name: str) -> str:
    if not name or len(name) > MAX_NAME or '"' in name:
        raise Invalid(f'A name in the filters has 1 to {MAX_NAME} characters, and none of them is a "')
    return checked_characters(name)


def _of_field(name: str, field: Field, value: Any) -> ColumnElement[bool]:
    if value == ANY:
        return field.is_there()
    if isinstance(value, Mapping):
        if not value:
            raise Invalid(f"The filter {name!r} has no operator; there are: {', '.join(OPERATORS)}")
        return and_(*(_operation(name, field, operator, operand) for operator, operand in value.items()))
    return _operation(name, field, "in" if isinstance(value, list) else "eq", value)


def _operation(name: str, field: Field, operator: str, value: Any) -> ColumnElement[bool]:
    match operator:
        case "eq":
            return _any_of(name, field, [value])
        case "ne":
            return not_(_any_of(name, field, [value]))
        case "in" | "nin":
            if not isinstance(value, list) or not value:
                raise Invalid(f"The filter {name!r} takes a list of one value or more with {operator!r}")
            found = _any_of(name, field, value)
            return found if operator == "in" else not_(found)
        case "gt" | "gte" | "lt" | "lte" | "contains" | "icontains":
            kind, read = _read(name, field, value, Operator(operator))
            return field.passes(kind, Operator(operator), [read])
    raise Invalid(f"Unknown operator {operator!r} for {name!r}; there are: {', '.join(OPERATORS)}")


def _any_of(name: str, field: Field, values: Sequence[Any]) -> ColumnElement[bool]:
    of_kind: dict[Kind, list[Any]] = {}
    for value in values:
        if value is not None:
            kind, read = _read(name, field, value, Operator.any_of)
            of_kind.setdefault(kind, []).append(read)
    found = [field.passes(kind, Operator.any_of, same) for kind, same in of_kind.items()]
    # Null is no value: nothing there, null itself, an empty list.
    return or_(false(), *found, *([not_(field.is_there())] if None in values else []))


def _read(name: str, field: Field, value: Any, operator: Operator) -> tuple[Kind, Any]:
    """The value's kind, and the value as SQL takes it."""
    kind = _kind(field, value)
    if kind is None or operator not in TAKES[kind]:
        kinds = sorted(kind.value for kind in field.kinds if operator in TAKES[kind])
        raise Invalid(f"The filter {name!r} takes {' or '.join(kinds) or 'nothing'} with {operator.value!r}")
    if kind is Kind.time:
        return kind, _time(name, value)
    if kind is Kind.id:
        return kind, read_id(value)
    return kind, _text(value) if kind is Kind.text else _number(name, value) if kind is Kind.number else value


def _kind(field: Field, value: Any) -> Kind | None:
    if Kind.time in field.kinds:
        return Kind.time
    if Kind.id in field.kinds:
        return Kind.id if read_id(value) else None
    kind = Kind.truth if isinstance(value, bool) else Kind.text if isinstance(value, str) else None
    if kind is None and isinstance(value, int | float):
        kind = Kind.number
    return kind if kind in field.kinds else None


def _time(name: str, value: Any) -> datetime:
    when = moment(value)
    if when is None:
        raise Invalid(f"The filter {name!r} takes {Kind.time.value}")
    return when


def _text(value: str) -> str:
    if len(value) > MAX_VALUE:
        raise Invalid(f"A text in the filters has more than {MAX_VALUE} characters")
    return checked_characters(value)


def _number(name: str, value: float) -> float:
    if (not -LARGEST <= value < LARGEST and isinstance(value, int)) or not math.isfinite(value):
        raise Invalid(f"The filter {name!r} takes whole numbers below 2^63, and finite ones")
    return value
