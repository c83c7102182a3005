"""Terms, composed texts and MATCH expressions: by example, and for any text against a real FTS5 table."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.text import MAX_TERM, MONTHS, STOP_WORDS, compose, terms

DAY = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
LETTERS = st.text(st.characters(categories=["L", "N", "M"]), min_size=1, max_size=12)
TEXTS = st.one_of(st.text(), st.lists(LETTERS).map(" ".join))


@pytest.fixture(scope="module")
def table() -> Iterator[sqlite3.Connection]:
    """An FTS5 table as the index has it, and what its tokenizer made of each row."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE t USING fts5(owner, terms, tokenize = 'unicode61')")
    connection.execute("CREATE VIRTUAL TABLE tokens USING fts5vocab(t, 'instance')")
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The dogs were running", "dog run"),
        ("Caroline\u2019s dog doesn't like O'Brien's", "carolin dog like obrien"),
        ("dogs' 'quoted' `code`", "dog quot code"),
        ("caf\u00e9 NA\u00cfVE \u0130stanbul", "cafe naiv istanbul"),
        ("Stra\u00dfe \ufb01re \u00bd", "strass fire 1 2"),
        ("8 May, 2023 at 31.5%", "8 mai 2023 31 5"),
        ("snake_case foo@bar.com", "snake case foo bar com"),
        ("\u6771\u4eac\u30bf\u30ef\u30fc \u732b", "\u6771\u4eac \u4eac\u30bf \u30bf\u30ef \u30ef\u30fc \u732b"),
        ("iPhone\u3092\u8cb7\u3046", "iphon \u3092\u8cb7 \u8cb7\u3046"),
        ("\ud55c\uad6d\uc5b4", "\ud55c\uad6d \uad6d\uc5b4"),
        ("\u09a2\u09be\u0995\u09be", "\u09a2\u0995"),
        ("", ""),
        ("the who?! \U0001f6a3 \x00 \ud800", ""),
    ],
)
def test_terms_by_example(text: str, expected: str) -> None:
    assert " ".join(terms(text)) == expected


@given(text=TEXTS)
def test_terms_are_the_same_after_they_were_stored(text: str) -> None:
    assert " ".join(terms(text)).split() == terms(text)


@given(text=TEXTS)
def test_terms_fold_case_and_unicode_forms(text: str) -> None:
    assert all(1 <= len(term) <= MAX_TERM and not any(c.isspace() for c in term) for term in terms(text))
    if text.isascii():
        assert terms(text.upper()) == terms(text.lower()) == terms(text)


def test_stop_words_are_not_terms() -> None:
    assert terms(" ".join(STOP_WORDS)) == []
    assert not STOP_WORDS & {month.lower() for month in MONTHS}


def test_long_words_are_cut_and_long_texts_are_quick() -> None:
    assert terms("x" * 1_000_000) == ["x" * MAX_TERM]
    assert len(terms("x'" * 500_000)) == 1


@pytest.mark.parametrize(
    ("content", "author", "expected"),
    [
        ("I ran a race.", "Caroline", "Caroline (8 May 2023): I ran a race."),
        ("I ran a race.", None, "8 May 2023: I ran a race."),
        ("I ran a race.", "  ", "8 May 2023: I ran a race."),
        ("caroline's race", "Caroline", "8 May 2023: caroline's race"),
        ("Ana Maria ran", "Ana Mar\u00eda", "8 May 2023: Ana Maria ran"),
        ("Maria ran", "Ana Maria", "Ana Maria (8 May 2023): Maria ran"),
        ("Caroline (1:56 pm on 8 May, 2023): hi", "Caroline", "Caroline (1:56 pm on 8 May, 2023): hi"),
        ("On May 8th, 2023 it rained", "Al", "Al: On May 8th, 2023 it rained"),
        ("2023-05-08T13:56 rain", "Al", "Al: 2023-05-08T13:56 rain"),
        ("It may rain 8 times in 2024", "Al", "Al (8 May 2023): It may rain 8 times in 2024"),
    ],
)
def test_compose_adds_what_the_content_does_not_say(content: str, author: str | None, expected: str) -> None:
    assert compose(content, author, DAY) == expected


@given(content=st.text(), author=st.none() | st.text(), moment=st.none() | st.datetimes())
def test_compose_ends_with_the_content_and_adds_nothing_twice(
    content: str, author: str | None, moment: datetime | None
) -> None:
    composed = compose(content, author, moment)
    assert composed.endswith(content)
    assert compose(composed, author, moment) == composed or not terms(author or "x")


def test_compose_without_author_and_date_is_the_content() -> None:
    assert compose("hello", None, None) == "hello"
