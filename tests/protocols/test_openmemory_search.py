"""POST /api/v1/memories/search: modes, filters, thresholds, explanations, what is never found."""

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.context import Runtime
from app.engine.sync import sync_all
from app.models import AccessControl, Memory
from app.services import sifting
from tests.protocols.asking import API, Person, golden, ok, remember, searched, shape

METADATA = {"session_id": "s1", "speaker": "Ann", "date": "1:56 pm on 8 May, 2023", "deep": {"a": [1, 2.5, None, "é"]}}
COFFEE = "I drink strong coffee, my favourite is espresso"
TRAIN = "The train to Berlin leaves at seven"
MODES = ["hybrid", "vector", "keyword"]


def search(door: TestClient, query: str, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ok(door.post(f"{API}/memories/search", json={"query": query, **body}))
    return answer


def refused(door: TestClient, **body: Any) -> tuple[int, str]:
    answer = door.post(f"{API}/memories/search", json={"query": "x", **body})
    return answer.status_code, str(answer.json()["detail"])


def test_a_search_answers_memories_with_their_scores(door: TestClient) -> None:
    remember(door, COFFEE, user_id="ann", metadata=METADATA, app="notes")
    found = search(door, "coffee", user_id="ann", explain=True)
    hit = found["results"][0]
    scores = [hit["score"], *hit["explanation"].values()]
    assert all(isinstance(score, float) and 0 <= score <= 1 for score in scores)
    assert 0 <= hit["confidence"] <= 100
    hit |= {"score": "<score>", "confidence": "<percent>", "explanation": dict.fromkeys(hit["explanation"], "<score>")}
    assert shape(found) == golden("search")


def test_an_explanation_is_given_on_request_and_adds_up(door: TestClient) -> None:
    for words in (COFFEE, TRAIN):
        remember(door, words)
    assert search(door, "coffee")["results"][0]["explanation"] is None
    for hit in search(door, "coffee", explain=True)["results"]:
        assert sum(hit["explanation"].values()) == pytest.approx(hit["score"])


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_finds_and_says_so(door: TestClient, mode: str) -> None:
    for words in (COFFEE, TRAIN):
        remember(door, words)
    found = search(door, "strong coffee", mode=mode)
    assert found["results"][0]["content"] == COFFEE
    assert (found["mode"], found["warning"], found["total"]) == (mode, None, len(found["results"]))
    scores = [hit["score"] for hit in found["results"]]
    assert scores == sorted(scores, reverse=True)


def test_meaning_is_found_by_vectors_and_words_by_keywords(door: TestClient) -> None:
    for words in (COFFEE, TRAIN):
        remember(door, words)
    assert searched(door, "railway journey to Germany", mode="vector", limit=1) == [TRAIN]
    assert searched(door, "railway journey to Germany", mode="keyword") == []
    assert searched(door, "drinks", mode="keyword") == [COFFEE]


def test_a_search_finds_chinese_by_its_bigrams(door: TestClient) -> None:
    remember(door, "我喜欢喝咖啡")
    remember(door, TRAIN)
    assert searched(door, "咖啡", mode="keyword") == ["我喜欢喝咖啡"]


def test_limit_and_top_k_say_how_many(door: TestClient) -> None:
    for i in range(12):
        remember(door, f"note number {i}")
    assert len(search(door, "note")["results"]) == 10
    assert len(search(door, "note", limit=3)["results"]) == len(search(door, "note", top_k=3)["results"]) == 3
    assert len(search(door, "note", limit=2, top_k=5)["results"]) == 2


def test_a_threshold_leaves_out_what_is_less_near(door: TestClient) -> None:
    for words in (COFFEE, TRAIN):
        remember(door, words)
    every = search(door, "coffee", mode="vector")["results"]
    between = (every[0]["score"] + every[1]["score"]) / 2
    assert searched(door, "coffee", mode="vector", threshold=between) == [COFFEE]


def test_a_search_embeds_once_and_not_at_all_by_keywords(door: TestClient, encodes: list[int]) -> None:
    remember(door, COFFEE)
    assert encodes == [1]
    for mode, calls in (("hybrid", [1]), ("vector", [1]), ("keyword", [])):
        encodes.clear()
        searched(door, "coffee", mode=mode, filters={"author": "nobody"})
        assert encodes == calls


def test_a_query_of_stop_words_or_signs_alone_is_answered(door: TestClient) -> None:
    remember(door, COFFEE)
    for query in ("the and of", "?!", '"', "AND OR NOT", "a* NEAR(b)", "terms : x"):
        for mode in MODES:
            search(door, query, mode=mode)


@pytest.fixture
def two(door: TestClient) -> dict[str, str]:
    """Two memories that every filter tells apart; ids by text."""
    ann = {"speaker": "Ann", "session": "s1", "agent_id": "a1", "date": "2023-05-08"}
    bo = {"speaker": "Bo", "session": "s2", "agent_id": "a2", "date": "2024-05-08"}
    first = remember(door, "We fly to Rome and stay at a hotel", metadata=ann, app="one")
    second = remember(door, "The doctor says that I am allergic to the hotel", metadata=bo, app="two")
    return {first["content"]: first["app_id"], second["content"]: second["app_id"]}


FILTERS = [
    {"app": "one"},
    {"app": ["one", "none"]},
    {"author": "Ann"},
    {"agent_id": "a1"},
    {"run_id": "s1"},
    {"session_id": ["s1"]},
    {"categories": "travel"},
    {"occurred_to": "2023-12-31"},
    {"occurred_from": "2023-01-01", "occurred_to": 1704067200},
    {"author": "Ann", "app": "one", "tags": None},
]


@pytest.mark.parametrize("mode", MODES)
def test_every_filter_narrows(door: TestClient, two: dict[str, str], mode: str) -> None:
    first = next(iter(two))
    for filters in FILTERS:
        assert searched(door, "hotel", mode=mode, filters=filters) == [first], filters


def test_filters_of_ids_times_types_and_tags(door: TestClient, runtime: Runtime, two: dict[str, str]) -> None:
    first, second = two
    assert searched(door, "hotel", filters={"app_id": two[second]}) == [second]
    assert searched(door, "hotel", filters={"from_date": "2100-01-01"}) == []
    assert len(searched(door, "hotel", filters={"to_date": "2100-01-01", "memory_type": "insight"})) == 2
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.content == first).values(tags=["50%", 'a "b"', "café"]))
    for tags in ("50%", ['a "b"', "none"], "café"):
        assert searched(door, "hotel", filters={"tags": tags}) == [first]
    assert searched(door, "hotel", filters={"tags": "5_%"}) == []


