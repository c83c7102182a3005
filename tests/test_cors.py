"""Which pages may call the API from a browser; errors carry the headers too."""

from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from app.main import create_app
from app.settings import Settings

FOREIGN, LOCAL, NAMED = "https://evil.example", "http://localhost:3000", "https://board.example"
ALLOW = "access-control-allow-origin"


@dataclass(frozen=True)
class Case:
    mode: str
    origins: list[str]
    origin: str
    allowed: str | None


CASES = [
    Case("required", [], FOREIGN, "*"),
    Case("required", [NAMED], NAMED, NAMED),
    Case("required", [NAMED], FOREIGN, None),
    Case("open", [], LOCAL, LOCAL),
    Case("open", [], FOREIGN, None),
    Case("open", [], "http://localhost.evil.example", None),
    Case("open", [NAMED], LOCAL, None),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.mode}-{len(case.origins)}-{case.origin}")
def test_an_origin_is_let_in_or_not(runtime: Runtime, settings: Settings, case: Case) -> None:
    changed = settings.model_copy(update={"auth_mode": case.mode, "cors_origins": case.origins})
    client = TestClient(create_app(changed, runtime))
    preflight = {"Origin": case.origin, "Access-Control-Request-Method": "DELETE"}
    assert client.options("/api/v1/memories/", headers=preflight).headers.get(ALLOW) == case.allowed
    for path in ("/api/v1/memories/nothing", "/api/v1/nowhere"):
        answer = client.get(path, headers={"Origin": case.origin})
        assert answer.status_code >= 400
        assert answer.headers.get(ALLOW) == case.allowed


def test_cookies_are_never_asked_for_on_behalf_of_any_page(client: TestClient) -> None:
    answer = client.get("/health", headers={"Origin": FOREIGN})
    assert "access-control-allow-credentials" not in answer.headers
