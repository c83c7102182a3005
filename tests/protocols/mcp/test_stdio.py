"""`commonplace mcp`: the process as a client starts it, spoken to by the SDK's own client."""

import os
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters
from sqlalchemy import select

from app.database import Database
from app.models import App, Memory, User
from app.settings import Settings
from tests.protocols.mcp.speaking import told


@pytest.mark.one_database
def test_a_client_that_starts_the_process_is_served_on_the_database_itself(settings: Settings) -> None:
    environment = {
        **os.environ,
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.url,
        "DEFAULT_USER_ID": "boss",
        "LOG_LEVEL": "DEBUG",
    }
    command = str(Path(sys.executable).with_name("commonplace"))
    arguments = ["mcp", "--user", "ann", "--client", "zed"]
    process = StdioServerParameters(command=command, args=arguments, env=environment)

    async def whole() -> Any:
        async with Client(process) as client:
            told(await client.call_tool("add_memories", {"text": "The cat is called Tom", "infer": False}))
            return told(await client.call_tool("search_memory", {"query": "what is the cat's name"}))

    (hit,) = anyio.run(whole)["results"]
    assert (hit["memory"], hit["app_name"]) == ("The cat is called Tom", "zed")
    database = Database(settings.url)
    with database.reading() as session:
        row = session.execute(select(User.user_id, App.name).join(Memory, Memory.user_id == User.id).join(App)).one()
    database.dispose()
    assert tuple(row) == ("ann", "zed")
