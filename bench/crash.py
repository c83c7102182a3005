"""Is anything lost when the server is killed?

    python -m bench.crash [--kills 20] [--clients 4]

Clients create, update and delete as fast as they can; at a random moment the server is killed (SIGKILL). It is started
again on the same data, and then every write that was answered 2xx must be there, be found by search after the sweep
(or, when deleted, be found nowhere), and `commonplace doctor` must be content. Each memory holds a word of its own, so
that what a search finds is certain.
"""

import argparse
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from bench.client import SERVE, Server, connect, out, progress, started

KILLS, CLIENTS = 20, 4
LEAST_SECONDS, MOST_SECONDS = 0.3, 2.0  # of writing before a kill
SWEEP_SECONDS = 0.5
PATIENCE = 60.0  # seconds until what a kill left unindexed is to be found
MEMORIES, SEARCH = "/api/v1/memories", "/api/v1/memories/search"
READERS = 4  # requests at once when everything is looked at


@dataclass(slots=True)
class Memory:
    """What the server has said yes to. `unsure` are the texts (None: gone) of a write that was not answered."""

    id: str
    text: str | None
    unsure: list[str | None] = field(default_factory=list)

    @property
    def possible(self) -> list[str | None]:
        """What it may say now."""
        return [self.text, *self.unsure]


