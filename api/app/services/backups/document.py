"""`memories.json`, read once and a record at a time, however large it is.

The document is an object whose values are lists of records, mostly. The standard library's scanner reads one value
from a place in a text and tells where it ended, so the text only has to hold the value at hand; this is several times
as fast as an event parser, which would call us for every name and number.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from app.errors import CommonplaceError, Invalid
from app.services.backups.archive import DOCUMENT, Bounded

SPACE = re.compile(r"[ \t\n\r]*")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_no_constant)


class Document:
    """The document in a stream of bytes.

    Attributes:
        keys: the names of the sections that have begun.
    """

    def __init__(self, stream: Bounded, name: str = DOCUMENT, *, may_be_list: bool = False) -> None:
        self._stream = stream
        self._name = name
        self._may_be_list = may_be_list
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False
        self.keys: set[str] = set()

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Each record with its section's name; a section that is no list is one record.

        Raises:
            Invalid: it is not JSON, no object, or has a section twice.
        """
        return ((section, record) for section, _, record in self.records())

    def records(self) -> Iterator[tuple[str, bool, Any]]:
        """Each record with its section's name, and whether the section is a list. A list by itself has no name.

        Raises:
            as iterating does.
        """
        try:
            yield from self._sections()
        except CommonplaceError:  # some of ours are ValueErrors too
            raise
        # Bad UTF-8 and numbers of too many digits are ValueErrors, nesting without end is a RecursionError.
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{self._name} is not valid JSON") from error

    def _sections(self) -> Iterator[tuple[str, bool, Any]]:
        if self._may_be_list and self._next() == "[":
            yield from (("", True, record) for record in self._items())
            self._end()
            return
        if self._next() != "{":
            raise Invalid(f"{self._name} is not an object")
        self._at += 1
        more = self._next() != "}"
        while more:
            key = self._key()
            if self._next() == "[":
                yield from ((key, True, record) for record in self._items())
            else:
                yield key, False, self._value()
            more = self._separator("}")
        if not self.keys:
            self._at += 1
        self._end()

    def _end(self) -> None:
        if self._next():
            raise ValueError("more after the end")

    def _key(self) -> str:
        if self._next() != '"':
            raise ValueError("a name is missing")
        key = str(self._value())
        if key in self.keys:
            raise Invalid(f"{self._name} has the section {key[:40]!r} twice")
        self.keys.add(key)
        if self._next() != ":":
            raise ValueError("a colon is missing")
        self._at += 1
        return key

    def _items(self) -> Iterator[Any]:
        self._at += 1
        if self._next() == "]":
            self._at += 1
            return
        yield self._value()
        while self._separator("]"):
            yield self._value()

    def _separator(self, end: str) -> bool:
        """Pass over a comma (True) or the end (False)."""
        found = self._next()
        if found not in (",", end):
            raise ValueError("a comma is missing")
        self._at += 1
        return found == ","

    def _next(self) -> str:
        """The next character that is not space, not passed over; empty at the end."""
        while True:
            self._at = SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches nothing too
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._read_more():
                return ""

    def _value(self) -> Any:
        """The value here, passed over."""
        if not self._next():
            raise ValueError("a value is missing")
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except ValueError:
                # Wrong, or not all here yet. The text doubles, so that a long value is not scanned too often.
                if not self._read_more(len(self._text) - self._at):
                    raise
                continue
            # A number may go on in what has not been read.
            if end < len(self._text) or not self._read_more():
                self._at = end
                self._stream.mark()
                return value

    def _read_more(self, least: int = 0) -> bool:
        """Read at least `least` more bytes (a chunk in any case), forgetting what is passed over; False at the end."""
        pieces = [self._text[self._at :]]
        read = 0
        while not self._ended and read <= least:
            data = self._stream.read()
            read += len(data)
            self._ended = not data
            pieces.append(self._decoder.decode(data, final=self._ended))
        self._text, self._at = "".join(pieces), 0
        return read > 0
