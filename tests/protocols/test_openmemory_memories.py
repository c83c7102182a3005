"""/api/v1/memories as the OpenMemory page has it: shapes, both slash forms, filters, sorting, changes, states."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.context import Runtime
from app.database import now
from app.models import AccessControl, App, Event, Memory, MemoryVersion, State, StatusChange
from tests.conftest import ADMIN_KEY
from tests.protocols.asking import API, UNKNOWN, Person, filtered, golden, listed, ok, remember, searched, shape, strict

METADATA = {"session_id": "s1", "speaker": "Ann", "date": "1:56 pm on 8 May, 2023", "deep": {"a": [1, 2.5, None, "é"]}}
COFFEE = "I drink strong coffee, my favourite is espresso"
TRAIN = "The train to Berlin leaves at seven"


def create_golden(door: TestClient) -> dict[str, Any]:
    return remember(door, COFFEE, user_id="ann", metadata=METADATA, app="notes")


def alter(runtime: Runtime, memory_id: str, **values: Any) -> None:
    """Change a row behind the door's back."""
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.id == UUID(memory_id)).values(**values))


def rule(runtime: Runtime, app_id: str, effect: str, memory_id: str | None = None) -> None:
    """An access rule for an app."""
    with runtime.database.transaction() as session:
        named = UUID(memory_id) if memory_id else None
        about = {"subject_type": "app", "subject_id": UUID(app_id), "object_type": "memory", "object_id": named}
        session.add(AccessControl(**about, effect=effect))


def states(runtime: Runtime, memory_id: str) -> tuple[str, datetime | None, datetime | None]:
    with runtime.database.reading() as session:
        row = session.get_one(Memory, UUID(memory_id))
        return row.state, row.archived_at, row.deleted_at


# -- shapes ------------------------------------------------------------------------------------------------------------


def test_create_answers_the_memory_and_its_receipt(door: TestClient) -> None:
    assert shape(create_golden(door)) == golden("memory_created")


def test_get_answers_text_and_content(door: TestClient) -> None:
    created = create_golden(door)
    assert shape(ok(door.get(f"{API}/memories/{created['id']}"))) == golden("memory")


def test_update_answers_the_memory_as_get_does(door: TestClient) -> None:
    created = create_golden(door)
    changed = ok(door.put(f"{API}/memories/{created['id']}", json={"memory_content": TRAIN, "user_id": "ann"}))
    assert changed == ok(door.get(f"{API}/memories/{created['id']}"))
    assert (changed["content"], changed["text"], changed["version"]) == (TRAIN, TRAIN, 2)


def test_list_and_filter_answer_a_page(door: TestClient) -> None:
    create_golden(door)
    assert shape(ok(door.get(f"{API}/memories", params={"user_id": "ann"}))) == golden("memories_page")
    found = ok(door.post(f"{API}/memories/filter", json={"user_id": "ann"}))
    assert shape(found) == golden("memories_page") | {"size": 10}


def test_categories_answer_names_and_total(door: TestClient) -> None:
    create_golden(door)
    assert shape(ok(door.get(f"{API}/memories/categories", params={"user_id": "ann"}))) == golden("categories")


def test_access_log_answers_a_page(door: TestClient) -> None:
    created = create_golden(door)
    door.get(f"{API}/memories/{created['id']}")
    assert shape(ok(door.get(f"{API}/memories/{created['id']}/access-log"))) == golden("access_log")


def test_bulk_answers_a_result_per_item(door: TestClient) -> None:
    items = [{"text": COFFEE, "metadata": METADATA}, {"text": TRAIN}]
    answer = ok(door.post(f"{API}/memories/bulk", json={"user_id": "ann", "memories": items}))
    assert shape(answer) == golden("bulk_created")


ENDPOINTS = [
    ("GET", "/memories", None),
    ("POST", "/memories", {"text": "hello there"}),
    ("POST", "/memories/bulk", {"memories": [{"text": "hello there"}]}),
    ("POST", "/memories/filter", {}),
    ("POST", "/memories/search", {"query": "hello"}),
    ("GET", "/memories/categories", None),
    ("POST", "/memories/actions/archive", ["{id}"]),
    ("POST", "/memories/actions/pause", {"memory_ids": ["{id}"]}),
    ("GET", "/memories/{id}", None),
    ("PUT", "/memories/{id}", {"memory_content": "changed"}),
    ("DELETE", "/memories/{id}", None),
    ("DELETE", "/memories", {"memory_ids": ["{id}"]}),
    ("GET", "/memories/{id}/access-log", None),
    ("GET", "/memories/{id}/related", None),
    ("GET", "/apps", None),
    ("GET", "/apps/{app}", None),
    ("GET", "/apps/{app}/memories", None),
    ("GET", "/apps/{app}/accessed", None),
    ("PUT", "/apps/{app}?is_active=true", None),
    ("GET", "/stats", None),
]


