"""A filled database: seeded text, random unit vectors, several apps, categories, versions; written straight into SQL.

Embedding 100,000 texts takes minutes and says nothing about speed that one embedding does not, so the vectors are
random. Everything else is as the server would have written it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress, TaskID
from sqlalchemy import Connection, insert

from app import migrations
from app.database import Database, new_id, now
from app.engine import late
from app.engine.text import terms
from app.engine.tokens import VERSION
from app.models import ApiKey, App, Category, Config, Memory, MemoryVersion, State, User, memory_categories
from app.services import credentials, drafts

OWNER = "bench"
APPS = ("openmemory", "claude", "cursor", "terminal", "notes")
CATEGORIES = ("work", "family", "health", "travel", "food", "music", "money", "home")
MODEL = "local:default:384"  # what `app.engine.providers` calls the default configuration's vectors
DIMENSIONS = 384
BATCH = 1_000
SEED = 20_261_121
_COMMON = """
    I you we they she he said that about with from this after before when because really think want need like love
    went made found told asked bought planned finished started remember forgot promised hope wish tried learned
    morning evening weekend summer winter Monday Friday birthday meeting dinner breakfast coffee garden kitchen office
    school hospital airport station museum library concert movie book letter picture phone laptop project deadline
    budget report invoice contract customer colleague neighbour brother sister mother father daughter son friend dog
    cat car bicycle train flight hotel passport ticket recipe guitar piano violin painting marathon yoga doctor
    dentist allergy medicine vitamin salad bread cheese chocolate tea wine Berlin Lisbon Kyoto Toronto Nairobi Oslo
    blue green red small large new old favourite expensive quiet beautiful difficult easy early late next last every
"""
_SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi xo zu bran ston lek mar tis ver don pel cor"


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with `size` memories of one owner, whose key (read, write) is `api_key`."""

    data_dir: Path
    size: int
    api_key: str
    ids: list[UUID]


class Writer:
    """Writes sentences: common words often, one of 3,000 rarer ones now and then, as people do."""

    def __init__(self, seed: int = SEED) -> None:
        self._random = random.Random(seed)
        parts = _SYLLABLES.split()
        rare = ["".join(self._random.choices(parts, k=self._random.randint(2, 3))) for _ in range(3_000)]
        self._words = [*_COMMON.split(), *rare]
        self._weights = [1.0 / (place + 8) for place in range(len(self._words))]

    def sentence(self, least: int = 8, most: int = 28) -> str:
        """So many words; a person's turn in a conversation has about twenty."""
        words = self._random.choices(self._words, self._weights, k=self._random.randint(least, most))
        return " ".join(words).capitalize() + "."

    def question(self) -> str:
        """Four to eight words."""
        return "What about " + " ".join(self._random.choices(self._words, self._weights, k=6)) + "?"


