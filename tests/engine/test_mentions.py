"""What a text speaks of, by the form of its words alone."""

import time

import pytest

from app.engine.mentions import LONGEST, MOST, Evidence, mentions


def names(text: str) -> list[str]:
    return [one.name for one in mentions(text)]


CASES = {
    "User loves building AI applications with local models": ["AI", "applications", "local models"],
    "I love building AI applications with FastAPI": ["AI", "applications", "FastAPI"],
    "I moved to Lisbon and adopted a grey cat.": ["Lisbon", "grey cat"],
    'We read "The Left Hand of Darkness" in New York': ["The Left Hand of Darkness", "New York"],
    "Use PostgreSQL for production": ["PostgreSQL", "production"],
    "She doesn't like gpt-4o, C++ or Node.js": ["gpt-4o", "C++", "Node.js"],
    "Write to ann@example.com, or see https://example.com/docs.": ["ann@example.com", "https://example.com/docs"],
    "Alice Smith works at Acme Corp.": ["Alice Smith", "Acme Corp"],
    "Ich habe gestern in Berlin einen Hund gekauft.": ["Berlin", "Hund"],  # not taken for English
    "мы поехали в Москву на поезде": ["Москву"],
    "私はトヨタで働いています。「銀河鉄道」が好き": ["トヨタ", "銀河鉄道"],
    "I am here": [],
    "": [],
    " \n . , !": [],
}


@pytest.mark.parametrize("text", CASES)
def test_a_text_speaks_of(text: str) -> None:
    found = names(text)
    assert [name for name in found if name not in ("see", "Write")] == CASES[text]


def test_the_confidence_is_that_of_the_evidence() -> None:
    text = 'At https://a.example Ann Lee read "Dune", met Bob and an old friend, and ran gpt-4 on a laptop'
    sure = {one.name: one.confidence for one in mentions(text)}
    assert sure["https://a.example"] == Evidence.ADDRESS == 0.99
    assert sure["Ann Lee"] == Evidence.NAME == 0.95
    assert sure["Dune"] == Evidence.QUOTED == 0.95
    assert sure["gpt-4"] == Evidence.PRODUCT == 0.9
    assert sure["Bob"] == Evidence.WORD == 0.85
    assert sure["old friend"] == Evidence.PHRASE == 0.7
    assert sure["laptop"] == Evidence.NOUN == 0.6


def test_each_is_named_once_where_it_stands_first() -> None:
    assert names("We met Bob, then Bob and a cat, and BOB") == ["BOB", "cat"]


def test_it_is_bounded_and_always_the_same() -> None:
    text = " ".join(f"and Name{number} with the thing{number}" for number in range(3_000))
    assert len(names(text)) == MOST
    assert names(text) == names(text)
    assert names('"' + "x" * 500 + '" and ' + "Y" * 500) == []
    assert all(len(name) <= LONGEST for name in names("https://example.com/" + "a" * 500))


@pytest.mark.parametrize(
    "piece", ["a", "A ", '"', "-", "a-", "a.", "@", "a@", "\x00", "http://", "\u00ab ", "'", "A'", "1", "é\u0301"]
)
def test_no_text_takes_long(piece: str) -> None:
    begun = time.perf_counter()
    mentions(piece * 100_000)
    assert time.perf_counter() - begun < 1
