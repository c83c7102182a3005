"""What is held in memory an owner, least recently used first out, and level with the owner's counters in SQLite."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Connection

from app.database import Database


class Held(Protocol):
    """Something of one owner's. Its users hold `lock` while they read or write; `change` and `removed` are the owner's
    counters that it is level with (-1: with nothing)."""

    lock: threading.Lock
    change: int
    removed: int

    @property
    def nbytes(self) -> int:
        """Memory that it takes, about."""

    def __len__(self) -> int:
        """How many memories it is about."""


T = TypeVar("T", bound=Held)


class OwnerCache(Generic[T]):
    """Held things by owner; when they take more than `budget` bytes the least recently used leave.

    `catch_up` puts what is newer than the held one's `change` into it, and looks what is gone if it is told to.
    """

    def __init__(
        self,
        make: Callable[[], T],
        budget: int,
        counters: "Counters",
        catch_up: Callable[[Connection, T, str, bool], None],
    ) -> None:
        self._make = make
        self._budget = budget
        self._counters = counters
        self._catch_up = catch_up
        self._lock = threading.Lock()
        self._held: OrderedDict[str, T] = OrderedDict()

    def get(self, owner: str) -> T:
        """The owner's, a new empty one if there is none."""
        with self._lock:
            held = self._held.get(owner)
            if held is None:
                held = self._held[owner] = self._make()
            self._held.move_to_end(owner)
            self._evict()
            return held

    def level(self, database: Database, owner: str, since: int | None = None) -> T:
        """The owner's, brought level with the database.

        Args:
            since: what the owner's `change` was a moment ago: that is new enough, and nobody is asked for more.
        """
        held = self.get(owner)
        if held.change >= (self._counters.peek(database, owner) if since is None else since):
            return held
        with database.engine.connect() as connection:
            change, removed = self._counters.look(connection, owner)
            with held.lock:
                if held.change < change:
                    self._catch_up(connection, held, owner, removed != held.removed and len(held) > 0)
                    held.change, held.removed = change, removed
        return held

    def follow(self, owner: str, change: int, removed: int, dropped: int, act: Callable[[T], None]) -> None:
        """Have the owner's, if it is here, follow a change that is committed: after it the counters are these.

        When it misses more, another process having written meanwhile, the next search reads what is newer.
        """
        held = self.peek(owner)
        if held is None:
            return
        with held.lock:
            if (held.change, held.removed) == (change - 1, removed - dropped):
                act(held)
                held.change, held.removed = change, removed

    def peek(self, owner: str) -> T | None:
        """The owner's if it is here."""
        with self._lock:
            return self._held.get(owner)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()

    def __len__(self) -> int:
        return len(self._held)

    def _evict(self) -> None:
        total = sum(held.nbytes for held in self._held.values())
        while total > self._budget and len(self._held) > 1:
            _, oldest = self._held.popitem(last=False)
            total -= oldest.nbytes


class Counters:
    """Owners' change counters in one table: each write raises `change`, and `removed` by what went away.

    Several processes may write. Whatever is held and behind these reads what is newer before it answers.
    """

    def __init__(self, table: str) -> None:
        self._bump = f"""INSERT INTO {table} (owner_id, change, removed) VALUES (?, 1, ?)
            ON CONFLICT (owner_id) DO UPDATE SET change = change + 1, removed = removed + excluded.removed
            RETURNING change, removed"""  # noqa: S608 -- the table's name is ours
        self._look = f"SELECT change, removed FROM {table} WHERE owner_id = ?"  # noqa: S608
        self._bump_all = f"UPDATE {table} SET change = change + 1, removed = removed + 1"  # noqa: S608

    def bump(self, connection: Connection, owner: str, *, removed: int = 0) -> tuple[int, int]:
        """Raise the owner's counters; what they are then."""
        row = connection.exec_driver_sql(self._bump, (owner, removed)).one()
        return int(row[0]), int(row[1])

    def bump_all(self, connection: Connection) -> None:
        """Raise every owner's."""
        connection.exec_driver_sql(self._bump_all)

    def peek(self, database: Database, owner: str) -> int:
        """What the owner's `change` is. Nearly every search finds that nothing has changed, so it is asked of the
        driver alone: a transaction around the one statement took four times as long."""
        rows = database.asked_alone(self._look, (owner,))
        return int(rows[0][0]) if rows else 0

    def look(self, connection: Connection, owner: str) -> tuple[int, int]:
        """What the owner's counters are."""
        row = connection.exec_driver_sql(self._look, (owner,)).first()
        return (int(row[0]), int(row[1])) if row else (0, 0)
