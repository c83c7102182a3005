"""How long making the index again takes, beside what the embedder alone takes for the same texts.

    python -m bench.reindex [--memories 2000] [--rounds 3]

Two in one run, in turns: `sync_all` over memories that are all marked as not indexed (reading, composing, embedding,
writing vectors and words, marking), and the embedder on the same composed texts in batches of the same size.
"""

import argparse
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.client import out

from app import migrations
from app.context import Runtime
from app.engine.sync import BATCH, sync_all
from app.engine.text import compose
from app.services import accounts, configs, indexes, memories
from app.services.drafts import draft
from app.settings import Settings

WORDS = "harbour violin train coffee garden doctor contract holiday river engine school market winter".split()  # noqa: SIM905
TARGET = 1.3


def sentences(count: int) -> list[str]:
    """Seeded texts of 8 to 30 words."""
    chance = random.Random(count)
    return [f"{n} {' '.join(chance.choices(WORDS, k=chance.randint(8, 30)))}" for n in range(count)]


def filled(directory: Path, texts: Sequence[str]) -> Runtime:
    """A runtime over a database that has these memories."""
    settings = Settings(data_dir=directory, database_url=f"sqlite:///{directory / 'commonplace.db'}")
    migrations.migrate(settings.url)
    runtime = Runtime(settings)
    accounts.bootstrap(runtime)
    configs.refresh(runtime)
    caller = accounts.admin(runtime)
    for start in range(0, len(texts), 1_000):
        with runtime.context(caller, writing=True) as ctx:
            memories.add(ctx, None, [draft(text) for text in texts[start : start + 1_000]], app=None, infer=False)
    return runtime


def reindexed(runtime: Runtime) -> float:
    """Seconds of making the index again."""
    indexes.forget(runtime)
    begin = time.perf_counter()
    for _ in sync_all(runtime.relaxed, runtime.engine.index):
        pass
    return time.perf_counter() - begin


def embedded(runtime: Runtime, texts: Sequence[str]) -> float:
    """Seconds of the embedder alone."""
    composed = [compose(text, None, None) for text in texts]
    begin = time.perf_counter()
    for start in range(0, len(composed), BATCH):
        runtime.engine.index.embed(composed[start : start + BATCH])
    return time.perf_counter() - begin


def main() -> None:
    """Measure, print; exit 1 if the target is missed."""
    parser = argparse.ArgumentParser(prog="bench.reindex", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--memories", type=int, default=2_000, help="default 2000")
    parser.add_argument("--rounds", type=int, default=3, help="default 3")
    options = parser.parse_args()
    texts = sentences(options.memories)
    with TemporaryDirectory(prefix="commonplace-reindex-") as directory:
        runtime = filled(Path(directory), texts)
        pairs = [(reindexed(runtime), embedded(runtime, texts)) for _ in range(options.rounds)]
        runtime.engine.index.close()
        runtime.close()
    ratios = sorted(here / there for here, there in pairs)
    rates = [len(texts) / seconds for seconds in map(statistics.median, zip(*pairs, strict=True))]
    out.print(f"{len(texts)} memories: reindex {rates[0]:.0f}/s, the embedder alone {rates[1]:.0f}/s")
    ratio = statistics.median(ratios)
    mark = "PASS" if ratio <= TARGET else "FAIL"
    out.print(
        f"{mark}  reindex over the embedder alone: {ratio:.2f} [{ratios[0]:.2f}-{ratios[-1]:.2f}] (at most {TARGET})"
    )
    raise SystemExit(0 if ratio <= TARGET else 1)


if __name__ == "__main__":
    main()
