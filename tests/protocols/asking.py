"""What the tests of the doors share: how they ask, and how they compare what was answered."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import event, inspect

from app.context import Runtime
from app.services import accesses

API = "/api/v1"
GOLDEN = Path(__file__).parent / "golden"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
DERIVED = ("memory_terms", "alembic")  # the full-text index has shadow tables, compared through what search finds

Person = Callable[..., TestClient]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PREFIXED = re.compile(rf"mem_{_UUID.pattern}")
_ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
_NAIVE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?")


def ok(response: Response) -> Any:
    """The body of a 200, as strict JSON."""
    assert response.status_code == 200, response.text
    return strict(response)


def strict(response: Response) -> Any:
    """The body as JSON; NaN and Infinity are not JSON."""
    return json.loads(response.content, parse_constant=_refuse)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def remember(client: TestClient, words: str, **fields: Any) -> dict[str, Any]:
    """Store a memory through the door."""
    created: dict[str, Any] = ok(client.post(f"{API}/memories", json={"text": words, "infer": False, **fields}))
    return created


def listed(client: TestClient, **query: Any) -> list[str]:
    """What GET /memories shows, in its order."""
    page = ok(client.get(f"{API}/memories", params=query))
    return [item["content"] for item in page["items"]]


def filtered(client: TestClient, **body: Any) -> list[str]:
    """What POST /memories/filter shows, in its order."""
    page = ok(client.post(f"{API}/memories/filter", json=body))
    return [item["content"] for item in page["items"]]


def searched(client: TestClient, query: str, **body: Any) -> list[str]:
    """What POST /memories/search finds, best first."""
    answer = ok(client.post(f"{API}/memories/search", json={"query": query, **body}))
    return [hit["content"] for hit in answer["results"]]


def raw(client: TestClient, method: str, path: str, body: bytes, kind: str = "application/json") -> Response:
    """A request whose body is just these bytes."""
    return client.request(method, f"{API}{path}", content=body, headers={"Content-Type": kind})


def shape(value: Any) -> Any:
    """The value with ids and times replaced by what kind of id or time they are."""
    if isinstance(value, Mapping):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > 1_000_000_000:
        return "<epoch seconds>" if value < 100_000_000_000 else "<too large for epoch seconds>"
    return _kind(value) if isinstance(value, str) else value


def _kind(word: str) -> str:
    for pattern, kind in (
        (_UUID, "<uuid>"),
        (_PREFIXED, "mem_<uuid>"),
        (_ZONED, "<time, UTC>"),
        (_NAIVE, "<time without zone>"),
    ):
        if pattern.fullmatch(word):
            return kind
    return word


def golden(name: str, door: str = "openmemory") -> Any:
    """A golden answer of a door."""
    return json.loads((GOLDEN / door / f"{name}.json").read_text())


def dump(runtime: Runtime) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is stored, table by table."""
    accesses.spread(runtime)
    with runtime.database.engine.connect() as connection:
        tables = [name for name in sorted(inspect(connection).get_table_names()) if not name.startswith(DERIVED)]
        return {
            name: [tuple(row) for row in connection.exec_driver_sql(f'SELECT * FROM "{name}" ORDER BY 1, 2')]
            for name in tables
        }


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """The SQL statements that are executed inside, by whichever engine; without BEGIN and COMMIT."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK", "SET LOCAL")):
            seen.append(statement)

    engines = [runtime.database.engine]
    if runtime.database.is_sqlite:  # on PostgreSQL the index uses the truth's connections
        engines.append(runtime.engine.index.store._database.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
