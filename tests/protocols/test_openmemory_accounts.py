"""/auth, /api-keys and /users over HTTP."""

import logging
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.database import now
from app.routers.openmemory.auth import COOKIE
from app.services import logins
from tests.conftest import ADMIN_KEY

PASSWORD = "correct horse battery"


@pytest.fixture
def client(door: TestClient) -> TestClient:
    """The server, asked as the admin."""
    return door


@pytest.fixture
def anybody(door: TestClient) -> TestClient:
    """The same, without a credential."""
    door.headers.pop("Authorization")
    return door


@pytest.fixture
def alice(client: TestClient) -> dict[str, Any]:
    answer = client.post("/api/v1/users", json={"user_id": "team/alice é", "password": PASSWORD, "name": "Alice"})
    assert answer.status_code == 200
    user: dict[str, Any] = answer.json()
    return user


def sign_in(client: TestClient, user_id: str = "team/alice é", **fields: Any) -> Response:
    return client.post("/api/v1/auth/login", json={"user_id": user_id, "password": PASSWORD} | fields)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_login_refresh_me_logout(client: TestClient, alice: dict[str, Any], anybody: TestClient) -> None:
    answer = sign_in(anybody)
    assert answer.status_code == 200
    body = answer.json()
    assert body["user"] == alice
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    me = anybody.get("/api/v1/auth/me", headers=bearer(body["access_token"]))
    assert me.json() == {"user": alice, "scopes": ["read", "write"], "app": None, "is_person": True}

    renewed = anybody.post("/api/v1/auth/refresh")  # by the cookie
    assert renewed.status_code == 200
    assert renewed.json()["refresh_token"] is None  # what came as a cookie goes as a cookie
    assert anybody.cookies[COOKIE] not in ("", body["refresh_token"])
    out = anybody.post("/api/v1/auth/logout")
    assert (out.status_code, COOKIE in anybody.cookies) == (200, False)
    assert anybody.get("/api/v1/auth/me", headers=bearer(renewed.json()["access_token"])).status_code == 401
    assert anybody.post("/api/v1/auth/refresh").status_code == 401


def test_the_cookie_is_for_this_place_alone(alice: dict[str, Any], anybody: TestClient) -> None:
    cookie = sign_in(anybody).headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", "Path=/api/v1/auth", "Max-Age=25"):
        assert part in cookie
    assert "Secure" not in cookie
    anybody.base_url = anybody.base_url.copy_with(scheme="https")
    assert "Secure" in sign_in(anybody).headers["set-cookie"]


def test_a_login_may_leave_its_refresh_token_to_the_cookie(alice: dict[str, Any], anybody: TestClient) -> None:
    answer = sign_in(anybody, cookie_only=True)
    assert answer.json()["refresh_token"] is None
    assert anybody.post("/api/v1/auth/refresh").status_code == 200


@pytest.mark.parametrize(("site", "status"), [("same-origin", 200), ("same-site", 401), ("cross-site", 401)])
def test_the_cookie_counts_only_from_this_servers_own_pages(
    alice: dict[str, Any], anybody: TestClient, site: str, status: int
) -> None:
    sign_in(anybody)
    assert anybody.post("/api/v1/auth/refresh", headers={"Sec-Fetch-Site": site}).status_code == status
    assert anybody.post("/api/v1/auth/logout", headers={"Sec-Fetch-Site": site}).status_code == 200
    anybody.headers["Sec-Fetch-Site"] = "same-origin"
    assert (anybody.post("/api/v1/auth/refresh").status_code == 200) == (status == 401)  # nobody else signs them out