@pytest.mark.parametrize("slash", ["", "/"])
def test_both_slash_forms_are_answered_directly(door: TestClient, slash: str) -> None:
    for method, path, body in ENDPOINTS:
        created = remember(door, COFFEE)
        named = path.format(id=created["id"], app=created["app_id"])
        place, mark, query = named.partition("?")
        fields = json.loads(json.dumps(body).replace("{id}", created["id"]))
        ok(door.request(method, f"{API}{place}{slash}{mark}{query}", json=fields, follow_redirects=False))


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {ADMIN_KEY}"}, {"X-API-Key": ADMIN_KEY}])
def test_a_key_is_taken_from_either_header(door: TestClient, headers: dict[str, str]) -> None:
    bare = TestClient(door.app)
    assert bare.get(f"{API}/memories").status_code == 401
    ok(bare.get(f"{API}/memories", headers=headers))


# -- creating ----------------------------------------------------------------------------------------------------------


def test_metadata_comes_back_as_it_came_and_speaks_for_the_columns(door: TestClient) -> None:
    created = create_golden(door)
    assert created["metadata_"] == METADATA
    assert (created["run_id"], created["author"]) == ("s1", "Ann")
    assert created["occurred_at"] == "2023-05-08T13:56:00Z"


def test_each_documented_key_names_the_session_or_the_author(door: TestClient) -> None:
    for key in ("session_id", "session", "run_id"):
        assert remember(door, COFFEE, metadata={key: "s7"})["run_id"] == "s7"
    for key in ("author", "speaker", "actor_id", "role"):
        assert remember(door, COFFEE, metadata={key: "Bo"})["author"] == "Bo"


@pytest.mark.parametrize(
    "when", [1683554160, 1683554160000, "1683554160", "2023-05-08T13:56:00Z", "2023-05-08T15:56+02:00"]
)
def test_each_documented_key_names_the_time(door: TestClient, when: Any) -> None:
    for key in ("occurred_at", "timestamp", "date"):
        assert remember(door, COFFEE, metadata={key: when})["occurred_at"] == "2023-05-08T13:56:00Z"


def test_a_zones_name_alone_is_read_as_utc(door: TestClient) -> None:
    created = remember(door, COFFEE, metadata={"date": "8 May 2023 13:56 EST"})
    assert created["occurred_at"] == "2023-05-08T13:56:00Z"
    assert searched(door, "coffee", filters={"occurred_from": "2023-05-08 13:00 IST"}) == [COFFEE]


def test_inference_without_an_llm_is_verbatim_and_says_so(door: TestClient) -> None:
    created = ok(door.post(f"{API}/memories", json={"text": COFFEE}))
    assert (created["inference"], created["content"]) == ("verbatim", COFFEE)
    assert remember(door, COFFEE)["inference"] is None


