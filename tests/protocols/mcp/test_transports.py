"""Every way in: OpenMemory's addresses, `/mcp` with a key, SSE, keys in the URL; who is let in and who is not."""

import json
import logging
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from mcp import types
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError

from app.context import Runtime
from app.logs import Formatter
from app.main import create_app
from app.services import accounts, keys, users
from tests.conftest import ADMIN_KEY, AsCaller
from tests.protocols.mcp.conftest import NewKey
from tests.protocols.mcp.speaking import Address, talk, told, use, words

NAMES = [
    "add_memories",
    "search_memory",
    "list_memories",
    "delete_memories",
    "delete_all_memories",
    "update_memory",
    "get_memory",
    "memory_history",
]
JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
PLACES = ["/mcp", "/mcp/cursor/http/ann", "/mcp/cursor/sse/ann"]


def post(url: str, message: Any, key: str | None = None, **headers: str) -> httpx.Response:
    """A message as a client without an SDK posts it."""
    bearer = {"Authorization": f"Bearer {key}"} if key else {}
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return httpx.post(url, content=body, headers={**JSON, **bearer, **headers}, timeout=20)


def request(method: str, **params: Any) -> dict[str, Any]:
    """A JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


INITIALIZE = request(
    "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={"name": "test", "version": "1"}
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mode", ["legacy", "auto"])
@pytest.mark.one_database
def test_the_sdk_speaks_with_every_place(address: str, new_key: NewKey, place: str, mode: str) -> None:
    door = Address(f"{address}{place}", new_key("ann"), mode=mode)

    async def say(client: Client) -> None:
        assert client.server_info.name == "commonplace"
        assert "memory" in (client.instructions or "")
        assert [tool.name for tool in (await client.list_tools()).tools] == NAMES
        assert (await client.list_resources()).resources == []
        assert (await client.list_prompts()).prompts == []
        added = told(await client.call_tool("add_memories", {"text": "The cat is called Tom", "infer": False}))
        assert added["results"][0]["memory"] == "The cat is called Tom"
        listed = told(await client.call_tool("list_memories", {}))
        assert [one["memory"] for one in listed] == ["The cat is called Tom"]
        assert listed[0]["user_id"] == "ann"
        assert listed[0]["app_name"] == ("mcp" if place == "/mcp" else "cursor")

    talk(door, say)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.one_database
def test_a_key_in_the_url_is_as_good_and_is_not_logged(
    address: str, new_key: NewKey, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = new_key("ann")
    caplog.set_level(logging.DEBUG)
    told(use(Address(f"{address}{place}?key={key}"), "add_memories", text="I live in Rome", infer=False))
    ours = [record for record in caplog.records if record.name.startswith("commonplace")]
    assert any(record.__dict__.get("path", "").startswith("/mcp") for record in ours)
    assert not [line for line in map(Formatter().format, caplog.records) if key in line]


@pytest.mark.one_database
def test_in_open_mode_the_urls_work_without_a_key_and_make_their_user(server: FastAPI, address: str) -> None:
    runtime: Runtime = server.state.runtime
    runtime.settings.auth_mode = "open"
    for transport in ("http", "sse"):
        door = Address(f"{address}/mcp/claude/{transport}/zoe-{transport}")
        assert told(use(door, "search_memory", query="anything"))["results"] == []
        told(use(door, "add_memories", text="I play the cello", infer=False))
        (hit,) = told(use(door, "search_memory", query="music"))["results"]
        assert (hit["memory"], hit["app_name"]) == ("I play the cello", "claude")


@pytest.mark.one_database
def test_without_a_credential_the_answer_says_where_to_get_one(address: str) -> None:
    for place in PLACES:
        is_sse = "/sse/" in place
        answer = httpx.get(f"{address}{place}") if is_sse else post(f"{address}{place}", INITIALIZE)
        assert answer.status_code == 401
        assert answer.json()["error"]["message"].startswith("Missing credentials")
        expected = f'resource_metadata="{address}/.well-known/oauth-protected-resource{place}"'
        assert expected in answer.headers["www-authenticate"]
        assert "invalid_token" not in answer.headers["www-authenticate"]
    answer = post(f"{address}/mcp", INITIALIZE, "cp_unknown")
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_somebody_elses_url_is_refused_as_an_unknown_one(address: str, new_key: NewKey, runtime: Runtime) -> None:
    ann, bob = new_key("ann"), new_key("bob")
    told(use(Address(f"{address}/mcp", bob), "add_memories", text="Bob's secret", infer=False))
    answers = [post(f"{address}/mcp/cursor/http/{user}", INITIALIZE, ann) for user in ("bob", "nobody")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()
    assert httpx.get(f"{address}/mcp/cursor/sse/bob", headers={"Authorization": f"Bearer {ann}"}).status_code == 404
    (hit,) = told(use(Address(f"{address}/mcp/x/http/bob", ADMIN_KEY), "search_memory", query="secret"))["results"]
    assert hit["memory"] == "Bob's secret"


@pytest.mark.one_database
def test_a_key_of_one_app_is_not_good_at_the_url_of_another(address: str, new_key: NewKey) -> None:
    key = new_key("ann", app="cursor")
    assert post(f"{address}/mcp/claude/http/ann", INITIALIZE, key).status_code == 403
    told(use(Address(f"{address}/mcp/cursor/http/ann", key), "add_memories", text="Tea, not coffee", infer=False))
    (item,) = told(use(Address(f"{address}/mcp", key), "list_memories"))
    assert item["app_name"] == "cursor"


@pytest.mark.one_database
def test_a_user_who_is_deactivated_is_out(address: str, new_key: NewKey, ctx: AsCaller) -> None:
    key = new_key("ann")
    assert post(f"{address}/mcp", INITIALIZE, key).status_code == 200
    with ctx(writing=True) as c:
        users.change(c, "ann", {"is_active": False})
    assert post(f"{address}/mcp", INITIALIZE, key).status_code == 401


@pytest.mark.one_database
def test_what_is_no_mcp_is_said_in_its_own_way(address: str, new_key: NewKey) -> None:
    key = new_key("ann")
    url = f"{address}/mcp"
    bearer = {"Authorization": f"Bearer {key}"}
    for method in ("GET", "DELETE", "PUT"):
        answer = httpx.request(method, url, headers=bearer)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
        assert answer.json()["error"]["code"] == -32600
    assert httpx.head(f"{address}/mcp/cursor/sse/ann", headers=bearer).status_code == 200  # does not wait for an end
    assert post(url, b"{", key).status_code == 400
    assert post(url, b"{", key).json()["error"]["code"] == types.PARSE_ERROR
    assert post(url, INITIALIZE, key, Accept="text/html").status_code == 406
    assert post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, key).status_code == 202
    assert "error" in post(url, request("no/such/method"), key).json()
    assert httpx.get(f"{address}/mcp/nothing", headers=bearer).json()["error"]["message"] == "Not Found"
    assert post(f"{url}/messages/?session_id={'0' * 32}", INITIALIZE, key).status_code == 404
    assert post(f"{url}/messages/", INITIALIZE, key).status_code == 404
    for trailing in ("/mcp/", "/mcp/cursor/http/ann/"):
        assert post(f"{address}{trailing}", INITIALIZE, key).status_code == 200
    assert post(f"{address}/mcp/{'x' * 256}/http/ann", INITIALIZE, key).status_code == 400
    assert post(url, b" " * 5_000_000, key).status_code == 413


@pytest.mark.one_database
def test_an_unknown_tool_is_an_error_of_the_protocol(address: str, new_key: NewKey) -> None:
    async def say(client: Client) -> MCPError:
        with pytest.raises(MCPError, match="Unknown tool: forget_everything") as caught:
            await client.call_tool("forget_everything", {})
        return caught.value

    for place in PLACES:
        assert talk(Address(f"{address}{place}", new_key("ann")), say).code == types.INVALID_PARAMS


@pytest.mark.one_database
def test_a_page_of_elsewhere_gets_nothing_in_open_mode(server: FastAPI, runtime: Runtime) -> None:
    runtime.settings.auth_mode = "open"
    runtime.settings.allowed_hosts = ["memory.lan"]
    runtime.settings.public_url = "https://memory.example"
    page = TestClient(create_app(runtime.settings, runtime))

    def status(host: str, origin: str | None = None) -> int:
        headers = {**JSON, "Host": host, **({"Origin": origin} if origin else {})}
        return page.post("/mcp", json=INITIALIZE, headers=headers).status_code

    assert [status(host) for host in ("localhost:8765", "127.0.0.1", "memory.lan", "memory.example")] == [200] * 4
    assert status("evil.example") == 403  # as at every door
    assert status("localhost:8765", "http://evil.example") == 403
    assert status("localhost:8765", "http://localhost:3000") == 200


def test_a_key_that_is_revoked_ends_its_sse_session(address: str, ctx: AsCaller, new_key: NewKey) -> None:
    with ctx(writing=True) as c:
        accounts.ensure_user(c, "ann")
        made = keys.create(c, "test", ("read", "write"), user_id="ann")
    other = new_key("ann")
    with (
        httpx.Client(timeout=10) as http,
        http.stream("GET", f"{address}/mcp/cursor/sse/ann?key={made.secret}") as stream,
    ):
        lines = stream.iter_lines()
        assert next(lines) == "event: endpoint"
        messages = f"{address}{next(lines).removeprefix('data: ')}"
        assert messages.startswith(f"{address}/mcp/messages/?session_id=")
        assert post(messages, INITIALIZE).status_code == 202
        assert post(messages, INITIALIZE, made.secret).status_code == 202
        assert post(messages.replace("/mcp/messages", "/mcp/cursor/sse/ann/messages"), INITIALIZE).status_code == 202
        assert post(messages, INITIALIZE, other).status_code == 404
        with ctx(writing=True) as c:
            keys.revoke(c, made.view.id)
        assert post(messages, INITIALIZE).status_code == 401


def test_words_of_a_failure_are_text(address: str, new_key: NewKey) -> None:
    result = use(Address(f"{address}/mcp", new_key("ann", scopes=["read"])), "add_memories", text="x")
    assert result.is_error
    assert words(result) == "Error: This needs the scope 'write'"