def fill(data_dir: Path, size: int, progress: Progress, task: TaskID, owners: int = 1) -> Filled:
    """A migrated database in `data_dir` with `size` memories; `task` advances by one a memory.

    With several owners they have the same share of them, and `ids` are the first one's.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{data_dir / 'commonplace.db'}"
    migrations.migrate(url)
    database = Database(url, durable=False)
    made, ids = credentials.new_key(), []
    with database.transaction() as session:
        connection = session.connection()
        owner, apps, categories = _household(connection, made)
        others = [_neighbour(connection, number) for number in range(1, owners)]
        for batch in _batches(size, [(owner, apps), *others]):
            _write(connection, owner, batch, categories)
            ids += [row["id"] for row in batch if row["user_id"] == owner]
            progress.advance(task, len(batch))
    database.dispose()
    return Filled(data_dir, size, made.key, ids)


def _household(connection: Connection, made: credentials.NewKey) -> tuple[UUID, list[UUID], list[UUID]]:
    owner = new_id()
    connection.execute(insert(User), {"id": new_id(), "user_id": "admin", "is_admin": True, "metadata_": {}})
    connection.execute(insert(User), {"id": owner, "user_id": OWNER, "is_admin": False, "metadata_": {}})
    key = {"label": OWNER, "prefix": made.prefix, "key_hash": made.hash, "scopes": ["read", "write"]}
    connection.execute(insert(ApiKey), {"id": new_id(), "user_id": owner, **key})
    apps = [{"id": new_id(), "owner_id": owner, "name": name, "metadata_": {}} for name in APPS]
    categories = [{"id": new_id(), "user_id": owner, "name": name} for name in CATEGORIES]
    connection.execute(insert(App), apps)
    connection.execute(insert(Category), categories)
    connection.execute(insert(Config), {"key": "index", "value": {"model": MODEL}})
    return owner, [app["id"] for app in apps], [category["id"] for category in categories]


def _neighbour(connection: Connection, number: int) -> tuple[UUID, list[UUID]]:
    owner, app = new_id(), new_id()
    connection.execute(insert(User), {"id": owner, "user_id": f"neighbour-{number}", "metadata_": {}})
    connection.execute(insert(App), {"id": app, "owner_id": owner, "name": APPS[0], "metadata_": {}})
    return owner, [app] * len(APPS)


def _batches(size: int, owners: Sequence[tuple[UUID, list[UUID]]]) -> Iterator[list[dict[str, Any]]]:
    chance, writer = random.Random(SEED), Writer()
    begin = now() - timedelta(days=365)
    for start in range(0, size, BATCH):
        numbers = range(start, min(start + BATCH, size))
        yield [
            _memory(chance, writer, *owners[n % len(owners)], begin + timedelta(days=364 * n / size)) for n in numbers
        ]


def _memory(chance: random.Random, writer: Writer, owner: UUID, apps: Sequence[UUID], when: Any) -> dict[str, Any]:
    content = writer.sentence()
    run, author = f"session_{chance.randrange(500)}", chance.choice(("Ada", "Grace", "Alan"))
    return {
        "id": new_id(),
        "user_id": owner,
        "app_id": chance.choices(apps, (50, 20, 15, 10, 5))[0],
        "content": content,
        "content_hash": drafts.content_hash(content),
        "state": State.active,
        "metadata_": {"session_id": run, "speaker": author, "source": "bench"},
        "tags": [],
        "run_id": run,
        "author": author,
        "occurred_at": when,
        "created_at": when,
        "updated_at": when,
        "indexed_at": when,
    }


def _write(connection: Connection, owner: UUID, rows: list[dict[str, Any]], categories: Sequence[UUID]) -> None:
    connection.execute(insert(Memory), rows)
    connection.execute(
        insert(MemoryVersion),
        [
            {"id": new_id(), "memory_id": row["id"], "version": 1, "event": "ADD", "changed_by": owner}
            | {key: row[key] for key in ("content", "metadata_", "state", "created_at")}
            for row in rows
        ],
    )
    chance = random.Random(rows[0]["id"].int)
    own = [row for row in rows if row["user_id"] == owner]
    links = [(row["id"], chosen) for row in own for chosen in chance.sample(categories, chance.randint(0, 2))]
    if links:
        values = [{"memory_id": id, "category_id": chosen} for id, chosen in links]
        connection.execute(insert(memory_categories), values)
    for one in dict.fromkeys(row["user_id"] for row in rows):
        _index(connection, one, [row for row in rows if row["user_id"] == one])


def _index(connection: Connection, owner: UUID, rows: list[dict[str, Any]]) -> None:
    """The rows' vectors and terms, in the form of `app.engine.stores.sqlite`."""
    for table in ("vector_owners", "word_owners"):
        change = f"INSERT INTO {table} VALUES (?, 1, 0) ON CONFLICT (owner_id) DO UPDATE SET change = change + 1"
        connection.exec_driver_sql(change, (owner.hex,))
    vectors = "INSERT INTO memory_vectors (memory_id, owner_id, model, change, vector) VALUES (?, ?, ?, 1, ?)"
    unit = _unit_vectors(len(rows))
    connection.exec_driver_sql(
        vectors, [(row["id"].hex, owner.hex, MODEL, unit[n].tobytes()) for n, row in enumerate(rows)]
    )
    tokens = "INSERT INTO memory_tokens (memory_id, model, tokens) VALUES (?, ?, ?)"
    connection.exec_driver_sql(tokens, [(row["id"].hex, f"{MODEL}/{VERSION}", _tokens(row["content"])) for row in rows])
    words = "INSERT INTO memory_terms (memory_id, owner_id, change, terms) VALUES (?, ?, 1, ?)"
    connection.exec_driver_sql(words, [(row["id"].hex, owner.hex, " ".join(terms(row["content"]))) for row in rows])


def _tokens(content: str) -> bytes:
    """Random token vectors, as many as the model would make of the text, about."""
    drawn = np.random.default_rng().standard_normal((len(content) // 5 + 2, late.DIMENSIONS), dtype=np.float32)
    return late.pack(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def _unit_vectors(count: int) -> NDArray[np.float32]:
    drawn = np.random.default_rng().standard_normal((count, DIMENSIONS), dtype=np.float32)
    vectors: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return vectors
