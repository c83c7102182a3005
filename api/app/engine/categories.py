"""Categories without a model of their own: how near a text's vector lies to each category's description."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Prototype:
    """A category as the configuration describes it; the description is what gets embedded."""

    name: str
    description: str


class Categoriser:
    """Names the categories of vectors.

    Args:
        prototypes: the categories, in the order of `vectors`.
        vectors: float32 (len(prototypes), dimensions), unit length.
        threshold: least cosine that counts.
        most: at most so many a memory.
    """

    def __init__(
        self, prototypes: Sequence[Prototype], vectors: NDArray[np.float32], threshold: float, most: int
    ) -> None:
        self._names = [prototype.name for prototype in prototypes]
        self._vectors = vectors
        self._threshold = threshold
        self._most = most

    def categories(self, vectors: NDArray[np.float32]) -> list[list[str]]:
        """The categories of each row of `vectors` (n, dimensions), nearest first; possibly none."""
        if not self._names or not len(vectors):
            return [[] for _ in vectors]
        return [self._nearest(row) for row in vectors @ self._vectors.T]

    def _nearest(self, similarities: NDArray[np.float32]) -> list[str]:
        order = np.argsort(-similarities)[: self._most]
        return [self._names[i] for i in order if similarities[i] >= self._threshold]
