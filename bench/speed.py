"""How fast, beside the floor of the same machine: p50, p95 and requests a second of the main endpoints.

    python -m bench.speed [--sizes 1000,10000,100000] [--clients 1,16] [--rounds 5] [--data DIR] [--json FILE]

One server a size, all running at once, each with one owner who has all the memories. A round asks every endpoint and
its floor (`bench/speed_server.py`) in turns of a few requests, then goes on to the next size: whatever else the machine
does meanwhile falls on all of them alike. Ratios are taken within a round; what is printed is their median and range.
"""

import argparse
import asyncio
import json
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import psutil
from bench.client import Server, out, percentile, progress, started
from bench.speed_data import OWNER, Filled, Writer, fill
from bench.speed_load import Burst, Connection, burst, request, with_connections
from rich.progress import Progress
from rich.table import Table

SIZES = "1000,10000,100000"
CLIENTS = "1,16"
PAGE, DEEP = 50, 1_000
BULK = 50
TURN = 10  # requests of one kind in a row
RSS_LIMIT = 500  # MB
READ_LIMIT, GROWTH_LIMIT, CREATE_LIMIT, SEARCH_LIMIT = 3.0, 1.5, 1.5, 2.0

NOTES = """\
The databases were filled by SQL with seeded text and random unit vectors; creates and queries embed for real. The load
comes from another process than the servers: keep-alive connections over raw asyncio streams. Floors are endpoints of
the same app with the same authentication. Of a read: the same bytes from memory; of create: one embedding, one durable
commit; of search: one embedding, the index's query (both legs, tokens and traits of the best). Raw: the last two
without HTTP."""

Make = Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked, its floor, how many requests a round; `limit` is of real over floor, `raw` its floor without HTTP.

    Fewer than ten requests a round are slow ones: several clients do not ask more of them.
    """

    name: str
    real: Make
    floor: Make | None = None
    count: int = 40
    limit: float | None = None
    grows: bool = False
    raw: str | None = None


@dataclass(slots=True)
class Figures:
    """All that was measured of an operation at one size with so many clients."""

    real: Burst = field(default_factory=Burst)
    floor: Burst = field(default_factory=Burst)
    ratios: list[float] = field(default_factory=list)
    medians: list[float] = field(default_factory=list)  # of each round, milliseconds

    def add(self, real: Burst, floor: Burst) -> None:
        """Take a round in."""
        self.real.add(real)
        self.floor.add(floor)
        self.medians.append(percentile(real.times, 50))
        if floor.times:
            self.ratios.append(self.medians[-1] / percentile(floor.times, 50))


@dataclass(frozen=True, slots=True)
class Spread:
    """A median and what it lies between."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """The values' spread; None of none."""
        return cls(statistics.median(values), min(values), max(values)) if values else None

    def __str__(self) -> str:
        return f"{self.median:.2f} [{self.least:.2f}-{self.most:.2f}]"


Key = tuple[str, int, int]  # operation, size, clients
Results = dict[Key, Figures]


