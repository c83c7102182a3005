"""Two users of one server, through the hosted wire: what is the other's is answered like what does not exist."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.context import Runtime
from tests.protocols.asking import UNKNOWN, dump, ok
from tests.protocols.platform.asking import COFFEE, TRAIN, add, body, found, refused, shown
from tests.protocols.platform.conftest import Hosted

READS: list[tuple[str, str, Any]] = [
    ("POST", "/v3/memories/", {}),
    ("POST", "/v3/memories/", {"filters": {"user_id": "*"}}),
    ("POST", "/v3/memories/", {"filters": {"OR": [{"user_id": "ann"}, {"user_id": "bo"}]}}),
    ("POST", "/v3/memories/", {"filters": {"user_id": "ann"}}),
    ("POST", "/v2/memories/", {"filters": {"NOT": [{"user_id": "bo"}]}}),
    ("GET", "/v1/memories/?user_id=ann", None),
    ("GET", "/v1/memories/?agent_id=a1&user_id=*", None),
    ("POST", "/v3/memories/search/", {"query": COFFEE}),
    ("POST", "/v3/memories/search/", {"query": COFFEE, "filters": {"user_id": "*"}}),
    ("POST", "/v2/memories/search/", {"query": COFFEE, "filters": {"user_id": "ann"}, "keyword_search": False}),
    ("POST", "/v1/memories/search/", {"query": COFFEE, "user_id": "ann", "show_expired": True}),
    ("GET", "/v1/entities/", None),
    ("GET", "/v1/entities/agent/a1/", None),
    ("GET", "/v1/events/", None),
    ("GET", "/v1/event/{event}/", None),
    ("GET", "/v1/memories/{id}/", None),
    ("GET", "/v1/memories/{id}/history/", None),
    ("POST", "/v1/summary/", {"filters": {"user_id": "ann"}}),
    ("POST", "/v1/exports/get/", {"memory_export_id": "{export}"}),
    ("POST", "/v1/exports/get/", {"filters": {"user_id": "ann"}}),
    ("GET", "/v2/entities/user/ann/profile/", None),
]
WRITES: list[tuple[str, str, Any]] = [
    ("PUT", "/v1/memories/{id}/", {"text": "x"}),
    ("DELETE", "/v1/memories/{id}/", None),
    ("DELETE", "/v1/memories/{id}/?delete_linked=true", None),
    ("PUT", "/v1/batch/", {"memories": [{"memory_id": "{id}", "text": "x"}]}),
    ("DELETE", "/v1/batch/", {"memories": [{"memory_id": "{id}"}]}),
    ("POST", "/v1/feedback/", {"memory_id": "{id}", "feedback": "NEGATIVE"}),
]


class Two:
    """Ann, who has a memory and an export, and Bo, who asks for them."""

    def __init__(self, someone: Hosted) -> None:
        self.ann, self.bo = someone("ann"), someone("bo")
        made = ok(self.ann.post("/v3/memories/add/", json=body(COFFEE, agent_id="a1")))
        order = self.ann.post("/v1/exports/", json={"schema": {}, "filters": {"user_id": "ann"}})
        self.ids = {"id": made["results"][0]["id"], "event": made["event_id"], "export": order.json()["id"]}

    def ask(self, method: str, path: str, body: Any, **ids: str) -> Any:
        return self.bo.request(method, _named(path, ids or self.ids), json=_named(body, ids or self.ids))


def _named(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _named(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, ids) for item in value]
    for name, id in ids.items():
        value = value.replace(f"{{{name}}}", id) if isinstance(value, str) else value
    return value


@pytest.fixture
def two(someone: Hosted) -> Two:
    """Ann and Bo."""
    return Two(someone)


def test_nothing_of_anothers_is_shown(two: Two) -> None:
    for method, path, sent in READS:
        answer = two.ask(method, path, sent)
        assert COFFEE not in answer.text, path
        assert two.ids["id"] not in answer.text.replace(path, ""), path
        nobody = two.ask(method, path, sent, **dict.fromkeys(two.ids, UNKNOWN))
        assert (answer.status_code, answer.json()) == (nobody.status_code, nobody.json()), path


def test_nothing_of_anothers_is_changed(two: Two, runtime: Runtime) -> None:
    before = dump(runtime)
    for method, path, sent in WRITES:
        assert refused(two.ask(method, path, sent)) == (404, "Memory not found"), path
    assert refused(two.bo.post("/v3/memories/add/", json=body(TRAIN, user_id="ann")))[0] == 403
    ok(two.bo.delete("/v1/memories/?user_id=ann"))
    ok(two.bo.delete("/v1/memories/?user_id=*"))
    ok(two.bo.delete("/v2/entities/user/ann/"))
    ok(two.bo.delete("/v2/entities/agent/a1/"))
    after = dump(runtime)
    for table in ("memories", "memory_versions", "memory_feedback", "memory_status_history", "users"):
        assert after[table] == before[table], table


def test_an_admin_reaches_whom_they_name(hosted: TestClient, two: Two) -> None:
    assert shown(hosted) == []
    assert shown(hosted, filters={"user_id": "ann"}) == found(hosted, "coffee", filters={"user_id": "*"}) == [COFFEE]
    assert ok(hosted.put(f"/v1/memories/{two.ids['id']}/", json={"text": TRAIN}))["user_id"] == "ann"


def test_a_key_that_is_bound_to_an_app_sees_what_the_app_may(door: TestClient, someone: Hosted) -> None:
    bound, free = someone("ann", app="diary"), someone("ann")
    id = add(free, COFFEE)
    assert shown(bound) == shown(free) == [COFFEE]
    app = ok(door.get("/api/v1/apps", params={"name": "diary"}))["apps"][0]["id"]
    ok(door.put(f"/api/v1/apps/{app}", params={"is_active": False}))
    assert shown(bound) == found(bound, "coffee") == []
    assert bound.get(f"/v1/memories/{id}/").status_code == 404
    assert {one["name"] for one in ok(bound.get("/v1/entities/"))["results"]} == set()
    for answer in (
        bound.post("/v3/memories/add/", json=body(TRAIN)),
        bound.put(f"/v1/memories/{id}/", json={"text": "x"}),
        bound.delete(f"/v1/memories/{id}/"),
        bound.delete("/v1/memories/?user_id=ann"),
        bound.put("/v1/batch/", json={"memories": [{"memory_id": id, "text": "x"}]}),
        bound.request("DELETE", "/v1/batch/", json={"memories": [id]}),
    ):
        assert refused(answer)[0] == 403, answer.request.url


def test_pausing_mem0_closes_this_door(door: TestClient, someone: Hosted) -> None:
    ann = someone("ann")
    add(ann, COFFEE)
    app = ok(door.get("/api/v1/apps", params={"name": "mem0"}))["apps"][0]["id"]
    ok(door.put(f"/api/v1/apps/{app}", params={"is_active": False}))
    assert shown(ann) == found(ann, "coffee") == []
    assert refused(ann.post("/v3/memories/add/", json=body(TRAIN)))[0] == 403
