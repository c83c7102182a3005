"""A thousand requests that hypothesis makes up from the OpenAPI document, right and wrong ones: none gives a 500."""

from collections import Counter
from contextlib import nullcontext, suppress
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from app.context import Runtime
from app.routers import mem0, platform
from tests.conftest import ADMIN_KEY
from tests.protocols.asking import API, remember

# Of each operation: a thousand in all. Wrong ones are slow to make up. PostgreSQL is asked the first ones of the same
# requests: what it alone may choke on (NUL, numbers out of its range) is in the door's own tests of it.
EXAMPLES = {GenerationMode.POSITIVE: 18, GenerationMode.NEGATIVE: 4}
ON_POSTGRESQL = {GenerationMode.POSITIVE: 6, GenerationMode.NEGATIVE: 1}
HEADERS = {"Authorization": f"Bearer {ADMIN_KEY}"}
DERANDOMIZED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def known(door: TestClient) -> dict[str, Any]:
    """Path parameters that name something."""
    created = remember(door, "We fly to Rome and stay at a hotel", app="notes")
    return {"memory_id": created["id"], "app_id": created["app_id"], "user_id": "admin"}


def exercise(
    operation: APIOperation, mode: GenerationMode, known: dict[str, Any], seen: Counter[int], examples: int
) -> None:
    """Ask so many requests of the operation; about what is there, where they are to be right."""
    named = {key: value for key, value in known.items() if f"{{{key}}}" in operation.path}
    fixed = {"path_parameters": named} if named and mode is GenerationMode.POSITIVE else {}

    @settings(DERANDOMIZED, max_examples=examples)
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def ask(case: Case) -> None:
        response = case.call(headers=HEADERS)
        seen[response.status_code] += 1
        case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])

    # What takes nothing cannot be asked wrongly.
    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        ask()


MODES = pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])


@MODES
def test_no_request_is_answered_with_a_server_error(
    server: FastAPI, known: dict[str, Any], mode: GenerationMode, database_kind: str
) -> None:
    examples = (EXAMPLES if database_kind == "sqlite" else ON_POSTGRESQL)[mode]
    asked(schemathesis.openapi.from_asgi(f"{API}/openapi.json", server), known, mode, 20, examples)


@MODES
@pytest.mark.one_database
def test_nor_at_mem0s_door(runtime: Runtime, known: dict[str, Any], mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", mem0.build(runtime))
    asked(schema.exclude(path="/generate-instructions"), known, mode, 10)  # which needs an LLM


@MODES
@pytest.mark.one_database
@pytest.mark.parametrize("prefix", ["/v1", "/api"])
def test_nor_at_the_smaller_doors(server: FastAPI, known: dict[str, Any], mode: GenerationMode, prefix: str) -> None:
    asked(schemathesis.openapi.from_asgi(f"{prefix}/openapi.json", server), known, mode, 4)


@MODES
@pytest.mark.one_database
def test_nor_at_the_hosted_mem0s(runtime: Runtime, known: dict[str, Any], mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", platform.build(runtime))
    asked(schema.exclude(path_regex="^/api/v1/|^/v2/profiles"), known, mode, 10)  # what is 501, and the project


def asked(schema: Any, known: dict[str, Any], mode: GenerationMode, least: int, examples: int | None = None) -> None:
    """Ask about every operation of the document; `least` of them can be asked in this mode."""
    seen, each = Counter[int](), examples or EXAMPLES[mode]
    for found in schema.get_all_operations():
        exercise(found.ok(), mode, known, seen, each)
    assert sum(seen.values()) > least * each, seen