def test_a_create_leaves_a_receipt(door: TestClient, runtime: Runtime) -> None:
    created = create_golden(door)
    with runtime.database.reading() as session:
        event = session.get_one(Event, UUID(created["event_id"]))
    assert (event.kind, event.status) == ("ADD", "SUCCEEDED")
    assert event.results == [{"id": created["id"], "event": "ADD", "version": 1}]


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "UTC"])
def test_created_at_is_the_epoch_whatever_the_servers_zone(
    door: TestClient, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        created = remember(door, COFFEE, metadata={"date": "2023-05-08 13:56"})
        assert abs(created["created_at"] - time.time()) < 5
        assert ok(door.get(f"{API}/memories/{created['id']}"))["created_at"] == created["created_at"]
        assert created["occurred_at"] == "2023-05-08T13:56:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_creating_for_a_new_user_makes_the_user_when_the_key_may(door: TestClient) -> None:
    remember(door, COFFEE, user_id="newcomer")
    assert listed(door, user_id="newcomer") == [COFFEE]


@pytest.mark.parametrize("owner", ["bo", "nobody at all"])
def test_creating_for_another_user_is_refused(person: Person, owner: str) -> None:
    person("bo")
    ann = person("ann")
    for path, body in (("memories", {"text": COFFEE}), ("memories/bulk", {"memories": [{"text": COFFEE}]})):
        answer = ann.post(f"{API}/{path}", json={"user_id": owner, **body})
        assert (answer.status_code, answer.json()) == (403, {"detail": f"This key may not write for user {owner!r}"})


def test_a_key_that_only_reads_does_not_write(person: Person) -> None:
    reader = person("ann", scopes=["read"])
    answer = reader.post(f"{API}/memories", json={"text": COFFEE})
    assert (answer.status_code, answer.json()) == (403, {"detail": "This needs the scope 'write'"})


def test_a_key_that_only_writes_does_not_read(person: Person) -> None:
    writer = person("ann", scopes=["write"])
    assert writer.get(f"{API}/memories").status_code == 403


def test_a_thousand_memories_are_one_call_to_the_embedder(door: TestClient, encodes: list[int]) -> None:
    items = [{"text": f"The number of this note is {i}", "metadata": {"i": i}} for i in range(1_000)]
    answer = ok(door.post(f"{API}/memories/bulk", json={"memories": items}))
    assert encodes == [1_000]
    assert [result["index"] for result in answer["results"]] == list(range(1_000))
    assert answer["total"] == ok(door.get(f"{API}/memories"))["total"] == 1_000
    newest = ok(door.get(f"{API}/memories", params={"size": 1}))["items"][0]
    assert (newest["id"], newest["metadata_"]) == (answer["results"][-1]["id"], {"i": 999})


def test_a_thousand_and_one_are_refused(door: TestClient) -> None:
    answer = door.post(f"{API}/memories/bulk", json={"memories": [{"text": "x"}] * 1_001})
    assert answer.status_code == 422
    assert listed(door) == []


def test_a_bulk_with_one_bad_item_stores_none(door: TestClient) -> None:
    answer = door.post(f"{API}/memories/bulk", json={"memories": [{"text": COFFEE}, {"text": "  "}]})
    assert (answer.status_code, answer.json()) == (400, {"detail": "The text is empty"})
    assert listed(door) == []


# -- lists -------------------------------------------------------------------------------------------------------------


def test_page_size_is_an_alias_of_size(door: TestClient) -> None:
    for i in range(5):
        remember(door, f"note {i}")
    by_alias = ok(door.get(f"{API}/memories", params={"page_size": 2, "page": 2}))
    assert by_alias == ok(door.get(f"{API}/memories", params={"size": 2, "page": 2}))
    assert [item["content"] for item in by_alias["items"]] == ["note 2", "note 1"]
    assert (by_alias["total"], by_alias["page"], by_alias["size"], by_alias["pages"]) == (5, 2, 2, 3)


def test_a_page_beyond_the_last_is_empty_and_knows_the_total(door: TestClient) -> None:
    remember(door, COFFEE)
    for query in ({}, {"search_query": "coffee"}):
        page = ok(door.get(f"{API}/memories", params={"page": 9, "size": 2, **query}))
        assert (page["items"], page["total"], page["pages"]) == ([], 1, 1)


def test_default_sizes_are_the_genuine_ones(door: TestClient) -> None:
    assert ok(door.get(f"{API}/memories"))["size"] == 50
    assert ok(door.post(f"{API}/memories/filter", json={}))["size"] == 10
    created = remember(door, COFFEE)
    assert ok(door.get(f"{API}/memories/{created['id']}/access-log"))["page_size"] == 10
    assert ok(door.get(f"{API}/memories/{created['id']}/related"))["size"] == 5


SORT_KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "memory": lambda item: item["content"],
    "categories": lambda item: min(item["categories"]),
    "app_name": lambda item: item["app_name"],
    "created_at": lambda item: item["id"],
    "updated_at": lambda item: item["updated_at"],
}


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_every_column_sorts_in_both_directions(door: TestClient, direction: str) -> None:
    texts = ["b: I have a doctor's appointment because of my allergy", "a: flight and hotel in Rome", "c: my salary"]
    for words, app in zip(texts, ["zed", "alpha", "mid"], strict=True):
        remember(door, words, app=app)
    for column, key in SORT_KEYS.items():
        order = {"sort_column": column, "sort_direction": direction}
        page = ok(door.get(f"{API}/memories", params=order))
        found = [key(item) for item in page["items"]]
        assert len(set(found)) == 3
        assert found == sorted(found, reverse=direction == "desc"), column
        assert filtered(door, **order) == [item["content"] for item in page["items"]]


def test_search_query_is_a_substring_whose_wildcards_mean_themselves(door: TestClient) -> None:
    for words in ("100% sure", "100 percent sure", "snake_case", "snakeXcase", "back\\slash", "MiXed"):
        remember(door, words)
    expected = {"0%": ["100% sure"], "e_c": ["snake_case"], "k\\s": ["back\\slash"], "mixED": ["MiXed"], "": 6}
    for words, found in expected.items():
        for seen in (listed(door, search_query=words), filtered(door, search_query=words)):
            assert (len(seen) if isinstance(found, int) else seen) == found


