"""The API reference: one document over all doors, shown without asking any other server."""

import re
from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.main import doors
from app.routers.reference import METHODS
from tests.conftest import ADMIN_KEY
from tests.protocols.asking import UNKNOWN


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Every operation by method and path."""
    return {
        (method, path): item[method] for path, item in document["paths"].items() for method in METHODS & item.keys()
    }


def test_the_reference_has_the_operations_of_every_door(server: FastAPI) -> None:
    merged = operations(TestClient(server).get("/openapi.json").json())
    for door in doors(server.state.runtime):
        own = operations(door.app.openapi())
        there = {path for (_, path), item in merged.items() if item["tags"] == [door.name]}
        assert own, door.name
        assert {f"{door.prefix}{path}" for _, path in own} <= there | {path for _, path in merged}, door.name


def test_mcp_and_its_oauth_are_there(server: FastAPI) -> None:
    document = TestClient(server).get("/openapi.json").json()
    found = {path for (_, path), item in operations(document).items() if item["tags"] == ["MCP"]}
    assert {"/mcp", "/mcp/{client}/http/{user}", "/mcp/{client}/sse/{user}", "/register", "/token"} <= found
    assert "MCP" in {tag["name"] for tag in document["tags"]}


def test_every_operation_has_a_name_of_its_own(server: FastAPI) -> None:
    found = operations(TestClient(server).get("/openapi.json").json())
    names = Counter(operation["operationId"] for operation in found.values())
    assert [name for name, times in names.items() if times > 1] == []


def test_every_schema_that_is_named_is_there(server: FastAPI) -> None:
    answer = TestClient(server).get("/openapi.json")
    known = answer.json()["components"]["schemas"]
    assert set(re.findall(r'"#/components/schemas/([^"]+)"', answer.text)) <= known.keys()


def test_the_page_brings_its_own_scripts(server: FastAPI) -> None:
    client = TestClient(server)
    page = client.get("/docs").text
    assert "//" not in re.sub(r"https?://testserver|<!--.*?-->|//\s", "", page)
    for asset in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert client.get(asset).status_code == 200, asset


def examples(server: FastAPI) -> list[tuple[str, str, Any]]:
    """Method, path and example of every operation that takes JSON; None where there is no example."""
    found = operations(TestClient(server).get("/openapi.json").json())
    bodies = {asked: item.get("requestBody", {}).get("content", {}) for asked, item in found.items()}
    return [
        (method, path, kinds["application/json"].get("example"))
        for (method, path), kinds in bodies.items()
        if "application/json" in kinds
    ]


def test_every_body_has_an_example(server: FastAPI) -> None:
    assert [f"{method} {path}" for method, path, body in examples(server) if body is None] == []


@pytest.mark.one_database
def test_every_example_is_understood(server: FastAPI) -> None:
    client = TestClient(server, headers={"X-API-Key": ADMIN_KEY}, raise_server_exceptions=False)
    # The configuration last: its example names an LLM that is not there, and adds would wait for it.
    for method, path, body in sorted(examples(server), key=lambda item: "/config" in item[1]):
        scheme = "Token" if path.startswith("/platform") else "Bearer"
        filled = re.sub(r"\{[^}]+\}", UNKNOWN, path)
        response = client.request(method, filled, json=body, headers={"Authorization": f"{scheme} {ADMIN_KEY}"})
        assert response.status_code not in (400, 405, 415, 422, 500), (method, path, response.text)
