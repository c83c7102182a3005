"""Where pages of long lists began and ended, so that the pages beside them need not be counted from the beginning."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

MAX_LISTS, MAX_MARKS = 1_000, 200  # at most 40 MB, if a thousand owners leaf through all they have


@dataclass(frozen=True, slots=True)
class Bookmark:
    """What stands at a position of a list, counted from 0: the values that the list is ordered by."""

    position: int
    values: tuple[Any, ...] = ()


BEGINNING = Bookmark(0)


@dataclass(slots=True)
class _Marks:
    """Those of one list, true while its owner's memories have moved so many times."""

    changes: int
    by_position: dict[int, Bookmark] = field(default_factory=dict)


class Bookmarks:
    """Where memories stand in the lists that were asked for lately; bounded, safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._lists: OrderedDict[tuple[Any, ...], _Marks] = OrderedDict()

    def nearest(self, key: tuple[Any, ...], changes: int, position: int) -> Bookmark:
        """The last mark at or before `position`; the list's beginning if there is none."""
        with self._lock:
            marks = self._lists.get(key)
            if marks is None or marks.changes != changes:
                return BEGINNING
            passed = [mark for mark in marks.by_position if mark <= position]
            return marks.by_position[max(passed)] if passed else BEGINNING

    def put(self, key: tuple[Any, ...], changes: int, found: Sequence[Bookmark]) -> None:
        """Remember marks; those of another number of changes are forgotten."""
        with self._lock:
            marks = self._lists.pop(key, None)
            if marks is None or marks.changes != changes:
                marks = _Marks(changes)
            self._lists[key] = marks
            marks.by_position |= {mark.position: mark for mark in found}
            while len(marks.by_position) > MAX_MARKS:
                del marks.by_position[next(iter(marks.by_position))]
            while len(self._lists) > MAX_LISTS:
                self._lists.popitem(last=False)
