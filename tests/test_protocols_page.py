"""docs/protocols.md: its commands are run as they stand there, by a shell with curl, against a real server."""

import os
import re
import subprocess
import time
from pathlib import Path

from bench.client import Server, started

from app.settings import ROOT
from tests.conftest import MODEL_CACHE

PAGE = ROOT / "docs" / "protocols.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
# What the last answer of each block has to show: what the first one wrote.
SHOWN = ["blue pot", "ferns", "oven", "bicycle", "PostgreSQL", "Node 20", "blue pot"]
PATIENCE = 20  # seconds: hosted mem0's adds are carried out after the answer


def shell(block: str, server: Server) -> list[str]:
    """What each command of the block answers; it must succeed."""
    told = {"URL": server.base_url, "KEY": server.api_key, "NAME": "alice"}
    commands = re.split(r"\n(?=curl )", block.strip())
    answers = []
    for command in commands:
        done = subprocess.run(
            ["bash", "-euc", command], env=os.environ | told, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        answers.append(done.stdout)
    return answers


def test_every_command_works_and_finds_what_was_written(tmp_path: Path) -> None:
    assert len(BLOCKS) == len(SHOWN)
    MODEL_CACHE.mkdir(parents=True, exist_ok=True)
    (tmp_path / "models").symlink_to(MODEL_CACHE)
    with started(tmp_path, DEFAULT_USER_ID="alice") as server:
        for block, words in zip(BLOCKS, SHOWN, strict=True):
            deadline = time.monotonic() + PATIENCE
            found = shell(block, server)[-1]
            while words not in found and time.monotonic() < deadline:
                time.sleep(0.2)
                found = shell(block[block.rindex("curl ") :], server)[-1]
            assert words in found, block
