"""Vectors of one owner in memory, in a quarter of their size.

A vector is kept as 8-bit integers and a scale (a cosine is off by .0005 in the mean, .002 at most: decision 0012), and
as the signs of its components, a 64th of its size. An owner with many vectors is searched by signs first: how many
differ orders the vectors roughly as the cosine does, and costs a tenth of it.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.intp]

BLOCK = 4096  # rows added at once: growth never copies what is there, and wastes at most 2 MB an owner
PASS = 512  # rows that are made floats at once: they stay in the processor's cache
COARSE_FROM = 16_384  # with fewer vectors, comparing them all is as fast
COARSE, COARSE_TIMES, COARSE_SHARE = 2_048, 16, 32  # what the signs leave: at least, times those asked for, of all


class _Block:
    """Places for BLOCK vectors."""

    def __init__(self, dimensions: int) -> None:
        self.codes = np.empty((BLOCK, dimensions), dtype=np.int8)
        self.scales = np.empty(BLOCK, dtype=np.float32)
        self.signs = np.empty((_words(dimensions), BLOCK), dtype=np.uint64)

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes + self.scales.nbytes + self.signs.nbytes

    def write(self, places: Rows, codes: NDArray[np.int8], scales: Vectors, signs: NDArray[np.uint64]) -> None:
        self.codes[places], self.scales[places], self.signs[:, places] = codes, scales, signs.T

    def move(self, place: int, source: "_Block", origin: int) -> None:
        self.codes[place], self.scales[place] = source.codes[origin], source.scales[origin]
        self.signs[:, place] = source.signs[:, origin]

    def similarities(self, used: int, vector: Vectors) -> Vectors:
        return _products(self.codes[:used], vector) * self.scales[:used]

    def differing(self, signs: NDArray[np.uint64], room: NDArray[np.uint64], out: NDArray[np.uint16]) -> None:
        used = len(out)
        differing = np.bitwise_xor(self.signs[:, :used], signs, out=room[:, :used])
        np.add.reduce(np.bitwise_count(differing), axis=0, dtype=np.uint16, out=out)


class Matrix:
    """Unit vectors by id, in blocks; `change` and `removed` are the owner's counters that it is level with.

    Its users hold `lock` while they read or write.
    """

    def __init__(self, dimensions: int) -> None:
        self.lock = threading.Lock()
        self.change = -1
        self.removed = 0
        self._dimensions = dimensions
        self._blocks: list[_Block] = []
        self._ids: list[str] = []
        self._rows: dict[str, int] = {}

    @property
    def nbytes(self) -> int:
        """Memory that the vectors take."""
        return sum(block.nbytes for block in self._blocks)

    @property
    def ids(self) -> Sequence[str]:
        """The id of each row."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def put(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace the vectors of `ids`: float32 (len(ids), dimensions), rows of unit length."""
        for id in ids:
            if id not in self._rows:
                self._rows[id] = len(self._ids)
                self._ids.append(id)
        while len(self._blocks) * BLOCK < len(self._ids):
            self._blocks.append(_Block(self._dimensions))
        rows = np.array([self._rows[id] for id in ids], dtype=np.intp)
        scales = np.maximum(np.abs(vectors).max(axis=1), 1e-12).astype(np.float32) / 127
        codes = np.rint(vectors / scales[:, None]).astype(np.int8)
        signs = _signs(vectors)
        for block, chosen in self._by_block(rows):
            block.write(rows[chosen] % BLOCK, codes[chosen], scales[chosen], signs[chosen])

    def drop(self, id: str) -> None:
        """Remove the vector of `id` if it is there; the last row takes its place."""
        row = self._rows.pop(id, None)
        if row is None:
            return
        last = len(self._ids) - 1
        if row != last:
            moved = self._ids[last]
            self._blocks[row // BLOCK].move(row % BLOCK, self._blocks[last // BLOCK], last % BLOCK)
            self._ids[row] = moved
            self._rows[moved] = row
        self._ids.pop()
        if last % BLOCK == 0:
            self._blocks.pop()

    def keep(self, ids: set[str]) -> None:
        """Remove every vector whose id is not among `ids`."""
        for id in [known for known in self._ids if known not in ids]:
            self.drop(id)

    def nearest(self, vector: Vectors, count: int) -> tuple[Rows, Vectors]:
        """The rows nearest to `vector` (unit length), at most `count`, nearest first, and their cosines."""
        if len(self) < COARSE_FROM:
            scores = self._similarities(vector)
            rows = top(scores, count)
            return rows, scores[rows]
        differing = self._differing(vector)
        left = min(max(COARSE, COARSE_TIMES * count, len(self) // COARSE_SHARE), len(self) - 1)
        # So many, or a few more: all that differ in as many signs as the last of them. Comparing the short numbers nine
        # times takes half as long as counting each, and a tenth of the memory.
        signs = range(self._dimensions + 1)
        most = bisect_left(signs, left, key=lambda many: int(np.count_nonzero(differing <= many)))
        chosen = np.flatnonzero(differing <= most)
        scores = self.similarities_of(chosen, vector)
        best = top(scores, count)
        return chosen[best], scores[best]

    def _differing(self, vector: Vectors) -> NDArray[np.uint16]:
        """In how many signs every row differs from `vector`."""
        signs = _signs(vector[None]).T
        room = np.empty((len(signs), BLOCK), dtype=np.uint64)
        found = np.empty(len(self), dtype=np.uint16)
        for number, (block, used) in enumerate(self._filled()):
            block.differing(signs, room, found[number * BLOCK : number * BLOCK + used])
        return found

    def _similarities(self, vector: Vectors) -> Vectors:
        """Cosine of every row with `vector`: float32 of shape (len(self),)."""
        parts = [block.similarities(used, vector) for block, used in self._filled()]
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.float32)

    def similarities_of(self, rows: Rows, vector: Vectors) -> Vectors:
        """Cosine of just these rows (ascending) with `vector` (unit length): float32 of shape (len(rows),)."""
        codes = np.empty((len(rows), self._dimensions), dtype=np.int8)
        scales = np.empty(len(rows), dtype=np.float32)
        ends = np.searchsorted(rows, BLOCK * np.arange(1, len(self._blocks) + 1)).tolist()
        for number, (start, end) in enumerate(pairwise([0, *ends])):
            if start < end:
                places = rows[start:end] - number * BLOCK
                self._blocks[number].codes.take(places, axis=0, out=codes[start:end], mode="clip")
                self._blocks[number].scales.take(places, out=scales[start:end], mode="clip")
        return _products(codes, vector) * scales

    def named(self, rows: Rows, scores: Vectors) -> dict[str, float]:
        """The scores of rows by the ids of these."""
        return {self._ids[row]: score for row, score in zip(rows.tolist(), scores.tolist(), strict=True)}

    def rows(self, ids: Iterable[str]) -> Rows:
        """Row numbers of those of `ids` that are here, ascending."""
        found = [self._rows[id] for id in ids if id in self._rows]
        return np.array(sorted(found), dtype=np.intp)

    def _by_block(self, rows: Rows) -> Iterator[tuple[_Block, NDArray[np.bool_]]]:
        numbers = rows // BLOCK
        for number in np.unique(numbers):
            yield self._blocks[number], numbers == number

    def _filled(self) -> Iterator[tuple[_Block, int]]:
        """Each block, and how many of its places are taken."""
        for number, block in enumerate(self._blocks):
            yield block, min(BLOCK, len(self._ids) - number * BLOCK)


def _products(codes: NDArray[np.int8], vector: Vectors) -> Vectors:
    """Each row times `vector`: float32 (len(codes),)."""
    found = np.empty(len(codes), dtype=np.float32)
    floats = np.empty((min(PASS, len(codes)), len(vector)), dtype=np.float32)
    for start in range(0, len(codes), PASS):
        end = min(start + PASS, len(codes))
        floats[: end - start] = codes[start:end]
        np.dot(floats[: end - start], vector, out=found[start:end])
    return found


def _words(dimensions: int) -> int:
    return -(-dimensions // 64)


def _signs(vectors: Vectors) -> NDArray[np.uint64]:
    """One bit a component, filled up with zeros to words: (len(vectors), words)."""
    bits = np.packbits(vectors > 0, axis=1)
    padded = np.zeros((len(vectors), 8 * _words(vectors.shape[1])), dtype=np.uint8)
    padded[:, : bits.shape[1]] = bits
    return padded.view(np.uint64)


def top(scores: Vectors, count: int) -> NDArray[np.intp]:
    """Positions of the `count` highest scores, highest first; ties in order of position."""
    if len(scores) > count:
        chosen = np.argpartition(-scores, count - 1)[:count]
        chosen.sort()
    else:
        chosen = np.arange(len(scores))
    return chosen[np.argsort(-scores[chosen], kind="stable")]