def test_refresh_by_the_body_and_its_reuse(
    alice: dict[str, Any], anybody: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sign_in(anybody).json()["refresh_token"]
    anybody.cookies.clear()
    second = anybody.post("/api/v1/auth/refresh", json={"refresh_token": first})
    assert second.status_code == 200
    again = anybody.post("/api/v1/auth/refresh", json={"refresh_token": first})
    assert again.json()["refresh_token"] == second.json()["refresh_token"] != first
    monkeypatch.setattr(logins, "GRACE", timedelta(0))
    anybody.cookies.clear()
    again = anybody.post("/api/v1/auth/refresh", json={"refresh_token": first})
    assert again.status_code == 401
    assert "sign in again" in again.json()["detail"]


def test_login_by_username_or_key(alice: dict[str, Any], anybody: TestClient) -> None:
    by_name = anybody.post("/api/v1/auth/login", json={"username": alice["user_id"], "password": PASSWORD})
    assert by_name.status_code == 200
    by_key = anybody.post("/api/v1/auth/login/", json={"api_key": ADMIN_KEY})
    assert by_key.json()["user"]["is_admin"] is True
    me = anybody.get("/api/v1/auth/me", headers=bearer(by_key.json()["access_token"]))
    assert me.json()["scopes"] == ["read", "write", "admin"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"user_id": "alice"},
        {"password": PASSWORD},
        {"user_id": "alice", "password": PASSWORD, "api_key": "x"},
        {"user_id": "", "password": PASSWORD},
        {"user_id": "a\x00b", "password": PASSWORD},
        {"user_id": "x" * 256, "password": PASSWORD},
        {"user_id": "alice", "password": "x" * 1025},
        {"api_key": ""},
        {"user_id": 7, "password": PASSWORD},
        [],
        None,
    ],
)
def test_a_login_of_another_shape_is_refused(anybody: TestClient, body: Any) -> None:
    answer = anybody.post("/api/v1/auth/login", json=body)
    assert answer.status_code == 422
    assert isinstance(answer.json()["detail"], list)


def test_a_wrong_login_says_nothing_about_what_is_wrong(alice: dict[str, Any], anybody: TestClient) -> None:
    answers = [
        sign_in(anybody, password="wrong password"),
        sign_in(anybody, user_id="nobody"),
        sign_in(anybody, user_id="admin"),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)


def test_a_key_is_made_shown_once_listed_and_revoked(client: TestClient) -> None:
    end = (now() + timedelta(days=1)).isoformat()
    made = client.post("/api/v1/api-keys", json={"label": "laptop", "app_name": "cursor", "expires_at": end}).json()
    key = made.pop("key")
    assert key.startswith(made["prefix"])
    assert (made["scopes"], made["app_name"], made["user_id"]) == (["read", "write"], "cursor", "admin")
    me = client.get("/api/v1/auth/me", headers={"Authorization": "", "X-API-Key": key})
    assert me.json()["app"] == "cursor"

    listed = client.get("/api/v1/api-keys", params={"page_size": 1}).json()
    assert (listed["total"], listed["page"], listed["size"], listed["pages"]) == (2, 1, 1, 2)
    assert listed["items"][0].keys() == made.keys()
    assert listed["items"][0]["last_used_at"] is not None
    assert key not in client.get("/api/v1/api-keys").text

    revoked = client.delete(f"/api/v1/api-keys/{made['id']}")
    assert revoked.json()["revoked_at"] is not None
    refused = client.get("/api/v1/auth/me", headers=bearer(key))
    assert (refused.status_code, refused.json()) == (401, {"detail": "Invalid API key or access token"})


def test_keys_of_others(client: TestClient, alice: dict[str, Any]) -> None:
    of_alice = client.post("/api/v1/api-keys", json={"label": "hers", "user_id": alice["user_id"]}).json()
    mine = client.post("/api/v1/api-keys", json={"label": "mine"}).json()
    headers = bearer(of_alice["key"])
    assert [key["label"] for key in client.get("/api/v1/api-keys", headers=headers).json()["items"]] == ["hers"]
    for id in (mine["id"], uuid4()):
        answer = client.delete(f"/api/v1/api-keys/{id}", headers=headers)
        assert (answer.status_code, answer.json()) == (404, {"detail": "API key not found"})
    assert client.get("/api/v1/api-keys", params={"user_id": "admin"}, headers=headers).status_code == 404
    assert client.post("/api/v1/api-keys", json={"label": "x", "user_id": "nobody"}).status_code == 404
    assert client.delete("/api/v1/api-keys/nonsense").status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"label": ""},
        {"label": "x" * 256},
        {"label": "\x00"},
        {"label": "x", "scopes": []},
        {"label": "x", "scopes": ["root"]},
        {"label": "x", "expires_at": "tomorrow"},
        {"label": "x", "expires_at": "2031-01-01T00:00:00"},
        {"label": "x", "expires_at": "9999-12-31T23:59:59-14:00"},
        {"label": "x", "app_name": ""},
        {"label": "x", "more": 1},
    ],
)
def test_a_key_of_another_shape_is_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post("/api/v1/api-keys", json=body).status_code == 422


