"""What no client should send to /api/v1: a clear 4xx in the page's error form, and nothing changed."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.context import Runtime
from tests.protocols.asking import API, UNKNOWN, Person, dump, ok, raw, remember, strict

SURROGATE = "half \ud800 pair"
TEXTS = {
    "empty": ("", 400),
    "blank": (" \t\r\n\u3000", 400),
    "a megabyte": ("x" * 2**20, 413),
    "one over": ("x" * 100_001, 413),
    "a control character": ("bell \x07", 400),
    "escape": ("\x1b[31m red", 400),
    "NUL": ("a\x00b", 400),
    "a lone surrogate": (SURROGATE, 400),
    "no text": (1, 422),
    "null": (None, 422),
    "a list": (["a"], 422),
}


@pytest.fixture
def seed(door: TestClient) -> dict[str, Any]:
    """A memory that has to be there and the same in the end."""
    return remember(door, "We fly to Rome and stay at a hotel", user_id="ann", app="notes", metadata={"a": 1})


def complained(response: Response, *statuses: int) -> Any:
    """What a refusal says, in the page's form."""
    assert response.status_code in statuses, (response.status_code, response.text[:500])
    assert response.headers["content-type"] == "application/json"
    body = strict(response)
    assert set(body) == {"detail"}
    assert body["detail"]
    if response.status_code == 422:
        assert all({"type", "loc", "msg"} <= set(item) for item in body["detail"])
    return body["detail"]


def unchanged(runtime: Runtime, before: dict[str, Any]) -> None:
    after = dump(runtime)
    assert {name for name in after if after[name] != before[name]} == set()


def post(door: TestClient, path: str, body: Any, method: str = "POST") -> Response:
    """A JSON request as json.dumps writes it: NaN, Infinity and lone surrogates included."""
    return raw(door, method, path, json.dumps(body).encode())


# -- texts and metadata ------------------------------------------------------------------------------------------------


def test_a_text_that_cannot_be_a_memory_is_refused(door: TestClient, runtime: Runtime, seed: dict[str, Any]) -> None:
    before = dump(runtime)
    for words, status in TEXTS.values():
        complained(post(door, "/memories", {"text": words}), status)
        complained(post(door, "/memories/bulk", {"memories": [{"text": "fine"}, {"text": words}]}), status)
        complained(post(door, f"/memories/{seed['id']}", {"memory_content": words}, "PUT"), status)
    unchanged(runtime, before)


def nested(depth: int, leaf: Any = 1) -> Any:
    value = leaf
    for _ in range(depth):
        value = {"a": value}
    return value


METADATA = {
    "NaN": ({"a": [float("nan")]}, 400),
    "Infinity": ({"a": float("-inf")}, 400),
    "a lone surrogate": ({"a": SURROGATE}, 400),
    "a lone surrogate as a key": ({SURROGATE: 1}, 400),
    "NUL": ({"a": {"b": ["\x00"]}}, 400),
    "deep": (nested(40), 400),
    "too deep to parse": (nested(700), 400),
    "huge": ({"a": "x" * 70_000}, 413),
    "a list": ([], 422),
    "a text": ("x", 422),
}


def test_metadata_that_cannot_be_stored_is_refused(door: TestClient, runtime: Runtime) -> None:
    before = dump(runtime)
    for metadata, status in METADATA.values():
        complained(post(door, "/memories", {"text": "x", "metadata": metadata}), status)
        complained(post(door, "/memories/bulk", {"memories": [{"text": "x", "metadata": metadata}]}), status)
    unchanged(runtime, before)


def test_what_json_knows_is_stored_as_it_came(door: TestClient) -> None:
    metadata = {
        "": "",
        "big": 10**30,
        "small": 5e-324,
        "deep": nested(30),
        "line": "a\nb\t",
        "emoji": "👩‍👧",
        "z": None,
    }
    created = remember(door, "line\nbreak\ttab 👩‍👧 \u200b", metadata=metadata)
    assert ok(door.get(f"{API}/memories/{created['id']}"))["metadata_"] == metadata
    assert created["content"] == "line\nbreak\ttab 👩‍👧 \u200b"


# -- bodies ------------------------------------------------------------------------------------------------------------

