"""From the files of an upload to items: what each file is, told by what is in it."""

import json
from collections.abc import Iterator
from typing import Any

from app.errors import Invalid, TooLarge
from app.services.backups.archive import CHUNK, MAX_RECORD, Bounded
from app.services.backups.document import Document
from app.services.import_formats import chatgpt, claude, markdown, mem0, mem9, plain, sessions, tables
from app.services.import_formats.items import Item, Problem
from app.services.import_formats.packages import Member, Package
from app.services.import_formats.sessions import Gathering
from app.services.import_formats.shapes import SHAPES, Shape, shape_of

BACKUP = "openmemory"
MODULES = (chatgpt, claude, mem0, mem9, sessions, plain, tables, markdown)
FORMATS: dict[str, tuple[str, str]] = {module.NAME: (module.LABEL, module.APP) for module in MODULES}
FORMATS[BACKUP] = ("Backup of Commonplace or OpenMemory", "")
MAX_WHOLE = MAX_RECORD  # bytes of a file of text, which is read as a whole
MAX_KEYS = 10_000
HEAD = 64 * 1024
LISTS = {
    "",
    "results",
    "memories",
    "messages",
    "conversations",
    "items",
    "data",
    "facts",
    "notes",
    "entries",
    "records",
}

Found = tuple[str, Item]  # the format that the item was read as


def read(package: Package, wanted: str | None = None) -> Iterator[Found]:
    """Every item of every file, with the name of its format; as `wanted` alone, where one is.

    Raises:
        Invalid: a file is not text, is broken, or holds nothing that is known; TooLarge: it is over a limit.
    """
    if wanted is not None and (wanted not in FORMATS or wanted == BACKUP):
        raise Invalid(f"The file is not of the format {wanted!r}")
    for member in package.members:
        with member.stream() as stream:
            yield from _file(member, stream, wanted)


def format_of(counts: dict[str, int], wanted: str | None) -> str:
    """The format that a file is said to have: what it was read as, the most telling first."""
    return wanted or next((name for name in FORMATS if counts.get(name)), plain.NAME)


def _file(member: Member, stream: Bounded, wanted: str | None) -> Iterator[Found]:
    head = _head(stream)
    text = _decoded(head, member.name, is_whole=len(head) < HEAD)
    begins = text.lstrip()[:1]
    if wanted in (markdown.NAME, tables.NAME) or (wanted is None and begins not in ("{", "[", '"')):
        with member.stream() as again:
            yield from _text(member, again, wanted)
        return
    with member.stream() as again:
        if _is_lines(text):
            yield from _lines(member, again, wanted)
        else:
            yield from _document(member, again, wanted)


def _head(stream: Bounded) -> bytes:
    head = b""
    while len(head) < HEAD and (data := stream.read(HEAD - len(head))):
        head += data
    return head


def _decoded(data: bytes, name: str, *, is_whole: bool) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not is_whole and error.start > len(data) - 4:  # a character that the cut went through
            return data[: error.start].decode("utf-8-sig")
        kind = "a PDF" if data.startswith(b"%PDF") else "not UTF-8 text"
        raise Invalid(
            f"{name} is {kind}: JSON, JSONL, Markdown, plain text, CSV and zips of them can be read"
        ) from None


def _text(member: Member, stream: Bounded, wanted: str | None) -> Iterator[Found]:
    pieces, length = [], 0
    while data := stream.read(CHUNK):
        pieces.append(data)
        length += len(data)
        stream.mark()
        if length > MAX_WHOLE:
            raise TooLarge(f"{member.name} is longer than {MAX_WHOLE} bytes; only JSON and JSONL may be")
    text = _decoded(b"".join(pieces), member.name, is_whole=True)
    if "\x00" in text[:HEAD]:
        raise Invalid(f"{member.name} is not text")
    delimiter = tables.delimiter_of(text) or ("," if wanted == tables.NAME else None)
    if delimiter is not None and wanted in (None, tables.NAME):
        yield from ((tables.NAME, item) for item in tables.read(member.name, text, delimiter))
    else:
        yield from ((markdown.NAME, item) for item in markdown.read(member.name, text))


