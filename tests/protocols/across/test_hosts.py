"""A server that asks for no key answers no page that had its own name lead here (DNS rebinding)."""

import pytest

from app.context import Runtime
from tests.protocols.across.conftest import Opened
from tests.protocols.across.doors import ALL, Door, Mcp

pytestmark = pytest.mark.one_database
PLAIN = [kind for kind in ALL if kind is not Mcp]  # MCP's SDK has its own, stricter: tests/protocols/mcp
OURS = [
    "127.0.0.1:8765",
    "localhost",
    "app.localhost:1",
    "192.168.1.20:8765",
    "[::1]:8765",
    "[fd00::7]",
    "commonplace:80",
]
THEIRS = [
    "rebound.example",
    "rebound.example:8765",
    "127.0.0.1.example",
    "localhost.example",
    "a.b:c:d",
    "[rebound.example]",
]


def asked(runtime: Runtime, door: Door, host: str, **settings: object) -> int:
    """What a server with these settings answers to a read that names the host."""
    for name, value in settings.items():
        setattr(runtime.settings, name, value)
    response = door.ask("GET", door.sample_reads()[0], headers={"Host": host})
    if response.status_code >= 400:
        door.check_error(response)
        assert "ALLOWED_HOSTS" in response.text
    return response.status_code


@pytest.mark.parametrize("door", PLAIN, indirect=True, ids=lambda kind: kind.name)
def test_in_open_mode_a_name_that_nobody_gave_is_refused(door: Door, runtime: Runtime) -> None:
    for host in THEIRS:
        assert asked(runtime, door, host, auth_mode="open") == 403, host
    for host in OURS:
        assert asked(runtime, door, host, auth_mode="open") == 200, host


@pytest.mark.parametrize("door", PLAIN, indirect=True, ids=lambda kind: kind.name)
def test_names_that_somebody_gave_are_answered(door: Door, runtime: Runtime) -> None:
    named = {"auth_mode": "open", "allowed_hosts": ["Memory.example"], "public_url": "https://books.example:444/x"}
    assert asked(runtime, door, "memory.EXAMPLE:8765", **named) == 200
    assert asked(runtime, door, "books.example", **named) == 200
    assert asked(runtime, door, "other.example", **named) == 403


@pytest.mark.parametrize("door", PLAIN, indirect=True, ids=lambda kind: kind.name)
def test_where_a_key_is_needed_any_name_is_answered(door: Door, runtime: Runtime) -> None:
    assert asked(runtime, door, "rebound.example") == 200


def test_a_write_under_a_foreign_name_leaves_nothing(opened: Opened, runtime: Runtime) -> None:
    door = opened(PLAIN[0])
    runtime.settings.auth_mode = "open"
    method, path, body = door.sample_write("A rebound page wrote this")
    assert door.ask(method, path, content=body, headers={"Host": "rebound.example"}).status_code == 403
    assert not any("rebound" in text for text in door.listed())
