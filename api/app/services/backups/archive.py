"""The uploaded zip, which nobody vouches for: is it fit to be read, and never more bytes than are allowed.

Headers are not believed: what counts is what comes out. Every way in which a zip, deflate or gzip stream can be broken
ends as `Invalid`.
"""

import gzip
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, BinaryIO

from app.errors import CommonplaceError, Invalid, TooLarge

DOCUMENT = "memories.json"
LINES = "memories.jsonl.gz"
INVALID = "Invalid zip file"

CHUNK = 256 * 1024
MAX_DIRECTORY = 1024 * 1024  # bytes: more than ten thousand entries, where two are wanted
MAX_ENTRIES = 100
MAX_RECORD = 32 * 1024 * 1024  # bytes between one record and the next; the longest text, all of it escaped, takes 12
# Text packs some ten times, a thousand equal texts a thousand times; a bomb that wants to be more than that is large.
RATIO_FROM = 256 * 1024 * 1024
MAX_RATIO = 400

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,  # a name that is not UTF-8, an offset before the start
)


@contextmanager
def reading() -> Iterator[None]:
    """Whatever is broken in the file that is read inside ends as `Invalid`."""
    try:
        yield
    except CommonplaceError:  # some of ours are ValueErrors too
        raise
    except BROKEN as error:
        raise Invalid(INVALID) from error


class Upload:
    """The uploaded file for zipfile, which would read a directory of any length in one piece."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell = file.seek, file.tell
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; more than any honest zip asks for at once is refused."""
        if size > MAX_DIRECTORY:
            raise Invalid(INVALID)
        return self._file.read(MAX_DIRECTORY if size < 0 else size)

    def seekable(self) -> bool:
        """It is."""
        return True


class Archive:
    """An open, checked zip.

    Raises:
        Invalid: not a zip, or one that holds something else than the two members, or holds them in a way that is
            never honest: encrypted, twice, as links, outside of the directory.
        TooLarge: while reading, when more than `limit` bytes come out.
    """

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._limit = limit
        with reading():
            self._zip = zipfile.ZipFile(Upload(file))
        entries = self._zip.infolist()
        if len(entries) > MAX_ENTRIES:
            raise Invalid(f"The zip holds {len(entries)} entries; a backup holds two")
        for entry in entries:
            check_entry(entry)
        self._document = _member(entries, DOCUMENT)
        self._lines = _member(entries, LINES)

    @contextmanager
    def document(self) -> Iterator["Bounded"]:
        """The bytes of `memories.json`; can be opened again and again."""
        with reading(), self._zip.open(self._document) as member:
            yield Bounded(member, self._limit, self._document.compress_size)

    def check_lines(self, already: int) -> None:
        """Read `memories.jsonl.gz` through: an object with an id a line. `already` bytes of the limit are used."""
        with reading(), self._zip.open(self._lines) as member, gzip.open(member) as unpacked:
            lines = Bounded(unpacked, self._limit - already, self._lines.compress_size)
            for number, line in enumerate(iter(lines.readline, b""), 1):
                if not _is_record(line):
                    raise Invalid(f"{LINES}: line {number} is no record")
                lines.mark()


def check_entry(entry: zipfile.ZipInfo) -> None:
    """Pass if the entry may be what it says.

    Raises:
        Invalid: it leads out of the zip, is encrypted, or a link.
    """
    path = PurePosixPath(entry.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in entry.filename:
        raise Invalid("The zip holds a path that leads out of it")
    if entry.flag_bits & 0x1:
        raise Invalid("The zip is encrypted")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Invalid("The zip holds a link")


def _member(entries: list[zipfile.ZipInfo], name: str) -> zipfile.ZipInfo:
    # A zip that was unpacked and packed again has them in a folder.
    found = [entry for entry in entries if PurePosixPath(entry.filename).name == name and not entry.is_dir()]
    if not found:
        raise Invalid(f"{name} missing in zip")
    if len(found) > 1:
        raise Invalid(f"{name} is in the zip more than once")
    # The other methods allocate what their headers say.
    if found[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Invalid(f"{name} is compressed in a way that backups are not")
    return found[0]


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and isinstance(record.get("id"), str)


class Bounded:
    """A stream that counts the bytes that really come out of it, and stops when they are too many."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, limit: int, packed: int) -> None:
        self._stream = stream
        self._limit = limit
        self._packed = packed
        self.seen = 0
        self._mark = 0

    def mark(self) -> None:
        """A record ended here."""
        self._mark = self.seen

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes, never more than a chunk."""
        return self._count(self._stream.read(min(size, CHUNK) if size >= 0 else CHUNK))

    def readline(self) -> bytes:
        """The next line, with its end."""
        return self._count(self._stream.readline(min(MAX_RECORD, self._limit - self.seen) + 1))

    def _count(self, data: bytes) -> bytes:
        self.seen += len(data)
        if self.seen > self._limit:
            raise TooLarge("The file holds more bytes than an import may (MAX_IMPORT_BYTES)")
        if self.seen - self._mark > MAX_RECORD:
            raise TooLarge(f"A record of the file is longer than {MAX_RECORD} bytes")
        if self.seen > RATIO_FROM and self.seen > MAX_RATIO * max(self._packed, 1):
            raise TooLarge("The zip is packed more tightly than memories can be")
        return data
