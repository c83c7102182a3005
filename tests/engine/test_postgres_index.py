"""The index beside the memories on PostgreSQL: words by the same formula as on SQLite, vectors exact and by a graph."""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.database import Database
from app.engine.index import Vectors
from app.engine.stores import pgvector
from app.engine.stores.pgvector import PgVectorStore
from app.engine.words import Said, postgres
from app.engine.words.postgres import PostgresWords
from tests.engine.test_words import bm25
from tests.postgres import Postgres

DIMENSIONS = 8
MODEL = "it's: 100% of a test"
ANN, BO = UUID(int=1), UUID(int=2)
VOCABULARY = ["coffee", "train", "hotel", "rome", "o'neil", "back\\slash", "茶杯", "%(owner)s"]


@pytest.fixture(scope="module")
def database(postgres: Postgres, postgres_template: str) -> Iterator[Database]:
    database = Database(postgres.create(postgres_template))
    yield database
    database.dispose()


@pytest.fixture
def words(database: Database) -> Iterator[PostgresWords]:
    words = PostgresWords(database)
    yield words
    words.reset()


@pytest.fixture
def store(database: Database) -> Iterator[PgVectorStore]:
    store = PgVectorStore(MODEL, DIMENSIONS, database)
    yield store
    with database.transaction() as session:
        session.execute(text("TRUNCATE memory_vectors"))


def say(words: PostgresWords, owner: UUID, texts: dict[int, list[str]]) -> None:
    with words._database.transaction() as session:
        words.change(session).put([Said(UUID(int=number), owner, terms) for number, terms in texts.items()])


def unit(seed: int) -> Vectors:
    vector = np.random.default_rng(seed).standard_normal(DIMENSIONS).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def name(number: int) -> str:
    return str(UUID(int=number + 1_000))


def put(store: PgVectorStore, owner: UUID, numbers: range, seed: int = 0) -> None:
    payloads = [{"user_id": str(owner)}] * len(numbers)
    store.insert([unit(number + seed) for number in numbers], payloads, [name(number) for number in numbers])


def near(store: PgVectorStore, owner: UUID, vector: Vectors, top_k: int = 5, **filters: Any) -> list[str]:
    return [hit.id for hit in store.search("", vector, top_k, {"user_id": str(owner), **filters})]


def exact(numbers: range, vector: Vectors, top_k: int) -> list[str]:
    return [name(number) for number in sorted(numbers, key=lambda number: -float(unit(number) @ vector))[:top_k]]


def graphs(database: Database) -> list[str]:
    sql = "SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix_memory_vectors_hnsw_%'"
    with database.engine.connect() as connection:
        return list(connection.scalars(text(sql)))


def scans(database: Database, store: PgVectorStore) -> int:
    """How often the graph has been used."""
    with database.engine.connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
        connection.commit()
        sql = text("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = :graph")
        return int(connection.execute(sql, {"graph": store._graph}).scalar_one())


TEXTS = st.dictionaries(st.integers(1, 30), st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=40), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS, TEXTS, st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4), st.sets(st.integers(1, 30)))
def test_scores_are_those_of_the_formula_over_ones_own(
    words: PostgresWords, texts: dict[int, list[str]], others: dict[int, list[str]], query: list[str], gone: set[int]
) -> None:
    words.reset()
    say(words, ANN, texts)
    say(words, BO, {number + 100: terms for number, terms in others.items()})
    with words._database.transaction() as session:
        words.change(session).remove([UUID(int=number) for number in gone])
    left = {number: " ".join(terms) for number, terms in texts.items() if number not in gone}
    expected = bm25(left, query)
    found = words.search(ANN, query, 50)
    assert {int(key, 16): score for key, score in found.items()} == pytest.approx(expected, rel=1e-5)
    assert list(found.values()) == sorted(found.values(), reverse=True)
    counts, memories = words.frequencies(ANN, query)
    assert memories == len(left)
    assert counts == {term: sum(term in text.split() for text in left.values()) for term in query}
    few = [f"{number:032x}" for number in list(expected)[:2]]
    assert words.scores(ANN, query, few) == pytest.approx({key: expected[int(key, 16)] for key in few}, rel=1e-5)


@given(times=st.integers(1, 255))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_how_often_a_term_is_said_is_read_from_its_rank(database: Database, times: int) -> None:
    sql = f"SELECT {postgres.TIMES.format(name='term')} FROM (SELECT %(terms)s::tsvector AS terms) AS one"
    with database.engine.connect() as connection:
        said = {"terms": postgres._written(["tea"] * times + ["cup"]), "term": "'tea'"}
        assert connection.exec_driver_sql(sql, said).scalar() == times


