"""The uploaded file as the files in it: a zip's members, a gzip's one, or itself. Never more bytes than are allowed."""

import gzip
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, BinaryIO

from app.errors import Invalid
from app.services.backups.archive import DOCUMENT, LINES, Bounded, Upload, check_entry, reading

ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
EMPTY_ZIP = b"PK\x05\x06"
MOST_ENTRIES = 50_000
MOST_READ = 2_000  # files of notes in one zip
TEXTS = (".json", ".jsonl", ".ndjson", ".md", ".markdown", ".txt", ".csv", ".tsv")
# What product exports hold beside what was said: the account, ratings, links.
ASIDE = ("user.json", "users.json", "user_settings.json", "message_feedback.json", "model_comparisons.json",
         "shared_conversations.json", "export_manifest.json", "manifest.json")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an upload; `open` reads it from its start, as often as is wanted."""

    name: str
    open: Callable[[], "Iterator[Bounded]"]

    @contextmanager
    def stream(self) -> Iterator[Bounded]:
        """Its bytes."""
        yield from self.open()


@dataclass(frozen=True, slots=True)
class Package:
    """The files of an upload that may hold something; `is_backup` if they are ours, or the genuine OpenMemory's."""

    members: list[Member]
    is_backup: bool = False


@contextmanager
def opened(file: BinaryIO, filename: str, limit: int) -> Iterator[Package]:
    """The files in the upload, of at most `limit` bytes each when they are unpacked.

    Raises:
        Invalid: it is a zip that is broken, or in which nothing can be read.
    """
    file.seek(0)
    magic = file.read(4)
    file.seek(0)
    if magic in (ZIP, EMPTY_ZIP):
        with reading():
            zipped = zipfile.ZipFile(Upload(file))
        with zipped:
            yield _package(zipped, limit)
    else:
        is_packed = magic[:2] == GZIP
        yield Package([Member(filename.removesuffix(".gz"), lambda: _plain(file, limit, is_packed=is_packed))])


def _plain(file: BinaryIO, limit: int, *, is_packed: bool) -> Iterator[Bounded]:
    size = file.seek(0, 2)
    file.seek(0)
    with reading():
        if is_packed:
            with gzip.open(file) as unpacked:
                yield Bounded(unpacked, limit, size)
        else:
            yield Bounded(file, limit, size)


def _package(zipped: zipfile.ZipFile, limit: int) -> Package:
    entries = [entry for entry in zipped.infolist() if not entry.is_dir()]
    if len(entries) > MOST_ENTRIES:
        raise Invalid(f"The zip holds {len(entries)} files; at most {MOST_ENTRIES} are looked at")
    by_name = {_name(entry) for entry in entries}
    if {DOCUMENT, LINES} <= by_name:
        return Package([], is_backup=True)
    wanted = sorted((entry for entry in entries if _is_text(entry)), key=lambda entry: entry.filename)
    spoken = [entry for entry in wanted if _is_conversations(_name(entry))]
    if spoken:
        wanted = [*spoken, *(entry for entry in wanted if _name(entry) in ("projects.json", "memories.json"))]
    if not wanted:
        names = ", ".join(sorted(by_name)[:5])
        raise Invalid(f"Nothing in the zip can be read; it holds {names or 'no files'}")
    for entry in wanted:
        check_entry(entry)
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Invalid(f"{_name(entry)} is compressed in a way that cannot be read")
    if len(wanted) > MOST_READ:
        raise Invalid(f"The zip holds {len(wanted)} files of text; at most {MOST_READ} are read at once")
    return Package([_member(zipped, entry, limit) for entry in wanted])


def _member(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> Member:
    def stream() -> Iterator[Bounded]:
        with reading():
            member: IO[bytes]
            with zipped.open(entry) as member:
                yield Bounded(member, limit, entry.compress_size)

    return Member(entry.filename, stream)


def _name(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(entry.filename.replace("\\", "/")).name


def _is_text(entry: zipfile.ZipInfo) -> bool:
    name = _name(entry).lower()
    is_hidden = any(part != ".." and part.startswith((".", "__MACOSX")) for part in PurePosixPath(entry.filename).parts)
    return name.endswith(TEXTS) and name not in ASIDE and not is_hidden


def _is_conversations(name: str) -> bool:
    """`conversations.json`, or one of the parts that large exports have of it."""
    return name.startswith("conversations") and name.endswith(".json")
