"""Two users of one server: whatever one asks of the other's is answered exactly like what does not exist."""

from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.context import Caller, Runtime
from app.errors import NotFound
from app.models import User
from app.services import purges
from tests.conftest import AsCaller
from tests.protocols.asking import API, UNKNOWN, Person, dump, ok, remember

BOTH = frozenset({"read", "write"})
SECRET = "We fly to Rome and stay at the Hotel Splendide"


class Two:
    """Ann, who has a memory, and Bo, who asks for it."""

    def __init__(self, door: TestClient, person: Person) -> None:
        self.ann, self.bo = person("ann"), person("bo")
        self.secret = remember(self.ann, SECRET, app="vault", metadata={"author": "Ann", "session": "s1"})
        self.own = remember(self.bo, "My salary goes to the bank", app="ledger")
        ok(self.ann.post(f"{API}/memories/search", json={"query": "hotel"}))
        found = ok(self.ann.get(f"{API}/memories/categories"))["categories"]
        self.category = next(item["id"] for item in found if item["name"] == "travel")


@pytest.fixture
def two(door: TestClient, person: Person) -> Two:
    """Ann and Bo."""
    return Two(door, person)


READS = [
    ("GET", "/memories", None),
    ("GET", "/memories?user_id=bo", None),
    ("GET", "/memories?app_id={app}", None),
    ("GET", "/memories?search_query=Rome", None),
    ("GET", "/memories?categories=travel", None),
    ("POST", "/memories/filter", {"show_archived": True}),
    ("POST", "/memories/filter", {"app_ids": ["{app}"]}),
    ("POST", "/memories/filter", {"category_ids": ["{category}"]}),
    ("POST", "/memories/search", {"query": SECRET}),
    ("POST", "/memories/search", {"query": SECRET, "mode": "vector"}),
    ("POST", "/memories/search", {"query": SECRET, "mode": "keyword"}),
    ("POST", "/memories/search", {"query": SECRET, "filters": {"app_id": "{app}"}}),
    ("POST", "/memories/search", {"query": SECRET, "filters": {"app": "vault", "author": "Ann", "session_id": "s1"}}),
    ("GET", "/memories/categories", None),
    ("GET", "/apps", None),
    ("GET", "/apps?name=vault", None),
    ("GET", "/stats", None),
]


def placed(value: Any, two: Two) -> Any:
    """The value with its places filled by what is Ann's."""
    if isinstance(value, dict):
        return {key: placed(item, two) for key, item in value.items()}
    if isinstance(value, list):
        return [placed(item, two) for item in value]
    if isinstance(value, str) and value != SECRET:
        names = {name: two.secret[key] for name, key in (("id", "id"), ("app", "app_id"), ("event", "event_id"))}
        return value.format(**names, category=two.category)
    return value


def test_no_read_shows_what_is_anothers(two: Two) -> None:
    for method, path, body in READS:
        answer = two.bo.request(method, API + placed(path, two), json=placed(body, two))
        ok(answer)
        for theirs in (two.secret["id"], two.secret["app_id"], two.category, "Splendide", "vault", "travel"):
            assert theirs not in answer.text, (method, path)


@pytest.mark.parametrize("name", ["ann", "admin", "nobody"])
def test_another_user_is_answered_like_one_who_is_not_there(two: Two, name: str) -> None:
    for method, path, body in READS:
        if "user_id" in path:
            continue
        place = path if method == "POST" else f"{path}{'&' if '?' in path else '?'}user_id={name}"
        fields = {**body, "user_id": name} if body is not None else None
        answer = two.bo.request(method, API + placed(place, two), json=placed(fields, two))
        assert (answer.status_code, answer.json()) == (404, {"detail": "User not found"}), (method, path)