BODIES = {
    "nothing": b"",
    "half": b'{"text": "x"',
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "not UTF-8": b'{"text": "\xff\xfe"}',
    "NaN": b'{"text": NaN, "query": NaN, "memory_ids": NaN, "page": NaN, "memory_content": NaN, "memories": NaN}',
    "a list too deep": b"[" * 100_000,
    "a text too deep": b'{"text": ' + b"[" * 900 + b"]" * 900 + b', "page": []}',
    "a number too long": b'{"text": 1' + b"0" * 5_000 + b"}",
}
WITH_BODY = [
    ("POST", "/memories"),
    ("POST", "/memories/bulk"),
    ("POST", "/memories/search"),
    ("POST", "/memories/filter"),
    ("POST", "/memories/actions/archive"),
    ("POST", "/memories/actions/pause"),
    ("PUT", "/memories/{id}"),
    ("DELETE", "/memories"),
]


def test_a_body_that_is_no_request_is_refused(door: TestClient, runtime: Runtime, seed: dict[str, Any]) -> None:
    before = dump(runtime)
    for body in BODIES.values():
        for method, path in WITH_BODY:
            complained(raw(door, method, path.format(**seed), body), 400, 422)
    unchanged(runtime, before)


def test_another_content_type_is_refused(door: TestClient, runtime: Runtime, seed: dict[str, Any]) -> None:
    before = dump(runtime)
    for kind in ("application/xml", "text/html", "multipart/form-data; boundary=x", "nonsense"):
        for method, path in WITH_BODY:
            complained(raw(door, method, path.format(**seed), b'{"text": "x"}', kind), 415, 422)
    unchanged(runtime, before)


def test_unknown_fields_are_ignored(door: TestClient) -> None:
    created = remember(door, "We fly to Rome", color="red", id=UNKNOWN, state="deleted")
    assert (created["state"], created["id"] == UNKNOWN) == ("active", False)
    ok(door.get(f"{API}/memories", params={"color": "red"}))
    ok(door.post(f"{API}/memories/filter", json={"color": "red"}))


def test_a_body_over_the_limit_is_refused(door: TestClient) -> None:
    answer = door.post(f"{API}/memories", headers={"Content-Length": str(2**27), "Content-Type": "application/json"})
    complained(answer, 413)


# -- strings everywhere ------------------------------------------------------------------------------------------------

FIELDS = [
    ("POST", "/memories", {"text": "x", "user_id": None}),
    ("POST", "/memories", {"text": "x", "app": None}),
    ("POST", "/memories/bulk", {"memories": [{"text": "x"}], "user_id": None}),
    ("POST", "/memories/bulk", {"memories": [{"text": "x"}], "app": None}),
    ("POST", "/memories/search", {"query": None}),
    ("POST", "/memories/search", {"query": "x", "user_id": None}),
    ("POST", "/memories/search", {"query": "x", "app": None}),
    ("POST", "/memories/search", {"query": "x", "mode": None}),
    ("POST", "/memories/search", {"query": "x", "filters": {"author": None}}),
    ("POST", "/memories/search", {"query": "x", "filters": {"tags": [None]}}),
    ("POST", "/memories/search", {"query": "x", "filters": {"app": None}}),
    ("POST", "/memories/search", {"query": "x", "filters": {"categories": None}}),
    ("POST", "/memories/search", {"query": "x", "filters": {"app_id": None}}),
    ("POST", "/memories/search", {"query": "x", "filters": {"from_date": None}}),
    ("POST", "/memories/filter", {"user_id": None}),
    ("POST", "/memories/filter", {"search_query": None}),
    ("POST", "/memories/filter", {"sort_column": None}),
    ("POST", "/memories/filter", {"from_date": None}),
    ("POST", "/memories/filter", {"app_ids": [None]}),
    ("POST", "/memories/actions/pause", {"global_pause": True, "user_id": None}),
    ("POST", "/memories/actions/pause", {"global_pause": True, "state": None}),
    ("POST", "/memories/actions/pause", {"app_id": None}),
    ("POST", "/memories/actions/archive", {"memory_ids": [UNKNOWN], "user_id": None}),
    ("POST", "/memories/actions/archive", [None]),
    ("DELETE", "/memories", {"memory_ids": [UNKNOWN], "user_id": None}),
    ("DELETE", "/memories/{id}", {"user_id": None}),
    ("PUT", "/memories/{id}", {"memory_content": "x", "user_id": None}),
    ("PUT", "/memories/{id}", {"expires_at": None}),
    ("POST", "/memories", {"text": "x", "expires_at": None}),
    ("POST", "/memories/{id}/restore", {"user_id": None}),
    ("POST", "/memories/{id}/purge", {"user_id": None}),
]


