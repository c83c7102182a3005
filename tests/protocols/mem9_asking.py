"""What the tests of the mem9 door share."""

import json
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from app.context import Runtime
from app.services import inference
from tests.protocols.asking import GOLDEN, ok

V1, V2 = "/v1alpha1", "/v1alpha2"
MEM9S = f"{V2}/mem9s"
MEMORIES = f"{MEM9S}/memories"
SESSIONS = f"{MEM9S}/session-messages"
IMPORTS = f"{MEM9S}/imports"

Space = Callable[..., TestClient]


def golden(name: str) -> Any:
    """A golden answer of the mem9 door."""
    return json.loads((GOLDEN / "mem9" / f"{name}.json").read_text())


def key_of(client: TestClient) -> str:
    """The key that a client shows."""
    return str(client.headers["X-API-Key"])


def write(client: TestClient, content: str, **fields: Any) -> None:
    """Store a content and wait for it."""
    assert ok(client.post(MEMORIES, json={"content": content, "sync": True, **fields})) == {"status": "ok"}


def say(client: TestClient, *said: str | tuple[str, int], session: str | None = "s1", **fields: Any) -> None:
    """Hand in messages of a user's, the numbered ones with their number, and wait for it."""
    messages = [
        {"role": "user", "content": one} if isinstance(one, str) else {"role": "user", "content": one[0], "seq": one[1]}
        for one in said
    ]
    body = {"messages": messages, "session_id": session, "sync": True, **fields}
    assert ok(client.post(MEMORIES, json=body)) == {"status": "ok"}


def pin(client: TestClient, content: str, **fields: Any) -> dict[str, Any]:
    """Pin a memory."""
    answer = client.post(MEMORIES, json={"content": content, "memory_type": "pinned", **fields})
    assert answer.status_code == 201, answer.text
    memory: dict[str, Any] = answer.json()
    return memory


def page(client: TestClient, **query: Any) -> dict[str, Any]:
    """A list or a recall."""
    answer: dict[str, Any] = ok(client.get(MEMORIES, params=query))
    return answer


def contents(client: TestClient, **query: Any) -> list[str]:
    """What a list or a recall shows, in its order."""
    return [memory["content"] for memory in page(client, **query)["memories"]]


def turns(client: TestClient, *sessions: str, **query: Any) -> list[str]:
    """The raw turns of sessions."""
    answer = ok(client.get(SESSIONS, params={"session_id": list(sessions), **query}))
    return [row["content"] for row in answer["messages"]]


def work(runtime: Runtime) -> None:
    """Do all that waits."""
    while inference.perform_next(runtime):
        pass


def refused(response: Response, status: int) -> str:
    """The text of an error in this protocol's shape."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body.keys() <= {"error", "id"}
    return str(body["error"])
