"""Vectors on PostgreSQL: is what is near found, for large owners and small ones among many, and how soon.

The vectors are the embedder's, of turns of real conversations put together anew, because random ones have no
neighbours to speak of. Each way is compared with all of the owner's vectors multiplied in memory.
"""

import argparse
import random
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import numpy as np
from bench.client import out
from bench.retrieval import DATA, read
from numpy.typing import NDArray
from rich.progress import track
from rich.table import Table
from sqlalchemy import Connection
from tests.postgres import running

from app import migrations
from app.database import Database, new_id
from app.engine.local import LocalEmbedding
from app.engine.stores import pgvector
from app.engine.stores.pgvector import PgVectorStore

SHARES = {"half": 0.5, "a fifth": 0.2, "a tenth": 0.1, "a hundredth": 0.01}
MODEL = "local:default:384"
DIMENSIONS = 384
BATCH = 1_000
LIMITS = (10, 200)  # what a caller wants, and what a leg of the index adds at least
QUESTIONS = 60

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Owner:
    """Somebody with a share of all the vectors."""

    name: str
    id: UUID
    ids: list[UUID]
    vectors: Floats


def texts(size: int) -> Iterator[str]:
    """So many texts: the turns of the conversations, then halves of two put together."""
    turns = read(DATA).turns
    yield from (f"{turn.speaker} ({turn.date}): {turn.text}" for turn in turns[:size])
    chance = random.Random(7)
    parts = [re.split(r"(?<=[.!?])\s+", turn.text) for turn in turns]
    for _ in range(size - len(turns)):
        one, other = chance.randrange(len(turns)), chance.randrange(len(turns))
        said = f"{chance.choice(parts[one])} {chance.choice(parts[other])}"
        yield f"{turns[one].speaker} ({turns[one].date}): {said}"


def embedded(size: int, kept: Path | None) -> tuple[Floats, Floats]:
    """The vectors of `size` texts and of the questions; read from `kept` if they are there, else made and put there."""
    if kept and kept.exists():
        held = np.load(kept)
        return held["vectors"][:size].astype(np.float32), held["questions"].astype(np.float32)
    embedder, said = LocalEmbedding(), list(texts(size))
    starts = track(range(0, size, BATCH), "Embedding", console=out)
    vectors = np.concatenate([embedder.encode(said[start : start + BATCH]) for start in starts])
    questions = embedder.encode([question.text for question in read(DATA).questions])
    if kept:
        np.savez(kept, vectors=vectors.astype(np.float16), questions=questions)
    return vectors, questions


def fill(database: Database, store: PgVectorStore, vectors: Floats) -> list[Owner]:
    """Owners with their shares, and everything else spread over a hundred others."""
    order = np.random.default_rng(1).permutation(len(vectors))
    owners, start = [], 0
    for name, share in SHARES.items():
        own = order[start : start + int(share * len(vectors))]
        owners.append(Owner(name, new_id(), [new_id() for _ in own], vectors[own]))
        start += len(own)
    rest = np.array_split(order[start:], 100)
    owners += [Owner("", new_id(), [new_id() for _ in own], vectors[own]) for own in rest]
    for owner in track(owners, "Writing", console=out):
        with database.transaction() as session:
            _introduce(session.connection(), owner)
        for at in range(0, len(owner.ids), BATCH):
            ids = [str(id) for id in owner.ids[at : at + BATCH]]
            store.insert(owner.vectors[at : at + BATCH], [{"user_id": str(owner.id)}] * len(ids), ids)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE memory_vectors")
    return owners[: len(SHARES)]


def _introduce(connection: Connection, owner: Owner) -> None:
    """The owner's rows that say how many memories there are."""
    values = {"owner": owner.id, "app": new_id(), "name": str(owner.id), "count": len(owner.ids)}
    for statement in (
        """INSERT INTO users (id, user_id, is_admin, is_active, metadata, created_at, updated_at)
            VALUES (%(owner)s, %(name)s, false, true, '{}', now(), now())""",
        """INSERT INTO apps (id, owner_id, name, is_active, accessed_count, metadata, created_at, updated_at)
            VALUES (%(app)s, %(owner)s, %(name)s, true, 0, '{}', now(), now())""",
        "INSERT INTO memory_tallies (user_id, app_id, state, count) VALUES (%(owner)s, %(app)s, 'active', %(count)s)",
    ):
        connection.exec_driver_sql(statement, values)


@contextmanager
def always(way: str) -> Iterator[None]:
    """Search one way, whatever it costs: "exact", "graph" or, as the store does it, "chosen"."""
    step = pgvector.STEP
    pgvector.STEP = {"exact": 10**12, "graph": 0, "chosen": step}[way]
    try:
        yield
    finally:
        pgvector.STEP = step


def measure(store: PgVectorStore, owner: Owner, questions: Floats, limit: int) -> tuple[float, float, float]:
    """p50 and p95 in milliseconds, and how many of the nearest are found."""
    seconds, recalls = [], []
    for question in questions:
        scores = owner.vectors @ question
        nearest = {str(owner.ids[place]) for place in np.argsort(-scores)[:limit]}
        start = time.perf_counter()
        hits = store.search("", question, limit, {"user_id": str(owner.id)})
        seconds.append(time.perf_counter() - start)
        recalls.append(len(nearest & {hit.id for hit in hits}) / len(nearest))
    ordered = sorted(seconds)
    return 1000 * statistics.median(ordered), 1000 * ordered[int(0.95 * len(ordered))], statistics.mean(recalls)


def report(store: PgVectorStore, owners: Sequence[Owner], questions: Floats) -> None:
    """A row for each owner, limit and way."""
    table = Table("owner has", "vectors", "wanted", "way", "p50 ms", "p95 ms", "recall")
    for owner in owners:
        for limit in LIMITS:
            for way in ("exact", "graph", "chosen"):
                with always(way):
                    measure(store, owner, questions[:5], limit)
                    p50, p95, recall = measure(store, owner, questions, limit)
                row = (owner.name, f"{len(owner.ids):,}", str(limit), way, f"{p50:.1f}", f"{p95:.1f}", f"{recall:.3f}")
                table.add_row(*row)
    out.print(table)


def timed(what: str, act: Callable[[], object]) -> None:
    """Do it, and say how long it took."""
    start = time.perf_counter()
    act()
    out.print(f"{what}: {time.perf_counter() - start:.1f} s")


def main() -> None:
    """As the arguments say."""
    parser = argparse.ArgumentParser(prog="bench-pgvector", description=__doc__)
    parser.add_argument("--size", type=int, default=100_000, help="vectors")
    parser.add_argument("--url", help="an empty database (postgresql+psycopg://...); a server of its own when absent")
    parser.add_argument("--vectors", type=Path, help="a file that keeps the vectors for the next time (.npz)")
    given = parser.parse_args()
    vectors, questions = embedded(given.size, given.vectors)
    with running() as server:
        database = Database(given.url or server.create())
        migrations.migrate(database.engine.url.render_as_string(hide_password=False))
        store = PgVectorStore(MODEL, DIMENSIONS, database)
        owners = fill(database, store, vectors)
        store._wants_graph = True
        timed("the graph is made", store.tend)
        report(store, owners, questions[:: len(questions) // QUESTIONS][:QUESTIONS])
        database.dispose()


if __name__ == "__main__":
    main()
