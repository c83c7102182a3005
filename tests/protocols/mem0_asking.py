"""What the tests of the mem0 door share."""

import json
from typing import Any

from fastapi.testclient import TestClient

from tests.protocols.asking import GOLDEN, ok


def golden(name: str) -> Any:
    """A golden answer of the mem0 door."""
    return json.loads((GOLDEN / "mem0" / f"{name}.json").read_text())


def add(client: TestClient, words: Any, **fields: Any) -> list[dict[str, Any]]:
    """Store messages as they are; what was made of them."""
    sent = {"messages": words, "infer": False, **({} if fields.keys() & {"user_id", "agent_id", "run_id"} else ALICE)}
    results: list[dict[str, Any]] = ok(client.post("/memories", json={**sent, **fields}))["results"]
    return results


def remember(client: TestClient, words: str, **fields: Any) -> str:
    """Store one memory as it is; its id."""
    (result,) = add(client, words, **fields)
    return str(result["id"])


def listed(client: TestClient, **query: Any) -> list[str]:
    """What GET /memories shows, in its order."""
    return [one["memory"] for one in ok(client.get("/memories", params=query))["results"]]


def found(client: TestClient, query: str, **body: Any) -> list[str]:
    """What POST /search finds, best first."""
    return [one["memory"] for one in ok(client.post("/search", json={"query": query, **body}))["results"]]


def chain(client: TestClient, id: str) -> list[tuple[Any, ...]]:
    """A memory's history, as short as it can be said."""
    links = ok(client.get(f"/memories/{id}/history"))
    return [(link["event"], link["old_memory"], link["new_memory"]) for link in links]


ALICE = {"user_id": "alice"}
