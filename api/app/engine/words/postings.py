"""The words of one owner's memories in memory, and BM25 over them."""

import threading
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

K1, B = 1.2, 0.75  # how soon repeats stop to count; how much longer texts have to say more
MOST_FOUND = 64  # terms whose texts are kept at hand until something changes
FEW_DEAD = 1_000  # so many gone texts stay where they were until they are more than half of all

Scores = NDArray[np.float32]
Serials = NDArray[np.uint32]


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
        self._texts: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        self._ids: list[UUID] = []
        self._lengths = array("I")
        self._is_alive = bytearray()
        self._serials: dict[UUID, int] = {}
        self._total = 0  # terms of all texts that are alive
        self._posted = 0  # of all that are held
        self._changed()

    def _changed(self) -> None:
        # One search asks the same terms three times: how frequent they are, for the best, and for those next to them.
        self._found: dict[str, tuple[Serials, Scores]] = {}
        self._scored: tuple[tuple[str, ...], Serials, Scores] | None = None

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about: four bytes a posting, 100 a term, 250 a text."""
        return 4 * self._posted + 100 * len(self._texts) + 250 * len(self._ids)

    def __len__(self) -> int:
        return len(self._serials)

    def put(self, id: UUID, terms: Sequence[str]) -> None:
        """Add or replace the text of `id`; repeated terms count."""
        self.drop(id)
        self._changed()
        serial = len(self._ids)
        for term in terms:
            self._texts[term].append(serial)
        self._ids.append(id)
        self._lengths.append(len(terms))
        self._is_alive.append(1)
        self._serials[id] = serial
        self._total += len(terms)
        self._posted += len(terms)

    def drop(self, id: UUID) -> None:
        """Remove the text of `id` if it is here."""
        serial = self._serials.pop(id, None)
        if serial is None:
            return
        self._changed()
        self._is_alive[serial] = 0
        self._total -= self._lengths[serial]
        if len(self._ids) > max(FEW_DEAD, 2 * len(self._serials)):
            self._compact()

    def keep(self, ids: set[UUID]) -> None:
        """Remove every text whose id is not among `ids`."""
        for id in [known for known in self._serials if known not in ids]:
            self.drop(id)

    def _compact(self) -> None:
        terms: dict[int, list[str]] = {serial: [] for serial in self._serials.values()}
        for term, serials in self._texts.items():
            for serial in serials:
                if serial in terms:
                    terms[serial].append(term)
        alive = list(self._serials.items())
        self._clear()
        for id, serial in alive:
            self.put(id, terms[serial])

    def frequencies(self, terms: Iterable[str]) -> dict[str, int]:
        """In how many texts each of the terms is; 0 for those that nobody said."""
        return {term: len(self._having(term)[0]) for term in terms}

    def scores(self, terms: Iterable[str]) -> tuple[Serials, Scores]:
        """Every text that has any of the terms, and its BM25."""
        asked = tuple(dict.fromkeys(terms))
        if self._scored is None or self._scored[0] != asked:
            self._scored = (asked, *self._score(asked))
        return self._scored[1:]

    def _score(self, terms: Sequence[str]) -> tuple[Serials, Scores]:
        if not self._serials:
            return np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.float32)
        lengths = np.array(self._lengths, dtype=np.float32)
        norms = K1 * (1 - B + B * lengths * (len(self._serials) / max(self._total, 1)))
        sums = np.zeros(len(self._ids), dtype=np.float32)
        for term in terms:
            serials, times = self._having(term)
            sums[serials] += self._weight(len(serials)) * times * (K1 + 1) / (times + norms[serials])
        found = np.flatnonzero(sums).astype(np.uint32)
        return found, sums[found]

    def id_of(self, serial: int) -> UUID:
        """Whose text it is."""
        return self._ids[serial]

    def serials(self, ids: Iterable[UUID]) -> Serials:
        """The serial numbers of those of `ids` that are here."""
        return np.array([self._serials[id] for id in ids if id in self._serials], dtype=np.uint32)

    def _weight(self, having: int) -> float:
        return float(np.log1p((len(self._serials) - having + 0.5) / (having + 0.5)))

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
        serials = np.array(postings, dtype=np.uint32)  # in ascending order: repeats lie side by side
        starts = np.flatnonzero(np.concatenate(([True], serials[1:] != serials[:-1])))
        times = np.diff(np.append(starts, len(serials))).astype(np.float32)
        serials = serials[starts]
        alive = np.frombuffer(bytes(self._is_alive), dtype=np.uint8)[serials] == 1
        return serials[alive], times[alive]
