"""Markdown and plain text: list items and paragraphs, each a memory; the heading above them is their category.

Front matter is passed over, a block of code stays whole and belongs to the paragraph before it. Not a Markdown parser:
notes are read by their lines, as people and models write them.
"""

import re
from collections.abc import Iterator

from app.services.import_formats.items import MAX_LABEL, Item, clean, record

NAME, LABEL, APP = "markdown", "Markdown or text", "import"

_HEADING = re.compile(r"#{1,6}\s+(.*?)\s*#*\s*$")
_BOLD = re.compile(r"\*\*([^*]{1,100})\*\*:?\s*$")
_ITEM = re.compile(r"(\s*)(?:[-*+•]|\d{1,4}[.)])\s+(?:\[[ xX]\]\s+)?(.*)")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_RULE = re.compile(r"\s*([-*_=]\s*){3,}$")
_FRONT = re.compile(r"---\s*\n.*?\n(?:---|\.\.\.)\s*(?:\n|$)", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class _Notes:
    """The lines seen so far as blocks of text, each with the line it begins in and the heading above it."""

    def __init__(self) -> None:
        self.blocks: list[tuple[int, str | None, list[str]]] = []
        self.heading: str | None = None
        self.is_open = False

    def begin(self, number: int, text: str) -> None:
        """A block begins."""
        self.blocks.append((number, self.heading, [text]))
        self.is_open = True

    def go_on(self, number: int, text: str) -> None:
        """The block at hand goes on, if one is open."""
        if self.is_open:
            self.blocks[-1][2].append(text)
        else:
            self.begin(number, text)


def read(where: str, text: str) -> Iterator[Item]:
    """A memory for each list item and each paragraph. Without any blank line or list, for each line."""
    front = _FRONT.match(text)
    skipped = front.group().count("\n") if front else 0
    body = _COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text[front.end() :] if front else text)
    lines = body.splitlines()
    a_line_each = not any(_is_markup(line) for line in lines) and not any(not line.strip() for line in lines[:-1])
    for number, heading, block in _blocks(lines, a_line_each=a_line_each):
        said = "\n".join(block).strip()
        if clean(said):
            categories = [heading] if heading else []
            yield record(f"{where}, line {number + skipped}", said, categories=categories)


def _is_markup(line: str) -> bool:
    return bool(_HEADING.match(line) or _ITEM.match(line) or _FENCE.match(line))


def _blocks(lines: list[str], *, a_line_each: bool) -> Iterator[tuple[int, str | None, list[str]]]:
    notes, fence = _Notes(), ""
    for number, line in enumerate(lines, 1):
        found = _FENCE.match(line)
        if fence:
            notes.go_on(number, line)
            fence = "" if found and found[1].startswith(fence) else fence
        elif found:
            fence = found[1]
            notes.go_on(number, line)
        else:
            _take(notes, number, line, a_line_each=a_line_each)
    yield from notes.blocks


def _take(notes: _Notes, number: int, line: str, *, a_line_each: bool) -> None:
    heading = _HEADING.match(line) or _BOLD.fullmatch(line.strip())
    item = _ITEM.match(line)
    if not line.strip() or (_RULE.match(line) and not heading):
        notes.is_open = False
    elif heading:
        notes.heading = clean(heading[1]).strip("*_: ")[:MAX_LABEL] or None
        notes.is_open = False
    elif item:
        notes.begin(number, item[2])
    elif a_line_each:
        notes.begin(number, line)
    else:
        notes.go_on(number, line.strip())