VERBS = [
    ("GET", "/memories/{id}", None),
    ("GET", "/memories/{id}?user_id=ann", None),
    ("GET", "/memories/{id}?user_id=bo", None),
    ("GET", "/memories/{id}/related", None),
    ("GET", "/memories/{id}/access-log", None),
    ("GET", "/memories/{id}/history", None),
    ("GET", "/memories/{id}/history?user_id=ann", None),
    ("GET", "/memories/{id}/history?user_id=bo", None),
    ("POST", "/memories/{id}/restore", {"version": 1}),
    ("POST", "/memories/{id}/restore", {"user_id": "ann"}),
    ("POST", "/memories/{id}/restore", {"version": 1, "user_id": "bo"}),
    ("POST", "/events/{event}/undo", None),
    ("POST", "/events/{event}/undo", {"force": True}),
    ("PUT", "/memories/{id}", {"memory_content": "x"}),
    ("PUT", "/memories/{id}", {"expires_at": None}),
    ("PUT", "/memories/{id}", {"memory_content": "x", "user_id": "ann"}),
    ("PUT", "/memories/{id}", {"memory_content": "x", "user_id": "bo"}),
    ("DELETE", "/memories/{id}", None),
    ("DELETE", "/memories/{id}", {"user_id": "ann"}),
    ("DELETE", "/memories/{id}", {"user_id": "bo"}),
    ("DELETE", "/memories", {"memory_ids": ["{id}"]}),
    ("DELETE", "/memories", {"memory_ids": ["{id}"], "user_id": "ann"}),
    ("DELETE", "/memories", {"memory_ids": ["{id}"], "user_id": "bo"}),
    ("POST", "/memories/actions/archive", ["{id}"]),
    ("POST", "/memories/actions/archive?user_id=ann", ["{id}"]),
    ("POST", "/memories/actions/archive", {"memory_ids": ["{id}"], "user_id": "bo"}),
    ("POST", "/memories/actions/pause", {"memory_ids": ["{id}"]}),
    ("POST", "/memories/actions/pause", {"memory_ids": ["{id}"], "user_id": "ann", "all_for_app": True}),
    ("POST", "/memories/actions/pause", {"memory_ids": ["{id}"], "user_id": "bo", "state": "deleted"}),
    ("POST", "/memories/actions/pause", {"app_id": "{app}"}),
    ("POST", "/memories/actions/pause", {"app_id": "{app}", "user_id": "bo"}),
    ("POST", "/memories/actions/pause", {"category_ids": ["{category}"]}),
    ("POST", "/memories/actions/pause", {"category_ids": ["{category}"], "user_id": "bo"}),
    ("POST", "/memories/actions/pause", {"global_pause": True, "user_id": "ann"}),
    ("GET", "/apps/{app}", None),
    ("GET", "/apps/{app}/memories", None),
    ("GET", "/apps/{app}/accessed", None),
    ("PUT", "/apps/{app}?is_active=false", None),
    ("GET", "/apps/{app}/access-rules", None),
    ("POST", "/apps/{app}/access-rules", {"effect": "allow"}),
    ("POST", "/apps/{app}/access-rules", {"effect": "deny", "memory_id": "{id}"}),
    ("DELETE", "/apps/{app}/access-rules/{id}", None),
    ("GET", "/memories/{id}/readers", None),
    ("GET", "/api-keys?app_id={app}", None),
    ("POST", "/api-keys", {"label": "x", "app_id": "{app}"}),
]


class Nothing(Two):
    """Ids that nobody has, in the place of Ann's."""

    def __init__(self) -> None:
        self.secret = {"id": UNKNOWN, "app_id": UNKNOWN, "event_id": UNKNOWN}
        self.category = UNKNOWN


def test_what_is_anothers_is_answered_like_what_is_not_there(two: Two, runtime: Runtime) -> None:
    before = dump(runtime)
    for method, path, body in VERBS:
        theirs, nothing = (
            two.bo.request(method, API + placed(path, whose), json=placed(body, whose)) for whose in (two, Nothing())
        )
        said = theirs.text
        for id in (two.secret["id"], two.secret["app_id"], two.category):
            said = said.replace(id, UNKNOWN)
        assert (theirs.status_code, said) == (404, nothing.text), (method, path)
    assert dump(runtime) == before


def test_what_is_anothers_is_not_purged(two: Two, runtime: Runtime, ctx: AsCaller) -> None:
    ok(two.ann.delete(f"{API}/memories/{two.secret['id']}"))
    with ctx() as c:
        bo = Caller(c.session.scalars(select(User.id).where(User.user_id == "bo")).one(), "bo", None, BOTH, True)
    before = dump(runtime)
    for id in (two.secret["id"], UNKNOWN):
        with pytest.raises(NotFound, match=r"^Memory not found$"), ctx(bo, writing=True) as c:
            purges.purge(c, UUID(id))
    assert dump(runtime) == before


def test_a_global_pause_stops_at_ones_own(two: Two) -> None:
    ok(two.bo.post(f"{API}/memories/actions/pause", json={"global_pause": True, "state": "deleted"}))
    assert ok(two.bo.get(f"{API}/stats"))["total_memories"] == 0
    assert ok(two.ann.get(f"{API}/memories/{two.secret['id']}"))["state"] == "active"


def test_apps_and_categories_of_one_name_are_each_users_own(two: Two) -> None:
    same = remember(two.bo, SECRET, app="vault")
    assert same["app_id"] != two.secret["app_id"]
    ok(two.bo.put(f"{API}/apps/{same['app_id']}", params={"is_active": False}))
    remember(two.ann, "x", app="vault")
    found = ok(two.bo.get(f"{API}/memories/categories"))["categories"]
    assert two.category not in {item["id"] for item in found}


def test_anothers_reads_do_not_show_in_ones_figures(two: Two) -> None:
    same = remember(two.bo, SECRET, app="vault")
    ok(two.bo.post(f"{API}/memories/search", json={"query": "hotel", "app": "vault"}))
    assert ok(two.ann.get(f"{API}/apps/{two.secret['app_id']}"))["total_memories_accessed"] == 0
    assert ok(two.bo.get(f"{API}/apps/{same['app_id']}"))["total_memories_accessed"] == 2


def test_an_admin_reaches_both_by_name(door: TestClient, two: Two) -> None:
    for name, memory in (("ann", two.secret), ("bo", two.own)):
        page = ok(door.get(f"{API}/memories", params={"user_id": name}))
        assert [item["id"] for item in page["items"]] == [memory["id"]]
        assert ok(door.get(f"{API}/memories/{memory['id']}", params={"user_id": name}))["user_id"] == name


@pytest.mark.parametrize("scopes", [["read"], ["read", "write"]])
def test_no_scope_but_admin_reaches_another(server: FastAPI, person: Person, two: Two, scopes: list[str]) -> None:
    other = person("bo", scopes=scopes)
    assert other.get(f"{API}/memories/{two.secret['id']}").status_code == 404
    assert other.get(f"{API}/memories", params={"user_id": "ann"}).status_code == 404
