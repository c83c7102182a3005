"""Rate limits at the doors: who is counted, what is told, in whose shape."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.context import Runtime
from app.main import RATE_HEADERS, create_app
from app.routers.openmemory.wire import OpenMemoryWire
from app.routers.protocol import protocol
from app.services import accounts, users
from tests.conftest import ADMIN_KEY, AsCaller
from tests.protocols.asking import API, Person, ok

LIST = "/v1/memories/user/admin"
LIMIT, REMAINING, RESET = RATE_HEADERS
PASSWORD = "correct horse battery"

pytestmark = pytest.mark.one_database


@pytest.fixture
def limit(runtime: Runtime) -> Any:
    """`limit(mem0_local="2/minute")`: as if the settings had said so."""

    def change(**rates: str) -> None:
        changed = {f"rate_limit_{door}": written for door, written in rates.items()}
        runtime.settings = runtime.settings.model_copy(update=changed)

    return change


def test_mem0_local_is_limited_as_its_page_says(runtime: Runtime, limit: Any, door: TestClient) -> None:
    limit(mem0_local=type(runtime.settings).model_fields["rate_limit_mem0_local"].default)
    answers = [door.get(LIST) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert [answer.headers[REMAINING] for answer in answers] == [str(left) for left in range(99, 79, -1)] + ["0"]
    assert {answer.headers[LIMIT] for answer in answers[:20]} == {"100"}
    now = datetime.now(UTC).timestamp()
    assert all(now < int(answer.headers[RESET]) <= now + 61 for answer in answers)
    refused = answers[-1]
    assert refused.headers[LIMIT] == "20"
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert refused.json()["error"]["code"] == "RATE_LIMIT_EXCEEDED"


def test_sixteen_clients_get_exactly_what_there_is(limit: Any, server: FastAPI) -> None:
    limit(mem0_local="25/minute")

    def ask(_: int) -> int:
        client = TestClient(server, headers={"Authorization": f"Bearer {ADMIN_KEY}"})
        return client.get(LIST).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(ask, range(60)))
    assert (statuses.count(200), statuses.count(429)) == (25, 35)


def test_every_answer_to_a_valid_key_has_the_headers(limit: Any, door: TestClient) -> None:
    limit(mem0_local="100/minute")
    for method, path, status in [
        ("GET", "/v1/nowhere", 404),
        ("PATCH", "/v1/memories", 405),
        ("POST", "/v1/memories", 400),
        ("GET", "/v1/memories/abc123", 404),
        ("GET", "/v1/status/", 200),
        ("GET", "/status", 200),
        ("GET", "/health", 200),
    ]:
        answer = door.request(method, path)
        assert (answer.status_code, answer.headers[LIMIT]) == (status, "100")
    assert answer.headers[REMAINING] == "93"


def test_who_shows_no_key_is_not_counted(limit: Any, server: FastAPI) -> None:
    limit(mem0_local="1/minute")
    for credential, status in (({}, 401), ({"Authorization": "Bearer wrong"}, 401)):
        for _ in range(3):
            answer = TestClient(server, headers=credential).get(LIST)
            assert answer.status_code == status
            assert LIMIT not in answer.headers
    assert [TestClient(server).get("/health").status_code for _ in range(3)] == [200] * 3


def test_each_key_has_its_own_windows(limit: Any, person: Person) -> None:
    limit(mem0_local="1/minute")
    ann, bob, second = person("ann"), person("bob"), person("ann")
    assert [one.get(LIST).status_code for one in (ann, bob, second, ann, bob)] == [200, 200, 200, 429, 429]


def test_a_door_without_a_setting_is_not_limited(limit: Any, door: TestClient) -> None:
    limit(mem0_local="1/minute")
    for _ in range(3):
        answer = door.get(f"{API}/memories")
        assert answer.status_code == 200
        assert LIMIT not in answer.headers


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("openmemory", f"{API}/memories", {"detail": "Too many requests: at most 1 in this time"}),
        (
            "memento",
            "/api/list",
            {
                "success": False,
                "error": "Too many requests: at most 1 in this time",
                "code": "RATE_LIMIT_EXCEEDED",
            },
        ),
    ],
)
def test_every_door_says_it_in_its_own_shape(limit: Any, door: TestClient, name: str, path: str, body: Any) -> None:
    limit(**{name: "1/minute"})
    assert ok(door.get(path)) is not None
    refused = door.get(path)
    assert (refused.status_code, refused.json()) == (429, body)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60


def test_client_addresses_are_counted_where_a_door_says_so(limit: Any, runtime: Runtime) -> None:
    limit(mem9="2/minute")
    app = protocol("a door", "", OpenMemoryWire(), runtime, door="mem9", limits_clients=True)
    app.add_api_route("/open", lambda: {})
    here, there = TestClient(app, client=("10.0.0.1", 1)), TestClient(app, client=("10.0.0.2", 1))
    known = TestClient(app, client=("10.0.0.3", 1), headers={"X-API-Key": ADMIN_KEY})
    assert [here.get("/open").status_code for _ in range(3)] == [200, 200, 429]
    assert there.get("/open").status_code == 200
    assert [known.get("/open").status_code for _ in range(3)] == [200, 200, 429]
    there.headers["X-API-Key"] = ADMIN_KEY
    assert there.get("/open").status_code == 429, "the key is used up, whatever the address"


def test_an_identified_caller_is_looked_up_once(limit: Any, door: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(mem0_local="100/minute")
    asked = []
    identify = accounts.identify
    monkeypatch.setattr(accounts, "identify", lambda *given: asked.append(1) or identify(*given))
    ok(door.get(LIST))
    assert asked == [1]


def sign_in(client: TestClient, user_id: str, password: str = PASSWORD) -> Any:
    return client.post(f"{API}/auth/login", json={"user_id": user_id, "password": password})


def test_attempts_to_sign_in_are_limited_by_name_and_by_address(limit: Any, server: FastAPI, ctx: AsCaller) -> None:
    limit(login="3/minute")
    with ctx(writing=True) as c:
        for name in ("ann", "bob"):
            users.create(c, name, password=PASSWORD)
    clients = [TestClient(server, client=(f"10.0.0.{last}", 1)) for last in range(4)]
    assert [sign_in(clients[0], "ann", "a wrong one").status_code for _ in range(2)] == [401, 401]
    assert sign_in(clients[1], "ann").status_code == 200
    refused = sign_in(clients[2], "ann")
    assert refused.status_code == 429, "be it the right password"
    assert refused.json() == {"detail": "Too many requests: at most 3 in this time"}
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert sign_in(clients[2], "bob").status_code == 200, "what was refused has not used up the address"
    assert [sign_in(clients[3], f"nobody {n}").status_code for n in range(4)] == [401, 401, 401, 429]
    assert sign_in(clients[3], "bob").status_code == 429


def test_signing_in_is_limited_unless_it_is_switched_off(runtime: Runtime) -> None:
    assert type(runtime.settings).model_fields["rate_limit_login"].default == "10/minute"


def test_signing_in_with_a_key_is_counted_by_address(limit: Any, server: FastAPI) -> None:
    limit(login="2/minute")
    client = TestClient(server, client=("10.0.0.9", 1))
    answers = [client.post(f"{API}/auth/login", json={"api_key": "wrong"}).status_code for _ in range(3)]
    assert answers == [401, 401, 429]


def test_other_pages_may_read_the_headers(runtime: Runtime) -> None:
    client = TestClient(create_app(runtime.settings, runtime))
    exposed = client.get("/health", headers={"Origin": "https://board.example"}).headers[
        "access-control-expose-headers"
    ]
    assert {LIMIT, REMAINING, RESET, "Retry-After"} <= set(exposed.split(", "))
