"""What a text speaks of: names, products, quotations, addresses of the web, and things, by the form of the words alone.

No model and no list of names: only how a word is written, where it stands, and English function words. A sentence in
which there are none of those is not taken for English, and then only what is written like a name counts. The same text
always gives the same answer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from app.engine.text import STOP_WORDS

MOST = 20  # of a text
READ = 10_000  # characters; what stands behind is not looked at
LONGEST = 80  # characters of one
MOST_WORDS = 5  # of one name
FEW_WORDS = 3  # of one thing


class Evidence(float, Enum):
    """How a text tells that something is meant, and how sure that makes us."""

    ADDRESS = 0.99  # it is one
    QUOTED = 0.95  # somebody set it off
    NAME = 0.95  # several capitalised words in a row
    PRODUCT = 0.9  # capitals or digits inside a word: AI, FastAPI, gpt-4
    WORD = 0.85  # one capitalised word inside a sentence
    PHRASE = 0.7  # a noun with what describes it, by where it stands
    NOUN = 0.6  # a noun alone, by where it stands


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that is spoken of, and how sure that is (0 to 1)."""

    name: str
    confidence: float


_ADDRESS = re.compile(r"""(?:https?://|www\.)[^\s<>"'`]{1,200}|[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}""")
_QUOTED = re.compile(
    r"\"([^\"\n]{2,80})\"|\u201c([^\u201d\n]{2,80})\u201d|\u00ab\s?([^\u00bb\n]{2,80}?)\s?\u00bb"
    r"|\u300c([^\u300d\n]{1,80})\u300d|`([^`\n]{2,80})`"
)
_TOKEN = re.compile(
    r"(?P<word>[^\W_](?:[\w'\u2019+#/&-]|\.(?=\w))*[+#]*)"
    r"|(?P<end>[.!?\u2026\u3002\uff01\uff1f\n]+)"
    r"|(?P<break>[^\s\w])"
)
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc]{2,40}")
_VERBS_FOLLOW = """
    i we you he she it they who to can could shall should will would might must do does did not am is are was were be
    been being has have had having
"""
_DETERMINERS = """
    a an the this that these those my our your his her its their some any no another each every
"""
_PREPOSITIONS = """
    of in on at with from by for about into through over under near between without against via per
"""
_OBJECTS = "to me him them us it up out off down"
# Words of other languages, too: by themselves they do not tell that a sentence is English.
_SHARED_WORDS = "a also am an as do had he i in is me no of on or over so under was we will"

_BEFORE_VERBS = frozenset(_VERBS_FOLLOW.split())
_BEFORE_NOUNS = frozenset([*_DETERMINERS.split(), *_PREPOSITIONS.split()])
_AFTER_VERBS = frozenset([*_DETERMINERS.split(), *_OBJECTS.split()])
_SHARED = frozenset(_SHARED_WORDS.split())


def mentions(text: str) -> list[Mention]:
    """What the text speaks of, in its order, each once, at most MOST."""
    read = text[:READ]
    found: dict[str, tuple[int, Mention]] = {}
    for place, name, evidence in sorted(_all(read), key=lambda one: one[0]):
        key = name.casefold()
        if len(name) > LONGEST or (key in found and found[key][1].confidence >= evidence):
            continue
        found[key] = (found[key][0] if key in found else place, Mention(name, float(evidence)))
    return [one for _, one in sorted(found.values(), key=lambda one: one[0])][:MOST]


Found = tuple[int, str, Evidence]


def _all(text: str) -> Iterator[Found]:
    rest = text
    for pattern, evidence in ((_ADDRESS, Evidence.ADDRESS), (_QUOTED, Evidence.QUOTED)):
        for match in pattern.finditer(rest):
            name = next((group for group in match.groups() if group), match[0]).strip(" .,;:!?)")
            if name:
                yield match.start(), name, evidence
        rest = pattern.sub(lambda match: "\x00" * len(match[0]), rest)  # a break of the same length
    for match in _KATAKANA.finditer(rest):
        yield match.start(), match[0], Evidence.WORD
    for sentence in _sentences(rest):
        yield from _of_sentence(sentence)


