"""POST /memories/search beyond ranking: reranking, neighbouring turns, and why a memory is no hit."""

import dataclasses
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.context import Runtime
from app.engine.reranking import Reranker
from app.models import AccessBatch, AccessControl, Memory
from app.services import sifting
from tests.engine.test_reranking import Documents, Scripted, backwards
from tests.protocols.asking import API, UNKNOWN, Person, ok, remember, searched, statements

TEXTS = ["the hotel in Rome", "a hotel", "the train to Rome", "tea with milk"]


def search(door: TestClient, query: str, **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ok(door.post(f"{API}/memories/search", json={"query": query, **body}))
    return answer


Use = Callable[..., Scripted]


@pytest.fixture
def use(runtime: Runtime) -> Use:
    """`use(script, rerank=...)`: have the engine rerank by a script, its settings changed."""

    def change(script: Callable[[Documents], Documents], **changed: Any) -> Scripted:
        built, scripted = runtime.engine.built, Scripted(script)
        config = {**built.config, "openmemory": {**built.config["openmemory"], **changed}}
        runtime.engine.use(dataclasses.replace(built, config=config, reranker=Reranker(scripted, "scripted")))
        return scripted

    return change


def test_a_reranker_gives_the_order_and_the_scores_fall_with_it(door: TestClient, use: Use) -> None:
    for text in TEXTS:
        remember(door, text)
    plain = search(door, "hotel in Rome", mode="vector")
    use(backwards)
    found = search(door, "hotel in Rome", mode="vector", rerank=True, explain=True)
    assert [hit["text"] for hit in found["results"]] == [hit["text"] for hit in reversed(plain["results"])]
    scores = [hit["score"] for hit in found["results"]]
    assert scores == sorted(scores, reverse=True) == [hit["score"] for hit in plain["results"]]
    assert [hit["rerank_score"] for hit in found["results"]] == pytest.approx([1, 0.9, 0.8, 0.7])
    assert found["warning"] is None
    assert plain["results"][0]["rerank_score"] is None


def test_a_reranker_sees_more_than_is_asked_for(door: TestClient, use: Use) -> None:
    for number in range(12):
        remember(door, f"note {number}")
    scripted = use(backwards, rerank_depth=8)
    assert len(search(door, "note", limit=3, rerank=True)["results"]) == 3
    assert len(scripted.asked[0][1]) == 8
    assert len(search(door, "note", limit=12, rerank=True)["results"]) == 12
    assert len(scripted.asked[1][1]) == 8, "the others keep their places behind"


def test_the_configuration_says_whether_to_rerank_and_the_request_has_the_last_word(door: TestClient, use: Use) -> None:
    for text in TEXTS:
        remember(door, text)
    scripted = use(backwards)
    search(door, "hotel")
    assert scripted.asked == []
    scripted = use(backwards, rerank=True)
    search(door, "hotel", rerank=False)
    assert scripted.asked == []
    search(door, "hotel")
    assert len(scripted.asked) == 1


def slowly(documents: Documents) -> Documents:
    """Too late."""
    time.sleep(0.3)
    return backwards(documents)


def test_a_late_reranker_leaves_the_order_and_it_is_said(door: TestClient, use: Use) -> None:
    for text in TEXTS:
        remember(door, text)
    plain = search(door, "hotel")
    use(slowly, rerank_budget_ms=20)
    late = search(door, "hotel", rerank=True)
    assert late["results"] == plain["results"]
    assert late["warning"] == "The reranker did not answer within 0.02 s: not reranked"


def test_without_a_reranker_whoever_asks_for_one_is_told(door: TestClient) -> None:
    for text in TEXTS:
        remember(door, text)
    assert "No reranker is configured" in search(door, "hotel", rerank=True)["warning"]
    assert search(door, "hotel", rerank=False)["warning"] is None


def session(door: TestClient, name: str, texts: list[str], **fields: Any) -> list[str]:
    """Turns of a session, a minute apart, stored in the wrong order; their ids in the right one."""
    begin = datetime(2024, 5, 8, tzinfo=UTC)
    stored = {
        text: remember(
            door, text, metadata={"session_id": name, "date": (begin + timedelta(minutes=n)).isoformat()}, **fields
        )["id"]
        for n, text in reversed(list(enumerate(texts)))
    }
    return [stored[text] for text in texts]


def around(hit: dict[str, Any]) -> tuple[list[str], list[str]]:
    return [turn["content"] for turn in hit["before"]], [turn["content"] for turn in hit["after"]]


def test_neighbours_are_the_turns_before_and_after(door: TestClient) -> None:
    turns = ["Hello", "How was Kyoto?", "The zeppelin was late", "Oh no", "Then it rained", "Bye"]
    session(door, "s1", turns)
    session(door, "s2", ["Quite another thing", "Nothing of that"])
    remember(door, "A zeppelin in no session")
    hits = search(door, "zeppelin", mode="keyword", neighbours=2)["results"]
    by_text = {hit["text"]: around(hit) for hit in hits}
    assert by_text["The zeppelin was late"] == (["Hello", "How was Kyoto?"], ["Oh no", "Then it rained"])
    assert by_text["A zeppelin in no session"] == ([], [])
    assert around(search(door, "hello", mode="keyword", neighbours=1)["results"][0]) == ([], ["How was Kyoto?"])
    plain = search(door, "zeppelin", mode="keyword")["results"][0]
    assert (plain["before"], plain["after"]) == (None, None)


def test_neighbours_are_visible_ones_of_the_same_owner(door: TestClient, person: Person) -> None:
    ann, bo = person("ann"), person("bo")
    ids = session(ann, "s1", ["one", "two", "zeppelin", "four", "five"])
    session(bo, "s1", ["intruder", "zeppelin", "another intruder"])
    ok(ann.post(f"{API}/memories/actions/pause", json={"memory_ids": [ids[1]]}))
    ok(ann.request("DELETE", f"{API}/memories", json={"memory_ids": [ids[3]]}))
    hit = search(ann, "zeppelin", mode="keyword", neighbours=1, filters={"content": "zeppelin"})["results"][0]
    assert around(hit) == (["one"], ["five"]), "hidden turns are passed over, and filters are about the hits alone"


def test_neighbours_are_logged_as_shown_and_cost_one_statement(door: TestClient, runtime: Runtime) -> None:
    ids = session(door, "s1", ["one", "zeppelin", "three"])
    session(door, "s2", ["vier", "zeppelin again", "sechs"])
    search(door, "zeppelin", mode="keyword")
    costs = []
    for neighbours in (0, 5):
        with statements(runtime) as seen:
            search(door, "zeppelin", mode="keyword", neighbours=neighbours)
        costs.append(len(seen))
    assert costs[1] == costs[0] + 1
    with runtime.database.reading() as session_:
        shown = session_.query(AccessBatch).order_by(AccessBatch.id.desc()).first()
        assert shown is not None
        assert {UUID(id) for id in shown.memory_ids} >= {UUID(id) for id in ids}
        assert len(shown.memory_ids) == 6


def why(door: TestClient, memory_id: str, query: str = "hotel", **body: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ok(
        door.post(f"{API}/memories/search/why-not", json={"query": query, "memory_id": memory_id, **body})
    )
    return answer


def test_a_hit_is_told_its_place_and_its_parts(door: TestClient) -> None:
    ids = {text: remember(door, text)["id"] for text in TEXTS}
    hit = search(door, "hotel", explain=True)["results"][0]
    told = why(door, ids[hit["text"]])
    assert told == {
        "memory_id": ids[hit["text"]],
        "rule": "found",
        "detail": "It is hit number 1",
        "rank": 1,
        "of": 4,
        "score": hit["score"],
        "explanation": hit["explanation"],
        "mode": "hybrid",
        "warning": None,
    }


def change(runtime: Runtime, id: str, **values: Any) -> None:
    """As nobody may."""
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.id == UUID(id)).values(**values))


