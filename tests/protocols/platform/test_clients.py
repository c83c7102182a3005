"""mem0's official clients of PyPI and npm, unmodified, over HTTP, against a real server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from bench.client import Server, started

from app.settings import ROOT
from tests.conftest import MODEL_CACHE

CLIENTS = ROOT / "tests" / "clients"
PATIENCE = 120  # seconds


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, on a free port."""
    folder = tmp_path_factory.mktemp("served")
    MODEL_CACHE.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(MODEL_CACHE)
    with started(folder, SWEEP_SECONDS="0.2") as server:
        yield server


def run(command: Sequence[str], server: Server, host: str, folder: Path) -> Any:
    """What the client saw, as JSON."""
    quiet = {"MEM0_TELEMETRY": "false", "MEM0_DIR": str(folder), "HOME": str(folder)}
    environment = {**os.environ, **quiet, "KEY": server.api_key}
    done = subprocess.run([*command, host], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-3_000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("prefix", ["", "/platform"])
def test_pythons_clients_work_with_a_host(real: Server, prefix: str, tmp_path: Path) -> None:
    host = f"{real.base_url}{prefix}"
    seen = run([sys.executable, "-W", "ignore", str(CLIENTS / "mem0_python.py")], real, host, tmp_path)
    done = "Memories deleted successfully!"
    assert seen == {
        "ping": ["commonplace", "default", "default_user"],
        "queued": "PENDING",
        "event": {"memory": "I drink strong coffee"},
        "added": ["We fly to Rome"],
        "all": ["We fly to Rome", "I drink strong coffee"],
        "page": [2, ["We fly to Rome"], "/v3/memories/?page=2&page_size=1"],
        "found": ["I drink strong coffee"],
        "got": "ann",
        "updated": "2999-01-01",
        "history": ["ADD", "UPDATE"],
        "batch": {"message": "Successfully updated 1 memory"},
        "feedback": "POSITIVE",
        "users": [["app", "mem0"], ["user", "ann"]],
        "export": ["We fly to Bern", "I drink strong coffee"],
        "summary": "- We fly to Bern\n- I drink strong coffee",
        "profile": "not_enabled",
        "project": {"custom_instructions": "Be brief"},
        "unknown": "Memory not found",
        "invalid": seen["invalid"],
        "no key": "Error: Invalid API key or access token",
        "revoked": "Invalid API key or access token",
        "deleted": [
            {"message": "Memory deleted successfully!"},
            {"message": done},
            {"count": 0, "next": None, "previous": None, "results": []},
        ],
        "users deleted": {"message": "Entity deleted successfully."},
        "nobody": [],
        "async": [["I like figs"], ["I like figs"], {"message": done}],
    }
    assert seen["invalid"].startswith("Unknown operator 'wat' for 'a'")


@pytest.mark.parametrize("prefix", ["", "/platform"])
def test_npms_client_works_with_a_host(real: Server, prefix: str, tmp_path: Path) -> None:
    host = f"{real.base_url}{prefix}"
    seen = run(["node", str(CLIENTS / "mem0_node.js")], real, host, tmp_path)
    assert seen.pop("webhooks")[1].startswith('{"detail": "This server has no webhooks')
    assert seen == {
        "queued": ["PENDING", "string"],
        "got": ["I moved to Porto", "bob", {"someKey": 1}, "20"],
        "page": [1, None, ["I moved to Porto"]],
        "found": ["I moved to Porto"],
        "updated": ["I moved to Faro", "2999-01-02"],
        "history": [["ADD", None, "I moved to Porto"], ["UPDATE", "I moved to Porto", "I moved to Faro"]],
        "users": True,
        "batch": {"message": "Successfully updated 1 memory"},
        "feedback": "Feedback submitted successfully!",
        "export": ["I moved to Beja"],
        "project": {"customInstructions": "Be brief"},
        "profile": "not_enabled",
        "unknown": "MemoryNotFoundError",
        "deleted": [{"message": "Successfully deleted 1 memory"}, {"message": "Memories deleted successfully!"}],
        "usersDeleted": {"message": "Entity deleted successfully."},
    }