def test_filters_are_conditions_that_all_hold(door: TestClient, two: dict[str, str]) -> None:
    assert searched(door, "hotel", filters={"author": "Ann", "session_id": "s2"}) == []


def test_null_filters_are_no_filters(door: TestClient, two: dict[str, str]) -> None:
    assert len(searched(door, "hotel", filters=None)) == len(searched(door, "hotel", filters={"app": None})) == 2


SENSELESS = [
    {"author": 1},
    {"author": []},
    {"author": {"like": "Ann"}},
    {"from_date": "yesterday-ish"},
    {"from_date": "2024-01-01", "to_date": "2023-01-01"},
    {"occurred_from": "2024-01-01", "occurred_to": "2023-01-01"},
]


def test_filters_that_make_no_sense_are_refused(door: TestClient) -> None:
    for filters in SENSELESS:
        assert refused(door, filters=filters)[0] == 400, filters


def test_matches_are_sifted_until_there_are_enough(door: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sifting, "SIFTED", 25)
    for i in range(40):
        remember(door, f"note number {i}", metadata={"author": "Ann" if i % 2 else "Bo"})
    found = search(door, "note number", filters={"author": "Ann"}, limit=20)["results"]
    assert len(found) == 20
    assert {hit["author"] for hit in found} == {"Ann"}


@pytest.mark.parametrize("mode", MODES)
def test_rules_of_the_reading_app_hold(door: TestClient, runtime: Runtime, mode: str) -> None:
    kept, hidden = remember(door, "the hotel in Rome", app="agent"), remember(door, "the hotel in Paris", app="agent")
    about = {"subject_type": "app", "subject_id": UUID(kept["app_id"]), "object_type": "memory", "effect": "deny"}
    with runtime.database.transaction() as session:
        session.add(AccessControl(**about, object_id=UUID(hidden["id"])))
    assert searched(door, "hotel", app="agent", mode=mode) == ["the hotel in Rome"]
    assert searched(door, "hotel", app="agent", mode=mode, limit=1) == ["the hotel in Rome"]
    assert len(searched(door, "hotel", app="other", mode=mode)) == 2


def test_a_dead_embedder_leaves_the_keywords(
    door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(door, COFFEE)
    monkeypatch.setattr(runtime.engine.index._embedder, "read", _dead)
    found = search(door, "coffee")
    assert [hit["content"] for hit in found["results"]] == [COFFEE]
    assert (found["mode"], bool(found["warning"])) == ("keyword", True)
    assert refused(door, mode="vector")[0] == 503


def _dead(*_: object) -> None:
    raise ConnectionError("the embedder is away")


@pytest.mark.parametrize("mode", MODES)
def test_what_the_index_still_has_and_the_truth_forbids_is_not_found(
    door: TestClient, runtime: Runtime, mode: str
) -> None:
    for i in range(15):
        created = remember(door, f"note number {i}")
        with runtime.database.transaction() as session:  # as if the process had died before its index was level
            session.execute(update(Memory).where(Memory.id == UUID(created["id"])).values(state="deleted"))
    remember(door, "note number last")
    assert searched(door, "note number", mode=mode, limit=3) == ["note number last"]
    assert list(sync_all(runtime.relaxed, runtime.engine.index)) == []


def test_users_find_only_their_own(door: TestClient, person: Person) -> None:
    ann, bo = person("ann"), person("bo")
    remember(ann, "the hotel in Rome")
    remember(bo, "the hotel in Paris")
    for mode in MODES:
        assert (
            searched(ann, "hotel", mode=mode)
            == searched(ann, "hotel", mode=mode, user_id="ann")
            == ["the hotel in Rome"]
        )
        assert searched(door, "hotel", mode=mode, user_id="bo") == ["the hotel in Paris"]
        assert searched(door, "hotel", mode=mode) == []
    assert refused(ann, user_id="bo") == (404, "User not found")


OUT_OF_BOUNDS = [
    {"query": ""},
    {"query": "x" * 10_001},
    {"query": None},
    {"limit": 0},
    {"limit": 1_001},
    {"top_k": -1},
    {"mode": "magic"},
    {"threshold": 1.5},
    {"filters": []},
    {"neighbours": 6},
    {"neighbours": -1},
    {"rerank": "perhaps"},
    {"user_id": ""},
]


def test_a_query_of_nothing_is_refused(door: TestClient) -> None:
    for query in (" ", "\n\t "):
        assert refused(door, query=query) == (400, "The query is empty")


def test_requests_out_of_bounds_are_refused(door: TestClient) -> None:
    for body in OUT_OF_BOUNDS:
        assert refused(door, **body)[0] == 422, body
