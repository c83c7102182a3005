"""The words of one owner's memories in memory, and BM25 over them."""

import math
import threading
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.engine.keys import Key
from app.engine.stores.matrix import top

K1, B = 1.2, 0.75  # how soon repeats stop to count; how much longer texts have to say more
TIMES = 6  # bits of a posting: 67 million texts; oftener than 63 times says no more
MOST_TIMES = (1 << TIMES) - 1
MOST_FOUND = 64  # terms whose texts are kept at hand until something changes
FEW_DEAD = 1_000  # so many gone texts stay where they were until they are more than half of all

Scores = NDArray[np.float32]
Serials = NDArray[np.uint32]
Places = NDArray[np.intp]


class Postings:
    """For each term the texts that have it, by serial number; a replaced text gets a new one.

    `change` and `removed` are the owner's counters that it is level with. Its users hold `lock`.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.change = -1
        self.removed = 0
        self._clear()

    def _clear(self) -> None:
        # By term: of each text that has it the serial number and, in the last bits, how often.
        self._texts: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        self._keys: list[Key] = []
        self._lengths = array("I")
        self._is_alive = bytearray()
        self._serials: dict[Key, int] = {}
        self._total = 0  # terms of all texts that are alive
        self._posted = 0  # different terms of all texts that are held
        self._changed()

    def _changed(self) -> None:
        # One search asks the same terms three times: how frequent they are, for the best, and for those next to them.
        self._found: dict[str, tuple[Serials, Scores]] = {}
        self._scored: tuple[tuple[str, ...], Scores] | None = None

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about: four bytes a posting, 100 a term, 250 a text."""
        return 4 * self._posted + 100 * len(self._texts) + 250 * len(self._keys)

    def __len__(self) -> int:
        return len(self._serials)

    def keys(self) -> dict[Key, Key]:
        """The keys of all texts, each by itself: for who would hold them, too."""
        with self.lock:
            return dict(zip(self._serials, self._serials, strict=True))

    def put(self, key: Key, terms: Sequence[str]) -> None:
        """Add or replace the text of `key`; repeated terms count."""
        self.drop(key)
        self._changed()
        self._add(key, Counter(terms), len(terms))

    def _add(self, key: Key, times: Mapping[str, int], length: int) -> None:
        serial = len(self._keys)
        for term, count in times.items():
            self._texts[term].append(serial << TIMES | min(count, MOST_TIMES))
        self._keys.append(key)
        self._lengths.append(length)
        self._is_alive.append(1)
        self._serials[key] = serial
        self._total += length
        self._posted += len(times)

    def drop(self, key: Key) -> None:
        """Remove the text of `key` if it is here."""
        serial = self._serials.pop(key, None)
        if serial is None:
            return
        self._changed()
        self._is_alive[serial] = 0
        self._total -= self._lengths[serial]
        if len(self._keys) > max(FEW_DEAD, 2 * len(self._serials)):
            self._compact()

    def keep(self, keys: set[Key]) -> None:
        """Remove every text whose key is not among `keys`."""
        for key in [known for known in self._serials if known not in keys]:
            self.drop(key)

    def _compact(self) -> None:
        times: dict[int, dict[str, int]] = {serial: {} for serial in self._serials.values()}
        for term, postings in self._texts.items():
            for packed in postings:
                if packed >> TIMES in times:
                    times[packed >> TIMES][term] = packed & MOST_TIMES
        alive = [(key, times[serial], self._lengths[serial]) for key, serial in self._serials.items()]
        self._clear()
        for one in alive:
            self._add(*one)

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many texts each of the terms is; 0 for those that nobody said."""
        return {term: len(self._having(term)[0]) for term in terms}

    def best(self, terms: Iterable[str], count: int) -> dict[Key, float]:
        """The texts that have any of the terms, at most `count`, best first: their BM25."""
        scores = self._scores(terms)
        found = np.flatnonzero(scores > 0)  # of truth values: of floats it takes ten times as long
        weighed = scores[found]
        return self._named(found, weighed, count)

    def among(self, terms: Iterable[str], keys: Iterable[Key], count: int) -> dict[Key, float]:
        """`best` of just these texts."""
        serials = (self._serials.get(key) for key in keys)
        found = np.unique(np.array([serial for serial in serials if serial is not None], dtype=np.intp))
        weighed = self._scores(terms)[found]
        return self._named(found[weighed > 0], weighed[weighed > 0], count)

    def _named(self, serials: Places, scores: Scores, count: int) -> dict[Key, float]:
        chosen = top(scores, count)
        pairs = zip(serials[chosen].tolist(), scores[chosen].tolist(), strict=True)
        return {self._keys[serial]: score for serial, score in pairs}

    def _scores(self, terms: Iterable[str]) -> Scores:
        """BM25 of every text by serial number, 0 for those that have none of the terms."""
        asked = tuple(dict.fromkeys(terms))
        if self._scored is None or self._scored[0] != asked:
            self._scored = (asked, self._score(asked))
        return self._scored[1]

    def _score(self, terms: Sequence[str]) -> Scores:
        if not terms:
            return np.zeros(len(self._keys), dtype=np.float32)
        # All terms at once: of an owner with few texts each call of numpy's costs more than what it does.
        having = [self._having(term) for term in terms]
        counts = [len(serials) for serials, _ in having]
        serials = np.concatenate([serials for serials, _ in having])
        times = np.concatenate([times for _, times in having])
        weights = np.repeat(np.array([self._weight(count) * (K1 + 1) for count in counts], np.float32), counts)
        lengths = np.frombuffer(self._lengths, dtype=np.uint32)  # not kept: while it is there no text can be added
        slope = K1 * B * len(self._serials) / max(self._total, 1)
        norms = np.float32(K1 * (1 - B)) + np.float32(slope) * lengths[serials].astype(np.float32)
        scores = np.bincount(serials, weights * (times / (times + norms)), minlength=len(self._keys))
        return scores.astype(np.float32)

    def _weight(self, having: int) -> float:
        return math.log1p((len(self._serials) - having + 0.5) / (having + 0.5))

    def _having(self, term: str) -> tuple[Serials, Scores]:
        """The texts that are alive and have the term, and how often."""
        known = self._found.get(term)
        if known is None:
            if len(self._found) >= MOST_FOUND:
                self._found.clear()
            known = self._found[term] = self._look(term)
        return known

    def _look(self, term: str) -> tuple[Serials, Scores]:
        postings = self._texts.get(term)
        if postings is None:
            return np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.float32)
        packed = np.array(postings, dtype=np.uint32)
        serials, times = packed >> np.uint32(TIMES), (packed & np.uint32(MOST_TIMES)).astype(np.float32)
        if len(self._serials) == len(self._keys):
            return serials, times
        is_alive = np.frombuffer(self._is_alive, dtype=np.uint8)[serials] == 1
        return serials[is_alive], times[is_alive]
