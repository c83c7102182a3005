"""Traits that searches asked for lately: asking the truth for them again costs more than all that is done with them.

They hold as long as the owner's words have not changed since, which every change of a memory brings about (decision
0025). Where nobody knows that without asking, on PostgreSQL, nothing is kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping

from app.engine.keys import Key
from app.engine.ranking.pool import Trait

BYTES = 24 * 2**20  # about 15,000 memories
OVERHEAD = 600  # bytes of a trait beside its tokens, about

Whose = Hashable
"""Whose traits, and of which model their token vectors are."""


class _Shelf:
    """One owner's traits as of one level. Of the neighbours that were not asked for, the own ones are not known."""

    def __init__(self, level: Hashable) -> None:
        self.level = level
        self.whole: dict[Key, Trait] = {}
        self.beside: dict[Key, Trait] = {}
        self.nbytes = 0

    def put(self, whole: Mapping[Key, Trait], beside: Mapping[Key, Trait]) -> None:
        added = [trait for key, trait in whole.items() if key not in self.whole and key not in self.beside]
        self.whole |= whole
        for key in whole:
            self.beside.pop(key, None)
        new = {key: trait for key, trait in beside.items() if key not in self.whole and key not in self.beside}
        self.beside |= new
        self.nbytes += sum(map(_bytes, (*added, *new.values())))

    def near(self, key: Key) -> Trait | None:
        return self.whole.get(key) or self.beside.get(key)


class KeptTraits:
    """Bounded, the owners who searched least recently out first; safe to use from many threads."""

    def __init__(self, most_bytes: int = BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._shelves: OrderedDict[Whose, _Shelf] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, whose: Whose, level: Hashable, keys: Iterable[Key]) -> tuple[dict[Key, Trait], dict[Key, Trait]]:
        """The traits of those of `keys` whose neighbours' are kept too; and those of the other neighbours."""
        with self._lock:
            shelf = self._shelves.get(whose)
            if shelf is None or shelf.level != level:
                return {}, {}
            self._shelves.move_to_end(whose)
            kept = shelf.whole
            whole = {key: kept[key] for key in keys if key in kept}
            beside: dict[Key, Trait] = {}
            for trait in whole.values():
                for other in (trait.before, trait.after):
                    if other is not None and other not in whole and (near := shelf.near(other)) is not None:
                        beside[other] = near
            return whole, beside

    def keep(self, whose: Whose, level: Hashable, whole: Mapping[Key, Trait], beside: Mapping[Key, Trait]) -> None:
        """Keep traits, and those of all their neighbours, of whose own neighbours nothing is known."""
        with self._lock:
            shelf = self._shelves.get(whose)
            if shelf is None or shelf.level != level:
                self._drop(whose)
                shelf = self._shelves[whose] = _Shelf(level)
            self._bytes -= shelf.nbytes
            shelf.put(whole, beside)
            self._bytes += shelf.nbytes
            self._shelves.move_to_end(whose)
            while self._bytes > self._most_bytes:
                self._drop(next(iter(self._shelves)))

    def _drop(self, whose: Whose) -> None:
        gone = self._shelves.pop(whose, None)
        self._bytes -= gone.nbytes if gone else 0


def _bytes(trait: Trait) -> int:
    return OVERHEAD + len(trait.tokens or b"")