def _is_lines(head: str) -> bool:
    """Whether the first line is a record by itself, and there is another."""
    first, _, rest = head.lstrip().partition("\n")
    return bool(rest.strip()) and isinstance(_value(first), dict | list | str)


def _value(line: str | bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _lines(member: Member, stream: Bounded, wanted: str | None) -> Iterator[Found]:
    gathering, seen = Gathering(member.name), 0
    for number, line in enumerate(iter(stream.readline, b""), 1):
        stream.mark()
        if not line.strip():
            continue
        record, where = _value(line.removeprefix(b"\xef\xbb\xbf")), f"{member.name}, line {number}"
        if record is None:
            yield plain.NAME, Problem(where, "not valid JSON")
        for found in _record(gathering, "", where, record, {}, wanted) if record is not None else ():
            seen += 1
            yield found
    yield from ((sessions.NAME, item) for item in gathering.items({}))


def _document(member: Member, stream: Bounded, wanted: str | None) -> Iterator[Found]:
    """One JSON document: a list of records, an object with lists of them, or an object that is one."""
    document = Document(stream, member.name, may_be_list=True)
    gathering, about, seen = Gathering(member.name), dict[str, Any](), 0
    counts = dict[str, int]()
    for section, is_item, value in document.records():
        place = counts[section] = counts.get(section, -1) + 1
        if is_item and section in LISTS:
            where = f"{section}[{place}]" if section else f"[{place}]"
            for found in _record(gathering, section, where, value, about, wanted):
                seen += 1
                yield found
        else:
            _note(about, section, value, is_item=is_item)
    spoken = list(gathering.items(about))
    yield from ((sessions.NAME, item) for item in spoken)
    if not seen and not spoken and not gathering.seen:
        yield from _whole(member, about, document.keys, wanted)


def _note(about: dict[str, Any], section: str, value: Any, *, is_item: bool) -> None:
    """Keep what stands beside the records; of long lists the beginning."""
    if len(about) >= MAX_KEYS:
        return
    if not is_item:
        about[section] = value
    elif len(listed := about.setdefault(section, [])) < MAX_KEYS:
        listed.append(value)


def _whole(member: Member, about: dict[str, Any], keys: set[str], wanted: str | None) -> Iterator[Found]:
    """An object without any list of records: it is one itself, or unknown."""
    shape = _shape("", about, wanted)
    if shape is not None:
        yield from ((shape.name, item) for item in shape.read(member.name, about, {}))
        return
    seen = ", ".join(sorted(keys)[:8])
    told = f"an object with the keys {seen}" if seen else "an empty list or object"
    raise Invalid(f"Nothing in {member.name} is known: it is {told}")


def _record(
    gathering: Gathering, section: str, where: str, value: Any, about: dict[str, Any], wanted: str | None
) -> Iterator[Found]:
    said = sessions.message_of(value) if wanted in (None, sessions.NAME) and section in ("", "messages") else None
    if said is not None:
        gathering.take(said)
        return
    shape = _shape(section, value, wanted)
    if shape is None:
        yield wanted or plain.NAME, Problem(where, _unknown(value))
        return
    yield from ((shape.name, item) for item in shape.read(where, value, about))


def _shape(section: str, value: Any, wanted: str | None) -> Shape | None:
    if wanted is None:
        return shape_of(section, value)
    return next((shape for shape in SHAPES if shape.name == wanted and shape.matches("memories", value)), None)


def _unknown(value: Any) -> str:
    if isinstance(value, dict):
        seen = ", ".join(sorted(str(key)[:30] for key in value)[:6])
        return f"no text in it; it has {seen}" if seen else "an empty object"
    return f"no text in it; it is {'a list' if isinstance(value, list) else type(value).__name__}"
