"""Late interaction: a question and a memory compared token by token, with vectors of the model that embeds them.

A memory's tokens come from the run that embeds it and are kept as 8-bit integers (64 a token, about 2.2 KB a memory).
A question's tokens also say which of its words the vector leg should look for: those that are no common ones.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from app.engine.text import terms

Vectors = NDArray[np.float32]

DIMENSIONS = 64  # of a token's vector as it is stored; all 384 find little more (decision 0017)
WORDS = 4_096  # of questions whose terms are remembered: each is asked for by three callers
SCALE = 127  # components lie within -1..1; a cosine is off by .002
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """A question as its embedder read it, in one run.

    Attributes:
        vector: the whole text, float32 (dimensions,), unit length.
        states: a row a token, float32 (tokens, dimensions), whose mean the vector is; none if the embedder gives none.
        tokens: the same tokens as memories have them, float32 (tokens, 64), unit length.
        words: for each token the word of the text that it is a piece of; "" for punctuation.
    """

    vector: Vectors
    states: Vectors = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    tokens: Vectors = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    words: Sequence[str] = ()


def words_at(text: str, starts: Sequence[int]) -> list[str]:
    """For each position in `text` the word that it lies in, "" between words."""
    found = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(text)]
    return [next((word for first, end, word in found if first <= start < end), "") for start in starts]


def pack(tokens: Vectors) -> bytes:
    """Token vectors (n, 64) as they are stored: a byte a component."""
    return np.rint(tokens * SCALE).astype(np.int8).tobytes()


def vector_without(question: Question, common: Mapping[str, bool]) -> Vectors:
    """The vector of the question less its common words (by term); the whole question's if there is nothing else."""
    kept = [i for i, word in enumerate(question.words) if not any(common.get(term) for term in _terms(word))]
    if len(kept) in (0, len(question.words)) or all(not _terms(question.words[i]) for i in kept):
        return question.vector
    mean = question.states[kept].mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)


def weights(question: Question, weight: Mapping[str, float]) -> Vectors:
    """What each token of the question counts, (tokens,): the greatest weight of its word's terms, in sum 1."""
    each = np.array(
        [max((weight.get(term, 0.0) for term in _terms(word)), default=0.0) for word in question.words],
        dtype=np.float32,
    )
    total = float(each.sum())
    return each / np.float32(total) if total > 0 else np.full(len(each), 1 / max(len(each), 1), dtype=np.float32)


@lru_cache(WORDS)
def _terms(word: str) -> tuple[str, ...]:
    return tuple(terms(word))


def nearest(tokens: Vectors, memories: Sequence[bytes]) -> Vectors:
    """For each memory how near its nearest token comes to each of a question's `tokens`: cosines (memories, tokens).

    Args:
        memories: token vectors as they are stored; of each memory one at least.
    """
    if not memories:
        return np.empty((0, len(tokens)), dtype=np.float32)
    starts = np.cumsum([0, *map(len, memories[:-1])]) // DIMENSIONS
    every = np.frombuffer(b"".join(memories), dtype=np.int8).reshape(-1, DIMENSIONS).astype(np.float32)
    return np.asarray(np.maximum.reduceat(every @ tokens.T, starts, axis=0) / SCALE, dtype=np.float32)


def closeness(near: Vectors, weight: Vectors) -> Vectors:
    """How near each comes to the question, 0..1: the cosines of `nearest`, each token's weighed. (len(near),)."""
    return np.asarray(np.clip(near @ weight, 0.0, 1.0), dtype=np.float32)
