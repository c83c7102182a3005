"""Traits that searches asked for lately: asking the truth for them again costs more than all that is done with them.

They hold as long as the owner's words have not changed since, which every change of a memory brings about (decision
0025). Where nobody knows that without asking, on PostgreSQL, nothing is kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from app.engine.keys import Key
from app.engine.ranking.pool import Trait

BYTES = 24 * 2**20  # about 15,000 memories
OVERHEAD = 600  # bytes of a trait beside its tokens, about

Stamp = tuple[object, ...]
"""What traits belong to: an owner, how often the owner's words have changed, and whose token vectors they have."""


class _Kept(NamedTuple):
    stamp: Stamp
    trait: Trait
    is_whole: bool  # its own neighbours are known; of a neighbour they were not looked for

    @property
    def nbytes(self) -> int:
        return OVERHEAD + (0 if self.trait.tokens is None else self.trait.tokens.nbytes)


class KeptTraits:
    """Bounded, the least recently used out first; safe to use from many threads."""

    def __init__(self, most_bytes: int = BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def known(self, stamp: Stamp, keys: Iterable[Key]) -> tuple[dict[Key, Trait], dict[Key, Trait]]:
        """The traits of those of `keys` whose neighbours' are kept too; and those of the neighbours."""
        whole: dict[Key, Trait] = {}
        beside: dict[Key, Trait] = {}
        with self._lock:
            for key in keys:
                kept = self._of(key, stamp)
                if kept is None or not kept.is_whole:
                    continue
                near = {other: self._of(other, stamp) for other in (kept.trait.before, kept.trait.after) if other}
                traits = {other: one.trait for other, one in near.items() if one is not None}
                if len(traits) == len(near):
                    whole[key] = kept.trait
                    beside |= traits
            for key in (*whole, *beside):
                self._kept.move_to_end(key)
        return whole, beside

    def _of(self, key: Key, stamp: Stamp) -> _Kept | None:
        kept = self._kept.get(key)
        return kept if kept is not None and kept.stamp == stamp else None

    def keep(self, stamp: Stamp, whole: Mapping[Key, Trait], beside: Mapping[Key, Trait]) -> None:
        """Keep traits, and those of their neighbours, of whose own neighbours nothing is known."""
        with self._lock:
            for key, trait in whole.items():
                self._put(key, _Kept(stamp, trait, is_whole=True))
            for key, trait in beside.items():
                if self._of(key, stamp) is None:
                    self._put(key, _Kept(stamp, trait, is_whole=False))
            while self._bytes > self._most_bytes:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes

    def _put(self, key: Key, kept: _Kept) -> None:
        before = self._kept.pop(key, None)
        self._bytes += kept.nbytes - (before.nbytes if before else 0)
        self._kept[key] = kept