def test_memories_are_filtered_by_app(door: TestClient) -> None:
    one = remember(door, COFFEE, app="one")
    two = remember(door, TRAIN, app="two")
    assert listed(door, app_id=one["app_id"]) == [COFFEE]
    assert filtered(door, app_ids=[two["app_id"]]) == [TRAIN]
    assert filtered(door, app_ids=[one["app_id"], two["app_id"]]) == [TRAIN, COFFEE]
    assert listed(door, app_id=UNKNOWN) == filtered(door, app_ids=[UNKNOWN]) == []


def test_memories_are_filtered_by_any_of_some_categories(door: TestClient) -> None:
    sick = remember(door, "I went to the doctor because of my allergy")
    trip = remember(door, "We fly to Rome and stay at a hotel")
    known = {c["name"]: c["id"] for c in ok(door.get(f"{API}/memories/categories"))["categories"]}
    assert listed(door, categories="health") == [sick["content"]]
    assert listed(door, categories="health, travel ,") == [trip["content"], sick["content"]]
    assert listed(door, categories="nothing") == []
    assert filtered(door, category_ids=[known["travel"]]) == [trip["content"]]


def test_a_category_whose_name_has_a_comma_can_be_filtered(door: TestClient) -> None:
    created = remember(door, "We train machine learning models in Python and write the code of a database")
    name = "ai, ml & technology"
    assert name in created["categories"]
    assert listed(door, categories=name) == listed(door, categories=f"health,{name}") == [created["content"]]


@pytest.mark.parametrize("form", [lambda when: int(when.timestamp()), lambda when: when.isoformat()])
def test_memories_are_filtered_by_date(door: TestClient, runtime: Runtime, form: Any) -> None:
    early, late = remember(door, COFFEE), remember(door, TRAIN)
    alter(runtime, early["id"], created_at=datetime(2024, 3, 1, tzinfo=UTC))
    alter(runtime, late["id"], created_at=datetime(2024, 6, 1, tzinfo=UTC))
    between, end = form(datetime(2024, 5, 1, tzinfo=UTC)), form(datetime(2024, 7, 1, tzinfo=UTC))
    for ask in (listed, filtered):
        assert ask(door, from_date=between) == [TRAIN]
        assert ask(door, to_date=between) == [COFFEE]
        assert ask(door, from_date=between, to_date=end) == [TRAIN]
        assert ask(door, from_date=end) == []


@pytest.mark.parametrize("epoch", ["0", "86400", "1700000000.5"])
def test_an_epoch_of_any_length_is_a_date(door: TestClient, epoch: str) -> None:
    remember(door, COFFEE)
    assert listed(door, from_date=epoch) == [COFFEE]
    assert listed(door, to_date=epoch) == []


def test_reversed_dates_are_refused(door: TestClient) -> None:
    answer = door.get(f"{API}/memories", params={"from_date": 200_000_000, "to_date": 100_000_000})
    assert (answer.status_code, answer.json()) == (400, {"detail": "from_date is after to_date"})


def test_an_unknown_user_is_not_found(door: TestClient) -> None:
    asked = [
        door.get(f"{API}/memories", params={"user_id": "nobody"}),
        door.post(f"{API}/memories/filter", json={"user_id": "nobody"}),
        door.post(f"{API}/memories/search", json={"user_id": "nobody", "query": "x"}),
        door.get(f"{API}/memories/categories", params={"user_id": "nobody"}),
        door.get(f"{API}/stats", params={"user_id": "nobody"}),
        door.get(f"{API}/apps", params={"user_id": "nobody"}),
        door.post(f"{API}/memories/actions/pause", json={"user_id": "nobody", "global_pause": True}),
        door.request("DELETE", f"{API}/memories", json={"user_id": "nobody", "memory_ids": [UNKNOWN]}),
    ]
    assert [(a.status_code, a.json()) for a in asked] == [(404, {"detail": "User not found"})] * len(asked)


def test_filter_shows_paused_and_on_request_archived_memories(door: TestClient) -> None:
    paused, archived = remember(door, COFFEE), remember(door, TRAIN)
    door.post(f"{API}/memories/actions/pause", json={"memory_ids": [paused["id"]]})
    door.post(f"{API}/memories/actions/archive", json=[archived["id"]])
    assert filtered(door) == [COFFEE]
    assert filtered(door, show_archived=True) == [TRAIN, COFFEE]
    assert listed(door) == []