def test_a_text_of_more_different_words_than_a_tsvector_holds_is_found_by_its_first(words: PostgresWords) -> None:
    terms = [f"{number:064}" for number in range(20_000)]
    say(words, ANN, {1: terms})
    assert list(words.search(ANN, terms[:1], 5)) == [UUID(int=1).hex]
    assert words.search(ANN, terms[-1:], 5) == {}


def test_no_more_than_so_many_memories_are_weighed(words: PostgresWords, monkeypatch: pytest.MonkeyPatch) -> None:
    say(words, ANN, {number: ["often"] + ["seldom"] * (number == 1) for number in range(1, 60)})
    assert len(words.search(ANN, ["often", "seldom"], 100)) == 59
    monkeypatch.setattr(postgres, "MOST_MATCHES", 30)
    assert list(words.search(ANN, ["often", "seldom"], 100)) == [UUID(int=1).hex]
    assert len(words.search(ANN, ["often"], 100)) == 59


def test_counts_of_a_large_owner_are_remembered_until_there_are_others(
    words: PostgresWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "REMEMBER_FROM", 10)
    say(words, ANN, {number: ["tea"] for number in range(1, 101)})
    assert words.frequencies(ANN, ["tea"]) == ({"tea": 100}, 100)
    say(words, ANN, {number: ["tea"] for number in range(101, 105)})
    assert words.frequencies(ANN, ["tea"]) == ({"tea": 100}, 104)
    say(words, ANN, {number: ["tea"] for number in range(105, 111)})
    assert words.frequencies(ANN, ["tea"]) == ({"tea": 110}, 110)
    assert words.frequencies(BO, ["tea"]) == ({"tea": 0}, 0)


def test_the_nearest_of_ones_own_are_found_and_nothing_of_anothers(store: PgVectorStore) -> None:
    put(store, ANN, range(40))
    put(store, BO, range(100, 140))
    query = unit(7_777)
    assert near(store, ANN, query) == exact(range(40), query, 5)
    assert near(store, ANN, query, ids=[name(n) for n in (3, 4, 105)]) == exact(range(3, 5), query, 5)
    found = store.similarities(str(ANN), query, [name(1), name(105), str(uuid4())])
    assert found == {name(1): pytest.approx(float(unit(1) @ query), abs=1e-5)}


def test_a_vector_is_replaced_and_removed(store: PgVectorStore) -> None:
    put(store, ANN, range(3))
    store.insert([unit(50), unit(51)], [{"user_id": str(ANN)}] * 2, [name(1), name(1)])
    assert store.similarities(str(ANN), unit(51), [name(1)])[name(1)] == pytest.approx(1, abs=1e-5)
    store.delete_many([name(1), str(uuid4())])
    assert store.count() == 2
    assert store.get(name(1)) is None


def test_two_models_lie_side_by_side(database: Database, store: PgVectorStore) -> None:
    other = PgVectorStore("other", 3, database)
    put(store, ANN, range(3))
    other.insert([[1.0, 0.0, 0.0]], [{"user_id": str(ANN)}], [name(1)])
    assert Counter(store.list_cols()) == Counter([MODEL, "other"])
    assert near(other, ANN, np.array([1, 0, 0], dtype=np.float32)) == [name(1)]
    with database.transaction() as session:
        store.drop_others(session)
    assert store.list_cols() == [MODEL]
    store.delete_many([name(1)])
    assert store.count() == 2


def test_a_large_owner_is_searched_by_a_graph_once_there_is_one(
    database: Database, store: PgVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pgvector, "STEP", 0)  # as if nothing were cheaper
    with database.transaction() as session:
        for statement in (
            """INSERT INTO users (id, user_id, is_admin, is_active, metadata, created_at, updated_at)
                VALUES (:owner, 'ann', false, true, '{}', now(), now())""",
            """INSERT INTO apps (id, owner_id, name, is_active, accessed_count, metadata, created_at, updated_at)
                VALUES (:owner, :owner, 'app', true, 0, '{}', now(), now())""",
            "INSERT INTO memory_tallies (user_id, app_id, state, count) VALUES (:owner, :owner, 'active', 300)",
        ):
            session.execute(text(statement), {"owner": ANN})
    put(store, ANN, range(300))
    put(store, BO, range(400, 700))
    query = unit(7_777)
    assert graphs(database) == []
    assert near(store, ANN, query) == exact(range(300), query, 5), "exactly, as long as there is none"
    store.tend()
    assert graphs(database) == [store._graph]
    monkeypatch.setattr(
        pgvector, "TUNE", pgvector.TUNE + ", set_config('enable_sort', 'off', true)"
    )  # so few are sorted
    before = scans(database, store)
    found = near(store, ANN, query, 20)
    assert scans(database, store) > before
    assert len(set(found) & set(exact(range(300), query, 20))) >= 19
    put(store, ANN, range(300, 310))
    assert near(store, ANN, unit(305))[0] == name(305), "what came later is in it"
    store.tend()
    assert graphs(database) == [store._graph], "nothing is to be done twice"
