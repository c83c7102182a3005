"""What the tests of the hosted wire share."""

import json
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from tests.protocols.asking import GOLDEN, ok

COFFEE = "I drink strong coffee, my favourite is espresso"
TRAIN = "The train to Berlin leaves at seven"


def golden(name: str) -> Any:
    """What the answer must look like, checked by hand against the contract."""
    return json.loads((GOLDEN / "platform" / f"{name}.json").read_text())


def add(client: TestClient, text: str, **fields: Any) -> str:
    """Store a text as it is; the memory's id."""
    return str(ok(client.post("/v3/memories/add/", json=body(text, **fields)))["results"][0]["id"])


def body(text: str, **fields: Any) -> dict[str, Any]:
    """An add of one message that is stored as it is, before the answer."""
    return {"messages": [{"role": "user", "content": text}], "infer": False, "async_mode": False, **fields}


def shown(client: TestClient, **asked: Any) -> list[str]:
    """What the list of version 3 shows, in its order."""
    return [one["memory"] for one in ok(client.post("/v3/memories/", json=asked))["results"]]


def found(client: TestClient, query: str, **asked: Any) -> list[str]:
    """What the search of version 3 finds, best first."""
    return [hit["memory"] for hit in ok(client.post("/v3/memories/search/", json={"query": query, **asked}))["results"]]


def refused(answer: Response) -> tuple[int, str]:
    """Status and detail."""
    return answer.status_code, answer.json()["detail"]
