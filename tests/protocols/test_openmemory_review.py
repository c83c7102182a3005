"""The review through the door: what it finds, what is decided about it, what becomes of that. The LLM is scripted."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.context import Runtime
from app.database import now
from app.models import Config, Event, Finding, Memory
from app.services import examinations
from tests.protocols.asking import API, UNKNOWN, Person, dump, listed, ok, remember, statements
from tests.scripted_llm import Reply, ScriptedLlm, configure

PARIS, BERLIN = "Ann lives in Paris", "Ann lives in Berlin"
HIKING, TO_HIKE = "I love hiking in the mountains", "I love to hike in the mountains"
TOKEN = "ghp_" + "a1B2c3D4e5" * 4
SECRET = f"The deploy token is {TOKEN}, ask Bob"


def found(door: TestClient, **query: Any) -> list[dict[str, Any]]:
    """What the review lists."""
    items: list[dict[str, Any]] = ok(door.get(f"{API}/review", params=query))["items"]
    return items


def counts(door: TestClient) -> tuple[int, int, int, int]:
    """Duplicates, contradictions, secrets, failed receipts that wait."""
    told = ok(door.get(f"{API}/review/counts"))
    return (*told["open"].values(), told["failed"])


def examine(runtime: Runtime) -> int:
    """The worker's turn."""
    return examinations.sweep(runtime)


def resolve(door: TestClient, id: str, action: str, **more: Any) -> dict[str, Any]:
    """Decide about a finding."""
    done: dict[str, Any] = ok(door.post(f"{API}/review/{id}/resolve", json={"action": action, **more}))
    return done


def pair(door: TestClient, runtime: Runtime, one: str = HIKING, other: str = TO_HIKE) -> tuple[str, str, str]:
    """Two memories and what was found in them."""
    ids = [remember(door, text)["id"] for text in (one, other)]
    examine(runtime)
    (item,) = found(door)
    assert [item["memory_id"], item["other_id"]] == ids
    return item["id"], ids[0], ids[1]


def test_what_is_found_and_what_is_not(door: TestClient, runtime: Runtime) -> None:
    for text in (HIKING, TO_HIKE, PARIS, BERLIN, SECRET, "My left knee hurts", "My right knee hurts", "Bob likes tea"):
        remember(door, text)
    assert (counts(door), found(door)) == ((0, 0, 0, 0), [])
    assert ok(door.get(f"{API}/review/counts"))["examined"] == 0
    assert (examine(runtime), examine(runtime)) == (8, 0), "each version once"
    assert counts(door) == (1, 1, 1, 0)
    told = ok(door.get(f"{API}/review/counts"))
    assert (told["examined"], told["memories"], told["asks_llm"]) == (8, 8, False)
    twins, against, secret = (found(door, kind=kind)[0] for kind in ("duplicate", "contradiction", "secret"))
    assert (twins["memory"]["content"], twins["other"]["content"], twins["why"]) == (HIKING, TO_HIKE, "same words")
    assert twins["score"] > 0.9
    assert (against["memory"]["content"], against["other"]["content"], against["why"]) == (PARIS, BERLIN, "value")
    changes = [(step["op"], step["text"]) for step in against["changes"] if step["op"] != "equal"]
    assert changes == [("delete", "Paris"), ("insert", "Berlin")]
    assert secret["memory"]["content"] == "The deploy token is ghp_•••, ask Bob"
    (where,) = secret["secrets"]
    assert (where["kind"], SECRET[where["start"] : where["end"]]) == ("GitHub token", TOKEN)


def test_nothing_of_a_secret_is_in_a_finding(door: TestClient, runtime: Runtime) -> None:
    remember(door, SECRET)
    examine(runtime)
    assert TOKEN not in door.get(f"{API}/review").text
    assert TOKEN[4:] not in str(dump(runtime)["findings"])


