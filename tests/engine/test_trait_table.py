"""The table of traits against the plainest one: a list of memories, sorted each time."""

from dataclasses import dataclass
from datetime import date

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.engine.keys import Key
from app.engine.ranking.table import TraitTable

KEYS = st.integers(1, 12).map(lambda number: f"{number:032x}")
RUNS = st.none() | st.sampled_from(["s1", "s2"])
DAYS = st.none() | st.dates()


@dataclass(frozen=True)
class Row:
    run: str | None
    created: int
    author: str | None
    day: date | None
    asks: bool
    length: int


class Table(RuleBasedStateMachine):
    """What is put, dropped and expected in a table, and what it says of any of it."""

    @initialize()
    def start(self) -> None:
        self.table, self.rows, self.awaited = TraitTable(), dict[Key, Row](), set[Key]()

    @rule(
        key=KEYS, run=RUNS, created=st.integers(0, 6), author=st.none() | st.just("Ann"), day=DAYS, asks=st.booleans()
    )
    def put(self, key: Key, run: str | None, created: int, author: str | None, day: date | None, asks: bool) -> None:
        self.rows[key] = row = Row(run, created, author, day, asks, created * 7)
        self.awaited.discard(key)
        self.table.put(key, row.run, row.created, row.author, row.day, row.asks, row.length)

    @rule(key=KEYS)
    def drop(self, key: Key) -> None:
        self.rows.pop(key, None)
        self.awaited.discard(key)
        self.table.drop(key)

    @rule(key=KEYS)
    def expect(self, key: Key) -> None:
        self.rows.pop(key, None)
        self.awaited.add(key)
        self.table.expect(key)

    @rule(keys=st.sets(KEYS))
    def keep(self, keys: set[Key]) -> None:
        self.rows = {key: row for key, row in self.rows.items() if key in keys}
        self.awaited &= keys
        self.table.keep(keys)

    @rule(asked=st.sets(KEYS))
    def ask(self, asked: set[Key]) -> None:
        beside = {key: self._beside(key) for key in asked & self.rows.keys()}
        befores = {after: key for key, (_, after) in beside.items() if after}
        afters = {before: key for key, (before, _) in beside.items() if before}
        expected = {key: (befores.get(key), afters.get(key)) for key in befores.keys() | afters.keys()} | beside
        found = self.table.near(asked)
        assert {key: told[1:3] for key, told in found.items()} == expected
        for key, (run, _, _, author, day, asks, length) in found.items():
            row = self.rows[key]
            assert (run, author, day, asks, length) == (row.run, row.author, row.day, row.asks, row.length)

    def _beside(self, key: Key) -> tuple[Key | None, Key | None]:
        run = self.rows[key].run
        turns = sorted((row.created, other) for other, row in self.rows.items() if run is not None and row.run == run)
        place = turns.index((self.rows[key].created, key)) if turns else 0
        before, after = turns[max(place - 1, 0) : place], turns[place + 1 : place + 2]
        return before[0][1] if before else None, after[0][1] if after else None

    @invariant()
    def counted(self) -> None:
        if hasattr(self, "table"):
            assert len(self.table) == len(self.rows)
            assert self.table.awaited == self.awaited
            assert (self.table.nbytes > 0) >= bool(self.rows)


TestTable = Table.TestCase
