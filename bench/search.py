"""What a search costs beside one embedding, over HTTP: 100,000 memories of one owner, and of 1,000 owners.

    python -m bench.search [--memories 100000] [--owners 1,1000] [--rounds 5] [--data DIR]

One server an arrangement, all running at once. A round asks in turns: searches, an endpoint of the same app that only
embeds, and the embedding without HTTP. Ratios are taken within a round; printed are their median and range.
"""

import argparse
import asyncio
import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.client import Server, out, percentile, progress, started
from bench.speed import Spread
from bench.speed_data import OWNER, Filled, Writer, fill
from bench.speed_load import Connection, burst, request, with_connections
from rich.progress import Progress

TARGETS = {1: 3.0, 1_000: 1.5}
TURN = 20


@dataclass(slots=True)
class Figures:
    """Milliseconds (medians of the rounds) of a search, of embedding over HTTP and of embedding alone."""

    owners: int
    search: list[float] = field(default_factory=list)
    embedding: list[float] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)

    def ratios(self, floor: list[float]) -> list[float]:
        """Of each round."""
        return [here / there for here, there in zip(self.search, floor, strict=True)]


async def turn(server: Server, filled: Filled, writer: Writer, figures: Figures) -> None:
    """One round."""

    async def use(connections: list[Connection]) -> None:
        key, questions = filled.api_key, [writer.question() for _ in range(3 * TURN)]
        searches = [request("POST", "/memories/search", key, {"user_id": OWNER, "query": q}) for q in questions[:TURN]]
        embeds = [request("POST", "/bench/embed", key, {"text": q}) for q in questions[TURN : 2 * TURN]]
        raw = request("POST", "/bench/raw/embed", key, {"texts": questions[2 * TURN :]})
        real, floor = await burst(connections, searches), await burst(connections, embeds)
        failures = [*real.failures, *floor.failures]
        if failures:
            raise RuntimeError(failures[0])
        figures.search.append(percentile(real.times, 50))
        figures.embedding.append(percentile(floor.times, 50))
        figures.raw.append(percentile(json.loads((await connections[0].ask(raw))[1]), 50))

    await with_connections(int(server.base_url.rsplit(":", 1)[1]), 1, use)


def _filled(root: Path, memories: int, owners: int, bar: Progress) -> Filled:
    return fill(
        root / f"{memories}-{owners}", memories, bar, bar.add_task(f"filling for {owners}", total=memories), owners
    )


def main() -> None:
    """Fill, start, measure, print; exit 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="bench.search", description="What a search costs beside one embedding.")
    parser.add_argument("--memories", type=int, default=100_000, help="default 100000")
    parser.add_argument("--owners", default="1,1000", help="default 1,1000")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    options = parser.parse_args()
    owners = [int(part) for part in options.owners.split(",")]
    with TemporaryDirectory(prefix="commonplace-search-") as folder, progress() as bar, ExitStack() as stack:
        data = [_filled(Path(folder), options.memories, one, bar) for one in owners]
        command = (sys.executable, "-m", "bench.speed_server")
        servers = [stack.enter_context(started(one.data_dir, command=command, SWEEP_SECONDS="3600")) for one in data]
        figures, writer = [Figures(one) for one in owners], Writer(1)
        task = bar.add_task("measuring", total=options.rounds * len(owners))
        for number in range(options.rounds + 1):
            for server, one, found in zip(servers, data, figures, strict=True):
                # The first round loads what is held in memory, and is not counted.
                asyncio.run(turn(server, one, writer, Figures(0) if number == 0 else found))
                bar.advance(task, number > 0)
    reached = [report(found, options.memories) for found in figures]
    sys.exit(0 if all(reached) else 1)


def report(found: Figures, memories: int) -> bool:
    """Print the figures; whether the target is reached."""
    middle = [f"{percentile(times, 50):.2f}" for times in (found.search, found.embedding, found.raw)]
    out.print(
        f"{memories:,} memories of {found.owners:,} owners, p50 in ms: search {middle[0]}, "
        f"an embedding over HTTP {middle[1]}, an embedding alone {middle[2]}"
    )
    alone, web = Spread.of(found.ratios(found.raw)), Spread.of(found.ratios(found.embedding))
    limit = TARGETS.get(found.owners)
    reached = limit is None or web is None or web.median <= limit
    mark = "[green]PASS[/]" if reached else "[red bold]FAIL[/]"
    out.print(f"{mark}  search over an embedding, both by HTTP: {web} (at most {limit})", highlight=False)
    out.print(f"      search by HTTP over an embedding alone: {alone}", highlight=False)
    return reached


if __name__ == "__main__":
    main()