def test_a_merge_keeps_one_and_archives_the_other_and_is_undone(door: TestClient, runtime: Runtime) -> None:
    id, old, new = pair(door, runtime)
    done = resolve(door, id, "merge", text="Ann loves hiking in the mountains")
    assert [(one["id"], one["event"]) for one in done["results"]] == [(new, "UPDATE"), (old, "ARCHIVE")]
    assert listed(door) == ["Ann loves hiking in the mountains"]
    with runtime.database.reading() as session:
        assert session.get_one(Memory, UUID(old)).superseded_by == UUID(new)
    receipt = ok(door.get(f"{API}/events/{done['event_id']}"))
    assert (receipt["kind"], receipt["status"], len(receipt["results"])) == ("REVIEW", "SUCCEEDED", 2)
    assert found(door) == []
    (resolved,) = found(door, is_resolved=True)
    assert (resolved["resolution"], resolved["resolved_by"], resolved["event_id"]) == (
        "merge",
        "admin",
        done["event_id"],
    )
    ok(door.post(f"{API}/review/{id}/undo"))
    assert sorted(listed(door)) == sorted([HIKING, TO_HIKE])
    assert [item["id"] for item in found(door)] == [id]
    examine(runtime)
    assert [item["id"] for item in found(door)] == [id], "looked at again, it is the same"


def test_a_merge_without_a_text_keeps_the_one_that_is_named(door: TestClient, runtime: Runtime) -> None:
    id, old, _ = pair(door, runtime)
    resolve(door, id, "merge", survivor=old)
    assert listed(door) == [HIKING]
    undone = ok(door.post(f"{API}/events/{found(door, is_resolved=True)[0]['event_id']}/undo"))
    assert len(undone["results"]) == 1
    examine(runtime)
    assert [item["id"] for item in found(door)] == [id], "a receipt that is undone elsewhere opens it, too"


def test_what_is_kept_is_not_asked_again_until_it_changes(door: TestClient, runtime: Runtime) -> None:
    id, old, new = pair(door, runtime, PARIS, BERLIN)
    before = listed(door)
    done = resolve(door, id, "keep")
    assert [one["event"] for one in done["results"]] == ["NONE", "NONE"]
    assert (listed(door), found(door)) == (before, [])
    ok(door.post(f"{API}/review/scan"))
    assert (examine(runtime), found(door)) == (2, [])
    for state in ("paused", "active"):
        ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [old], "state": state}))
    assert (examine(runtime), found(door)) == (1, [])
    ok(door.post(f"{API}/review/{id}/undo"))
    assert [item["id"] for item in found(door)] == [id]
    resolve(door, id, "keep")
    ok(door.put(f"{API}/memories/{new}", json={"memory_content": "Ann lives in Rome"}))
    examine(runtime)
    (again,) = found(door)
    assert (again["kind"], again["other"]["content"]) == ("contradiction", "Ann lives in Rome")


@pytest.mark.parametrize("which", ["old", "new", "both"])
def test_deleting_one_or_both(door: TestClient, runtime: Runtime, which: str) -> None:
    id, old, new = pair(door, runtime)
    gone = {"old": [old], "new": [new], "both": [old, new]}[which]
    resolve(door, id, "delete", memory_ids=gone)
    assert listed(door) == {"old": [TO_HIKE], "new": [HIKING], "both": []}[which]
    (item,) = found(door, is_resolved=True)
    assert (item["memory"] is None, item["other"] is None) == (which != "new", which != "old")
    ok(door.post(f"{API}/review/{id}/undo"))
    assert sorted(listed(door)) == sorted([HIKING, TO_HIKE])


def test_a_secret_is_taken_out_and_stays_in_the_versions(door: TestClient, runtime: Runtime) -> None:
    memory = remember(door, SECRET)["id"]
    examine(runtime)
    (item,) = found(door)
    done = resolve(door, item["id"], "redact")
    assert done["is_in_versions"]
    assert listed(door) == ["The deploy token is [GitHub token removed], ask Bob"]
    assert TOKEN in door.get(f"{API}/memories/{memory}/history").text
    examine(runtime)
    assert found(door) == []
    ok(door.post(f"{API}/review/{item['id']}/undo"))
    assert listed(door) == [SECRET]


