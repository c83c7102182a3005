"""Nonsense, sent to every address: refused in some way, never a crash, and nothing is stored of it."""

import json
from typing import Any

import httpx
import pytest

from app.context import Runtime
from tests.protocols.asking import dump
from tests.protocols.mcp.conftest import NewKey
from tests.protocols.mcp.test_transports import INITIALIZE, JSON, post, request

DEEP = "[" * 5_000 + "]" * 5_000
MESSAGES: list[Any] = [
    b"",
    b"null",
    b"[]",
    b"\xff\xfe",
    b'{"jsonrpc": "2.0", "id": NaN, "method": "ping"}',
    DEEP.encode(),
    {},
    [],
    [INITIALIZE, INITIALIZE],
    "text",
    {"jsonrpc": "1.0", "id": 1, "method": "ping"},
    {"jsonrpc": "2.0", "id": None, "method": "tools/list"},
    {"jsonrpc": "2.0", "id": {"a": 1}, "method": "tools/list"},
    {"jsonrpc": "2.0", "id": 1, "method": 7},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": []},
    {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}},
    {"jsonrpc": "2.0", "id": 1, "result": {}},
    request("tools/call"),
    request("tools/call", name=7),
    request("tools/call", name="add_memories", arguments=[]),
    request("tools/call", name="add_memories", arguments={"text": None}),
    request("tools/call", name="add_memories", arguments={"text": "\ud800"}),
    request("tools/call", name="search_memory", arguments={"query": "\x00"}),
    request("tools/call", name="list_memories", arguments={"limit": 1e400}),
    request("tools/call", name="list_memories", arguments={"limit": 10**40}),
    request("tools/call", name="\ud800", arguments={}),
    request("tools/call", name="x" * 100_000, arguments={}),
    request("tools/list", cursor="\x00"),
    request("resources/read", uri="file:///etc/passwd"),
    request("completion/complete", ref={}),
]
FORM = "application/x-www-form-urlencoded"
FORMS: list[Any] = [
    {},
    {"client_id": "\x00"},
    {"client_id": "00000000-0000-4000-8000-000000000000", "grant_type": "authorization_code"},
    {"grant_type": "password", "client_id": "x", "username": "x"},
    {"client_id": "x" * 10_000},
]
QUERIES = ["", "?client_id=%00", "?client_id=x&redirect_uri=%ff", "?request=", "?request=eyJ.eyJ.eyJ", "?request=%00"]


@pytest.mark.one_database
def test_nonsense_for_mcp(address: str, new_key: NewKey, runtime: Runtime) -> None:
    key = new_key("ann")
    before = dump(runtime)
    for version in (None, "2025-06-18", "2026-07-28", "1999-01-01", "~"):
        header = {"MCP-Protocol-Version": version} if version else {}
        for message in MESSAGES:
            answer = post(f"{address}/mcp", message, key, **header)
            assert answer.status_code < 500, (version, message, answer.text)
            assert "Traceback" not in answer.text
            assert "Internal" not in answer.text, (version, message, answer.text)
    shown: list[dict[str, Any]] = [{"Authorization": "Bearer"}, {"Authorization": "Basic eDp4"}, {"X-API-Key": b"\xff"}]
    for headers in shown:
        assert httpx.post(f"{address}/mcp", json=INITIALIZE, headers={**JSON, **headers}).status_code == 401
    stored = dump(runtime)
    changing = {"api_keys"}  # when a key was used is noted
    assert {name for name in stored if stored[name] != before[name]} <= changing


@pytest.mark.one_database
def test_nonsense_for_oauth(address: str, runtime: Runtime) -> None:
    before = dump(runtime)
    with httpx.Client(base_url=address, timeout=20) as http:
        for path in ("/token", "/revoke", "/register", "/oauth/consent"):
            answers = [http.post(path, data=form) for form in FORMS]
            answers += [http.post(path, content=content) for content in (b"", b"null", b"\xff", DEEP.encode())]
            answers += [http.post(path, content=b"\xff=%ff", headers={"Content-Type": FORM})]
            answers += [http.post(path, files={"client_id": ("x", b"x"), "token": ("x", b"x")})]
            answers += [http.post(path, json=value) for value in ([], {"redirect_uris": 7}, {"redirect_uris": ["::"]})]
            assert [answer.text for answer in answers if not 400 <= answer.status_code < 500] == [], path
        for path in ("/authorize", "/oauth/consent"):
            for query in QUERIES:
                assert 400 <= http.get(f"{path}{query}").status_code < 500, (path, query)
        odd = {"redirect_uris": ["https://a.example/"], "client_name": "\x00"}
        assert http.post("/register", content=json.dumps(odd)).status_code == 400
    assert dump(runtime) == before
