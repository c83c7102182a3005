"""`add_memories` with a model behind it. The LLM is scripted: see tests/scripted_llm.py."""

import time

import anyio
import pytest
from mcp.client.client import Client
from sqlalchemy import select

from app.context import Runtime
from app.models import Event
from tests.protocols.mcp.conftest import NewKey
from tests.protocols.mcp.speaking import Address, connected, refusal, told, use
from tests.scripted_llm import Reply, ScriptedLlm, facts


def test_the_receipt_says_what_was_learned(address: str, new_key: NewKey, llm: ScriptedLlm) -> None:
    door = Address(f"{address}/mcp/cursor/http/ann", new_key("ann"))
    llm.say(facts("Ann lives in Berlin", "Ann likes coffee"))
    receipt = told(use(door, "add_memories", text="I am Ann from Berlin, and coffee is what I like"))
    assert [(one["event"], one["memory"]) for one in receipt["results"]] == [
        ("ADD", "Ann lives in Berlin"),
        ("ADD", "Ann likes coffee"),
    ]
    assert (receipt["status"], receipt["inference"]) == ("SUCCEEDED", "llm")


def test_a_model_that_fails_is_told_and_what_was_sent_is_kept(
    address: str, new_key: NewKey, llm: ScriptedLlm, runtime: Runtime
) -> None:
    door = Address(f"{address}/mcp/cursor/http/ann", new_key("ann"))
    llm.default = lambda _: Reply("no", status=400)
    said = refusal(use(door, "add_memories", text="I am Ann from Berlin"))
    with runtime.database.reading() as session:
        (event,) = session.scalars(select(Event)).all()
    assert event.status == "FAILED"
    assert str(event.id) in said
    assert "What was sent is kept" in said


@pytest.mark.one_database
def test_a_slow_model_keeps_nobody_waiting(address: str, new_key: NewKey, llm: ScriptedLlm) -> None:
    door = Address(f"{address}/mcp/cursor/sse/ann", new_key("ann"))
    llm.say(Reply('{"facts": []}', delay=2))
    ended: list[str] = []

    async def add(client: Client) -> None:
        await client.call_tool("add_memories", {"text": "I am Ann from Berlin"})
        ended.append("add")

    async def whole() -> None:
        async with connected(door) as slow, connected(door) as quick, anyio.create_task_group() as tasks:
            tasks.start_soon(add, slow)
            while not llm.requests:
                await anyio.sleep(0.02)
            started = time.monotonic()
            for client in (quick, slow):  # on the same connection, too
                told(await client.call_tool("list_memories", {}))
                ended.append("list")
            assert time.monotonic() - started < 2

    anyio.run(whole)
    assert ended == ["list", "list", "add"]
