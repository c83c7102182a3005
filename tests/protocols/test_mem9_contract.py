"""mem9's README says of every endpoint that there is one, and of no other."""

import re

from app.routers import mem9
from app.settings import ROOT

CONTRACT = ROOT / "api" / "app" / "routers" / "mem9" / "README.md"
PROBES = {"GET /healthz", "GET /versionz"}
PROVISION = "POST /mem9s"


def routes(openapi: dict[str, dict[str, dict[str, object]]]) -> set[str]:
    """Method and path of each endpoint."""
    return {f"{method.upper()} {path}" for path, methods in openapi["paths"].items() for method in methods}


def test_the_contract_has_every_route_and_no_other() -> None:
    documented = set(re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`", CONTRACT.read_text(), re.MULTILINE))
    second = routes(mem9.build(None).openapi())  # type: ignore[arg-type]
    assert documented == second | PROBES | {"POST /v1alpha1/mem9s"}
    assert routes(mem9.build_probes(None).openapi()) == PROBES  # type: ignore[arg-type]


def test_the_older_paths_are_the_newer_ones_with_the_key_inside() -> None:
    first = routes(mem9.build_v1alpha1(None).openapi()) - {PROVISION}  # type: ignore[arg-type]
    second = routes(mem9.build(None).openapi())  # type: ignore[arg-type]
    assert {route.replace("/mem9s/{tenant_id}", "/mem9s") for route in first} == {
        route for route in second if "/mem9s" in route and not route.endswith(("/bulk", "/batch-delete", "/bootstrap"))
    }