def filled(value: Any, word: str) -> Any:
    """The value with each None replaced by the word."""
    if isinstance(value, dict):
        return {key: filled(item, word) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, word) for item in value]
    return word if value is None else value


@pytest.mark.parametrize("word", ["a\x00b", SURROGATE, "\x1b[31m"])
def test_no_string_field_takes_what_cannot_be_stored(
    door: TestClient, runtime: Runtime, seed: dict[str, Any], word: str
) -> None:
    before = dump(runtime)
    for method, path, body in FIELDS:
        complained(post(door, path.format(**seed), filled(body, word), method), 400, 422)
    unchanged(runtime, before)


PARAMETERS = [
    "/memories?user_id={}",
    "/memories?app_id={}",
    "/memories?from_date={}",
    "/memories?to_date={}",
    "/memories?categories={}",
    "/memories?search_query={}",
    "/memories?sort_column={}",
    "/memories?sort_direction={}",
    "/memories?page={}",
    "/memories?page_size={}",
    "/memories/categories?user_id={}",
    "/memories/{}",
    "/memories/{}/related",
    "/memories/{}/access-log",
    "/apps?user_id={}",
    "/apps?name={}",
    "/apps?is_active={}",
    "/apps?sort_by={}",
    "/apps/{}",
    "/apps/{}/memories",
    "/stats?user_id={}",
]


@pytest.mark.parametrize("word", ["a%00b", "%1B"])
def test_no_parameter_takes_what_cannot_be_stored(door: TestClient, word: str) -> None:
    for path in PARAMETERS:
        complained(door.get(API + path.format(word)), 422)


# -- parameters --------------------------------------------------------------------------------------------------------


PAGES = [
    "page=0",
    "page=-1",
    "page=1.5",
    "page=x",
    "page=1000001",
    "page=99999999999999999999999",
    "size=0",
    "size=-5",
    "size=101",
    "page_size=0",
    "page_size=101",
]


def test_pages_out_of_bounds_are_refused(door: TestClient, seed: dict[str, Any]) -> None:
    paths = ["/memories", "/apps", f"/memories/{seed['id']}/access-log"]
    paths += [f"/apps/{seed['app_id']}/{what}" for what in ("memories", "accessed")]
    for path in paths:
        for query in PAGES:
            complained(door.get(f"{API}{path}?{query}"), 422)


FILTERS = [
    {"page": 0},
    {"page": -1},
    {"page": 10**30},
    {"page": float("inf")},
    {"size": 0},
    {"size": 101},
    {"sort_column": "password_hash"},
    {"sort_column": "metadata"},
    {"sort_direction": "sideways"},
    {"app_ids": ["x"]},
    {"category_ids": [1]},
    {"from_date": "soon"},
    {"from_date": float("nan")},
    {"to_date": 10**30},
    {"to_date": True},
]


def test_filters_out_of_bounds_are_refused(door: TestClient) -> None:
    for body in FILTERS:
        complained(post(door, "/memories/filter", body), 422)


LISTS = [
    "sort_column=password_hash",
    "sort_column=metadata",
    "sort_column=created_at;drop",
    "sort_direction=sideways",
    "app_id=1",
    "from_date=soon",
    "from_date=nan",
    "from_date=1e999",
    "to_date=9999999999999999999999",
    "user_id=",
    f"user_id={'x' * 256}",
    f"search_query={'x' * 1001}",
]


def test_list_parameters_out_of_bounds_are_refused(door: TestClient) -> None:
    for query in LISTS:
        complained(door.get(f"{API}/memories?{query}"), 422)


def test_the_largest_page_is_answered(door: TestClient, seed: dict[str, Any]) -> None:
    for path in ("/memories", "/apps", f"/apps/{seed['app_id']}/memories", f"/apps/{seed['app_id']}/accessed"):
        assert ok(door.get(f"{API}{path}?page=1000000&size=100"))["total"] in (0, 1)
    assert ok(door.get(f"{API}/memories/{seed['id']}/related?page=1000000"))["items"] == []


def test_reversed_dates_are_refused(door: TestClient) -> None:
    dates = {"from_date": "2024-01-02", "to_date": "2024-01-01"}
    assert complained(door.get(f"{API}/memories", params=dates), 400) == "from_date is after to_date"
    assert complained(door.post(f"{API}/memories/filter", json=dates), 400) == "from_date is after to_date"