def test_related_share_categories_most_first(door: TestClient) -> None:
    texts = [
        f"We fly to {city} and stay at a hotel" for city in ("Rome", "Paris", "Oslo", "Bern", "Riga", "Kyiv", "Bonn")
    ]
    first, *others = [remember(door, words) for words in texts]
    remember(door, "My salary goes to the bank")
    page = ok(door.get(f"{API}/memories/{first['id']}/related"))
    assert (page["total"], page["size"], page["pages"], len(page["items"])) == (6, 5, 2, 5)
    rest = ok(door.get(f"{API}/memories/{first['id']}/related", params={"page": 2}))["items"]
    assert {item["id"] for item in page["items"] + rest} == {other["id"] for other in others}
    shared = [len(set(item["categories"]) & set(first["categories"])) for item in page["items"] + rest]
    assert shared == sorted(shared, reverse=True)


# -- totals ------------------------------------------------------------------------------------------------------------


def totals(door: TestClient, **query: Any) -> tuple[int, int]:
    """The total that the first of many pages says, and how many memories all pages show."""
    first = ok(door.get(f"{API}/memories", params={"size": 2, **query}))
    return first["total"], len(listed(door, size=100, **query))


@pytest.mark.parametrize("query", [{}, {"search_query": "note"}])
def test_totals_leave_out_what_is_not_shown(door: TestClient, runtime: Runtime, query: dict[str, str]) -> None:
    ids = [remember(door, f"note {i}")["id"] for i in range(9)]
    door.delete(f"{API}/memories/{ids[0]}")
    door.post(f"{API}/memories/actions/pause", json={"memory_ids": [ids[1]]})
    door.post(f"{API}/memories/actions/archive", json=[ids[2]])
    alter(runtime, ids[3], expires_at=now() - timedelta(seconds=1))
    alter(runtime, ids[4], expires_at=now() + timedelta(days=1))
    assert totals(door, **query) == (5, 5)
    assert ok(door.post(f"{API}/memories/filter", json={"size": 2, **query}))["total"] == 6


@pytest.mark.parametrize("query", [{}, {"search_query": "note"}])
def test_totals_obey_access_rules(door: TestClient, runtime: Runtime, query: dict[str, str]) -> None:
    created = [remember(door, f"note {i}") for i in range(6)]
    rule(runtime, created[0]["app_id"], "deny", created[5]["id"])
    assert totals(door, **query) == (5, 5)
    for memory in created[2:]:
        rule(runtime, created[0]["app_id"], "allow", memory["id"])
    assert totals(door, **query) == (3, 3)
    rule(runtime, created[0]["app_id"], "deny")
    assert totals(door, **query) == (0, 0)


def test_an_expired_memory_is_nowhere(door: TestClient, runtime: Runtime) -> None:
    created = remember(door, COFFEE)
    alter(runtime, created["id"], expires_at=now() - timedelta(seconds=1))
    assert listed(door) == filtered(door, show_archived=True) == searched(door, "coffee") == []
    assert door.get(f"{API}/memories/{created['id']}").status_code == 404


# -- changing ----------------------------------------------------------------------------------------------------------


def test_an_update_is_found_by_its_new_words_only(door: TestClient) -> None:
    created = remember(door, COFFEE)
    ok(door.put(f"{API}/memories/{created['id']}", json={"memory_content": TRAIN}))
    assert searched(door, "train Berlin", mode="keyword") == [TRAIN]
    assert searched(door, "strong coffee", mode="keyword") == []
    assert searched(door, "railway journey to Germany", mode="vector", threshold=0.3) == [TRAIN]
    assert searched(door, COFFEE, mode="vector", threshold=0.6) == []
    assert listed(door, search_query="coffee") == []


def test_an_update_changes_the_categories(door: TestClient) -> None:
    created = remember(door, "I went to the doctor because of my allergy")
    assert "health" in created["categories"]
    changed = ok(door.put(f"{API}/memories/{created['id']}", json={"memory_content": "We fly to Rome, to a hotel"}))
    assert "travel" in changed["categories"]
    assert "health" not in changed["categories"]


def test_an_update_keeps_the_old_version(door: TestClient, runtime: Runtime) -> None:
    created = remember(door, COFFEE, metadata={"a": 1})
    ok(door.put(f"{API}/memories/{created['id']}", json={"memory_content": TRAIN}))
    ok(door.put(f"{API}/memories/{created['id']}", json={"memory_content": TRAIN}))
    with runtime.database.reading() as session:
        kept = session.scalars(select(MemoryVersion).order_by(MemoryVersion.version)).all()
    assert [(v.version, v.event, v.content, v.metadata_) for v in kept] == [
        (1, "ADD", COFFEE, {"a": 1}),
        (2, "UPDATE", TRAIN, {"a": 1}),
    ]


def gone(door: TestClient, created: dict[str, Any]) -> bool:
    """Whether no read of an app finds the memory."""
    words = created["content"]
    modes = ("hybrid", "vector", "keyword")
    return listed(door) == [] and all(words not in searched(door, words, mode=mode) for mode in modes)


