"""Where the hosted wire is found, who gets in, and how it says no."""

import json
import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import logs
from app.routers import platform
from app.services import users
from app.settings import ROOT
from tests.conftest import ADMIN_KEY
from tests.protocols.asking import UNKNOWN, ok
from tests.protocols.platform.asking import add, refused
from tests.protocols.platform.conftest import Hosted

CONTRACT = ROOT / "api" / "app" / "routers" / "platform" / "README.md"
PING = {"status": "ok", "org_id": "commonplace", "project_id": "default", "user_email": "admin"}


def anybody(server: FastAPI, **headers: str) -> TestClient:
    return TestClient(server, headers=headers, raise_server_exceptions=False)


@pytest.mark.one_database
@pytest.mark.parametrize("path", ["/v1/ping/", "/v1/ping", "/platform/v1/ping/", "/platform/v1/ping"])
@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN"])
def test_ping_says_whose_key_it_is(server: FastAPI, path: str, scheme: str) -> None:
    assert ok(anybody(server, Authorization=f"{scheme} {ADMIN_KEY}").get(path)) == PING


@pytest.mark.one_database
def test_the_scheme_tells_whose_v1_it_is(server: FastAPI) -> None:
    token = anybody(server, Authorization=f"Token {ADMIN_KEY}")
    bearer = anybody(server, Authorization=f"Bearer {ADMIN_KEY}")
    assert token.get("/v1/ping").status_code == 200
    assert 200 not in (bearer.get("/v1/ping").status_code, anybody(server).get("/v1/ping").status_code)
    assert "items" in ok(bearer.get("/api/v1/memories"))
    assert refused(token.get("/api/v1/memories")) == (404, "Not found.")
    assert ok(token.get("/api/v1/orgs/organizations"))[0]["org_id"] == "commonplace"


@pytest.mark.one_database
@pytest.mark.parametrize("prefix", ["", "/platform"])
def test_versions_2_and_3_are_its_own_and_take_a_bearer_too(server: FastAPI, prefix: str) -> None:
    for scheme in ("Token", "Bearer"):
        client = anybody(server, Authorization=f"{scheme} {ADMIN_KEY}")
        assert ok(client.post(f"{prefix}/v3/memories/", json={}))["count"] == 0
        assert ok(client.post(f"{prefix}/v2/memories/", json={})) == []


@pytest.mark.one_database
def test_the_email_is_the_users(hosted: TestClient, server: FastAPI) -> None:
    with server.state.runtime.context(_admin(server), writing=True) as ctx:
        users.change(ctx, "admin", {"email": "ann@example.org"})
    assert ok(hosted.get("/v1/ping/"))["user_email"] == "ann@example.org"


def _admin(server: FastAPI) -> users.accounts.Caller:
    return users.accounts.admin(server.state.runtime)


@pytest.mark.one_database
@pytest.mark.parametrize("sent", ["", "Token", "Token ", "Token nonsense", "Basic abc", ADMIN_KEY])
def test_without_a_valid_key_it_is_401(server: FastAPI, sent: str) -> None:
    answer = anybody(server, **({"Authorization": sent} if sent else {})).post("/v3/memories/", json={})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Token"
    assert list(answer.json()) == ["detail"]


@pytest.mark.one_database
def test_a_key_may_only_what_its_scopes_say(someone: Hosted) -> None:
    reader, writer = someone("ann", scopes=["read"]), someone("ann", scopes=["write"])
    assert reader.post("/v3/memories/", json={}).status_code == 200
    assert refused(reader.post("/v3/memories/add/", json={"messages": "x"})) == (403, "This needs the scope 'write'")
    assert writer.get("/v1/ping/").status_code == 403


@pytest.mark.one_database
def test_every_refusal_has_a_detail(hosted: TestClient) -> None:
    assert refused(hosted.get("/v3/nowhere/")) == (404, "Not found.")
    assert refused(hosted.patch("/v3/memories/")) == (405, "Method not allowed.")
    assert refused(hosted.get(f"/v1/memories/{UNKNOWN}/")) == (404, "Memory not found")
    assert refused(hosted.get("/v1/memories/nonsense/")) == (404, "Memory not found")
    assert refused(hosted.post("/v3/memories/search/", json={"query": "x", "filters": {"a": {"wat": 1}}}))[0] == 400
    assert refused(hosted.post("/v3/memories/add/", json={"messages": "x" * 100_001, "infer": False}))[0] == 413
    for bad in (b"{", b"[]", b"\xff", b'{"query": "a\\u0000b"}'):
        answer = hosted.post("/v3/memories/search/", content=bad, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400, bad
        assert isinstance(answer.json()["detail"], str)


@pytest.mark.one_database
def test_fields_that_are_wrong_are_named(hosted: TestClient) -> None:
    answer = hosted.post("/v3/memories/search/", json={"top_k": 0, "threshold": "high"})
    assert answer.status_code == 400
    told = answer.json()
    assert set(told) == {"query", "top_k", "threshold", "detail"}
    assert told["query"] == ["Field required"]
    assert "top_k: Input should be greater than or equal to 1" in told["detail"]


@pytest.mark.one_database
def test_what_nobody_expected_is_a_500_without_its_text(
    hosted: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("app.services.users.get", lambda *_: 1 / 0)
    answer = hosted.get("/v1/ping/")
    assert answer.status_code == 500
    assert answer.json() == {"detail": "Internal server error.", "request_id": answer.headers["x-request-id"]}
    assert "unexpected failure" in caplog.text


@pytest.mark.one_database
def test_the_log_has_the_path_and_not_the_key(hosted: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(logs.Formatter())
    caplog.set_level("INFO")
    hosted.get("/v1/ping/?api_key=secret")
    hosted.get("/v3/nowhere/", headers={"Authorization": "Token wrong-but-secret"})
    (ping, nowhere) = [json.loads(line) for line in caplog.text.splitlines() if '"request"' in line]
    assert (ping["path"], nowhere["path"]) == ("/v1/ping/", "/v3/nowhere/")
    assert ADMIN_KEY not in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.one_database
def test_a_slash_at_the_end_changes_nothing(hosted: TestClient) -> None:
    id = add(hosted, "We fly to Rome")
    for path in (f"/v1/memories/{id}", f"/v1/memories/{id}/history", "/v1/entities", "/v1/events", "/v1/ping"):
        assert ok(hosted.get(path)) == ok(hosted.get(f"{path}/")), path


@pytest.mark.one_database
def test_the_contract_names_every_route_and_no_other() -> None:
    paths = platform.build(None).openapi()["paths"]  # type: ignore[arg-type]
    there = {f"{method.upper()} {path}/" for path, methods in paths.items() for method in methods}
    assert set(_documented(CONTRACT)) == there


def _documented(page: Path) -> list[str]:
    cells = [line.split("|")[1] for line in page.read_text().splitlines() if line.startswith("| `")]
    return re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^` ]*)`", "\n".join(cells))