# -- ids ---------------------------------------------------------------------------------------------------------------

BY_ID = [
    ("GET", "/memories/{}", None),
    ("PUT", "/memories/{}", {"memory_content": "x"}),
    ("GET", "/memories/{}/history", None),
    ("POST", "/memories/{}/restore", None),
    ("POST", "/memories/{}/purge", None),
    ("DELETE", "/memories/{}", None),
    ("GET", "/memories/{}/related", None),
    ("GET", "/memories/{}/access-log", None),
    ("GET", "/apps/{}", None),
    ("GET", "/apps/{}/memories", None),
    ("GET", "/apps/{}/accessed", None),
    ("PUT", "/apps/{}?is_active=false", None),
]


def test_a_malformed_id_is_refused(door: TestClient, runtime: Runtime, seed: dict[str, Any]) -> None:
    before = dump(runtime)
    for id in ("1", "not-a-uuid", f"{UNKNOWN}0", "g" * 32, "%2e%2e", "null", "x" * 5_000):
        for method, path, body in BY_ID:
            complained(door.request(method, API + path.format(id), json=body), 404, 422)
    unchanged(runtime, before)


def test_an_unknown_id_is_not_found(door: TestClient, runtime: Runtime, seed: dict[str, Any]) -> None:
    before = dump(runtime)
    for method, path, body in BY_ID:
        what = "App" if path.startswith("/apps") else "Memory"
        assert complained(door.request(method, API + path.format(UNKNOWN), json=body), 404) == f"{what} not found"
    unchanged(runtime, before)


def test_one_unknown_id_among_many_changes_none(door: TestClient, runtime: Runtime, seed: dict[str, Any]) -> None:
    before = dump(runtime)
    actions = ("/memories/actions/archive", "/memories/actions/pause")
    for method, path in (("DELETE", "/memories"), *(("POST", action) for action in actions)):
        named = {"memory_ids": [seed["id"], UNKNOWN]}
        assert complained(post(door, path, named, method), 404) == f"Memory not found: {UNKNOWN}"
        complained(post(door, path, {"memory_ids": [seed["id"], "x"]}, method), 422)
        complained(post(door, path, {"memory_ids": []}, method), 400, 422)
        complained(post(door, path, {"memory_ids": [seed["id"]] * 10_001}, method), 422)
    unchanged(runtime, before)


def test_an_archive_of_nothing_is_refused(door: TestClient, runtime: Runtime) -> None:
    before = dump(runtime)
    for body in (b"[]", b'["x"]', b"{}", b'{"memory_ids": {}}', b"[null]", b"1"):
        complained(raw(door, "POST", "/memories/actions/archive", body), 422)
    unchanged(runtime, before)


def test_another_users_memory_is_changed_by_nobody_who_names_the_wrong_owner(
    door: TestClient, runtime: Runtime, seed: dict[str, Any]
) -> None:
    remember(door, "x", user_id="bo")
    before = dump(runtime)
    for owner in ("bo", "admin", "nobody"):
        complained(post(door, f"/memories/{seed['id']}", {"user_id": owner}, "DELETE"), 404)
        complained(post(door, f"/memories/{seed['id']}", {"memory_content": "x", "user_id": owner}, "PUT"), 404)
        complained(post(door, "/memories", {"memory_ids": [seed["id"]], "user_id": owner}, "DELETE"), 404)
        complained(door.get(f"{API}/memories/{seed['id']}", params={"user_id": owner}), 404)
    unchanged(runtime, before)


# -- methods -----------------------------------------------------------------------------------------------------------


def test_methods_that_are_not_there_are_refused(door: TestClient, seed: dict[str, Any]) -> None:
    for path in ("/memories", "/memories/search", "/memories/{id}", "/apps", "/apps/{app_id}", "/stats"):
        for method in ("PATCH", "TRACE", "PROPFIND"):
            assert complained(door.request(method, API + path.format(**seed)), 405) == "Method Not Allowed"


def test_unknown_paths_are_not_found(door: TestClient) -> None:
    for path in ("", "/", "/nothing", "/memories/x/y/z", "/memory", "/apps//memories"):
        complained(door.get(API + path), 404, 422)


def test_nobody_is_told_anything_without_a_key(person: Person, server: Any, seed: dict[str, Any]) -> None:
    nobody = TestClient(server)
    for method, path, body in BY_ID:
        answer = nobody.request(method, API + path.format(seed["id"]), json=body)
        complained(answer, 401)
