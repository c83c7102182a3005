"""mem0's own MemoryClient and AsyncMemoryClient against the server at argv[1]; prints what they saw as JSON.

A process of its own: the client writes into MEM0_DIR when it is imported, and nothing here may leave the machine.
"""

import asyncio
import json
import os
import socket
import sys
import time
from typing import Any

HOST, KEY = sys.argv[1], os.environ["KEY"]
seen: dict[str, Any] = {}
resolve = socket.getaddrinfo


def only_here(host: Any, *more: Any, **options: Any) -> Any:
    """Resolve the loopback alone."""
    if host not in ("127.0.0.1", b"127.0.0.1"):
        raise OSError(f"a connection to {host!r} was tried")
    return resolve(host, *more, **options)


socket.getaddrinfo = only_here

from mem0 import AsyncMemoryClient, MemoryClient  # noqa: E402 -- only now may it be imported
from mem0.exceptions import AuthenticationError, MemoryNotFoundError, ValidationError  # noqa: E402

client = MemoryClient(api_key=KEY, host=HOST)
ANN = {"user_id": "ann"}


def fails(kind: type[Exception], call: Any) -> str:
    """What an exception of that kind says."""
    try:
        call()
    except kind as error:
        return str(error)
    raise AssertionError(f"{kind.__name__} was expected")


def event(event_id: str) -> Any:
    """The event once it is over; the client has no method for it."""
    for _ in range(300):
        found = client.client.get(f"/v1/event/{event_id}/").raise_for_status().json()
        if found["status"] in ("SUCCEEDED", "FAILED"):
            return found
        time.sleep(0.05)
    raise TimeoutError(event_id)


def texts(found: Any) -> list[str]:
    """The memories of an answer."""
    return [one["memory"] for one in found["results"]]


def synchronous() -> None:
    """Every method of the client once."""
    seen["ping"] = [client.org_id, client.project_id, client.user_email]
    queued = client.add("I drink strong coffee", user_id="ann", infer=False, metadata={"topic": "food"})
    seen["queued"], seen["event"] = queued["status"], event(queued["event_id"])["results"][0]["data"]
    done = client.add([{"role": "user", "content": "We fly to Rome"}], user_id="ann", infer=False, async_mode=False)
    seen["added"] = texts(done)
    rome = done["results"][0]["id"]
    seen["all"] = texts(client.get_all(filters=ANN))
    page = client.get_all(filters=ANN, page=1, page_size=1)
    seen["page"] = [page["count"], texts(page), page["next"].removeprefix(HOST)]
    seen["found"] = texts(client.search("which drink", filters={"AND": [ANN, {"topic": "food"}]}, top_k=1))
    seen["got"] = client.get(rome)["user_id"]
    seen["updated"] = client.update(rome, text="We fly to Oslo", expiration_date="2999-01-01")["expiration_date"]
    seen["history"] = [one["event"] for one in client.history(rome)]
    seen["batch"] = client.batch_update([{"memory_id": rome, "text": "We fly to Bern"}])
    seen["feedback"] = client.feedback(rome, "positive", "good")["feedback"]
    seen["users"] = sorted([one["type"], one["name"]] for one in client.users()["results"])
    order = client.create_memory_export(schema="{}", filters=ANN)
    seen["export"] = [one["memory"] for one in client.get_memory_export(memory_export_id=order["id"])["memories"]]
    seen["summary"] = client.get_summary(filters=ANN)["summary"]
    seen["profile"] = client.get_profile("ann")["status"]
    client.project.update(custom_instructions="Be brief")
    seen["project"] = client.project.get(fields=["custom_instructions"])
    refusals()
    seen["deleted"] = [
        client.delete(rome, delete_linked=True),
        client.delete_all(filters=ANN),
        client.get_all(filters=ANN),
    ]
    client.add("I live in Rome", user_id="team/bo x", infer=False, async_mode=False)
    seen["users deleted"] = client.delete_users(user_id="team/bo x")
    seen["nobody"] = client.users()["results"]


def refusals() -> None:
    """What the client makes of what is refused."""
    unknown = "00000000-0000-4000-8000-000000000000"
    seen["unknown"] = fails(MemoryNotFoundError, lambda: client.get(unknown))
    seen["invalid"] = fails(ValidationError, lambda: client.search("x", filters={"a": {"wat": 1}}))
    seen["no key"] = fails(ValueError, lambda: MemoryClient(api_key="wrong", host=HOST))
    client.client.headers["Authorization"] = "Token wrong"
    seen["revoked"] = fails(AuthenticationError, lambda: client.get(unknown))
    client.client.headers["Authorization"] = f"Token {KEY}"


async def asynchronous() -> None:
    """The asynchronous client's way of the most important ones."""
    async with AsyncMemoryClient(api_key=KEY, host=HOST) as own:
        await own.add("I like figs", user_id="cy", infer=False, async_mode=False)
        seen["async"] = [
            texts(await own.get_all(filters={"user_id": "cy"})),
            texts(await own.search("fruit", filters={"user_id": "cy"})),
            await own.delete_all(user_id="cy"),
        ]


synchronous()
asyncio.run(asynchronous())
print(json.dumps(seen))
