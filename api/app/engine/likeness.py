"""Two memories that read alike: the same said twice, one against the other, or two things. Pure: words in, verdict out.

The cosine alone cannot tell (decision 0024), and this looks only where it is high. It is for a person's eyes, who
decides: what is shown shall be worth a look, and what is missed is no worse than it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from app.engine.text import MONTHS, gist, plain_words, stemmed

LEAST = 0.6  # cosine of a pair whose words are looked at: "lives in Paris" and "lives in Berlin" have .80, names .66
SURE = 0.9  # cosine from which other words are a paraphrase, if none of them counts, names or says the opposite
KEPT = 512  # texts whose words are kept: each is compared with forty others
LONGEST = 400  # words; of longer texts the embedder has read the beginning only


class Kind(StrEnum):
    """What is wrong with a pair."""

    duplicate = "duplicate"
    contradiction = "contradiction"


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a pair is, and why: `same words`, `other words`, `negation`, `value`, or in a model's own words."""

    kind: Kind
    why: str


SAME_WORDS = Likeness(Kind.duplicate, "same words")

_NEGATING = """
    not no never cannot without neither nor nobody none cant can't dont don't doesnt doesn't didnt didn't isnt isn't
    arent aren't wasnt wasn't wont won't wouldnt wouldn't shouldnt shouldn't mustnt mustn't hasnt hasn't havent haven't
"""
_AUXILIARY = "do does did can will would should must is are was has have any longer anymore more"
_COUNTING = """
    zero one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand
    first second third last next monday tuesday wednesday thursday friday saturday sunday morning noon evening night
    daily weekly monthly yearly
"""
_OPPOSED = """
    left/right before/after always/never over/under more/less up/down on/off in/out enabled/disabled true/false
    allowed/forbidden hot/cold old/new old/young loves/hates likes/dislikes like/dislike love/hate prefers/avoids
    north/south east/west buy/sell win/lose open/closed public/private he/she his/her husband/wife brother/sister
    mother/father son/daughter to/from
"""
_HAD_ONCE = """
    name birthday age email address phone number timezone password deadline port version default capital owner
    manager boss title status colour color height weight surname nickname hometown language editor theme shell
    limit price budget rent salary url branch database framework
"""
NEGATIONS = frozenset(_NEGATING.split())
_AUXILIARIES = frozenset(_AUXILIARY.split())  # they come and go with a negation and say nothing of themselves
_UNSAID = NEGATIONS | _AUXILIARIES
_NUMBERS = frozenset(_COUNTING.split()) | frozenset(name.lower() for name in MONTHS)
# Where one text has one of these and the other its opposite, they are no paraphrases.
_OPPOSITES = [set(pair.split("/")) for pair in _OPPOSED.split()]
# A thing has one of each, at a time: what stands behind it can be given two values by mistake alone.
_ATTRIBUTES = frozenset(_HAD_ONCE.split())
_STATES = (
    *(("lives", "in"), ("live", "in"), ("living", "in"), ("based", "in"), ("located", "in"), ("resides", "in")),
    *(
        ("works", "at"),
        ("work", "at"),
        ("works", "for"),
        ("work", "for"),
        ("works", "as"),
        ("work", "as"),
        ("employed", "by"),
    ),
    *(("married", "to"), ("engaged", "to"), ("born", "in"), ("born", "on"), ("born",)),
    *(("moved", "to"), ("reports", "to"), ("report", "to"), ("set", "to"), ("defaults", "to"), ("runs", "on", "port")),
    *(("listens", "on", "port"), ("listens", "on"), ("due", "on"), ("due",), ("expires", "on"), ("expires", "after")),
    *(("expires", "in"), ("starts", "at"), ("begins", "at"), ("ends", "at"), ("takes", "place", "on"), ("costs",)),
    *(("weighs",), ("earns",), ("rotates", "every"), ("rotate", "every"), ("refreshed", "every"), ("runs", "every")),
    *(("deploys", "on"), ("deploy", "on"), ("prefers",), ("prefer",)),
)
_NAMING = frozenset({"called", "named"})
_FAVOURITE = frozenset({"favourite", "favorite", "preferred"})
_IS = frozenset({"is", "are", "am", "turns", "equals"})
_LONGEST_VALUE = 3  # words
_SHORTEST_FRAME = 2


