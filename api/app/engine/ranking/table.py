"""The traits of all memories of one owner in memory, but for their token vectors: for owners with many of them.

Of 100,000 memories each question has other best ones, so keeping what was asked for (`kept.py`) is of no use, and
asking the truth for 64 of them and their neighbours takes as long as half an embedding (decision 0043).
"""

import threading
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import date

from app.engine.keys import Key

NONE, NO_DAY = -1, 0  # no row; no ordinal of a day
BYTES, SESSION_BYTES = 130, 200  # of a memory; of a session beside its memories


Told = tuple[str | None, Key | None, Key | None, str | None, date | None, bool, int]
"""The fields of a `Trait`, but for its token vectors."""


class TraitTable:
    """Columns, a row a memory. `change` and `removed` are the owner's counters that it is level with.

    `awaited` are memories that have changed since they were read: nothing is known of them. Users hold `lock`.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.change = -1
        self.removed = 0
        self.awaited: set[Key] = set()
        self._rows: dict[Key, int] = {}
        self._keys: list[Key] = []
        self._runs: list[str | None] = []
        self._authors: list[str | None] = []
        self._created = array("q")
        self._days = array("i")  # ordinals; NO_DAY for none
        self._asks = bytearray()
        self._lengths = array("I")
        self._free: list[int] = []
        self._before = array("i")  # rows; -1 for none
        self._after = array("i")
        self._turns: dict[str, array[int]] = {}  # the rows of each session, in the order in which they were stored
        self._names: dict[str, str] = {}  # a session's or an author's name is held once

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""
        return BYTES * len(self._keys) + SESSION_BYTES * len(self._turns)

    def __len__(self) -> int:
        return len(self._rows)

    def put(
        self, key: Key, run: str | None, created: int, author: str | None, day: date | None, asks: bool, length: int
    ) -> None:
        """Add or replace a memory: the fields of its `Trait`, and when it was stored (numbers that grow with time)."""
        if key in self._rows or self.awaited:
            self.drop(key)
        row = self._free.pop() if self._free else self._new()
        self._rows[key] = row
        self._keys[row], self._created[row], self._asks[row], self._lengths[row] = key, created, asks, length
        if day is not None:
            self._days[row] = day.toordinal()
        if author is not None:
            self._authors[row] = self._names.setdefault(author, author)
        if run is not None:
            self._runs[row] = run = self._names.setdefault(run, run)
            self._seat(row, run, created)

    def _seat(self, row: int, run: str, created: int) -> None:
        turns = self._turns.get(run)
        if turns is None:
            self._turns[run] = array("I", (row,))
            return
        last = turns[-1]
        if self._created[last] < created:  # nearly always
            turns.append(row)
            self._before[row], self._after[last] = last, row
            return
        place = bisect_left(turns, self._order(row), key=self._order)
        self._join(turns[place - 1] if place else NONE, row)
        self._join(row, turns[place] if place < len(turns) else NONE)
        turns.insert(place, row)

    def drop(self, key: Key) -> None:
        """Remove a memory if it is here."""
        self.awaited.discard(key)
        row = self._rows.pop(key, None)
        if row is None:
            return
        run = self._runs[row]
        if run is not None:
            turns = self._turns[run]
            turns.pop(bisect_left(turns, self._order(row), key=self._order))
            self._join(self._before[row], self._after[row])
            if not turns:
                del self._turns[run]
        self._runs[row] = self._authors[row] = None
        self._before[row] = self._after[row] = NONE
        self._days[row] = NO_DAY
        self._free.append(row)

    def expect(self, key: Key) -> None:
        """Forget what was known of a memory that has changed, until it is read."""
        self.drop(key)
        self.awaited.add(key)

    def keep(self, keys: set[Key]) -> None:
        """Remove every memory whose key is not among `keys`."""
        for key in [known for known in (*self._rows, *self.awaited) if known not in keys]:
            self.drop(key)

    def near(self, keys: Iterable[Key]) -> Mapping[Key, Told]:
        """Those of the memories that are here, and what stands before and after each in its session.

        Of those neighbours that were not asked for, only the ones among `keys` are told as their neighbours.
        """
        before, after = self._before, self._after
        asked = {row for key in keys if (row := self._rows.get(key)) is not None}
        told = {self._keys[row]: self._told(row, before[row], after[row]) for row in asked}
        befores = {after[row]: row for row in asked}
        afters = {before[row]: row for row in asked}
        for row in (befores.keys() | afters.keys()) - asked - {NONE}:
            told[self._keys[row]] = self._told(row, befores.get(row, NONE), afters.get(row, NONE))
        return told

    def _new(self) -> int:
        self._keys.append("")
        self._runs.append(None)
        self._authors.append(None)
        self._created.append(0)
        self._days.append(NO_DAY)
        self._asks.append(0)
        self._lengths.append(0)
        self._before.append(NONE)
        self._after.append(NONE)
        return len(self._keys) - 1

    def _join(self, before: int, after: int) -> None:
        """Have two rows stand next to each other; either may be NONE."""
        if before != NONE:
            self._after[before] = after
        if after != NONE:
            self._before[after] = before

    def _order(self, row: int) -> tuple[int, Key]:
        return self._created[row], self._keys[row]

    def _told(self, row: int, before: int, after: int) -> Told:
        day = self._days[row]
        return (
            self._runs[row],
            None if before == NONE else self._keys[before],
            None if after == NONE else self._keys[after],
            self._authors[row],
            None if day == NO_DAY else date.fromordinal(day),
            self._asks[row] == 1,
            self._lengths[row],
        )
