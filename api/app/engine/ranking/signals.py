"""The signals: each sees the pool of a query's candidates and gives each candidate a value in 0..1."""

import re

import numpy as np

from app.engine.ranking import dates
from app.engine.ranking.pool import Pool, Values, between

# An answer stands after its question more often than before: what was said before a turn tells more of it.
BEFORE, AFTER = 0.7, 0.3
LONGEST = 400  # characters from which on a text counts as long
_WORD = re.compile(r"\w+")


def nearness(pool: Pool) -> Values:
    """Cosine between the least (0) and the greatest (1) among the candidates; 0 without one."""
    return pool.candidates.nearness


def wording(pool: Pool) -> Values:
    """BM25 over the greatest among the candidates; 0 without one."""
    return pool.candidates.wording


def cosine(pool: Pool) -> Values:
    """The cosine itself, within 0..1: comparable between queries, for thresholds."""
    return np.clip(np.nan_to_num(pool.candidates.cosines), 0.0, 1.0)


def closeness(pool: Pool) -> Values:
    """Token by token (`engine.late`), between the least and the greatest among those whose tokens are known."""
    return between(pool.closeness)


def passage(pool: Pool) -> Values:
    """As `closeness`, of a turn with those before and after it: an answer seldom says again what was asked."""
    return between(pool.passages)


def context(pool: Pool) -> Values:
    """How well the turns before and after in the session answer, by both legs."""
    either = np.append((pool.candidates.nearness + pool.candidates.wording) / 2, 0.0)  # the last: of who has none
    return pool.spread(BEFORE * either[pool.before] + AFTER * either[pool.after])


def session(pool: Pool) -> Values:
    """The best keyword score in the session of each."""
    runs, words, best = pool.of_known.run, pool.candidates.wording[pool.known].tolist(), dict[str | None, float]()
    for run, value in zip(runs, words, strict=True):
        if value > best.get(run, 0.0):
            best[run] = value
    best[None] = 0.0  # what was said in no session
    return pool.spread([best.get(run, 0.0) for run in runs])


def author(pool: Pool) -> Values:
    """1 for what was said by the one author whom the question names; 0 for all when it names none or several."""
    asked = set(_words(pool.text))
    authors = {name for name in pool.of_known.author if name}
    named = {name for name in authors if (words := _words(name)) and asked.issuperset(words)}
    if len(named) != 1:
        return np.zeros(len(pool))
    return pool.spread([float(name in named) for name in pool.of_known.author])


def date(pool: Pool) -> Values:
    """1 for what happened when the question says (a day, a month, a year), less for what agrees in part."""
    asked = dates.asked(pool.text)
    if not asked:
        return np.zeros(len(pool))
    return pool.spread([dates.agreement(asked, day) for day in pool.of_known.day])


def length(pool: Pool) -> Values:
    """Longer texts say more: the logarithm of the characters, 1 from 400 on."""
    characters = np.array(pool.of_known.length, dtype=np.float64)
    return pool.spread(np.minimum(1.0, np.log1p(characters) / np.log1p(LONGEST)))


def statement(pool: Pool) -> Values:
    """1 for what is no question: a question seldom answers another."""
    return pool.spread(1.0 - np.array(pool.of_known.is_question, dtype=np.float64))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