@dataclass(frozen=True, slots=True)
class _Word:
    place: int
    text: str
    is_first: bool  # of its sentence
    follows: str  # the function word before it, in lower case; "" if none or after a comma

    @property
    def is_product(self) -> bool:
        """Capitals or digits where an ordinary word has none."""
        inner = self.text[1:]
        letters = sum(character.isalpha() for character in self.text)
        return letters > 0 and (
            any(character.isupper() for character in inner.replace("'S", ""))
            or any(character.isdigit() for character in self.text)
            or self.text[-1] in "+#"
        )

    @property
    def is_capitalised(self) -> bool:
        return self.text[0].isupper()


Run = list[_Word]


@dataclass(slots=True)
class _Sentence:
    """Runs of words that no function word and no comma parts; `ends` has the function word that follows each."""

    runs: list[Run]
    ends: list[str]
    is_english: bool = False


def _sentences(text: str) -> Iterator[_Sentence]:
    sentence, run, before, is_first = _Sentence([], []), list[_Word](), "", True

    def close(end: str) -> None:
        nonlocal run
        if run:
            sentence.runs.append(run)
            sentence.ends.append(end)
            run = []

    for match in _TOKEN.finditer(text):
        word = match["word"]
        if word is None:
            close("")
            before = ""
            if match["end"]:
                yield sentence
                sentence, is_first = _Sentence([], []), True
            continue
        bare = re.sub(r"['\u2019]s$", "", word)
        folded = word.lower().replace("\u2019", "'").replace("'", "")
        if folded in STOP_WORDS and (not word.isupper() or len(word) == 1):
            close(folded)
            before, sentence.is_english = folded, sentence.is_english or folded not in _SHARED
        elif _UNSPACED.search(word):
            close("")
        else:
            run.append(_Word(match.start(), bare.rstrip("-/&'."), is_first, before if not run else ""))
        is_first = False
    close("")
    yield sentence


def _of_sentence(sentence: _Sentence) -> Iterator[Found]:
    for run, end in zip(sentence.runs, sentence.ends, strict=True):
        rest, name = Run(), Run()
        for piece in _pieces(run):
            if _is_name(piece):
                yield from _names(piece)
                rest, name = [], piece
            else:
                rest = piece
        is_doing = bool(name) and not name[-1].is_product and len(rest) == 1  # "Alice works", but "AI applications"
        if rest and sentence.is_english and not is_doing:
            yield from _thing(rest, end, behind_name=bool(name))


def _pieces(run: Run) -> Iterator[Run]:
    """A run cut where names begin and end."""
    piece: Run = []
    for word in run:
        if piece and _is_name([word]) != _is_name(piece[-1:]):
            yield piece
            piece = []
        piece.append(word)
    if piece:
        yield piece


def _is_name(piece: Run) -> bool:
    return all(word.is_capitalised or word.is_product for word in piece)


def _names(piece: Run) -> Iterator[Found]:
    # The first word of a sentence is capitalised whatever it is: by itself that says nothing.
    if len(piece) > 1 and piece[0].is_first and piece[1].is_product and not piece[0].is_product:
        piece = piece[1:]
    if len(piece) == 1:
        word = piece[0]
        if word.is_product:
            yield word.place, word.text, Evidence.PRODUCT
        elif not word.is_first and len(word.text) > 1:
            yield word.place, word.text, Evidence.WORD
        return
    for start in range(0, len(piece), MOST_WORDS):
        part = piece[start : start + MOST_WORDS]
        yield part[0].place, " ".join(word.text for word in part), Evidence.NAME


def _thing(rest: Run, end: str, behind_name: bool) -> Iterator[Found]:
    """The noun at the end of a run, with what describes it as far as the run surely is no verb."""
    before = rest[0].follows
    if end in _AFTER_VERBS and before not in _BEFORE_NOUNS:
        return  # "adopted a", "moved to": what stands there does something
    if before in _BEFORE_VERBS:
        rest = rest[1:]  # "I love pizza", "to swim"
    elif before not in _BEFORE_NOUNS and not behind_name:
        rest = rest[-1:] if len(rest) > 1 else rest  # "User loves pizza": who and what they do is not parted
    rest = [word for word in rest if len(word.text) > 2][-FEW_WORDS:]
    if rest and not rest[-1].is_first:
        evidence = Evidence.PHRASE if len(rest) > 1 else Evidence.NOUN
        yield rest[0].place, " ".join(word.text for word in rest), evidence