def judge(one: str, other: str, similarity: float) -> Likeness | None:
    """What two texts of that cosine are to each other, as far as their words tell; None where they are two things."""
    if similarity < LEAST:
        return None
    if _gist(one) == _gist(other):
        return SAME_WORDS
    mine, theirs = _words(one), _words(other)
    if _is_negated(mine, theirs):
        return Likeness(Kind.contradiction, "negation")
    # Few words that only one of them has: else there is more than one value, and comparing is what takes the time.
    is_close = len(set(mine) ^ set(theirs)) <= 2 * _LONGEST_VALUE
    if is_close and _is_other_value(mine, _changes(mine, theirs), _names(one) ^ _names(other)):
        return Likeness(Kind.contradiction, "value")
    if similarity >= SURE and not _is_other_thing(one, other, mine, theirs):
        return Likeness(Kind.duplicate, "other words")
    return None


@lru_cache(maxsize=KEPT)
def _gist(text: str) -> tuple[str, ...]:
    return gist(text)


@lru_cache(maxsize=KEPT)
def _words(text: str) -> tuple[str, ...]:
    return tuple(plain_words(text)[:LONGEST])


@dataclass(frozen=True, slots=True)
class _Change:
    """Words of one text that stand in the place of words of the other; `at` is where, in the first."""

    at: int
    mine: tuple[str, ...]
    theirs: tuple[str, ...]


def _changes(mine: Sequence[str], theirs: Sequence[str]) -> list[_Change]:
    steps = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    return [_Change(i, tuple(mine[i:j]), tuple(theirs[k:m])) for op, i, j, k, m in steps if op != "equal"]


def _is_negated(mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether all is the same but that one of them says not."""
    if (len(NEGATIONS & set(mine)) + len(NEGATIONS & set(theirs))) != 1:
        return False
    bare = [stemmed(word for word in words if word not in _UNSAID) for words in (mine, theirs)]
    return bare[0] == bare[1] and len(bare[0]) >= _SHORTEST_FRAME


def _is_other_value(mine: Sequence[str], changes: Sequence[_Change], named: set[str]) -> bool:
    """Whether all is the same but one value, of something that has one value at a time."""
    if len(changes) != 1 or len(mine) - len(changes[0].mine) < _SHORTEST_FRAME:
        return False
    (change,) = changes
    if not (1 <= len(change.mine) <= _LONGEST_VALUE and 1 <= len(change.theirs) <= _LONGEST_VALUE):
        return False
    before = [word for word in mine[: change.at] if word not in ("a", "an", "the", "now", "currently")]
    if before and before[-1] in _NAMING:
        return not named.isdisjoint(change.mine) and not named.isdisjoint(change.theirs)
    if any(tuple(before[len(before) - len(state) :]) == state for state in _STATES):
        return True
    if _IS.isdisjoint(before[-2:]):
        return False
    subject = before[-6:]
    return not _ATTRIBUTES.isdisjoint(subject) or not _FAVOURITE.isdisjoint(subject)


def _is_other_thing(one: str, other: str, mine: Sequence[str], theirs: Sequence[str]) -> bool:
    """Whether a word that only one of them has says how many, when, who, or the opposite; or who does what to whom."""
    first, second = set(mine) - set(theirs), set(theirs) - set(mine)
    different = first | second
    if any(any(c.isdigit() for c in word) for word in different) or not different.isdisjoint(_NUMBERS | NEGATIONS):
        return True
    if any(pair & first and pair & second for pair in _OPPOSITES):
        return True
    named = _names(one) | _names(other)
    orders = [[word for word in words if word in named or word[0].isdigit()] for words in (mine, theirs)]
    return not different.isdisjoint(named) or (not different and orders[0] != orders[1])


def _names(text: str) -> set[str]:
    """The words that are written with a capital inside a sentence, folded."""
    pieces = text.split()
    inner = [piece for before, piece in pairwise(pieces) if before[-1] not in ".!?:"]
    return {word for piece in inner if piece[:1].isupper() and len(piece) > 1 for word in plain_words(piece)}
