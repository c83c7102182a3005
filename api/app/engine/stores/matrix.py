"""Vectors of one owner in memory, searched exactly, and a bounded cache of such owners."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

BLOCK = 4096  # rows added at once: growth never copies what is there, and wastes at most 6 MB an owner


class Matrix:
    """Unit vectors by id, in blocks; `change` and `removed` are the owner's counters that it is level with.

    Its users hold `lock` while they read or write.
    """

    def __init__(self, dimensions: int) -> None:
        self.lock = threading.Lock()
        self.change = -1
        self.removed = 0
        self._dimensions = dimensions
        self._blocks: list[Vectors] = []
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}

    @property
    def nbytes(self) -> int:
        """Memory that the vectors take."""
        return len(self._blocks) * BLOCK * self._dimensions * 4

    @property
    def ids(self) -> Sequence[str]:
        """The id of each row; position i is score i of `similarities`."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def put(self, id: str, vector: bytes) -> None:
        """Add or replace the vector of `id` (float32, unit length)."""
        row = self._rows.get(id)
        if row is None:
            row = len(self._ids)
            if row == len(self._blocks) * BLOCK:
                self._blocks.append(np.empty((BLOCK, self._dimensions), dtype=np.float32))
            self._ids.append(id)
            self._rows[id] = row
        self._blocks[row // BLOCK][row % BLOCK] = np.frombuffer(vector, dtype=np.float32)

    def drop(self, id: str) -> None:
        """Remove the vector of `id` if it is there; the last row takes its place."""
        row = self._rows.pop(id, None)
        if row is None:
            return
        last = len(self._ids) - 1
        if row != last:
            moved = self._ids[last]
            self._blocks[row // BLOCK][row % BLOCK] = self._blocks[last // BLOCK][last % BLOCK]
            self._ids[row] = moved
            self._rows[moved] = row
        self._ids.pop()
        if last % BLOCK == 0:
            self._blocks.pop()

    def keep(self, ids: set[str]) -> None:
        """Remove every vector whose id is not among `ids`."""
        for id in [known for known in self._ids if known not in ids]:
            self.drop(id)

    def similarities(self, vector: Vectors) -> Vectors:
        """Cosine of every row with `vector` (unit length): float32 of shape (len(self),)."""
        if not self._ids:
            return np.empty(0, dtype=np.float32)
        last = len(self._ids) - (len(self._blocks) - 1) * BLOCK
        parts = [block @ vector for block in self._blocks[:-1]] + [self._blocks[-1][:last] @ vector]
        return np.concatenate(parts)

    def similarities_of(self, rows: NDArray[np.intp], vector: Vectors) -> Vectors:
        """Cosine of just these rows with `vector` (unit length): float32 of shape (len(rows),)."""
        scores = np.empty(len(rows), dtype=np.float32)
        blocks = rows // BLOCK
        for number in np.unique(blocks):
            chosen = blocks == number
            scores[chosen] = self._blocks[number][rows[chosen] % BLOCK] @ vector
        return scores

    def rows(self, ids: Iterable[str]) -> NDArray[np.intp]:
        """Row numbers of those of `ids` that are here."""
        found = [self._rows[id] for id in ids if id in self._rows]
        return np.array(found, dtype=np.intp)


class MatrixCache:
    """Matrices by owner; when they take more than `budget` bytes the least recently used leave."""

    def __init__(self, dimensions: int, budget: int) -> None:
        self._dimensions = dimensions
        self._budget = budget
        self._lock = threading.Lock()
        self._matrices: OrderedDict[str, Matrix] = OrderedDict()

    def get(self, owner: str) -> Matrix:
        """The owner's matrix, a new empty one (`change` = -1) if it is not here."""
        with self._lock:
            matrix = self._matrices.get(owner)
            if matrix is None:
                matrix = self._matrices[owner] = Matrix(self._dimensions)
            self._matrices.move_to_end(owner)
            self._evict()
            return matrix

    def peek(self, owner: str) -> Matrix | None:
        """The owner's matrix if it is here."""
        with self._lock:
            return self._matrices.get(owner)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._matrices.clear()

    def _evict(self) -> None:
        total = sum(matrix.nbytes for matrix in self._matrices.values())
        while total > self._budget and len(self._matrices) > 1:
            _, oldest = self._matrices.popitem(last=False)
            total -= oldest.nbytes


def top(scores: Vectors, count: int) -> NDArray[np.intp]:
    """Positions of the `count` highest scores, highest first; ties in order of position."""
    if len(scores) > count:
        chosen = np.argpartition(-scores, count - 1)[:count]
        chosen.sort()
    else:
        chosen = np.arange(len(scores))
    return chosen[np.argsort(-scores[chosen], kind="stable")]
