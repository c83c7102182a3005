"""Which words of a query are worth looking for."""

from collections.abc import Mapping, Sequence

MAX_TERMS = 128  # different ones of a query: a whole page as the query costs as much as its first lines say
# A term that more than a quarter of the owner's memories have says next to nothing and costs most: it is left out.
COMMON_SHARE = 4
COMMON_FROM = 100  # below so many memories a quarter is too few to tell


def is_common(having: int, memories: int) -> bool:
    """Whether a term that so many of the owner's `memories` have is common: mostly names."""
    return memories >= COMMON_FROM and having * COMMON_SHARE > memories


def rare(terms: Sequence[str], having: Mapping[str, int], memories: int) -> Sequence[str]:
    """Those of the terms that at most a quarter of the owner's `memories` have; all of them if none is."""
    if len(terms) < 2:
        return terms
    return [term for term in terms if not is_common(having[term], memories)] or terms
