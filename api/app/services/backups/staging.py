"""The backup's records, checked and put into a temporary SQLite file, before anything of ours is touched.

The sections come in any order and refer to each other; from here they can be read in batches with what belongs
together joined, however many there are. Reading and checking take no lock: only a backup that is sound as a whole
gets as far as the database.
"""

import sqlite3
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

import ijson
from pydantic import ValidationError

from app.errors import Invalid
from app.services.backups.archive import DOCUMENT, Archive, Bounded
from app.services.backups.records import SECTIONS, Link, Person, Record

Shape = TypeVar("Shape", bound=Record)

BATCH = 1_000
MAX_DEPTH = 64
LINKS = "memory_categories"
NOT_JSON = f"{DOCUMENT} is not valid JSON"
CLOSERS = ("end_map", "end_array")
STEPS = {"start_map": 1, "start_array": 1} | dict.fromkeys(CLOSERS, -1)

SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000; BEGIN;
CREATE TABLE memory_categories (seq INTEGER PRIMARY KEY, memory_id TEXT, category_id TEXT);
CREATE TABLE pairs (seq INTEGER PRIMARY KEY, memory_id TEXT, category_id TEXT, UNIQUE (memory_id, category_id));
"""
# `target` is the id that the record has with us, `outcome` what happened to it.
TABLE = """CREATE TABLE {}
    (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, parent TEXT, record TEXT, target TEXT, outcome TEXT)"""
# Two memories must not become one.
ONE_EACH = "CREATE UNIQUE INDEX memories_target ON memories (target)"


class Staging:
    """A checked backup. `read` gives its rows in batches, by the number `seq` that every table has."""

    def __init__(self, path: Path) -> None:
        self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._rows.executescript(SCHEMA)
        for section in SECTIONS:
            self._rows.execute(TABLE.format(section))
        self._rows.execute(ONE_EACH)
        self.person = Person()

    def close(self) -> None:
        """Forget everything."""
        self._rows.close()

    def write(self, statement: str, rows: list[tuple[Any, ...]]) -> int:
        """Execute for each of `rows`; how many rows changed."""
        return self._rows.executemany(statement, rows).rowcount

    def run(self, statement: str) -> None:
        """Execute once."""
        self._rows.execute(statement)

    def read(self, query: str) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of `query` in batches; it says `seq > ?`, orders by seq, and has it as its first column."""
        last = 0
        while batch := self._rows.execute(f"{query} LIMIT {BATCH}", (last,)).fetchall():
            yield batch
            last = batch[-1][0]


@contextmanager
def staged(file: BinaryIO, limit: int) -> Iterator[Staging]:
    """The backup in `file`, read and checked; removed at the end.

    Raises:
        Invalid: it is not a backup; TooLarge: it holds more than `limit` bytes.
    """
    archive = Archive(file, limit)
    with TemporaryDirectory(prefix="commonplace-import-") as folder:
        staging = Staging(Path(folder, "staged.db"))
        try:
            _fill(staging, archive)
            yield staging
        finally:
            staging.close()


def _fill(staging: Staging, archive: Archive) -> None:
    with archive.document() as document:
        sections = _survey(document)
        archive.check_lines(document.seen)
    if "memories" not in sections:
        raise Invalid(f"{DOCUMENT} holds no memories section")
    if "user" in sections:
        staging.person = next(_records(archive, "user", Person))
    for section, shape in SECTIONS.items():
        if section in sections:
            _stage(staging, archive, section, shape)
    if LINKS in sections:
        _stage_links(staging, _records(archive, f"{LINKS}.item", Link))


def _survey(document: Bounded) -> set[str]:
    """The sections that are not empty, and `memories` in any case.

    Raises:
        Invalid: it is no JSON object, nested too deep, has a section twice, or one that is no list.
    """
    kinds: dict[str, str] = {}
    filled: set[str] = set()
    depth, key = 0, ""
    with _parsing():
        for event, value in ijson.basic_parse(document):
            if depth == 2 and event not in CLOSERS:
                filled.add(key)
                document.mark()
            elif depth == 1 and event == "map_key":
                key = _once(value, kinds)
            elif depth < 2 and event != "end_map":
                kinds[key] = event
            depth += STEPS.get(event, 0)
            if depth > MAX_DEPTH:
                raise Invalid(f"{DOCUMENT} is nested deeper than {MAX_DEPTH} levels")
    _check_kinds(kinds)
    return filled | (kinds.keys() & {"memories"})


def _once(key: str, known: Container[str]) -> str:
    if key in known:
        raise Invalid(f"{DOCUMENT} has the section {key[:40]!r} twice")
    return key


def _check_kinds(kinds: Mapping[str, str]) -> None:
    """`kinds`: the event that begins each section, and under "" the one that begins the document."""
    if kinds[""] != "start_map":
        raise Invalid(f"{DOCUMENT} is not an object")
    for key in (*SECTIONS, LINKS):
        if kinds.get(key, "start_array") != "start_array":
            raise Invalid(f"{DOCUMENT}: {key} is not a list")
    if kinds.get("user", "null") not in ("start_map", "null"):
        raise Invalid(f"{DOCUMENT}: user is not an object")


@contextmanager
def _parsing() -> Iterator[None]:
    try:
        yield
    # UnicodeDecodeError is a ValueError, as is a number of too many digits.
    except (ijson.JSONError, ValueError, ArithmeticError) as error:
        raise Invalid(NOT_JSON) from error


def _records(archive: Archive, prefix: str, shape: type[Shape]) -> Iterator[Shape]:
    """The checked records under an ijson prefix."""
    with archive.document() as document, _parsing():
        for number, raw in enumerate(ijson.items(document, prefix)):
            document.mark()
            try:
                yield shape.model_validate(raw)
            except ValidationError as error:
                raise Invalid(f"{DOCUMENT}: {prefix.removesuffix('.item')}[{number}]: {_reason(error)}") from error


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _batches(records: Iterator[Shape]) -> Iterator[list[Shape]]:
    while batch := list(islice(records, BATCH)):
        yield batch


def _stage(staging: Staging, archive: Archive, section: str, shape: type[Any]) -> None:
    insert = f"INSERT OR IGNORE INTO {section} (id, parent, record) VALUES (?, ?, ?)"  # noqa: S608 -- one of SECTIONS
    for batch in _batches(_records(archive, f"{section}.item", shape)):
        rows = [(record.id.hex, _hex(record.parent), record.model_dump_json(exclude_unset=True)) for record in batch]
        if staging.write(insert, rows) != len(rows):
            raise Invalid(f"{DOCUMENT}: {section} has the same id twice")
        if section == "memories":
            _write_links(staging, [(record.id, id) for record in batch for id in record.category_ids])


def _stage_links(staging: Staging, links: Iterator[Link]) -> None:
    for batch in _batches(links):
        _write_links(staging, [(link.memory_id, link.category_id) for link in batch])


def _write_links(staging: Staging, links: list[tuple[UUID, UUID]]) -> None:
    staging.write(
        "INSERT INTO memory_categories (memory_id, category_id) VALUES (?, ?)",
        [(memory.hex, category.hex) for memory, category in links],
    )


def _hex(id: UUID | None) -> str | None:
    return id.hex if id else None
