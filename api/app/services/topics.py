"""What several memories speak of: names and things that their texts share, found by the words alone.

`engine.mentions` tells what one text names, by how it is written. A name that begins a sentence, or is not capitalised,
it cannot tell; but where another text names it, it is known, and then wherever its words stand it is spoken of. And a
word with which sentences begin that say what it does or has ("Ann prefers", "Bob's") is a name if no text has it small.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.engine.mentions import MOST_WORDS, Evidence, mentions
from app.engine.text import STOP_WORDS

MOST = 400  # of all texts together
READ = 2_000  # characters of a text
BEGUN = 2
KEPT = 8_192  # texts whose names are remembered: finding them takes 0.2 ms a text
_WORD = re.compile(r"[^\W_]+")
_SUBJECT = re.compile(
    r"(?:^|[.!?\n]\s+)([^\W\d_]{2,30})(?=['\u2019]s\b|\s+(?:is|was|has|had|will|and|does|[a-z]{2,}(?:s|ed))\b)"
)
_NO_SUBJECTS = STOP_WORDS | {"let"}

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A name as most texts write it, and how many of the texts speak of it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of some texts, most texts first, and of each text the places of its topics among them."""

    topics: list[Topic]
    of_text: list[list[int]]


def shared(texts: Sequence[str], *, beside: str | None = None) -> Topics:
    """What at least two of the texts speak of; with `beside`, a name, that one in any case. No SQL, no model."""
    read = [text[:READ] for text in texts]
    spelt = _spelt(read)
    if beside is not None:
        spelt.setdefault(key(beside), Counter()).update({beside: len(texts) + 1})
    longest = max(map(len, spelt), default=0)
    spoken = [set(_spoken(text, spelt, longest)) for text in read]
    counts = Counter(one for of_text in spoken for one in of_text)
    always = None if beside is None else key(beside)
    kept = [one for one, count in _most_first(counts) if one == always or _is_topic(one, count, counts)][:MOST]
    places = {one: place for place, one in enumerate(kept)}
    names = [Topic(spelt[one].most_common(1)[0][0], counts[one]) for one in kept]
    return Topics(names, [sorted(places[one] for one in of_text if one in places) for of_text in spoken])


def named(text: str) -> list[str]:
    """What the text names, surest first."""
    return list(_named(text[:READ]))


def speaks_of(text: str, name: str) -> bool:
    """Whether the words of the name stand side by side in the text."""
    wanted = key(name)
    return bool(wanted) and wanted in set(_runs(text, len(wanted)))


def key(name: str) -> Key:
    """What the ways to write a name have in common."""
    return tuple(_WORD.findall(name.casefold()))


def _spelt(texts: Sequence[str]) -> dict[Key, Counter[str]]:
    found: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    small = {word for text in texts for word in _WORD.findall(text) if word.islower()}
    for text in texts:
        for name in (*_named(text), *(word for word in _subjects(text) if word.lower() not in small)):
            words = key(name)
            if 0 < len(words) <= MOST_WORDS:
                found[words][name] += 1
    return dict(found)


def _subjects(text: str) -> Iterator[str]:
    return (word for word in _SUBJECT.findall(text) if word[0].isupper() and word.lower() not in _NO_SUBJECTS)


@lru_cache(maxsize=KEPT)
def _named(text: str) -> tuple[str, ...]:
    # A noun alone ("lot", "help") would join what has nothing in common.
    sure = [one for one in mentions(text) if one.confidence >= Evidence.PHRASE]
    return tuple(one.name for one in sorted(sure, key=lambda one: -one.confidence))


def _is_topic(one: Key, count: int, counts: Mapping[Key, int]) -> bool:
    # "Thanks Maria" is how a sentence began, where "Maria" is spoken of far more often; "Ann Miller" is not.
    return count > 1 and counts.get(one[1:], 0) < BEGUN * count


def _spoken(text: str, known: Mapping[Key, object], longest: int) -> Iterator[Key]:
    return (run for run in _runs(text, longest) if run in known)


def _runs(text: str, longest: int) -> Iterator[Key]:
    words = tuple(_WORD.findall(text.casefold()))
    return (words[i : i + length] for i in range(len(words)) for length in range(1, min(longest, len(words) - i) + 1))


def _most_first(counts: Counter[Key]) -> list[tuple[Key, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
