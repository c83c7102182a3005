"""Which words of a query are worth looking for."""

from collections.abc import Mapping, Sequence

MAX_TERMS = 128  # different ones of a query: a whole page as the query costs as much as its first lines say
# A term that more than a quarter of the owner's memories have says next to nothing and costs most: it is left out.
COMMON_SHARE = 4
COMMON_FROM = 100  # below so many memories a quarter is too few to tell


def rare(terms: Sequence[str], having: Mapping[str, int], memories: int) -> Sequence[str]:
    """Those of the terms that at most a quarter of the owner's `memories` have; all of them if none is."""
    if memories < COMMON_FROM or len(terms) < 2:
        return terms
    return [term for term in terms if having[term] <= memories // COMMON_SHARE] or terms