def test_a_secret_is_taken_out_for_good(door: TestClient, runtime: Runtime) -> None:
    old = remember(door, SECRET, metadata={"author": "Ann", "topic": "deploys"})["id"]
    examine(runtime)
    (item,) = found(door)
    done = resolve(door, item["id"], "redact", is_for_good=True)
    assert [one["event"] for one in done["results"]] == ["ADD", "DELETE"]
    rest = "The deploy token is [GitHub token removed], ask Bob"
    assert listed(door) == [rest]
    ok(door.post(f"{API}/review/{item['id']}/undo"))
    assert listed(door) == [SECRET]
    resolve(door, item["id"], "redact", is_for_good=True)
    ok(door.post(f"{API}/memories/{old}/purge"))
    page = ok(door.get(f"{API}/memories"))["items"]
    assert [(one["content"], one["author"], one["metadata_"]["topic"]) for one in page] == [(rest, "Ann", "deploys")]
    stored = dump(runtime)
    assert TOKEN not in str({name: rows for name, rows in stored.items() if name != "memory_tokens"})


def test_many_are_kept_at_once_and_that_is_undone(door: TestClient, runtime: Runtime) -> None:
    for text in (PARIS, BERLIN, HIKING, TO_HIKE, SECRET):
        remember(door, text)
    examine(runtime)
    ids = [item["id"] for item in found(door)]
    ended = ok(door.post(f"{API}/review/resolve", json={"finding_ids": ids, "action": "keep"}))["items"]
    assert len({one["event_id"] for one in ended}) == 3
    assert (found(door), counts(door)) == ([], (0, 0, 0, 0))
    before = dump(runtime)
    sent = {"finding_ids": [*ids, UNKNOWN]}
    assert door.post(f"{API}/review/undo", json=sent).status_code == 404
    assert dump(runtime) == before
    assert ok(door.post(f"{API}/review/undo", json={"finding_ids": ids})) == {"reopened": 3}
    assert {item["id"] for item in found(door)} == set(ids)


def test_two_merges_of_one_memory_are_not_done_at_once(door: TestClient, runtime: Runtime) -> None:
    for text in (HIKING, TO_HIKE, "I really love hiking in the mountains"):
        remember(door, text)
    examine(runtime)
    ids = [item["id"] for item in found(door)]
    assert len(ids) == 3
    before = dump(runtime)
    refused = door.post(f"{API}/review/resolve", json={"finding_ids": ids, "action": "merge"})
    assert refused.status_code == 409
    assert dump(runtime) == before


def test_what_changed_meanwhile_is_left_alone(door: TestClient, runtime: Runtime) -> None:
    id, old, _ = pair(door, runtime)
    ok(door.put(f"{API}/memories/{old}", json={"memory_content": "I hate hiking"}))
    before = dump(runtime)
    for action in ("keep", "merge"):
        refused = door.post(f"{API}/review/{id}/resolve", json={"action": action})
        assert (refused.status_code, "changed" in refused.json()["detail"]) == (409, True)
    assert (found(door), dump(runtime)) == ([], before)
    examine(runtime)
    assert door.post(f"{API}/review/{id}/resolve", json={"action": "keep"}).status_code == 404, "it is forgotten"


def test_an_undo_of_what_changed_since_is_refused(door: TestClient, runtime: Runtime) -> None:
    id, _, new = pair(door, runtime)
    resolve(door, id, "merge", text="Ann loves hiking")
    ok(door.put(f"{API}/memories/{new}", json={"memory_content": "Something else"}))
    before = dump(runtime)
    assert door.post(f"{API}/review/{id}/undo").status_code == 409
    assert dump(runtime) == before


@pytest.mark.parametrize("state", ["paused", "archived", "deleted"])
def test_what_is_hidden_is_not_reviewed(door: TestClient, runtime: Runtime, state: str) -> None:
    id, old, _ = pair(door, runtime)
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [old], "state": state}))
    assert (found(door), counts(door)) == ([], (0, 0, 0, 0))
    assert door.post(f"{API}/review/{id}/resolve", json={"action": "keep"}).status_code == 409
    if state == "deleted":
        ok(door.post(f"{API}/memories/{old}/purge"))
        assert dump(runtime)["findings"] == []
        return
    third = remember(door, "I love the hiking in mountains")["id"]
    examine(runtime)
    assert {item["other_id"] for item in found(door)} == {third}
    ok(door.post(f"{API}/memories/actions/pause", json={"memory_ids": [old], "state": "active"}))
    examine(runtime)
    assert len(found(door)) == 3, "what was away when it came is compared when it is back"


