"""The route inventory (docs/routes.md): every route that the app has, and who may ask it, as it really answers."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from starlette.routing import Mount

from app.routers.by_scheme import Doorway
from app.routers.platform.wire_entities import ORG_ID, PROJECT_ID
from app.settings import ROOT
from tests.protocols.across.conftest import Opened
from tests.protocols.across.doors import OpenMemory
from tests.protocols.asking import UNKNOWN

pytestmark = pytest.mark.one_database

PAGE = ROOT / "docs" / "routes.md"
ROW = re.compile(r"^\| `([A-Z]+) (\S+)` \| (\w+) \|", re.MULTILINE)
MISSING = (b"missing API key", b"invalid API key", b"tenant not found", b'"key not found')  # how mem9 says 401
SIGNING_IN = {"/api/v1/auth/login", "/api/v1/auth/refresh"}  # what they are sent is the credential
STREAMS = {"/mcp/{client}/sse/{user}"}  # answers a key with a stream that has no end: tests/protocols/mcp
NAMED = {"org_id": ORG_ID, "project_id": PROJECT_ID, "entity_type": "user", "kind": "user", "client": "c", "user": "bo"}


def walk(routes: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path of every route below, through mounts, included routers and routes that lead to apps.

    A doorway leads to the routes of `/platform` once more; see `test_doorways_lead_to_the_platform`.
    """
    for route in routes:
        if isinstance(route, Doorway):
            continue
        if isinstance(route, Mount):
            yield from walk(route.routes or [], prefix + route.path)
        elif hasattr(route, "original_router"):
            yield from walk(route.original_router.routes, prefix + route.include_context.prefix)
        elif (app := inner(route)) is not None:
            begin = route.path.partition("{")[0].rstrip("/")
            yield from (found for found in walk(app.routes) if found[1].startswith(begin))
        else:
            for method in sorted(set(route.methods or ()) - {"HEAD", "OPTIONS"}):
                yield method, f"{prefix}{route.path}" or "/"


def inner(route: Any) -> FastAPI | None:
    """The app that a route leads to, if it is one."""
    app = None if route.methods else route.app
    while app is not None and not isinstance(app, FastAPI):
        app = getattr(app, "app", None)
    return app


@dataclass(frozen=True, slots=True)
class Keys:
    """What somebody may show who asks."""

    read: str
    write: str
    chain: str


@pytest.fixture
def keys_of_bo(running: FastAPI, opened: Opened) -> Keys:
    """Keys of a user who is no admin, and the key of a chain."""
    made = TestClient(running).post("/v1alpha2/space-chains", json={"name": "team"})
    return Keys(opened(OpenMemory, "bo", ["read"]).key, opened(OpenMemory, "bo").key, made.json()["chain_api_key"])


def ask(app: FastAPI, method: str, path: str, key: str | None) -> Response:
    """The route, asked with the key in the place where its door looks for it, and the body of the reference."""
    operation = app.openapi()["paths"].get(path, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = json.dumps(content.get("example", {})).replace('"alice"', '"bo"')
    filled = re.sub(r"\{tenant[^}]*\}", key or UNKNOWN, path)
    filled = re.sub(r"\{(\w+)[^}]*\}", lambda found: NAMED.get(found[1], UNKNOWN), filled)
    scheme = "Token" if path.startswith("/platform") else "Bearer"
    headers = {"Authorization": f"{scheme} {key}", "X-API-Key": key} if key else {}
    sent = {} if method == "GET" else {"content": body, "headers": {**headers, "Content-Type": "application/json"}}
    client = TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    return client.request(method, filled, **{"headers": headers, **sent})


def rule(app: FastAPI, method: str, path: str, keys: Keys) -> str:
    """Who may: `open` anybody; `read`, `write`, `chain` who has such a key; `admin` none of these."""
    if path in SIGNING_IN or not is_refused(ask(app, method, path, None)):
        return "open"
    if path in STREAMS:
        return "read"
    for name, key in (("read", keys.read), ("write", keys.write), ("chain", keys.chain)):
        answer = ask(app, method, path, key)
        if answer.status_code != 403 and not is_refused(answer):
            return name
    return "admin"


def is_refused(response: Response) -> bool:
    """Whether it says that a key is missing, or is none."""
    is_told = response.status_code in (400, 404) and any(one in response.content for one in MISSING)
    return response.status_code == 401 or is_told


def test_the_inventory_is_what_the_server_does(running: FastAPI, keys_of_bo: Keys) -> None:
    found = {
        (method, path): rule(running, method, path, keys_of_bo) for method, path in dict.fromkeys(walk(running.routes))
    }
    written = {(method, path): told for method, path, told in ROW.findall(PAGE.read_text())}
    assert found == written


def test_doorways_lead_to_the_platform(running: FastAPI) -> None:
    (platform,) = [route.app for route in running.routes if isinstance(route, Mount) and route.path == "/platform"]
    doorways = [route for route in running.routes if isinstance(route, Doorway)]
    assert {route.path: route.scheme for route in doorways} == {
        **{"/v1": "token", "/api/v1": "token", "/v2": None, "/v3": None}
    }
    assert all(route.app is platform for route in doorways)
