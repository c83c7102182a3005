"""What old clients do is understood at every door."""

import pytest
from fastapi.testclient import TestClient

from tests.protocols.across.doors import ALL, Door, Mcp

pytestmark = pytest.mark.one_database


# MCP's SDK insists on the right name, and so its clients send it.
@pytest.mark.parametrize("door", [kind for kind in ALL if kind is not Mcp], indirect=True)
@pytest.mark.parametrize(
    "kind", [None, "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded"]
)
def test_json_is_json_whatever_it_is_called(door: Door, kind: str | None) -> None:
    method, path, body = door.sample_write("Bees dance to tell where the flowers are")
    response = door.ask(method, path, content=body, kind=kind)
    assert response.status_code < 300, response.text
    assert door.find("where do bees find flowers")


@pytest.mark.parametrize("door", ALL, indirect=True)
def test_a_page_without_a_credential_cannot_send_json_as_text(door: Door) -> None:
    method, path, body = door.sample_write("A page of somebody else's wrote this")
    headers = {"Origin": "https://example.org", "Content-Type": "text/plain"}
    response = TestClient(door.app).request(method, path, content=body, headers=headers)
    assert response.status_code >= 400


@pytest.mark.parametrize("door", ALL, indirect=True)
def test_a_slash_at_the_end_changes_nothing(door: Door) -> None:
    for path in door.sample_reads():
        asked, _, query = path.partition("?")
        other = asked.rstrip("/") if asked.endswith("/") else f"{asked}/"
        plain, slashed = door.ask("GET", path), door.ask("GET", f"{other}?{query}")
        assert (plain.status_code, slashed.status_code) == (200, 200), path


@pytest.mark.parametrize("door", ALL, indirect=True)
def test_unknown_fields_are_ignored(door: Door) -> None:
    method, path, body = door.sample_write("Owls turn their heads far", unheard_of={"field": [1]})
    assert door.ask(method, path, content=body).status_code < 300


@pytest.mark.parametrize("door", ALL, indirect=True)
def test_head_is_get_without_a_body(door: Door) -> None:
    for path in door.sample_reads():
        get, head = door.ask("GET", path), door.ask("HEAD", path)
        assert (head.status_code, head.content) == (get.status_code, b"")


@pytest.mark.parametrize("door", ALL, indirect=True)
def test_options_says_what_a_path_knows(door: Door) -> None:
    method, path, _ = door.sample_write("x")
    response = door.ask("OPTIONS", path)
    assert response.status_code in (200, 204)
    assert method in (response.headers.get("allow") or response.headers["access-control-allow-methods"])


@pytest.mark.parametrize("door", ALL, indirect=True)
def test_a_big_body_is_taken_and_a_bigger_one_is_refused_in_its_own_shape(door: Door) -> None:
    method, path, body = door.sample_write("Whales sing", metadata={"note": "x" * 60_000})
    assert door.ask(method, path, content=body).status_code < 300
    refused = door.ask(method, path, headers={"Content-Length": str(2**30)}, content=b"{}")
    assert refused.status_code in (400, 413)
    door.check_error(refused)
