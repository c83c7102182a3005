"""When memories expire, and what retention rules do, through the page."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.context import Runtime
from app.database import now
from app.models import Memory
from app.services import expiry
from app.services.drafts import draft
from app.sweep import Sweep
from tests.protocols.asking import API, Person, dump, listed, ok, remember, searched
from tests.protocols.test_openmemory_history import history, restore

TRAIN = "We take the train to Rome"
LATER = "2999-12-31T12:00:00Z"
DAY = timedelta(days=1)


def put(door: TestClient, id: str, **body: Any) -> dict[str, Any]:
    """Change a memory."""
    changed: dict[str, Any] = ok(door.put(f"{API}/memories/{id}", json=body))
    return changed


def pass_by(runtime: Runtime, id: str) -> None:
    """Have the memory's time come."""
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.id == UUID(id)).values(expires_at=now() - DAY))


@pytest.mark.parametrize(
    ("metadata", "expires_at"),
    [
        ({"expires_at": "2999-12-31T12:00:00Z"}, datetime(2999, 12, 31, 12, tzinfo=UTC)),
        ({"expiration_date": "2999-12-30"}, datetime(2999, 12, 31, tzinfo=UTC)),  # mem0: the day itself is included
        ({"expires_at": "2999-12-30"}, datetime(2999, 12, 31, tzinfo=UTC)),
        ({"expires_at": 4_102_444_800}, datetime(2100, 1, 1, tzinfo=UTC)),
        ({"expires_at": "9999-12-29"}, datetime(9999, 12, 29, tzinfo=UTC)),
        ({"expires_at": "some day"}, None),
        ({"expires_at": None}, None),
        ({}, None),
    ],
)
def test_metadata_may_say_when_it_expires(metadata: dict[str, Any], expires_at: datetime | None) -> None:
    assert draft("x", metadata).expires_at == expires_at


def test_the_field_is_worth_more_than_the_metadata(door: TestClient) -> None:
    made = remember(door, TRAIN, expires_at=LATER, metadata={"expiration_date": "2998-01-01"})
    assert (made["expires_at"], made["metadata_"]) == (LATER, {"expiration_date": "2998-01-01"})
    assert history(door, made["id"])[0]["expires_at"] == LATER


def test_when_it_expires_can_be_changed_and_removed(door: TestClient, encodes: list[int]) -> None:
    id = remember(door, TRAIN)["id"]
    assert put(door, id, expires_at=LATER)["expires_at"] == LATER
    assert put(door, id, memory_content="We take the bus", expires_at="2998-01-01")["version"] == 3
    assert put(door, id, memory_content="We take the bike")["expires_at"] == "2998-01-02T00:00:00Z"
    gone = put(door, id, expires_at=None)
    assert (gone["expires_at"], gone["content"], gone["version"]) == (None, "We take the bike", 5)
    assert put(door, id, expires_at=None)["version"] == 5
    newest, _, both, first, _ = history(door, id)
    assert first["changes"]["expires_at"] == {"old": None, "new": LATER}
    assert newest["changes"]["expires_at"] == {"old": "2998-01-02T00:00:00Z", "new": None}
    assert (bool(both["changes"]["content"]), both["changes"]["expires_at"]["old"]) == (True, LATER)
    assert searched(door, "bike") == ["We take the bike"]


def test_a_time_that_is_none_or_past_is_refused(door: TestClient, runtime: Runtime) -> None:
    id = remember(door, TRAIN)["id"]
    before = dump(runtime)
    for value, status in (("2001-01-01", 400), (1, 400), ("some day", 422), ([], 422), ({}, 422), (True, 422)):
        assert door.post(f"{API}/memories", json={"text": "x", "expires_at": value}).status_code == status, value
        assert door.put(f"{API}/memories/{id}", json={"expires_at": value}).status_code == status, value
    assert door.put(f"{API}/memories/{id}", json={}).status_code == 422
    assert door.put(f"{API}/memories/{id}", json={"memory_content": None}).status_code == 422
    assert dump(runtime) == before


def test_what_has_expired_is_hidden_at_once_then_deleted_and_can_be_brought_back(
    door: TestClient, runtime: Runtime
) -> None:
    id = remember(door, TRAIN, expires_at=LATER)["id"]
    assert listed(door) == searched(door, "train") == [TRAIN]
    pass_by(runtime, id)
    assert listed(door) == searched(door, "train") == []
    assert door.get(f"{API}/memories/{id}").status_code == 404
    assert expiry.expire(runtime) == 1
    assert [one["event"] for one in history(door, id)] == ["EXPIRE", "ADD"]
    back = restore(door, id)
    assert (back["state"], back["expires_at"]) == ("active", None)
    assert listed(door) == searched(door, "train") == [TRAIN]


def test_retention_through_the_page(door: TestClient, person: Person, runtime: Runtime) -> None:
    id = remember(door, TRAIN)["id"]
    assert ok(door.get(f"{API}/retention/preview")) == {"rules": []}
    rules = [{"name": "old", "archive_after_days": 5}, {"name": "a", "app": "none", "archive_after_days": 1}]
    ok(door.patch(f"{API}/config", json={"openmemory": {"retention": rules}}))
    with runtime.database.transaction() as session:
        session.execute(update(Memory).values(created_at=now() - 6 * DAY))
    old, none = ok(door.get(f"{API}/retention/preview"))["rules"]
    assert (old["rule"], old["count"], [one["id"] for one in old["memories"]]) == ("old", 1, [id])
    assert none == {"rule": "a", "count": 0, "memories": []}
    ran = ok(door.post(f"{API}/retention/run"))
    assert ran == {"rules": [{"rule": "old", "archived": 1}, {"rule": "a", "archived": 0}], "is_done": True}
    assert ok(door.get(f"{API}/memories/{id}"))["state"] == "archived"
    ann = person("ann")
    for method, path in (("GET", "preview"), ("POST", "run")):
        assert ann.request(method, f"{API}/retention/{path}").status_code == 403


def test_one_sweep_expires_archives_and_purges(door: TestClient, runtime: Runtime) -> None:
    over, old, gone = (remember(door, f"note {number}")["id"] for number in range(3))
    rules = [{"name": "old", "archive_after_days": 5}]
    ok(door.patch(f"{API}/config", json={"openmemory": {"retention": rules, "purge_after_days": 7}}))
    pass_by(runtime, over)
    ok(door.delete(f"{API}/memories/{gone}"))
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.id == UUID(old)).values(created_at=now() - 6 * DAY))
        session.execute(update(Memory).where(Memory.id == UUID(gone)).values(deleted_at=now() - 8 * DAY))
    Sweep(runtime)._sweep()
    assert history(door, over)[0]["event"] == "EXPIRE"
    assert history(door, old)[0]["event"] == "ARCHIVE"
    assert door.get(f"{API}/memories/{gone}/history").status_code == 404
    assert searched(door, "note") == []