def test_a_deleted_memory_is_nowhere(door: TestClient, runtime: Runtime) -> None:
    created = remember(door, COFFEE)
    answer = ok(door.request("DELETE", f"{API}/memories/{created['id']}", json={"user_id": "admin"}))
    assert answer == {"message": "Successfully deleted memory"}
    assert gone(door, created)
    assert filtered(door, show_archived=True) == []
    assert states(runtime, created["id"])[0] == "deleted"
    for path in ("", "/related", "/access-log"):
        missing = door.get(f"{API}/memories/{created['id']}{path}")
        assert (missing.status_code, missing.json()) == (404, {"detail": "Memory not found"})
    assert ok(door.get(f"{API}/memories/categories"))["total"] == 0


def test_many_are_deleted_or_none(door: TestClient) -> None:
    ids = [remember(door, f"note {i}")["id"] for i in range(3)]
    refused = door.request("DELETE", f"{API}/memories", json={"memory_ids": [ids[0], UNKNOWN]})
    assert (refused.status_code, refused.json()) == (404, {"detail": f"Memory not found: {UNKNOWN}"})
    assert len(listed(door)) == 3
    answer = ok(door.request("DELETE", f"{API}/memories", json={"memory_ids": [ids[0], ids[1], ids[0]]}))
    assert answer == {"message": "Successfully deleted 2 memories"}
    assert listed(door) == ["note 2"]


def test_archive_takes_the_pages_bare_list(door: TestClient, runtime: Runtime) -> None:
    created = remember(door, COFFEE, user_id="ann")
    answer = ok(door.post(f"{API}/memories/actions/archive", params={"user_id": "ann"}, json=[created["id"]]))
    assert answer == {"message": "Successfully archived 1 memories"}
    assert states(runtime, created["id"])[0] == "archived"
    assert states(runtime, created["id"])[1] is not None
    assert gone(door, created)
    assert ok(door.get(f"{API}/memories/{created['id']}"))["state"] == "archived"


def test_archive_takes_an_object(door: TestClient) -> None:
    created = remember(door, COFFEE, user_id="ann")
    body = {"memory_ids": [created["id"]], "user_id": "ann"}
    assert ok(door.post(f"{API}/memories/actions/archive", json=body))["message"] == "Successfully archived 1 memories"


@pytest.mark.parametrize("place", ["query", "body"])
def test_archive_takes_the_users_uuid_as_the_genuine_server_did(door: TestClient, place: str) -> None:
    created = remember(door, COFFEE, user_id="ann")
    internal = ok(door.get(f"{API}/stats", params={"user_id": "ann"}))["apps"][0]["owner_id"]
    query = {"user_id": internal} if place == "query" else {}
    body = [created["id"]] if place == "query" else {"memory_ids": [created["id"]], "user_id": internal}
    ok(door.post(f"{API}/memories/actions/archive", params=query, json=body))
    assert ok(door.get(f"{API}/memories/{created['id']}"))["state"] == "archived"


def test_every_change_of_state_is_history_and_a_version(door: TestClient, runtime: Runtime) -> None:
    created = remember(door, COFFEE)
    for state in ("paused", "active", "archived", "deleted"):
        ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [created["id"]], "state": state}))
    with runtime.database.reading() as session:
        steps = session.scalars(select(StatusChange).order_by(StatusChange.changed_at)).all()
        kept = session.scalars(select(MemoryVersion).order_by(MemoryVersion.version)).all()
    assert [(s.old_state, s.new_state) for s in steps] == [
        ("active", "paused"),
        ("paused", "active"),
        ("active", "archived"),
        ("archived", "deleted"),
    ]
    assert [(v.version, v.event) for v in kept] == list(
        enumerate(["ADD", "PAUSE", "RESUME", "ARCHIVE", "DELETE"], start=1)
    )


# -- pausing -----------------------------------------------------------------------------------------------------------


def pause(door: TestClient, **body: Any) -> str:
    return str(ok(door.post(f"{API}/memories/actions/pause", json={"user_id": "admin", **body}))["message"])


