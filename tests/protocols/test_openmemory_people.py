"""Who is signed in where, whose keys are whose, and how a user goes."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.context import Runtime
from tests.protocols.asking import API, UNKNOWN, Person, dump, ok, remember, searched, statements

PASSWORD = "correct horse battery"


class Browser:
    """Somebody who signed in: by their access token, with their own cookies."""

    def __init__(self, server: FastAPI, user_id: str, name: str = "Firefox") -> None:
        self.client = TestClient(server, raise_server_exceptions=False, headers={"User-Agent": name})
        login = {"user_id": user_id, "password": PASSWORD}
        self.tokens = ok(self.client.post(f"{API}/auth/login", json=login))
        self.client.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    def sessions(self) -> list[dict[str, Any]]:
        """Where they are signed in."""
        found: list[dict[str, Any]] = ok(self.client.get(f"{API}/auth/sessions"))["items"]
        return found


@pytest.fixture
def ann(door: TestClient) -> str:
    """A user with a password."""
    ok(door.post(f"{API}/users", json={"user_id": "ann", "password": PASSWORD, "name": "Ann"}))
    return "ann"


# -- sessions ----------------------------------------------------------------------------------------------------------


def test_sessions_tell_where_one_is_signed_in(server: FastAPI, ann: str) -> None:
    phone, laptop = Browser(server, ann, "Phone"), Browser(server, ann, "Laptop")
    sessions = laptop.sessions()
    assert [(one["user_agent"], one["is_this_one"]) for one in sessions] == [("Laptop", True), ("Phone", False)]
    ok(phone.client.post(f"{API}/auth/refresh"))
    assert [one["user_agent"] for one in laptop.sessions()] == ["Phone", "Laptop"]  # renewed last


def test_an_ended_session_is_refused_from_the_next_request_on(server: FastAPI, ann: str) -> None:
    phone, laptop = Browser(server, ann), Browser(server, ann)
    other = next(one["id"] for one in laptop.sessions() if not one["is_this_one"])
    assert ok(laptop.client.delete(f"{API}/auth/sessions/{other}")) == {"ended": 1}
    assert phone.client.get(f"{API}/auth/me").status_code == 401
    assert phone.client.post(f"{API}/auth/refresh").status_code == 401
    assert len(laptop.sessions()) == 1
    assert laptop.client.delete(f"{API}/auth/sessions/{other}").status_code == 404  # it has ended


def test_all_others_end_at_once_and_the_one_that_asks_goes_on(
    server: FastAPI, door: TestClient, ann: str, person: Person
) -> None:
    ok(door.post(f"{API}/users", json={"user_id": "bo", "password": PASSWORD}))
    others, this, of_bo = [Browser(server, ann) for _ in range(3)], Browser(server, ann), Browser(server, "bo")
    assert ok(this.client.delete(f"{API}/auth/sessions")) == {"ended": 3}
    assert {other.client.get(f"{API}/auth/me").status_code for other in others} == {401}
    ok(this.client.get(f"{API}/auth/me"))
    ok(of_bo.client.get(f"{API}/auth/me"))
    assert ok(person("ann").delete(f"{API}/auth/sessions")) == {"ended": 1}  # a key is no session


def test_sessions_of_others_are_not_found_not_even_by_an_admin(
    server: FastAPI, door: TestClient, ann: str, person: Person
) -> None:
    of_ann = Browser(server, ann)
    (session,) = of_ann.sessions()
    for asking in (person("bo"), door):
        assert ok(asking.get(f"{API}/auth/sessions"))["items"] == []
        for id in (session["id"], UNKNOWN):
            answer = asking.delete(f"{API}/auth/sessions/{id}")
            assert (answer.status_code, answer.json()) == (404, {"detail": "Session not found"})
    bound = person("ann", app="agent")
    assert bound.get(f"{API}/auth/sessions").status_code == 403
    assert bound.delete(f"{API}/auth/sessions").status_code == 403
    assert person("ann", scopes=["read"]).delete(f"{API}/auth/sessions").status_code == 403
    ok(of_ann.client.get(f"{API}/auth/me"))


# -- keys --------------------------------------------------------------------------------------------------------------


def labels(client: TestClient, **query: Any) -> list[str]:
    return [key["label"] for key in ok(client.get(f"{API}/api-keys", params=query))["items"]]


def test_who_made_a_key_may_rename_and_revoke_it(person: Person) -> None:
    bo = person("bo")
    made = ok(bo.post(f"{API}/api-keys", json={"label": "laptop"}))
    assert ok(bo.put(f"{API}/api-keys/{made['id']}", json={"label": "old laptop"}))["label"] == "old laptop"
    assert ok(bo.delete(f"{API}/api-keys/{made['id']}"))["revoked_at"] is not None
    answer = bo.get(f"{API}/auth/me", headers={"Authorization": f"Bearer {made['key']}"})
    assert answer.status_code == 401
    assert labels(bo, is_revoked=True) == ["old laptop"]
    assert labels(bo, is_revoked=False) == ["test"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_keys_of_others_are_not_found(door: TestClient, person: Person, method: str) -> None:
    mine = ok(door.post(f"{API}/api-keys", json={"label": "mine"}))["id"]
    for id in (mine, UNKNOWN):
        answer = person("bo").request(method, f"{API}/api-keys/{id}", json={"label": "x"} if method == "PUT" else None)
        assert (answer.status_code, answer.json()) == (404, {"detail": "API key not found"})
    bound = person("bo", app="agent").request(
        method, f"{API}/api-keys/{mine}", json={"label": "x"} if method == "PUT" else None
    )
    assert bound.status_code == 403


def test_keys_are_bound_to_an_app_by_its_id_and_are_its_owners(door: TestClient, person: Person) -> None:
    bo = person("bo")
    app_id = remember(bo, "by an agent", app="agent")["app_id"]
    remember(door, "by an agent", app="agent")
    made = ok(door.post(f"{API}/api-keys", json={"label": "for it", "app_id": app_id}))
    assert (made["user_id"], made["app_name"], made["app_id"]) == ("bo", "agent", app_id)
    ok(door.post(f"{API}/api-keys", json={"label": "of the other app", "app_name": "agent"}))
    assert labels(door, app_id=app_id) == labels(bo, app_id=app_id) == ["for it"]
    assert labels(door, app_id=app_id, user_id="admin") == []
    refused = door.post(f"{API}/api-keys", json={"label": "x", "app_id": app_id, "user_id": "admin"})
    assert refused.status_code == 400


# -- users -------------------------------------------------------------------------------------------------------------


def test_the_list_of_users_counts_memories_and_says_who_was_here(
    server: FastAPI, door: TestClient, ann: str, person: Person
) -> None:
    bo = person("bo")
    deleted = remember(bo, "one")
    remember(bo, "two")
    ok(bo.delete(f"{API}/memories/{deleted['id']}"))
    users = {user["user_id"]: user for user in ok(door.get(f"{API}/users"))["items"]}
    assert (users["bo"]["memories"], users["ann"]["memories"]) == (1, 0)
    assert users["bo"]["last_seen_at"] is not None
    assert users["ann"]["last_seen_at"] is None
    Browser(server, ann)
    found = ok(door.get(f"{API}/users", params={"name": "aNn"}))
    assert [(user["user_id"], user["last_seen_at"] is None) for user in found["items"]] == [("ann", False)]
    assert ok(door.get(f"{API}/users", params={"name": "%"}))["total"] == 0


def test_a_user_goes_with_all_that_is_theirs_and_with_nothing_else(
    server: FastAPI, door: TestClient, person: Person, runtime: Runtime
) -> None:
    remember(person("bo"), "Bo keeps bees")
    before = rows(runtime)
    ok(door.post(f"{API}/users", json={"user_id": "ann", "password": PASSWORD}))
    ann, key = Browser(server, "ann"), person("ann")
    made = [remember(key, f"Ann collects stamp number {number}", app="agent") for number in range(5)]
    ok(key.put(f"{API}/memories/{made[0]['id']}", json={"memory_content": "Ann collects coins"}))
    ok(key.post(f"{API}/memories/search", json={"query": "stamps"}))
    ok(key.post(f"{API}/apps/{made[0]['app_id']}/access-rules", json={"effect": "deny", "memory_id": made[1]["id"]}))

    gone = ok(door.delete(f"{API}/users/ann"))
    assert gone == {"user_id": "ann", "memories": 5, "apps": 2, "keys": 1}  # the second app is the one that searched
    assert (ann.client.get(f"{API}/auth/me").status_code, key.get(f"{API}/auth/me").status_code) == (401, 401)
    assert door.get(f"{API}/users/ann").status_code == 404
    assert rows(runtime) == before
    assert searched(door, "stamps coins", user_id="bo") == ["Bo keeps bees"]


PASSING = {"configs", "vector_owners", "word_owners"}  # when files were cleaned; counters that only grow


def rows(runtime: Runtime) -> dict[str, int]:
    """How many rows each table has."""
    return {name: len(found) for name, found in dump(runtime).items() if name not in PASSING}


def test_a_departure_takes_what_lies_in_the_index(door: TestClient, person: Person, runtime: Runtime) -> None:
    made = remember(person("ann"), "The lighthouse keeper paints her boat")
    ok(door.delete(f"{API}/users/ann"))
    # Whoever is called so next has nothing to do with who was.
    again = person("ann")
    assert searched(again, "lighthouse") == []
    assert again.get(f"{API}/memories/{made['id']}").status_code == 404
    assert "lighthouse" not in str(dump(runtime))


def test_nobody_removes_themselves_or_is_removed_by_who_may_not(door: TestClient, person: Person, ann: str) -> None:
    own = door.delete(f"{API}/users/admin")
    assert (own.status_code, own.json()) == (409, {"detail": "Nobody removes themselves: another admin can"})
    assert person("bo").delete(f"{API}/users/ann").status_code == 403
    bound = person("admin", app="agent", scopes=["read", "write", "admin"])
    assert bound.delete(f"{API}/users/ann").status_code == 403
    assert door.delete(f"{API}/users/nobody").status_code == 404
    ok(door.get(f"{API}/users/ann"))


def test_a_departure_that_was_broken_off_is_finished_by_asking_again(
    door: TestClient, person: Person, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = person("ann")
    remember(key, "one")

    def broken(*_: object) -> None:
        raise RuntimeError("the store is away")

    with monkeypatch.context() as patch:
        patch.setattr("app.services.purges.withdraw", broken)
        assert door.delete(f"{API}/users/ann").status_code == 500
    assert key.get(f"{API}/auth/me").status_code == 401  # deactivated already
    assert ok(door.get(f"{API}/users/ann"))["is_active"] is False
    assert ok(door.delete(f"{API}/users/ann"))["memories"] == 1


# -- what it costs -----------------------------------------------------------------------------------------------------


def test_lists_cost_the_same_with_few_and_with_many(server: FastAPI, door: TestClient, runtime: Runtime) -> None:
    app_id = remember(door, "by an agent", app="agent")["app_id"]
    ok(door.post(f"{API}/users", json={"user_id": "ann", "password": PASSWORD, "is_admin": True}))
    costs = []
    for start, end in ((0, 2), (2, 12)):
        for number in range(start, end):
            ok(door.post(f"{API}/users", json={"user_id": f"user {number}"}))
            ok(door.post(f"{API}/api-keys", json={"label": "x", "app_id": app_id}))
            ann = Browser(server, "ann")
        asked = ("auth/sessions", "users", "users?name=user", "api-keys", f"api-keys?app_id={app_id}&is_revoked=false")
        costs.append([cost(ann.client, runtime, f"{API}/{path}") for path in asked])
    assert costs[0] == costs[1]
    assert max(costs[1]) <= 4


def cost(client: TestClient, runtime: Runtime, path: str) -> int:
    with statements(runtime) as seen:
        ok(client.get(path))
    return len(seen)
