"""The signals: each sees the pool of a query's candidates and gives each candidate a value in 0..1."""

import re

import numpy as np

from app.engine.ranking import dates
from app.engine.ranking.pool import Pool, Values

# An answer stands after its question more often than before: what was said before a turn tells more of it.
BEFORE, AFTER = 0.7, 0.3
LONGEST = 400  # characters from which on a text counts as long
_WORD = re.compile(r"\w+")


def nearness(pool: Pool) -> Values:
    """Cosine between the least (0) and the greatest (1) among the candidates; 0 without one."""
    return pool.nearness


def wording(pool: Pool) -> Values:
    """BM25 over the greatest among the candidates; 0 without one."""
    return pool.wording


def cosine(pool: Pool) -> Values:
    """The cosine itself, within 0..1: comparable between queries, for thresholds."""
    return np.clip(np.nan_to_num(pool.cosines), 0.0, 1.0)


def closeness(pool: Pool) -> Values:
    """Token by token (`engine.late`), between the least and the greatest among those whose tokens are known."""
    return _spread(pool.closeness)


def passage(pool: Pool) -> Values:
    """As `closeness`, of a turn with those before and after it: an answer seldom says again what was asked."""
    return _spread(pool.passages)


def _spread(near: Values) -> Values:
    known = near[~np.isnan(near)]
    if not len(known):
        return np.zeros(len(near))
    least, most = known.min(), known.max()
    spread = (near - least) / (most - least) if most > least else np.ones(len(near))
    return np.where(np.isnan(near), 0.0, spread)


def context(pool: Pool) -> Values:
    """How well the turns before and after in the session answer, by both legs."""
    either = (pool.nearness + pool.wording) / 2
    before = pool.beside(either, [trait.before for trait in pool.of_known])
    after = pool.beside(either, [trait.after for trait in pool.of_known])
    return pool.spread(BEFORE * before + AFTER * after)


def session(pool: Pool) -> Values:
    """The best keyword score in the session of each."""
    words, best = pool.wording[pool.known], dict[str, float]()
    for trait, value in zip(pool.of_known, words.tolist(), strict=True):
        if trait.run is not None:
            best[trait.run] = max(best.get(trait.run, 0.0), value)
    return pool.spread([0.0 if trait.run is None else best[trait.run] for trait in pool.of_known])


def author(pool: Pool) -> Values:
    """1 for what was said by the one author whom the question names; 0 for all when it names none or several."""
    asked = set(_words(pool.text))
    authors = {trait.author for trait in pool.of_known if trait.author}
    named = {name for name in authors if (words := _words(name)) and asked.issuperset(words)}
    if len(named) != 1:
        return np.zeros(len(pool.candidates))
    return pool.spread([float(trait.author in named) for trait in pool.of_known])


def date(pool: Pool) -> Values:
    """1 for what happened when the question says (a day, a month, a year), less for what agrees in part."""
    asked = dates.asked(pool.text)
    if not asked:
        return np.zeros(len(pool.candidates))
    return pool.spread([dates.agreement(asked, trait.occurred_at) for trait in pool.of_known])


def length(pool: Pool) -> Values:
    """Longer texts say more: the logarithm of the characters, 1 from 400 on."""
    if not pool.traits:
        return np.zeros(len(pool.candidates))
    characters = np.array([trait.length for trait in pool.of_known], dtype=np.float64)
    return pool.spread(np.minimum(1.0, np.log1p(characters) / np.log1p(LONGEST)))


def statement(pool: Pool) -> Values:
    """1 for what is no question: a question seldom answers another."""
    return pool.spread([float(not trait.is_question) for trait in pool.of_known])


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())