def test_an_expired_memory_is_not_reviewed(door: TestClient, runtime: Runtime) -> None:
    _, old, _ = pair(door, runtime)
    with runtime.database.transaction() as session:
        session.execute(update(Memory).where(Memory.id == UUID(old)).values(expires_at=now() - timedelta(hours=1)))
    assert (found(door), counts(door)) == ([], (0, 0, 0, 0))


def test_whose_findings_they_are(door: TestClient, person: Person, runtime: Runtime) -> None:
    ann, bo = person("ann"), person("bo")
    remember(ann, PARIS)
    remember(bo, BERLIN)
    examine(runtime)
    assert found(door) == [], "memories of two owners are not compared"
    remember(ann, BERLIN)
    examine(runtime)
    (item,) = found(ann)
    assert ([one["id"] for one in found(door)], found(bo), counts(bo)) == ([item["id"]], [], (0, 0, 0, 0))
    assert door.get(f"{API}/review", params={"user_id": "bo"}).json()["items"] == []
    assert bo.get(f"{API}/review", params={"user_id": "ann"}).status_code == 404
    assert bo.get(f"{API}/review/counts", params={"user_id": "ann"}).status_code == 404
    assert bo.post(f"{API}/review/scan", json={"user_id": "ann"}).status_code == 404
    before = dump(runtime)
    assert bo.post(f"{API}/review/{item['id']}/resolve", json={"action": "merge"}).status_code == 404
    assert bo.post(f"{API}/review/resolve", json={"finding_ids": [item["id"]], "action": "keep"}).status_code == 404
    assert bo.post(f"{API}/review/{item['id']}/undo").status_code == 404
    assert bo.post(f"{API}/review/undo", json={"finding_ids": [item["id"]]}).status_code == 404
    assert dump(runtime) == before
    resolve(ann, item["id"], "keep")


