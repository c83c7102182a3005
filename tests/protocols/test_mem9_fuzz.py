"""Requests that hypothesis makes up from mem9's OpenAPI document, right and wrong ones: none gives a 500."""

from collections import Counter

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error

from tests.protocols.mem9_asking import V2, Space, key_of, pin

EXAMPLES = {GenerationMode.POSITIVE: 10, GenerationMode.NEGATIVE: 4}
DERANDOMIZED = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def exercise(
    operation: APIOperation, mode: GenerationMode, known: dict[str, str], key: str, seen: Counter[int]
) -> None:
    """Ask so many requests of the operation; about what is there, where they are to be right."""
    named = {name: value for name, value in known.items() if f"{{{name}}}" in operation.path}
    fixed = {"path_parameters": named} if named and mode is GenerationMode.POSITIVE else {}

    @settings(DERANDOMIZED, max_examples=EXAMPLES[mode])
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def ask(case: Case) -> None:
        response = case.call(headers={"X-API-Key": key})
        seen[response.status_code] += 1
        case.validate_response(response, checks=[not_a_server_error])

    ask()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.one_database
def test_no_request_is_answered_with_a_server_error(server: FastAPI, space: Space, mode: GenerationMode) -> None:
    client = space("one")
    known = {"memory_id": pin(client, "We fly to Rome")["id"]}
    made = client.post(f"{V2}/space-chains", json={"name": "all"}).json()
    chain = {"chain_id": made["chain"]["id"], "key_id": made["binding_id"]}
    schema = schemathesis.openapi.from_asgi(f"{V2}/openapi.json", server)
    seen: Counter[int] = Counter()
    for found in schema.get_all_operations():
        operation = found.ok()
        key = made["chain_api_key"] if "/space-chains/" in operation.path else key_of(client)
        exercise(operation, mode, {**known, **chain}, key, seen)
    assert sum(seen.values()) > 10 * EXAMPLES[mode], seen