PAST = datetime(2020, 1, 1, tzinfo=UTC)
HIDDEN: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("deleted", {"state": "deleted"}, {}, "It is deleted"),
    ("paused", {"state": "paused"}, {}, "It is paused"),
    ("archived", {"state": "archived", "expires_at": PAST}, {}, "It is archived"),
    ("expired", {"expires_at": PAST}, {}, "It has expired"),
    ("filter", {}, {"filters": {"author": "Ann", "k": {"gte": 3}, "tags": {"ne": "x"}}}, '"k": {"gte": 3}'),
    ("filter", {}, {"filters": {"AND": [{"author": "Bo"}, {"k": 1}]}}, '{"author": "Bo"}'),
    ("threshold", {}, {"mode": "vector", "query": "zeppelin", "threshold": 0.999}, "below the threshold 0.999"),
    ("no_match", {}, {"mode": "keyword", "query": "zeppelin"}, "None of the query's words"),
]


@pytest.mark.parametrize(("rule", "values", "body", "detail"), HIDDEN)
def test_what_hides_a_memory_is_told(
    door: TestClient, runtime: Runtime, rule: str, values: dict[str, Any], body: dict[str, Any], detail: str
) -> None:
    id = remember(door, "the hotel in Rome", metadata={"author": "Ann", "k": 1})["id"]
    if values:
        change(runtime, id, **values)
    told = why(door, id, **body)
    assert told["rule"] == rule
    assert detail in told["detail"]
    assert id not in [hit["id"] for hit in search(door, **{"query": "hotel", **body})["results"]]
    assert "author" not in told["detail"] or "Ann" not in told["detail"], "what it fulfils is not complained of"


