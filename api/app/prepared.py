"""Selects that are made once and asked often: on SQLite the driver itself is asked.

What SQLAlchemy does around a statement takes longer than SQLite's answer. Here a statement is compiled once, and each
time only its values go in and its rows come out, through the types of its columns. On other databases it is executed as
any other (decision 0042).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, Dialect, Select
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler

Row = Sequence[Any]
Values = Mapping[str, Any]
Sizes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Driven:
    """A statement as the driver takes it: SQL, what gives each of its parameters, and which columns are read how."""

    sql: str
    parameters: Sequence[Callable[[Values], Any]]
    columns: Sequence[tuple[int, Callable[[Any], Any]]]

    def given(self, values: Values) -> tuple[Any, ...]:
        """The parameters in the driver's order."""
        return tuple(give(values) for give in self.parameters)

    def read(self, rows: Sequence[Row]) -> list[Row]:
        """The driver's rows as the columns' types have them."""
        found: list[Row] = []
        for row in rows:
            read = list(row)
            for place, process in self.columns:
                read[place] = process(read[place])
            found.append(read)
        return found


class Prepared:
    """A select of columns whose named parameters are given each time; lists for those that are `expanding`.

    A list is filled up with its last value to a power of two, so that there are few forms of one statement.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.statement = statement
        self._binds = {one.key: one for one in visitors.iterate(statement) if isinstance(one, BindParameter)}
        self._named = {key for key, one in self._binds.items() if one.required}
        self._lists = tuple(key for key in self._binds if key in self._named and self._binds[key].expanding)
        self._driven: WeakKeyDictionary[Dialect, dict[Sizes, Driven]] = WeakKeyDictionary()

    def has_empty_list(self, values: Values) -> bool:
        """Whether a list is empty: SQL has none, SQLAlchemy writes another statement then."""
        return not all(values[name] for name in self._lists)

    def driven(self, dialect: Dialect, values: Values) -> Driven:
        """For lists as long as those in `values`, none of which is empty."""
        sizes = tuple(1 << (len(values[name]) - 1).bit_length() for name in self._lists)
        known = self._driven.setdefault(dialect, {})
        if sizes not in known:
            known[sizes] = self._compiled(dialect, dict(zip(self._lists, sizes, strict=True)))
        return known[sizes]

    def _compiled(self, dialect: Dialect, sizes: Mapping[str, int]) -> Driven:
        filled = dict.fromkeys(self._named) | {name: [None] * size for name, size in sizes.items()}
        statement = self.statement.params(filled)
        compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        if not isinstance(compiled, SQLCompiler) or compiled.positiontup is None:
            raise TypeError(f"{dialect.name} does not take its parameters by position")
        places = {f"{name}_{place + 1}": (name, place) for name, size in sizes.items() for place in range(size)}
        parameters = [
            self._of_list(dialect, *places[name]) if name in places else self._parameter(dialect, compiled.binds[name])
            for name in compiled.positiontup
        ]
        types = [column.type.dialect_impl(dialect) for column in self.statement.selected_columns]
        readers = [(place, type_.result_processor(dialect, None)) for place, type_ in enumerate(types)]
        return Driven(compiled.string, parameters, [(place, read) for place, read in readers if read is not None])

    def _parameter(self, dialect: Dialect, bind: BindParameter[Any]) -> Callable[[Values], Any]:
        process, key, make = _process(dialect, bind), bind.key, bind.callable
        if key in self._named:
            return lambda values: process(values[key])
        if make is not None:
            return lambda _: process(make())
        constant = process(bind.value)
        return lambda _: constant

    def _of_list(self, dialect: Dialect, key: str, place: int) -> Callable[[Values], Any]:
        process = _process(dialect, self._binds[key])
        return lambda values: process(values[key][min(place, len(values[key]) - 1)])


def _process(dialect: Dialect, bind: BindParameter[Any]) -> Callable[[Any], Any]:
    return bind.type.dialect_impl(dialect).bind_processor(dialect) or (lambda value: value)
