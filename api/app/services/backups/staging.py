"""The backup's records, checked and put into a temporary SQLite file, before anything of ours is touched.

The sections come in any order and refer to each other; from here they can be read in batches with what belongs
together joined, however many there are. Reading and checking take no lock: only a backup that is sound as a whole
gets as far as the database.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, TypeVar
from uuid import UUID

from pydantic import ValidationError

from app.errors import Invalid
from app.services.backups.archive import DOCUMENT, Archive
from app.services.backups.document import Document
from app.services.backups.records import SECTIONS, Link, Person, Record

Shape = TypeVar("Shape", bound=Record)

BATCH = 1_000
LINKS = "memory_categories"
SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -16000; BEGIN;
CREATE TABLE memory_categories (seq INTEGER PRIMARY KEY, memory_id TEXT, category_id TEXT);
CREATE TABLE pairs (seq INTEGER PRIMARY KEY, memory_id TEXT, category_id TEXT, UNIQUE (memory_id, category_id));
"""
# `target` is the id that the record has with us, `outcome` what happened to it.
TABLE = """CREATE TABLE {}
    (seq INTEGER PRIMARY KEY, id TEXT UNIQUE, parent TEXT, record TEXT, target TEXT, outcome TEXT)"""
NAMES = """SELECT c.record FROM memory_categories l JOIN categories c ON c.id = l.category_id WHERE l.memory_id = ?"""
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

    def count(self, section: str) -> int:
        """How many records the section has."""
        found: tuple[int] = self._rows.execute(f"SELECT count(*) FROM {section}").fetchone()  # noqa: S608 -- ours
        return found[0]

    def names(self, memory: str) -> list[str]:
        """The categories of a memory, by its id in hexadecimal."""
        records = self._rows.execute(NAMES, (memory,)).fetchall()
        return sorted({str(json.loads(record)["name"]) for (record,) in records})

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
    with archive.document() as stream:
        document = Document(stream)
        for section, records in groupby(document, key=itemgetter(0)):
            _stage(staging, section, (record for _, record in records))
    if "memories" not in document.keys:
        raise Invalid(f"{DOCUMENT} holds no memories section")
    archive.check_lines(stream.seen)


def _stage(staging: Staging, section: str, records: Iterator[Any]) -> None:
    shape = SECTIONS.get(section)
    if section == "user":
        for person in _checked(section, Person, (record or {} for record in records)):
            staging.person = person
    elif section == LINKS:
        for links in _batches(_checked(section, Link, records)):
            _write_links(staging, [(link.memory_id, link.category_id) for link in links])
    elif shape is not None:
        for batch in _batches(_checked(section, shape, records)):
            _write(staging, section, batch)


def _checked(section: str, shape: type[Shape], records: Iterator[Any]) -> Iterator[Shape]:
    for number, raw in enumerate(records):
        try:
            yield shape.model_validate(raw)
        except ValidationError as error:
            raise Invalid(f"{DOCUMENT}: {section}[{number}]: {_reason(error)}") from error


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def _batches(records: Iterator[Shape]) -> Iterator[list[Shape]]:
    while batch := list(islice(records, BATCH)):
        yield batch


def _write(staging: Staging, section: str, batch: list[Any]) -> None:
    insert = f"INSERT OR IGNORE INTO {section} (id, parent, record) VALUES (?, ?, ?)"  # noqa: S608 -- one of SECTIONS
    rows = [(record.id.hex, _hex(record.parent), record.model_dump_json(exclude_unset=True)) for record in batch]
    if staging.write(insert, rows) != len(rows):
        raise Invalid(f"{DOCUMENT}: {section} has the same id twice")
    if section == "memories":
        _write_links(staging, [(record.id, id) for record in batch for id in record.category_ids])


def _write_links(staging: Staging, links: list[tuple[UUID, UUID]]) -> None:
    staging.write(
        "INSERT INTO memory_categories (memory_id, category_id) VALUES (?, ?)",
        [(memory.hex, category.hex) for memory, category in links],
    )


def _hex(id: UUID | None) -> str | None:
    return id.hex if id else None