def test_what_was_not_indexed_yet_is_told(door: TestClient, runtime: Runtime) -> None:
    id = remember(door, "tea")["id"]
    change(runtime, id, indexed_at=None)
    with runtime.engine.index.together(runtime.relaxed) as together:
        together.remove([UUID(id)])
    assert why(door, id)["rule"] == "not_indexed"


def test_what_comes_too_late_is_told_its_rank(door: TestClient) -> None:
    ids = {remember(door, f"hotel number {number}")["id"]: number for number in range(30)}
    order = [hit["id"] for hit in search(door, "hotel number", mode="vector", limit=30)["results"]]
    assert set(order) == set(ids)
    told = why(door, order[-1], "hotel number", mode="vector", limit=5)
    assert (told["rule"], told["rank"], told["of"]) == ("limit", 30, 30)
    assert told["detail"] == "It is number 30 of 30, and the limit is 5"
    assert sum(told["explanation"].values()) == pytest.approx(told["score"])


def test_what_is_beyond_the_first_look_is_found_by_the_second(
    door: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sifting, "SLACK", 2)
    for number in range(20):
        remember(door, f"hotel number {number}")
    last = search(door, "hotel number", mode="vector", limit=20)["results"][-1]["id"]
    assert why(door, last, "hotel number", mode="vector", limit=2)["rank"] == 20


def test_rules_and_pauses_of_the_reading_app_are_told_to_who_governs(
    door: TestClient, person: Person, runtime: Runtime
) -> None:
    kept = remember(door, "the hotel in Rome", app="agent")
    hidden = remember(door, "the hotel in Paris", app="agent")
    rule = {"subject_type": "app", "subject_id": UUID(kept["app_id"]), "object_type": "memory", "effect": "deny"}
    with runtime.database.transaction() as session:
        session.add(AccessControl(**rule, object_id=UUID(hidden["id"])))
    assert why(door, hidden["id"], app="agent")["rule"] == "access_rule"
    assert why(door, hidden["id"], app="other")["rule"] == "found"
    agent = person("admin", app="agent")
    for id in (hidden["id"], UNKNOWN):
        refused = agent.post(f"{API}/memories/search/why-not", json={"query": "hotel", "memory_id": id})
        assert (refused.status_code, refused.json()) == (404, {"detail": "Memory not found"})
    ok(door.put(f"{API}/apps/{kept['app_id']}", params={"is_active": False}))
    assert why(door, kept["id"], app="agent")["rule"] == "app_paused"


def test_others_memories_are_unknown_ones(door: TestClient, person: Person) -> None:
    ann, bo = person("ann"), person("bo")
    id = remember(ann, "the hotel in Rome")["id"]
    for asked in (id, UNKNOWN):
        refused = bo.post(f"{API}/memories/search/why-not", json={"query": "hotel", "memory_id": asked})
        assert (refused.status_code, refused.json()) == (404, {"detail": "Memory not found"})
    assert why(door, id, user_id="ann")["rule"] == "found"


def test_a_filter_on_the_owner_narrows_and_never_widens(door: TestClient, person: Person) -> None:
    ann, bo = person("ann"), person("bo")
    remember(ann, "the hotel in Rome")
    remember(bo, "the hotel in Paris")
    for filters in ({"user_id": "bo"}, {"OR": [{"user_id": "bo"}]}, {"NOT": {"user_id": "ann"}}):
        assert searched(ann, "hotel", filters=filters) == []
    assert searched(ann, "hotel", filters={"user_id": ["ann", "bo"]}) == ["the hotel in Rome"]
    assert searched(ann, "hotel", filters={"OR": [{"user_id": "*"}, {"state": "deleted"}]}) == ["the hotel in Rome"]


def test_too_few_in_the_first_round_are_made_up_for_in_the_second(
    door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SIFTED", "SIFTED_TIMES"):
        monkeypatch.setattr(sifting, name, 1)
    for number in range(30):
        remember(door, f"note {'number ' * (number % 2)}{number}", metadata={"odd": number % 2})
    rounds: list[Any] = []
    rank = runtime.engine.index.rank
    monkeypatch.setattr(runtime.engine.index, "rank", lambda *given: rounds.append(given[4:]) or rank(*given))
    found = search(door, "note", filters={"odd": 0}, limit=12)["results"]
    assert [hit["metadata_"]["odd"] for hit in found] == [0] * 12
    assert len(rounds) == 2
