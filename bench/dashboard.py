"""What a browser measures of the dashboard: paints, shifts, blocked time, bytes, and how soon it answers a person.

    python -m bench.dashboard [--size 100000] [--runs 5] [--throttle 4] [--data DIR]

A server of its own with one owner's memories (`bench/speed_data.py`), the built pages, and headless Chromium with its
processor slowed down as Lighthouse does for a telephone; the network is the loopback. `bench/dashboard.mjs` drives it.
The pages are asked for in turns, run by run, so that whatever else the machine does falls on all of them alike.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.client import Server, out, progress, started
from bench.speed_data import OWNER, Filled, fill
from rich.table import Table

from app.settings import ROOT

SCRIPT = Path(__file__).with_name("dashboard.mjs")
MODELS = ROOT / "data" / "test-models"  # made once a checkout

Figures = dict[str, dict[str, list[float]]]  # page, figure: a value a run


def filled(directory: Path, size: int) -> Filled:
    """A database with so many memories; one that an earlier run left there is used again."""
    note = directory / "filled.json"
    if note.exists():
        kept = json.loads(note.read_text())
        return Filled(directory, kept["size"], kept["api_key"], kept["ids"])
    with progress() as bar:
        made = fill(directory, size, bar, bar.add_task(f"filling {size:,}", total=size))
    note.write_text(json.dumps({"size": size, "api_key": made.api_key, "ids": [str(id) for id in made.ids[:1_000]]}))
    return made


def measured(server: Server, memory: str, runs: int, throttle: float) -> Figures:
    """The browser's figures of all runs.

    Raises:
        CalledProcessError: the browser could not be driven; what it said is on standard error.
    """
    asked = {"url": server.base_url, "key": server.api_key, "owner": OWNER, "memory": memory}
    asked |= {"runs": runs, "throttle": throttle}
    command = ["node", str(SCRIPT), json.dumps(asked)]
    figures: Figures = defaultdict(lambda: defaultdict(list))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process, progress() as bar:
        task = bar.add_task("looking at pages", total=None)
        assert process.stdout is not None
        for line in process.stdout:
            said: dict[str, Any] = json.loads(line)
            for name, value in said["figures"].items():
                figures[said["page"]][name].append(value)
            bar.advance(task)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return figures


def spread(values: list[float]) -> str:
    """The median, and the range where there is one."""
    median, least, most = statistics.median(values), min(values), max(values)
    return shown(median) if shown(least) == shown(most) else f"{shown(median)} [{shown(least)}-{shown(most)}]"


def shown(value: float) -> str:
    """Whole where that says enough."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3f}"


def pages_table(figures: Figures) -> Table:
    """A column a page."""
    pages = {page: values for page, values in figures.items() if "FCP ms" in values}
    table = Table(title="median [range]")
    table.add_column("", no_wrap=True)
    for page in pages:
        table.add_column(page, justify="right", no_wrap=True)
    for name in next(iter(pages.values())):
        table.add_row(name, *(spread(values[name]) for values in pages.values()))
    return table


def steps_table(page: str, values: dict[str, list[float]]) -> Table:
    """A row a step of a person's."""
    table = Table(title=f"{page}, median [range]")
    for name in ("step", "INP ms", "longest task ms", "until done ms"):
        table.add_column(name, justify="left" if name == "step" else "right", no_wrap=True)
    for step in dict.fromkeys(name.partition(": ")[0] for name in values):
        parts = (values[f"{step}: {part}"] for part in ("INP ms", "longest task ms", "done ms"))
        table.add_row(step, *(spread(part) for part in parts))
    return table


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench.dashboard", description="What a browser measures of the dashboard.")
    parser.add_argument("--size", type=int, default=100_000, help="memories")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--throttle", type=float, default=4, help="how many times slower the browser's processor is")
    parser.add_argument("--data", type=Path, help="keep the database here, and use it again")
    return parser.parse_args()


def main() -> None:
    """Fill, serve, look, print."""
    options = parsed()
    if not (ROOT / "ui" / "out" / "index.html").exists():
        sys.exit("The dashboard is not built: make ui")
    with TemporaryDirectory(prefix="commonplace-bench-") as temporary:
        directory = (options.data or Path(temporary)) / str(options.size)
        made = filled(directory, options.size)
        if MODELS.exists() and not (directory / "models").exists():
            os.symlink(MODELS, directory / "models")
        with started(directory, RATE_LIMIT_LOGIN="off") as server:
            figures = measured(server, str(made.ids[-1]), options.runs, options.throttle)
    out.print(f"{options.size:,} memories, {options.runs} runs, processor {options.throttle:g} times slower")
    out.print(pages_table(figures))
    for page, values in figures.items():
        if "FCP ms" not in values:
            out.print(steps_table(page, values))


if __name__ == "__main__":
    main()
