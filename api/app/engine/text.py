"""Text as the index reads it: what is composed, and which terms stand for it."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from threading import Lock

from Stemmer import Stemmer

MAX_TERM = 64  # characters; a base64 blob is one "word" that nobody asks for in full
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

# Scripts that put no space between words: Thai to Khmer, kana, Han, Hangul (whose particles hang on the word).
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"(?P<unspaced>(?:(?=[{_UNSPACED}])[^\W_])+)|(?:(?![{_UNSPACED}])[^\W_]|(?<=\w)'(?=\w))+")
_APOSTROPHES = str.maketrans("\u2018\u2019\u02bc\uff07`\u00b4", "''''''")
_POSSESSIVE = "'s"
_stemmer = Stemmer("porter")
_stemming = Lock()  # a stemmer has state: two threads in it at once would spoil both words

# English function words, without apostrophes: articles, pronouns, auxiliaries, prepositions, conjunctions, question
# words, contractions. Not here, though other lists have them: "may" (a month), "us" (a country), "never", numbers.
_FUNCTION_WORDS = """
    a an the this that these those
    i me my mine myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself
    it its itself they them their theirs themselves one ones someone anyone everyone something anything everything
    am is are was were be been being do does did doing done have has had having can could shall should will would might
    must ought
    about above across after against along among around as at before behind below beneath beside between beyond by down
    during for from in inside into near of off on onto out outside over past per since through throughout till to toward
    towards under until up upon via with within without
    and but or nor so yet if because while whereas although though unless than then else
    what which who whom whose when where why how whether
    not no yes there here such both each either neither any some all other another own same too very just only also even
    again further more most much many few several once ever still
    im ive ill id youre youve youll youd hes shes its weve were theyre theyve theyll theyd thats whats whos wheres hows
    isnt arent wasnt werent dont doesnt didnt havent hasnt hadnt cant couldnt wont wouldnt shouldnt mustnt lets theres
    heres
"""
STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


def terms(text: str) -> list[str]:
    """The terms of `text` in order, repeats included: folded, English stop words dropped, stemmed, CJK as bigrams.

    No term has a space in it, so terms may be stored joined by spaces. An analysed text is the same length as its
    words: callers that need a set make one.
    """
    found: list[str] = []
    for match in _WORD.finditer(_fold(text)):
        word = match.group()
        if match.group("unspaced"):
            found += _bigrams(word)
        elif term := _term(word[: 2 * MAX_TERM]):
            found.append(term)
    return found


_EMPTY_WORDS = frozenset({"a", "an", "the", "to", "that", "also", "very", "really", "just"})


def gist(text: str) -> tuple[str, ...]:
    """The words of `text` in order, stemmed, without the few that carry no meaning.

    Unlike `terms` it keeps "not", "before", "she": two texts of one gist say the same.
    """
    return stemmed(plain_words(text))


def stemmed(words: Iterable[str]) -> tuple[str, ...]:
    """`gist` of a text that is plain words already."""
    return tuple(_term(word) or word for word in words if word not in _EMPTY_WORDS)


def compose(content: str, author: str | None, occurred_at: datetime | None) -> str:
    """The text that is indexed for a memory: "author (8 May 2023): content", less what the content says itself."""
    words = frozenset(plain_words(content)) if author or occurred_at else frozenset()
    who = author.strip() if author and not words.issuperset(plain_words(author)) else ""
    when = _date(occurred_at) if occurred_at and not _tells(content, words, occurred_at) else ""
    head = f"{who} ({when})" if who and when else who or when
    return f"{head}: {content}" if head else content


def _fold(text: str) -> str:
    """Lower case without diacritics, apostrophes straight, Hangul syllables whole."""
    if text.isascii():
        return text.lower().replace("`", "'")
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.category(c).startswith("M")))


@lru_cache(maxsize=1 << 16)
def _term(word: str) -> str | None:
    """The stem of a folded word; None for a stop word."""
    word = word.removesuffix(_POSSESSIVE).replace("'", "")[:MAX_TERM]
    if word in STOP_WORDS:
        return None
    if not (word.isascii() and word.isalpha()):
        return word
    with _stemming:
        return str(_stemmer.stemWord(word))


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def plain_words(text: str) -> list[str]:
    """The words of `text` in order, folded, none left out."""
    return [match.group().removesuffix(_POSSESSIVE) for match in _WORD.finditer(_fold(text))]


def _date(moment: datetime) -> str:
    # Not strftime: its month names follow the locale of the machine, and it pads the day.
    return f"{moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def _tells(content: str, words: frozenset[str], moment: datetime) -> bool:
    """Whether the content names the day of `moment` itself, with the month as a word or in ISO form."""
    if moment.date().isoformat() in content:
        return True
    days = {str(moment.day), f"{moment.day:02}", *(f"{moment.day}{ending}" for ending in ("st", "nd", "rd", "th"))}
    month = MONTHS[moment.month - 1].lower()
    return str(moment.year) in words and not words.isdisjoint(days) and not words.isdisjoint({month, month[:3]})