def forms(door: TestClient, created: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Every form of a pause that names this memory, and the genuine server's sentence."""
    known = ok(door.get(f"{API}/memories/categories"))["categories"]
    of_memory = [category["id"] for category in known if category["name"] in created["categories"]]
    return [
        ({"memory_ids": [created["id"]]}, "Successfully paused 1 memories"),
        ({"memory_ids": [created["id"]], "all_for_app": True}, "Successfully paused all memories"),
        ({"app_id": created["app_id"]}, f"Successfully paused all memories for app {created['app_id']}"),
        ({"category_ids": of_memory[:1]}, "Successfully paused memories in 1 categories"),
        ({"global_pause": True}, "Successfully paused all memories"),
    ]


@pytest.mark.parametrize("state", [None, "paused", "archived", "deleted"])
def test_every_form_of_pause_stops_reads_in_every_state(door: TestClient, runtime: Runtime, state: str | None) -> None:
    for form in range(5):
        created = remember(door, "We fly to Rome and stay at a hotel", app=f"planner {form}")
        other = remember(door, "My salary goes to the bank", app="other")
        body, sentence = forms(door, created)[form]
        assert pause(door, **body, **({"state": state} if state else {})) == sentence
        assert created["content"] not in searched(door, created["content"]) + listed(door)
        assert states(runtime, created["id"])[0] == (state or "paused")
        assert (states(runtime, other["id"])[0] == "active") == ("global_pause" not in body)


def test_every_form_resumes_what_it_paused(door: TestClient) -> None:
    created = remember(door, "We fly to Rome and stay at a hotel")
    for body, _ in forms(door, created):
        pause(door, **body)
        assert gone(door, created)
        pause(door, **body, state="active")
        assert listed(door) == searched(door, "hotel in Rome") == [created["content"]]


def test_a_resumed_archived_memory_is_found_again(door: TestClient, runtime: Runtime) -> None:
    created = remember(door, COFFEE)
    pause(door, memory_ids=[created["id"]], state="archived")
    pause(door, memory_ids=[created["id"]], state="active")
    assert states(runtime, created["id"]) == ("active", None, None)
    for mode in ("hybrid", "vector", "keyword"):
        assert searched(door, "strong coffee", mode=mode) == [COFFEE]


def test_a_pause_of_more_than_are_looked_at_at_a_time(
    door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.states.CHUNK", 2)
    ids = [remember(door, f"memory {n}")["id"] for n in range(5)]
    for state in ("paused", "active"):
        pause(door, global_pause=True, state=state)
        assert [states(runtime, id)[0] for id in ids] == [state] * 5


def test_a_global_pause_leaves_archived_memories_and_other_users_alone(door: TestClient, runtime: Runtime) -> None:
    archived, other = remember(door, COFFEE), remember(door, TRAIN, user_id="ann")
    pause(door, memory_ids=[archived["id"]], state="archived")
    pause(door, global_pause=True)
    pause(door, global_pause=True, state="active")
    assert states(runtime, archived["id"])[0] == "archived"
    assert states(runtime, other["id"])[0] == "active"


def test_an_admin_pauses_the_app_of_another_user_by_its_id(door: TestClient, runtime: Runtime) -> None:
    created = remember(door, COFFEE, user_id="ann")
    answer = ok(door.post(f"{API}/memories/actions/pause", json={"app_id": created["app_id"]}))
    assert answer["message"] == f"Successfully paused all memories for app {created['app_id']}"
    assert states(runtime, created["id"])[0] == "paused"


@pytest.mark.parametrize("what", ["app_id", "category_ids", "memory_ids"])
def test_a_pause_of_what_is_not_the_named_users_is_not_found(door: TestClient, runtime: Runtime, what: str) -> None:
    created = remember(door, "We fly to Rome and stay at a hotel", user_id="ann")
    remember(door, COFFEE)
    theirs = ok(door.get(f"{API}/memories/categories", params={"user_id": "ann"}))["categories"][0]["id"]
    named = {"app_id": created["app_id"], "category_ids": [theirs], "memory_ids": [created["id"]]}
    unknown = {"app_id": UNKNOWN, "category_ids": [UNKNOWN], "memory_ids": [UNKNOWN]}
    for ids in (named, unknown):
        body = {"user_id": "admin", what: ids[what]}
        assert door.post(f"{API}/memories/actions/pause", json=body).status_code == 404
    assert states(runtime, created["id"])[0] == "active"


@pytest.mark.parametrize("body", [{}, {"all_for_app": True}, {"memory_ids": []}, {"state": "active"}])
def test_a_pause_that_names_nothing_is_refused(door: TestClient, body: dict[str, Any]) -> None:
    answer = door.post(f"{API}/memories/actions/pause", json={"user_id": "admin", **body})
    assert (answer.status_code, answer.json()) == (400, {"detail": "Invalid pause request parameters"})


# -- access log --------------------------------------------------------------------------------------------------------


def accesses(door: TestClient, memory_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    logs = ok(door.get(f"{API}/memories/{memory_id}/access-log"))["logs"]
    return [(log["app_name"], log["access_type"], log["metadata_"]) for log in logs]


def test_search_list_and_get_are_logged_newest_first(door: TestClient) -> None:
    created = remember(door, COFFEE)
    listed(door)
    searched(door, "strong coffee", app="agent")
    door.get(f"{API}/memories/{created['id']}")
    assert accesses(door, created["id"]) == [
        ("openmemory", "get", {}),
        ("agent", "search", {"query": "strong coffee"}),
        ("openmemory", "list", {}),
    ]


def test_what_was_not_shown_is_not_logged(door: TestClient) -> None:
    created = remember(door, COFFEE)
    remember(door, TRAIN)
    searched(door, "train to Berlin", limit=1)
    listed(door, search_query="train")
    filtered(door)
    assert accesses(door, created["id"]) == []


def test_a_key_that_is_bound_to_an_app_reads_as_that_app(door: TestClient, person: Person) -> None:
    ann = person("ann", app="agent")
    created = remember(ann, COFFEE)
    assert created["app_name"] == "agent"
    assert listed(ann) == searched(ann, "coffee") == filtered(ann) == [COFFEE]
    kinds = [(name, kind) for name, kind, _ in accesses(door, created["id"])]
    assert kinds == [("agent", "list"), ("agent", "search"), ("agent", "list")]


def test_a_bound_key_does_not_act_as_another_app(person: Person) -> None:
    ann = person("ann", app="agent")
    for path, body in (("memories", {"text": "x"}), ("memories/search", {"query": "x"})):
        answer = ann.post(f"{API}/{path}", json={"app": "other", **body})
        assert (answer.status_code, answer.json()) == (403, {"detail": "This key is bound to the app agent"})


def test_access_logs_are_paged(door: TestClient) -> None:
    created = remember(door, COFFEE)
    for _ in range(3):
        door.get(f"{API}/memories/{created['id']}")
    page = ok(door.get(f"{API}/memories/{created['id']}/access-log", params={"page": 2, "page_size": 2}))
    assert (page["total"], page["page"], page["page_size"], len(page["logs"])) == (3, 2, 2, 1)


# -- accounts of one server --------------------------------------------------------------------------------------------


def test_an_admin_who_names_nobody_sees_everybody(door: TestClient) -> None:
    remember(door, COFFEE, user_id="ann")
    remember(door, TRAIN, user_id="bo")
    assert listed(door) == filtered(door) == [TRAIN, COFFEE]
    assert ok(door.get(f"{API}/stats"))["total_memories"] == 2


def test_a_user_who_names_nobody_sees_their_own(person: Person) -> None:
    ann, bo = person("ann"), person("bo")
    remember(ann, COFFEE)
    remember(bo, TRAIN)
    assert listed(ann) == listed(ann, user_id="ann") == [COFFEE]
    assert listed(bo) == [TRAIN]


def test_rows_left_by_the_database_alone_are_none(door: TestClient, runtime: Runtime) -> None:
    remember(door, COFFEE)
    with runtime.database.reading() as session:
        row = session.scalars(select(Memory)).one()
        app = session.scalars(select(App)).one()
    assert (row.state, row.version, row.app_id, row.indexed_at is not None) == (State.active, 1, app.id, True)
    assert strict(door.get(f"{API}/memories/{uuid4()}")) == {"detail": "Memory not found"}


def test_filter_shows_just_some_states(door: TestClient) -> None:
    ids = {words: remember(door, words)["id"] for words in ("stays", "pauses", "goes")}
    for words, state in (("pauses", "paused"), ("goes", "archived")):
        ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [ids[words]], "state": state}))
    for states, shown in (
        ([], {"stays", "pauses"}),
        (["active"], {"stays"}),
        (["archived"], {"goes"}),
        (["paused", "archived"], {"pauses", "goes"}),
    ):
        page = ok(door.post(f"{API}/memories/filter", json={"states": states}))
        assert ({item["content"] for item in page["items"]}, page["total"]) == (shown, len(shown))
    assert door.post(f"{API}/memories/filter", json={"states": ["deleted"]}).status_code == 422


def test_a_bound_key_filters_no_other_state_than_active(door: TestClient, person: Person) -> None:
    ann = person("ann", app="cursor")
    paused = remember(ann, "paused")["id"]
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [paused], "user_id": "ann"}))
    remember(ann, "active")
    assert filtered(ann, states=["paused"]) == []
    assert filtered(ann, states=["paused", "active"]) == ["active"]


def test_filter_narrows_by_type_agent_and_session(door: TestClient) -> None:
    remember(door, "by the planner", agent_id="planner")
    remember(door, "of monday", run_id="monday")
    assert filtered(door, agent_id="planner") == ["by the planner"]
    assert filtered(door, run_id="monday") == ["of monday"]
    assert len(filtered(door, memory_types=["insight"])) == 2
    assert filtered(door, memory_types=["pinned"]) == []