def test_a_bound_key_may_not_review(door: TestClient, person: Person, runtime: Runtime) -> None:
    agent = person("ann", app="cursor")
    for text in (PARIS, BERLIN):
        remember(agent, text)
    examine(runtime)
    (item,) = found(door)
    ok(agent.get(f"{API}/stats"))
    before = dump(runtime)
    refused = [
        agent.get(f"{API}/review"),
        agent.get(f"{API}/review/counts"),
        agent.post(f"{API}/review/scan"),
        agent.post(f"{API}/review/{item['id']}/resolve", json={"action": "keep"}),
        agent.post(f"{API}/review/{item['id']}/undo"),
        agent.post(f"{API}/review/resolve", json={"finding_ids": [item["id"]], "action": "keep"}),
        agent.post(f"{API}/review/undo", json={"finding_ids": [item["id"]]}),
        agent.post(f"{API}/events/{UNKNOWN}/dismiss"),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert dump(runtime) == before


def test_choices_that_do_not_fit(door: TestClient, runtime: Runtime) -> None:
    id, old, _ = pair(door, runtime)
    remember(door, SECRET)
    examine(runtime)
    secret = found(door, kind="secret")[0]["id"]
    before = dump(runtime)
    sent = [
        (id, {"action": "redact"}, 400),
        (id, {"action": "delete"}, 400),
        (id, {"action": "delete", "memory_ids": [UNKNOWN]}, 400),
        (id, {"action": "merge", "survivor": UNKNOWN}, 400),
        (id, {"action": "merge", "text": "  "}, 400),
        (id, {"action": "merge", "text": "a\x00b"}, 400),
        (id, {"action": "burn"}, 422),
        (secret, {"action": "merge"}, 400),
        (UNKNOWN, {"action": "keep"}, 404),
        ("x", {"action": "keep"}, 422),
    ]
    assert [door.post(f"{API}/review/{one}/resolve", json=body).status_code for one, body, _ in sent] == [
        status for _, _, status in sent
    ]
    assert door.post(f"{API}/review/{id}/undo").status_code == 409
    assert dump(runtime) == before
    resolve(door, id, "delete", memory_ids=[old])
    assert door.post(f"{API}/review/{id}/resolve", json={"action": "keep"}).json()["detail"] == "It is resolved already"


def test_a_list_and_a_count_cost_the_same_with_few_and_with_many(door: TestClient, runtime: Runtime) -> None:
    costs = []
    for start, end in ((0, 3), (3, 40)):
        items = [{"text": f"{word}hing {n} is heavy"} for n in range(start, end) for word in ("The t", "T")]
        ok(door.post(f"{API}/memories/bulk", json={"memories": items}))
        examine(runtime)
        ok(door.get(f"{API}/review"))
        costs.append([])
        for path in (
            "/review?size=5",
            "/review?size=5&kind=duplicate",
            "/review?is_resolved=true",
            "/review/counts",
        ):
            with statements(runtime) as seen:
                ok(door.get(f"{API}{path}"))
            costs[-1].append(len(seen))
    assert len(found(door, size=100)) >= 40
    assert costs[0] == costs[1]
    assert max(costs[1]) <= 7


def test_a_turn_costs_the_same_for_few_and_for_many(door: TestClient, runtime: Runtime) -> None:
    costs = []
    for count in (3, 20):
        items = [{"text": f"{count}: thing {n} is of another kind than {n + count}"} for n in range(count)]
        ok(door.post(f"{API}/memories/bulk", json={"memories": items}))
        with statements(runtime) as seen:
            assert examine(runtime) == count
        costs.append(len([one for one in seen if "memory_vectors" not in one and "vector_owners" not in one]))
    with statements(runtime) as seen:
        assert examine(runtime) == 0
    assert (costs[0], len(seen)) == (costs[1], 1)


def test_processes_share_the_work_and_none_does_it_twice(
    door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in (PARIS, BERLIN, HIKING):
        remember(door, text)
    with runtime.database.transaction() as session:
        held = {"worker": "elsewhere:1:x", "until": (now() + timedelta(minutes=1)).isoformat()}
        session.merge(Config(key=examinations.KEY, value=held))
    assert examine(runtime) == 0, "another process is at it"
    with runtime.database.transaction() as session:
        held["until"] = (now() - timedelta(seconds=1)).isoformat()
        session.merge(Config(key=examinations.KEY, value=held))
    assert examine(runtime) == 3, "its lease has run out"
    remember(door, TO_HIKE)
    inside, go, turn = threading.Event(), threading.Event(), examinations._turn

    def slow(one: Runtime, pace: examinations.Pace) -> int:
        inside.set()
        go.wait(10)
        return turn(one, pace)

    monkeypatch.setattr(examinations, "_turn", slow)
    other = threading.Thread(target=examine, args=(runtime,))
    other.start()
    inside.wait(10)
    monkeypatch.setattr(examinations, "this_worker", lambda: "another:2:y")
    assert examine(runtime) == 0
    monkeypatch.undo()
    go.set()
    other.join()
    assert counts(door) == (1, 1, 0, 0)


def test_a_killed_turn_is_done_again_and_finds_the_same(
    door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in (PARIS, BERLIN, SECRET):
        remember(door, text)
    write = examinations._write

    def killed(*arguments: Any) -> None:
        write(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(examinations, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        examine(runtime)
    monkeypatch.undo()
    assert (found(door), examine(runtime), counts(door)) == ([], 3, (0, 1, 1, 0))
    with runtime.database.transaction() as session:
        session.execute(update(Memory).values(examined_version=None))
    ids = [item["id"] for item in found(door)]
    assert (examine(runtime), [item["id"] for item in found(door)]) == (3, ids)


def test_what_changes_while_it_is_looked_at_waits_still(
    door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = remember(door, SECRET)["id"]
    judged = examinations._judged

    def changing(*arguments: Any) -> Any:
        monkeypatch.setattr(examinations, "_judged", judged)
        ok(door.put(f"{API}/memories/{id}", json={"memory_content": "There is none"}))
        return judged(*arguments)

    monkeypatch.setattr(examinations, "_judged", changing)
    examine(runtime)
    assert (found(door), counts(door)) == ([], (0, 0, 0, 0))
    assert ok(door.get(f"{API}/review/counts"))["examined"] == 1


def pairs(*verdicts: str) -> dict[str, Any]:
    """A scripted answer."""
    return {"pairs": [{"pair": n, "verdict": one, "why": "told so"} for n, one in enumerate(verdicts, 1)]}


@pytest.fixture
def judge(scripted: ScriptedLlm, runtime: Runtime) -> ScriptedLlm:
    """The scripted LLM, which may review."""
    runtime.settings.allowed_provider_hosts = ["127.0.0.1"]
    configure(runtime, scripted, review_with_llm=True)
    return scripted


def test_no_model_is_asked_unless_somebody_said_so(door: TestClient, runtime: Runtime, llm: ScriptedLlm) -> None:
    for text in (PARIS, BERLIN):
        remember(door, text)
    assert examine(runtime) == 2
    assert llm.requests == []
    assert [item["why"] for item in found(door)] == ["value"]
    assert ok(door.get(f"{API}/review/counts"))["asks_llm"] is False


def test_there_are_rests_within_a_batch_and_one_may_end_the_review_after_it(
    door: TestClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.examinations.BATCH", 2)
    monkeypatch.setattr("app.services.examinations.SPELL", 0)
    for text in (PARIS, BERLIN, HIKING):
        remember(door, text)
    rests: list[float] = []

    def rest(seconds: float) -> bool:
        rests.append(seconds)
        return len(rests) == 2

    assert examinations.sweep(runtime, rest) == 2
    assert len(rests) == 2
    assert all(seconds > 0 for seconds in rests)
    assert examine(runtime) == 1


def test_a_model_is_asked_once_about_all_that_reads_alike(
    door: TestClient, runtime: Runtime, judge: ScriptedLlm
) -> None:
    for text in ("Sam speaks French every day", "Sam speaks German every day", HIKING, TO_HIKE):
        remember(door, text)
    judge.say(pairs("CONTRADICTION", "NEITHER", "NEITHER", "NEITHER", "NEITHER"))
    examine(runtime)
    assert len(judge.requests) == 1
    assert HIKING not in judge.prompts()[0], "the same words need no model"
    assert [item["why"] for item in found(door, kind="contradiction")] == ["told so"]
    assert counts(door)[:2] == (1, 1)
    assert ok(door.get(f"{API}/review/counts"))["asks_llm"] is True
    assert examine(runtime) == 0
    assert len(judge.requests) == 1


def test_what_the_model_says_against_the_words_counts(door: TestClient, runtime: Runtime, judge: ScriptedLlm) -> None:
    for text in (PARIS, BERLIN):
        remember(door, text)
    judge.say(pairs("NEITHER"))
    examine(runtime)
    assert found(door) == []


def test_a_model_that_fails_leaves_the_words(door: TestClient, runtime: Runtime, judge: ScriptedLlm) -> None:
    for text in (PARIS, BERLIN):
        remember(door, text)
    judge.say(Reply(status=401))
    assert examine(runtime) == 2
    assert [item["why"] for item in found(door)] == ["value"]


def test_a_failed_receipt_is_dismissed_and_kept(door: TestClient, llm: ScriptedLlm, runtime: Runtime) -> None:
    llm.say(Reply(status=401))
    failed = door.post(f"{API}/memories", json={"text": "I moved", "infer": True})
    id = failed.json()["event_id"]
    assert (failed.status_code, counts(door)) == (503, (0, 0, 0, 1))
    assert ok(door.post(f"{API}/events/{id}/dismiss"))["dismissed_at"]
    assert counts(door) == (0, 0, 0, 0)
    waits = {"status": "FAILED", "is_dismissed": False}
    assert ok(door.get(f"{API}/events", params=waits))["items"] == []
    assert ok(door.post(f"{API}/events/retry"))["retried"] == 0
    assert ok(door.get(f"{API}/events/{id}"))["input"]["messages"][0]["content"] == "I moved"
    ok(door.post(f"{API}/events/{id}/dismiss", json={"is_dismissed": False}))
    assert len(ok(door.get(f"{API}/events", params=waits))["items"]) == 1
    ok(door.post(f"{API}/events/{id}/dismiss"))
    llm.say(Reply(status=401))
    door.post(f"{API}/events/{id}/retry")
    assert counts(door) == (0, 0, 0, 1), "what fails again is shown again"
    with runtime.database.reading() as session:
        assert session.scalars(select(Event.status).where(Event.id == UUID(id))).one() == "FAILED"
    done = remember(door, "fine")["event_id"]
    assert door.post(f"{API}/events/{done}/dismiss").status_code == 409


def test_findings_are_not_in_a_backup(door: TestClient, runtime: Runtime) -> None:
    pair(door, runtime)
    assert b"same words" not in door.post(f"{API}/backup/export", json={}).content
    with runtime.database.reading() as session:
        assert len(session.scalars(select(Finding.id)).all()) == 1