class Bench:
    """One size's server, its data and its operations."""

    def __init__(self, server: Server, filled: Filled) -> None:
        assert server.process is not None
        self.size = filled.size
        self.port = int(server.base_url.rsplit(":", 1)[1])
        self.process = psutil.Process(server.process.pid)
        self.writer = Writer(filled.size)
        self._key, self._ids = filled.api_key, filled.ids
        self._chance = random.Random(filled.size)
        self.page = min(DEEP, max(1, filled.size // PAGE))

    def ask(self, method: str, path: str, body: Any = None) -> bytes:
        """A request with the owner's key."""
        return request(method, path, self._key, body)

    def floor(self, name: str) -> Make:
        """The endpoint that answers the same bytes from memory."""
        made = self.ask("GET", f"/bench/floor/{name}")
        return lambda: made

    def reads(self) -> list[Operation]:
        """Whatever changes nothing but the access log."""
        of_owner, key = f"user_id={OWNER}", {"user_id": OWNER}
        filtered = {**key, "page": 1, "size": PAGE}
        plain: list[tuple[str, Make]] = [
            ("list page 1", self._get(f"/memories?{of_owner}")),
            (f"list page {DEEP:,}", self._get(f"/memories?{of_owner}&page={self.page}")),
            ("filter", self._post("/memories/filter", lambda: filtered)),
            ("get", lambda: self.ask("GET", f"/memories/{self._chance.choice(self._ids)}?{of_owner}")),
            ("apps", self._get(f"/apps?{of_owner}")),
            ("stats", self._get(f"/stats?{of_owner}")),
            ("categories", self._get(f"/memories/categories?{of_owner}")),
        ]
        found = [Operation(name, real, self.floor(_slug(name)), limit=READ_LIMIT, grows=True) for name, real in plain]
        worded = self._post("/memories/filter", lambda: filtered | {"search_query": "violin"})
        asking = self._post("/memories/search", lambda: key | {"query": self.writer.question()})
        least = self._post("/bench/search", lambda: {"text": self.writer.question()})
        export = self._post("/backup/export", lambda: key)
        return [
            *found,
            Operation("filter with text", worded, self.floor("filter-with-text"), count=10),
            Operation("search", asking, least, count=20, limit=SEARCH_LIMIT, raw="search"),
            Operation("export", export, self.floor("export"), count=1),
        ]

    def writes(self) -> list[Operation]:
        """Whatever adds memories: measured after the reads, so that those find the sizes that they say."""
        key = {"user_id": OWNER, "infer": False}
        create = self._post("/memories", lambda: key | {"text": self.writer.sentence()})
        least = self._post("/bench/create", lambda: {"text": self.writer.sentence()})
        items = self._post("/memories/bulk", lambda: key | {"memories": self._texts()})
        return [
            Operation("create", create, least, count=20, limit=CREATE_LIMIT, raw="create"),
            Operation(f"bulk create ({BULK})", items, count=2),
        ]

    def _texts(self) -> list[dict[str, str]]:
        return [{"text": self.writer.sentence()} for _ in range(BULK)]

    def _get(self, path: str) -> Make:
        made = self.ask("GET", path)
        return lambda: made

    def _post(self, path: str, body: Callable[[], Any]) -> Make:
        return lambda: self.ask("POST", path, body())

    def raw(self, verb: str, texts: int = 20) -> bytes:
        """The request that measures a floor without HTTP."""
        make = self.writer.sentence if verb == "create" else self.writer.question
        return self.ask("POST", f"/bench/raw/{verb}", {"texts": [make() for _ in range(texts)]})


def _slug(name: str) -> str:
    return name.replace(" ", "-").replace(",", "")


async def prepared(bench: Bench, operations: Sequence[Operation]) -> list[Operation]:
    """Those of the operations that the server has, each asked once and its answer kept for the floor."""
    known = []
    connection = await Connection.open(bench.port)
    for operation in operations:
        status, body = await connection.ask(operation.real())
        if status == 404:
            out.print(f"[yellow]{operation.name}: this server has no such endpoint[/]")
            continue
        if status >= 300:
            raise RuntimeError(f"{operation.name} answered {status}: {body[:300]!r}")
        for name in {_slug(operation.name), operation.raw or _slug(operation.name)}:
            await connection.ask(bench.ask("PUT", f"/bench/floor/{name}", body))
        known.append(operation)
    await connection.close()
    return known


async def measure(bench: Bench, operation: Operation, clients: int) -> tuple[Burst, Burst]:
    """One round: turns of floor and real."""
    count = operation.count if clients == 1 or operation.count < TURN else max(operation.count, 4 * clients)
    turn = min(count, TURN if clients == 1 else count)

    async def use(connections: list[Connection]) -> tuple[Burst, Burst]:
        real, floor = Burst(), Burst()
        for _ in range(max(1, count // turn)):
            if operation.floor:
                floor.add(await burst(connections, [operation.floor() for _ in range(turn)]))
            real.add(await burst(connections, [operation.real() for _ in range(turn)]))
        return real, floor

    found: tuple[Burst, Burst] = await with_connections(bench.port, clients, use)
    failures = [*found[0].failures, *found[1].failures]
    if failures:
        raise RuntimeError(f"{operation.name} with {clients} clients: {len(failures)} failed, first: {failures[0]}")
    return found


async def rounds(
    benches: Sequence[Bench], options: argparse.Namespace, bar: Progress
) -> tuple[Results, dict[Key, list[float]]]:
    """Every round's figures, and the raw floors' milliseconds."""
    results: Results = {}
    raws: dict[Key, list[float]] = {}
    for kind in ("reads", "writes"):
        known = [(bench, await prepared(bench, getattr(bench, kind)())) for bench in benches]
        total = options.rounds * len(options.clients) * sum(len(operations) for _, operations in known)
        task = bar.add_task(f"measuring {kind}", total=total)
        for _ in range(options.rounds):
            for number in range(max(len(operations) for _, operations in known)):
                await _turn(known, number, options.clients, results, raws)
                bar.advance(task, len(known) * len(options.clients))
    return results, raws


async def _turn(
    known: Sequence[tuple[Bench, list[Operation]]],
    number: int,
    clients: Sequence[int],
    results: Results,
    raws: dict[Key, list[float]],
) -> None:
    """One operation at every size: side by side, because growth is compared between them."""
    for many in clients:
        for bench, operations in known:
            operation = operations[number]
            key = (operation.name, bench.size, many)
            results.setdefault(key, Figures()).add(*await measure(bench, operation, many))
            if operation.raw and many == 1:
                raws.setdefault(key, []).extend(await _raw(bench, operation.raw))


async def _raw(bench: Bench, verb: str) -> list[float]:
    async def use(connections: list[Connection]) -> list[float]:
        _, body = await connections[0].ask(bench.raw(verb))
        times: list[float] = json.loads(body)
        return times

    found: list[float] = await with_connections(bench.port, 1, use)
    return found


def growth(results: Results, key: Key, smallest: int) -> Spread | None:
    """p50 over the p50 at the smallest size, round by round."""
    name, size, clients = key
    base = results.get((name, smallest, clients))
    if base is None or size == smallest:
        return None
    return Spread.of([here / there for here, there in zip(results[key].medians, base.medians, strict=True)])


def table(results: Results, raws: dict[Key, list[float]], clients: int, smallest: int) -> Table:
    """The figures with so many clients."""
    shown = Table(title=f"{clients} client{'s' * (clients > 1)} (times in ms; ratios: median and range of the rounds)")
    for name in (
        "operation",
        "memories",
        "p50",
        "p95",
        "req/s",
        "floor p50",
        "real / floor",
        "raw p50",
        "p50 / smallest",
    ):
        shown.add_column(name, justify="left" if name == "operation" else "right", no_wrap=True)
    last = ""
    for key, figures in sorted(results.items(), key=lambda item: (list(results).index(item[0]), item[0][1])):
        name, size, many = key
        if many == clients:
            shown.add_section() if last not in ("", name) else None
            last = name
            shown.add_row(name, f"{size:,}", *_cells(key, figures, results, raws, smallest))
    return shown


def _cells(
    key: Key, figures: Figures, results: Results, raws: dict[Key, list[float]], smallest: int
) -> tuple[str, ...]:
    real, floor = figures.real, figures.floor
    return (
        f"{percentile(real.times, 50):.2f}",
        f"{percentile(real.times, 95):.2f}",
        f"{len(real.times) / real.seconds:.0f}",
        f"{percentile(floor.times, 50):.2f}" if floor.times else "",
        str(Spread.of(figures.ratios) or ""),
        f"{percentile(raws[key], 50):.2f}" if key in raws else "",
        str(growth(results, key, smallest) or ""),
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target of the issue, and what was measured (median [least-most])."""

    target: str
    limit: float
    measured: Spread

    @property
    def is_met(self) -> bool:
        """Whether the median is within the limit."""
        return self.measured.median <= self.limit

    def __str__(self) -> str:
        mark = "[green]PASS[/]" if self.is_met else "[red bold]FAIL[/]"
        return f"{mark}  {self.target}: {self.measured} (at most {self.limit:g})"


def verdicts(results: Results, operations: Sequence[Operation], sizes: Sequence[int], clients: int) -> list[Verdict]:
    """The issue's targets, at the largest size with the fewest clients."""
    found = []
    for operation in operations:
        key = (operation.name, max(sizes), clients)
        ratio = Spread.of(results[key].ratios) if key in results else None
        if operation.limit and ratio:
            found.append(Verdict(f"{operation.name}, p50 over its floor's", operation.limit, ratio))
        grown = growth(results, key, min(sizes)) if key in results else None
        if operation.grows and grown:
            found.append(Verdict(f"{operation.name}, p50 over its own at {min(sizes):,}", GROWTH_LIMIT, grown))
    return found


def memory(bench: Bench) -> tuple[float, float]:
    """The process's resident and unique set sizes, MB."""
    found = bench.process.memory_full_info()
    return found.rss / 1e6, found.uss / 1e6


def filled(root: Path, sizes: Sequence[int], bar: Progress) -> list[Filled]:
    """A database a size; one that an earlier run left in `root` is used again."""
    return [_kept(root / str(size)) or _filled(root / str(size), size, bar) for size in sizes]


def _filled(directory: Path, size: int, bar: Progress) -> Filled:
    made = fill(directory, size, bar, bar.add_task(f"filling {size:,}", total=size))
    note = {"size": size, "api_key": made.api_key, "ids": [str(id) for id in made.ids[:1_000]]}
    (directory / "filled.json").write_text(json.dumps(note))
    return made


def _kept(directory: Path) -> Filled | None:
    note = directory / "filled.json"
    if not note.exists():
        return None
    kept = json.loads(note.read_text())
    return Filled(directory, kept["size"], kept["api_key"], [UUID(id) for id in kept["ids"]])


def _numbers(text: str) -> list[int]:
    return sorted(int(part) for part in text.split(","))


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench.speed", description="How fast, beside the floor of the same machine.")
    parser.add_argument("--sizes", type=_numbers, default=_numbers(SIZES), help=f"memories, default {SIZES}")
    parser.add_argument("--clients", type=_numbers, default=_numbers(CLIENTS), help=f"at once, default {CLIENTS}")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--data", type=Path, help="keep the filled databases here, and use those that are here")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    return parser.parse_args()


def main() -> None:
    """Fill, start, measure, print; exit 1 if a target is missed."""
    options = parsed()
    with TemporaryDirectory(prefix="commonplace-speed-") as temporary, progress() as bar, ExitStack() as stack:
        data = filled(options.data or Path(temporary), options.sizes, bar)
        command = (sys.executable, "-m", "bench.speed_server")
        servers = [stack.enter_context(started(one.data_dir, command=command, SWEEP_SECONDS="3600")) for one in data]
        benches = [Bench(server, one) for server, one in zip(servers, data, strict=True)]
        results, raws = asyncio.run(rounds(benches, options, bar))
        rss, uss = memory(benches[-1])
        operations = [*benches[-1].reads(), *benches[-1].writes()]
    report(options, benches, results, raws, rss, uss)
    found = verdicts(results, operations, options.sizes, min(options.clients))
    found.append(Verdict(f"resident memory at {max(options.sizes):,} memories, MB", RSS_LIMIT, Spread(rss, uss, rss)))
    for verdict in found:
        out.print(str(verdict), highlight=False)
    if options.json:
        options.json.write_text(json.dumps(as_json(results, raws, rss, uss), indent=1))
    sys.exit(0 if all(verdict.is_met for verdict in found) else 1)


def report(
    options: argparse.Namespace,
    benches: Sequence[Bench],
    results: Results,
    raws: dict[Key, list[float]],
    rss: float,
    uss: float,
) -> None:
    """The tables, and what one has to know to read them."""
    for clients in options.clients:
        out.print(table(results, raws, clients, min(options.sizes)))
    for bench in benches:
        if bench.page < DEEP:
            out.print(
                f"At {bench.size:,} memories page {DEEP:,} of {PAGE} is beyond the end: page {bench.page} instead."
            )
    out.print(
        NOTES, f"{options.rounds} rounds. After everything the largest process has RSS {rss:.0f}, USS {uss:.0f} MB."
    )


def as_json(results: Results, raws: dict[Key, list[float]], rss: float, uss: float) -> dict[str, Any]:
    """The figures for a program."""
    rows = [
        {
            "operation": name,
            "memories": size,
            "clients": clients,
            "p50": percentile(figures.real.times, 50),
            "p95": percentile(figures.real.times, 95),
            "rps": len(figures.real.times) / figures.real.seconds,
            "floor_p50": percentile(figures.floor.times, 50) if figures.floor.times else None,
            "ratios": figures.ratios,
            "medians": figures.medians,
            "raw_p50": percentile(raws[key], 50) if (key := (name, size, clients)) in raws else None,
        }
        for (name, size, clients), figures in results.items()
    ]
    return {"rss_mb": rss, "uss_mb": uss, "rows": rows}


if __name__ == "__main__":
    main()
