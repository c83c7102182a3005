"""Whatever goes wrong, at whichever door: the status that its protocol gives it, in its protocol's own shape."""

from uuid import UUID

import pytest

from app.context import Caller, Runtime
from app.errors import (
    CommonplaceError,
    Conflict,
    Forbidden,
    Invalid,
    Kept,
    NotFound,
    RateLimited,
    StoreUnavailable,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from app.services import accounts
from tests.protocols.across.conftest import Opened
from tests.protocols.across.doors import ALL, Door
from tests.protocols.asking import UNKNOWN

pytestmark = pytest.mark.one_database

REASON = "A reason that the caller may read"
ERRORS: dict[type[CommonplaceError], tuple[CommonplaceError, int]] = {
    Invalid: (Invalid(REASON), 400),
    TooLarge: (TooLarge(REASON), 413),
    Unauthenticated: (Unauthenticated(REASON), 401),
    Forbidden: (Forbidden(REASON), 403),
    NotFound: (NotFound(REASON), 404),
    Conflict: (Conflict(REASON), 409),
    RateLimited: (RateLimited(REASON, 7), 429),
    Unavailable: (Unavailable(REASON), 503),
    StoreUnavailable: (StoreUnavailable(REASON), 503),
    Kept: (Kept(REASON, UUID(UNKNOWN)), 503),
}
# Where a protocol's page, or its genuine server, gives another number.
OTHERWISE: dict[tuple[str, type[CommonplaceError]], int] = {
    ("mem0", Unavailable): 502,
    ("mem0", StoreUnavailable): 502,
    ("mem0", Kept): 502,
    ("mem0-local", TooLarge): 400,
    ("mem9", TooLarge): 400,
    ("mem9", Unauthenticated): 400,
    ("mem9", Kept): 500,
}


@pytest.mark.parametrize("door", ALL, indirect=True, ids=lambda kind: kind.name)
@pytest.mark.parametrize("kind", ERRORS, ids=lambda kind: kind.__name__)
def test_every_domain_error(door: Door, kind: type[CommonplaceError], monkeypatch: pytest.MonkeyPatch) -> None:
    error, usual = ERRORS[kind]

    def refuse(runtime: Runtime, shown: str | None) -> Caller:
        raise error

    monkeypatch.setattr(accounts, "authenticate", refuse)
    method, path, body = door.sample_write("x")
    response = door.ask(method, path, content=body)
    assert response.status_code == OTHERWISE.get((door.name, kind), usual)
    door.check_error(response)
    if (door.name, kind) not in SILENT:
        assert REASON in response.text
        assert response.headers.get("retry-after") == ("7" if kind is RateLimited else None)


# The genuine server has sentences of its own here, and names no time.
SILENT = {("mem9", RateLimited), ("mem9", Kept), ("mem9", Unauthenticated)}


@pytest.mark.parametrize("door", ALL, indirect=True, ids=lambda kind: kind.name)
def test_what_nobody_expected_is_a_500_that_says_nothing(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(runtime: Runtime, shown: str | None) -> Caller:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(accounts, "authenticate", crash)
    method, path, body = door.sample_write("x")
    response = door.ask(method, path, content=body)
    assert response.status_code == 500
    door.check_error(response)
    assert "swordfish" not in response.text


@pytest.mark.parametrize("door", ALL, indirect=True, ids=lambda kind: kind.name)
def test_a_broken_body_is_refused(door: Door) -> None:
    method, path, _ = door.sample_write("x")
    for content in (b'{"content": ', b"[]", b'"words"', b"\xff\xfe", b""):
        response = door.ask(method, path, content=content)
        assert response.status_code in (400, 422), (content, response.text)
        door.check_error(response)


@pytest.mark.parametrize("door", ALL, indirect=True, ids=lambda kind: kind.name)
def test_no_credential_and_a_wrong_one(door: Door) -> None:
    method, path, body = door.sample_write("x")
    wrong = type(door)(door.app, "cp_" + "0" * 43)
    nobody = type(door)(door.app, "")
    for asking in (wrong, nobody):
        response = asking.ask(method, path, content=body)
        assert response.status_code == OTHERWISE.get((door.name, Unauthenticated), 401)
        door.check_error(response)


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_a_key_that_may_only_read_writes_nothing(kind: type[Door], opened: Opened) -> None:
    reading = opened(kind, scopes=["read"])
    method, path, body = reading.sample_write("x")
    response = reading.ask(method, path, content=body)
    if kind.name == "mcp":
        assert response.json()["result"]["isError"] is True
    else:
        assert response.status_code == 403
        reading.check_error(response)
    assert opened(kind).listed() == []


@pytest.mark.parametrize("door", ALL, indirect=True, ids=lambda kind: kind.name)
def test_unknown_ids(door: Door) -> None:
    if door.name != "memento":
        assert door.read(UNKNOWN) is None
    for malformed in ("nonsense", "1", "%00", "a" * 300):
        for method, path, body in door.of_id()[:1]:
            response = door.ask(method, path.replace("{id}", malformed), json=body)
            assert response.status_code in (400, 404, 422) or door.name == "mcp"
            if response.status_code != 200:
                door.check_error(response)


@pytest.mark.parametrize("door", ALL, indirect=True, ids=lambda kind: kind.name)
def test_wrong_methods(door: Door) -> None:
    method, path, _ = door.sample_write("x")
    response = door.ask("PATCH", path)
    assert response.status_code == 405
    assert method in response.headers["allow"]
    if door.name != "mem9":  # its genuine server answers with an empty body
        door.check_error(response)


UNKNOWN_PATHS = {
    "openmemory": "/api/v1/nothing",
    "mem0": "/nothing",
    "platform": "/platform/v1/nothing/",
    "mem0-local": "/v1/nothing",
    "memento": "/api/nothing/at/all",
    "mem9": "/v1alpha2/nothing",
    "mcp": "/mcp/nothing",
}


@pytest.mark.parametrize("door", ALL, indirect=True, ids=lambda kind: kind.name)
def test_unknown_paths(door: Door) -> None:
    response = door.ask("GET", UNKNOWN_PATHS[door.name])
    assert response.status_code == 404
    if door.name == "mem9":  # as its genuine server has it
        assert response.text == "404 page not found\n"
    else:
        door.check_error(response)
