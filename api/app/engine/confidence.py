"""How sure a hit is, 0..100, the same for every question: of 100 hits with 30, about 30 hold the answer.

The score compares the hits of one query: its best has much of it even when nothing is there. The confidence is made of
raw evidence (decision 0018), grows with each piece of it, and hides nothing.
"""

import numpy as np

from app.engine.ranking.pool import LEAST_BEST_KEYWORD, Pool, Values

# Logistic: where tokens are known they say more than the cosine. Fitted to the development conversations and rounded.
TOKENS, COVERAGE, TOKENS_BASE = 5.0, 2.0, -6.0
COSINE, COSINE_COVERAGE, COSINE_BASE = 2.5, 3.5, -4.5


def confidences(pool: Pool, rarity: float) -> Values:
    """The confidence of each candidate of the pool, 0..100 (not rounded).

    Args:
        rarity: what a memory's BM25 would be, about, if it had all words of the question.
    """
    coverage = np.minimum(1.0, pool.candidates.keywords / max(rarity, LEAST_BEST_KEYWORD))
    cosine = np.clip(np.nan_to_num(pool.candidates.cosines), 0.0, 1.0)
    close = pool.closeness
    by_cosine = COSINE_BASE + COSINE * cosine + COSINE_COVERAGE * coverage
    by_tokens = TOKENS_BASE + TOKENS * np.nan_to_num(close) + COVERAGE * coverage
    return np.asarray(100 / (1 + np.exp(-np.where(np.isnan(close), by_cosine, by_tokens))))