class Writer:
    """One client: writes until it is stopped or the server is gone, and remembers what was answered."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.memories: list[Memory] = []
        self.answered = 0
        self._chance = random.Random(seed)
        self._number = 0

    def write(self, server: Server, stopped: threading.Event) -> None:
        """Write until `stopped`, or the connection breaks."""
        with connect(server) as client:
            while not stopped.is_set():
                try:
                    self._write_one(client)
                except httpx.TransportError:
                    return

    def _write_one(self, client: httpx.Client) -> None:
        living = [memory for memory in self.memories if memory.text is not None and not memory.unsure]
        choice = self._chance.random()
        if choice < 0.6 or not living:
            self._create(client)
        elif choice < 0.8:
            self._update(client, self._chance.choice(living))
        else:
            self._delete(client, self._chance.choice(living))

    def _text(self) -> str:
        self._number += 1
        return f"On day {self._number} we talked about {self.name}x{self._number} and the weather"

    def _create(self, client: httpx.Client) -> None:
        text = self._text()
        answer = client.post(MEMORIES, json={"text": text, "infer": False})
        self._accept(answer)
        self.memories.append(Memory(answer.json()["id"], text))

    def _update(self, client: httpx.Client, memory: Memory) -> None:
        text = self._text()
        memory.unsure.append(text)  # until it is answered
        self._accept(client.put(f"{MEMORIES}/{memory.id}", json={"memory_content": text}))
        memory.text, memory.unsure = text, []

    def _delete(self, client: httpx.Client, memory: Memory) -> None:
        memory.unsure.append(None)
        self._accept(client.delete(f"{MEMORIES}/{memory.id}"))
        memory.text, memory.unsure = None, []

    def _accept(self, answer: httpx.Response) -> None:
        if not answer.is_success:
            raise RuntimeError(
                f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text[:300]}"
            )
        self.answered += 1


def run(data_dir: Path, kills: int, clients: int, seed: int, writers: list[Writer]) -> Iterator[list[str]]:
    """Kill so many times on the same data; yields what was found wrong after each kill, in words.

    `writers` is filled with the clients, who know what was answered.
    """
    chance = random.Random(seed)
    writers += [Writer(f"{chr(97 + number)}{seed}", seed + number) for number in range(clients)]
    for kill in range(kills + 1):
        with server_of(data_dir) as server:
            if kill:
                yield _examined(server, data_dir, [memory for writer in writers for memory in writer.memories])
            if kill < kills:
                _write_and_kill(server, writers, chance.uniform(LEAST_SECONDS, MOST_SECONDS))


@contextmanager
def server_of(data_dir: Path) -> Iterator[Server]:
    """A server that sweeps often; it may be killed."""
    with started(data_dir, SWEEP_SECONDS=str(SWEEP_SECONDS)) as server, connect(server) as client:
        client.post(SEARCH, json={"query": "is the engine loaded"})  # so that no time is lost on that
        yield server


def _write_and_kill(server: Server, writers: list[Writer], seconds: float) -> None:
    stopped = threading.Event()
    with ThreadPoolExecutor(len(writers)) as pool:
        work = [pool.submit(writer.write, server, stopped) for writer in writers]
        time.sleep(seconds)
        assert server.process is not None
        server.process.kill()
        server.process.wait()
        stopped.set()
        for one in work:
            one.result()


def _examined(server: Server, data_dir: Path, memories: Sequence[Memory]) -> list[str]:
    with connect(server) as client, ThreadPoolExecutor(READERS) as pool:
        wrong = [line for lines in pool.map(partial(stored, client), memories) for line in lines]
        wrong += searched(client, memories, pool)
    return [*wrong, *diagnosed(data_dir)]


def stored(client: httpx.Client, memory: Memory) -> list[str]:
    """What is wrong with the memory as SQL has it; settles what an unanswered write became."""
    answer = client.get(f"{MEMORIES}/{memory.id}")
    found = answer.json()["text"] if answer.status_code == 200 else None
    if found not in memory.possible:
        return [f"{memory.id} says {found!r}, and not one of {memory.possible}"]
    memory.text, memory.unsure = found, []
    return []


def searched(client: httpx.Client, memories: Sequence[Memory], pool: ThreadPoolExecutor) -> list[str]:
    """What the search does not find, or should not, once the sweep has had its time."""
    waiting, end = list(memories), time.monotonic() + PATIENCE
    while True:
        agreed = pool.map(partial(_as_it_should, client), waiting)
        waiting = [memory for memory, is_well in zip(waiting, agreed, strict=True) if not is_well]
        if not waiting or time.monotonic() > end:
            return [f"search does not agree about {memory.id}, {memory.text!r}" for memory in waiting]
        time.sleep(SWEEP_SECONDS)


def _as_it_should(client: httpx.Client, memory: Memory) -> bool:
    if memory.text is None:
        return client.get(f"{MEMORIES}/{memory.id}").status_code == 404
    word = memory.text.split()[6]
    return _finds(client, word, "keyword", 1, memory) and _finds(client, word, "hybrid", 10, memory)


def _finds(client: httpx.Client, word: str, mode: str, limit: int, memory: Memory) -> bool:
    found = client.post(SEARCH, json={"query": word, "limit": limit, "mode": mode}).json()["results"]
    return (memory.id, memory.text) in [(one["id"], one["content"]) for one in found]


def diagnosed(data_dir: Path) -> list[str]:
    """What the doctor finds wrong."""
    ran = subprocess.run(
        [SERVE[0], "doctor"],
        env=os.environ | {"DATA_DIR": str(data_dir)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return [] if ran.returncode == 0 else [f"doctor: {line}" for line in (ran.stdout + ran.stderr).splitlines()]


def main() -> None:
    """Kill, look, print; exit 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="bench.crash", description="Is anything lost when the server is killed?")
    parser.add_argument("--kills", type=int, default=KILLS, help=f"default {KILLS}")
    parser.add_argument("--clients", type=int, default=CLIENTS, help=f"default {CLIENTS}")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of what is written and when")
    options: Any = parser.parse_args()
    wrong: list[str] = []
    writers: list[Writer] = []
    with TemporaryDirectory(prefix="commonplace-crash-") as directory, progress() as bar:
        task = bar.add_task("killing", total=options.kills)
        for lines in run(Path(directory), options.kills, options.clients, options.seed, writers):
            wrong += lines
            bar.advance(task)
    for line in wrong:
        out.print(line, markup=False)
    answered, memories = sum(one.answered for one in writers), sum(len(one.memories) for one in writers)
    out.print(
        f"{'FAIL' if wrong else 'PASS'}: {options.kills} kills, {answered} writes answered 2xx, {memories} memories, "
        f"seed {options.seed}, {len(wrong)} findings"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