def test_scopes_are_asked_at_the_door(client: TestClient) -> None:
    reader = client.post("/api/v1/api-keys", json={"label": "reader", "scopes": ["read"]}).json()["key"]
    writer = client.post("/api/v1/api-keys", json={"label": "writer", "scopes": ["write"]}).json()["key"]
    assert client.get("/api/v1/auth/me", headers=bearer(reader)).status_code == 200
    assert client.get("/api/v1/auth/me", headers=bearer(writer)).status_code == 403
    assert client.post("/api/v1/api-keys", json={"label": "x"}, headers=bearer(reader)).status_code == 403
    assert client.get("/api/v1/users", headers=bearer(reader)).status_code == 403
    past = client.post("/api/v1/api-keys", json={"label": "x", "expires_at": "2001-01-01T00:00:00Z"})
    assert past.status_code == 400


def test_users(client: TestClient, alice: dict[str, Any]) -> None:
    path = "/api/v1/users/team%2Falice%20%C3%A9"
    assert client.get(path).json() == alice
    assert "password" not in alice
    listed = client.get("/api/v1/users", params={"size": 1, "page": 2}).json()
    assert (listed["total"], listed["pages"]) == (2, 2)
    assert listed["items"] == [{**alice, "memories": 0, "last_seen_at": None}]
    changed = client.put(path, json={"email": "alice@example.org", "is_admin": True}).json()
    assert (changed["email"], changed["is_admin"], changed["name"]) == ("alice@example.org", True, "Alice")
    assert client.put(path, json={"password": None}).json()["has_password"] is False
    assert client.put(path, json={}).status_code == 200
    assert client.post("/api/v1/users", json={"user_id": alice["user_id"]}).status_code == 409
    assert client.get("/api/v1/users/nobody").status_code == 404
    assert client.get("/api/v1/users/a%00b").status_code == 404
    last = client.put("/api/v1/users/admin", json={"is_active": False})
    assert last.status_code == 200  # alice is one too by now
    assert client.put(path, json={"is_admin": False}).status_code == 409


@pytest.mark.parametrize(
    "body",
    [
        {"password": "short"},
        {"email": "nowhere"},
        {"email": "a@b c"},
        {"name": ""},
        {"is_admin": None},
        {"is_active": None},
        {"user_id": "bob"},
        {"password": "x" * 1025},
    ],
)
def test_changes_of_another_shape_are_refused(client: TestClient, body: dict[str, Any]) -> None:
    assert client.put("/api/v1/users/admin", json=body).status_code == 422


@pytest.mark.parametrize("headers", [{}, bearer("x"), bearer("é"), {"X-API-Key": "\xff"}, {"Authorization": "Basic x"}])
@pytest.mark.parametrize("path", ["auth/me", "api-keys", "users", "users/admin"])
def test_nobody_gets_in_without_a_credential(anybody: TestClient, path: str, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = anybody.get(f"/api/v1/{path}", headers=raw)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_secrets_are_not_logged(client: TestClient, alice: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made = client.post("/api/v1/api-keys", json={"label": "laptop"}).json()["key"]
    tokens = sign_in(client).json()
    client.get("/api/v1/auth/me", headers=bearer(tokens["access_token"]))
    client.get("/api/v1/auth/me", headers=bearer(made))
    for secret in (made, ADMIN_KEY, PASSWORD, tokens["access_token"], tokens["refresh_token"]):
        assert secret not in caplog.text
