"""Tables: a first line that names the columns, one of them the text's."""

import csv
import io
from collections.abc import Iterator

from app.services.import_formats import plain
from app.services.import_formats.items import Item, Problem

NAME, LABEL, APP = "csv", "CSV table", "import"
MOST_COLUMNS = 200


def delimiter_of(head: str) -> str | None:
    """What separates the columns, if the first line of `head` names one that may hold texts."""
    first = head.partition("\n")[0].strip().lower()
    for mark in (",", ";", "\t"):
        names = {name.strip().strip('"') for name in first.split(mark)}
        if len(names) > 1 and names & set(plain.TEXT):
            return mark
    return None


def read(where: str, text: str, delimiter: str) -> Iterator[Item]:
    """A memory a row."""
    rows = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        names = [name.strip().lower() for name in next(rows, [])][:MOST_COLUMNS]
        for values in rows:
            found = {name: value for name, value in zip(names, values, strict=False) if name and value}
            if found:
                here = f"{where}, line {rows.line_num}"
                if plain.matches("", found):
                    yield from plain.read(here, found, {})
                else:
                    yield Problem(here, "there is no text in it")
    except csv.Error as error:
        yield Problem(f"{where}, line {rows.line_num}", f"not a row of a table: {error}")
