"""What was said, and what of it was not: memory blocks that an agent put into its prompt are no news."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

# Who speaks here says nothing about anybody: instructions, and what programs answered.
SILENT_ROLES = frozenset({"system", "developer", "tool", "function"})

_OPENING = re.compile(r"<([\w:.-]*(?:memory|memories|recalled)[\w:.-]*)(?:\s[^<>]*)?>", re.IGNORECASE)
_KIND = (
    r"(?:the|your|my|user(?:'s)?|relevant|related|retrieved|recalled|previous|past|stored|saved|known|existing|"
    r"long[- ]term|personal|agent|important|following|here are(?: some| the)?)"
)
_HEADING = re.compile(
    rf"(?:#{{1,6}}\s+|\*\*|\[)?(?:{_KIND}\s+)*(?:{_KIND}\s+memor(?:y|ies)|memories)"
    r"(?:\s+(?:of|about|from|for|context|found|retrieved|recalled)\b[^\n]{0,60})?\s*(?:\*\*|\])?\s*(:)?\s*(?:\*\*|\])?",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\s*(?:[-*•‣]|\(?\d{1,3}[.):\]])\s+\S")
_DECORATION = re.compile(r"^(?:\s|[-*•‣>]|\(?\d{1,3}[.)\]]\s|\[[^\]\n]{1,60}\])+")
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+")
MAX_PIECES = 2_000  # of one conversation that are looked up; a longer one is mostly no echo


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation: `name` is who said it, if the role is not enough."""

    role: str
    content: str
    name: str | None = None

    @property
    def is_said(self) -> bool:
        """Whether somebody says it, so that it may be learned from."""
        return self.role.lower() not in SILENT_ROLES


def without_blocks(text: str) -> str:
    """`text` without the memory blocks that agents inject: `<memories>...</memories>` and the like, headed lists."""
    return _without_lists(_without_tags(text)).strip()


def _without_tags(text: str) -> str:
    lowered, kept, start = text.lower(), [], 0
    unclosed: set[str] = set()
    for opening in _OPENING.finditer(text):
        name = opening[1].lower()
        if opening.start() < start or name in unclosed:
            continue
        closing = f"</{name}>"
        end = lowered.find(closing, opening.end())
        if end < 0:
            unclosed.add(name)  # not looked for again: a text of nothing but openings would take for ever
            continue
        kept.append(text[start : opening.start()])
        start = end + len(closing)
    return "".join([*kept, text[start:]])


def _without_lists(text: str) -> str:
    lines, kept, place = text.split("\n"), [], 0
    while place < len(lines):
        end = _end_of_list(lines, place)
        if end == place:
            kept.append(lines[place])
            end += 1
        place = end
    return "\n".join(kept)


def _end_of_list(lines: list[str], place: int) -> int:
    """Where the headed list of memories that begins at `place` ends; `place` itself if none does."""
    line = lines[place].strip()
    found = _HEADING.fullmatch(line) if len(line) <= 120 else None
    if found is None or not (found[1] or line[0] in "#*["):
        return place
    end = place + 1
    while end < len(lines) and not lines[end].strip() and end - place < 3:
        end += 1
    first = end
    while end < len(lines) and _ITEM.match(lines[end]):
        end += 1
    return end if end > first else place


def plain(line: str) -> str:
    """A line without what lists put around it: bullets, numbers, dates in brackets, quotes."""
    return _DECORATION.sub("", line).strip().strip("\"“”'").strip()


def pieces(text: str) -> Iterator[str]:
    """What of a text might be a whole memory: itself, its lines and its sentences, each plain."""
    yield text.strip()
    for line in text.split("\n"):
        if bare := plain(line):
            yield bare
            sentences = _SENTENCE.split(bare)
            if len(sentences) > 1:
                yield from sentences


def without_pieces(text: str, known: Collection[str]) -> str:
    """`text` without the pieces in `known`."""
    if text.strip() in known:
        return ""
    kept = []
    for line in text.split("\n"):
        bare = plain(line)
        if bare in known:
            continue
        sentences = _SENTENCE.split(bare)
        left = [sentence for sentence in sentences if sentence not in known]
        if left:
            kept.append(line if len(left) == len(sentences) else " ".join(left))
    return "\n".join(kept).strip()


def changed(turn: Turn, content: str) -> Turn:
    """The turn with another content."""
    return replace(turn, content=content)
