"""What may be stored, and what metadata says about session, author and event time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid, TooLarge
from app.services.drafts import MAX_TEXT, checked_metadata, content_hash, draft, moment

MAY = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2023-05-08T13:56:00Z",
        "2023-05-08T13:56:00",
        "2023-05-08T15:56:00+02:00",
        "1:56 pm on 8 May, 2023",
        "Mon, 08 May 2023 13:56:00 GMT",
        1683554160,
        1683554160.0,
        "1683554160",
        1683554160000,
    ],
)
def test_a_time_is_read_in_any_usual_form(written: Any) -> None:
    assert moment(written) == MAY


@pytest.mark.parametrize("written", ["", "soon", "8 May", "10", True, None, [], {}, float("nan"), 1e300, "9" * 80])
def test_what_is_no_time_is_none(written: Any) -> None:
    assert moment(written) is None


@given(st.datetimes(datetime(1800, 1, 1), datetime(5000, 1, 1), timezones=st.just(UTC)))
def test_iso_times_come_back(when: datetime) -> None:
    assert moment(when.isoformat()) == when


@given(st.integers(-5_000_000_000, 90_000_000_000))
def test_epoch_seconds_come_back(seconds: int) -> None:
    when = moment(seconds)
    assert when is not None
    assert when == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


@given(st.one_of(st.text(max_size=80), st.floats(), st.integers(), st.booleans()))
def test_no_value_makes_a_time_fail(value: Any) -> None:
    when = moment(value)
    assert when is None or when.tzinfo is UTC


@pytest.mark.parametrize("key", ["session_id", "session", "run_id"])
def test_the_session_comes_from_metadata(key: str) -> None:
    made = draft("text", {key: "s-1", "other": 1})
    assert made.run_id == "s-1"
    assert made.metadata == {key: "s-1", "other": 1}


@pytest.mark.parametrize("key", ["author", "speaker", "actor_id", "role"])
def test_the_author_comes_from_metadata(key: str) -> None:
    assert draft("text", {key: " Caroline "}).author == "Caroline"


@pytest.mark.parametrize("key", ["occurred_at", "timestamp", "date"])
def test_the_event_time_comes_from_metadata(key: str) -> None:
    assert draft("text", {key: "2023-05-08T13:56:00Z"}).occurred_at == MAY


def test_the_first_documented_key_wins_and_what_is_no_name_is_passed_over() -> None:
    made = draft("text", {"author": {"name": "x"}, "speaker": "Ann", "role": "user", "date": "never", "session": 3})
    assert (made.author, made.run_id, made.occurred_at) == ("Ann", "3", None)


@pytest.mark.parametrize("text", ["", "  \n\t", "a\x00b", "a\x1bb", "half \ud800 pair"])
def test_texts_that_cannot_be_stored_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        draft(text)


def test_an_overlong_text_is_refused_with_the_limit() -> None:
    with pytest.raises(TooLarge, match=str(MAX_TEXT)):
        draft("x" * (MAX_TEXT + 1))


def _nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(depth):
        inner = {"a": inner}
    return inner


@pytest.mark.parametrize(
    "metadata", [{"a": float("inf")}, {"a": "\x00"}, {"\x00": 1}, {"a": ["\udfff"]}, _nested(40), {"a": "x" * 70_000}]
)
def test_metadata_that_cannot_be_stored_is_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        draft("text", metadata)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text("abcé☃中"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.text("abc", min_size=1), JSON, max_size=5))
def test_plain_metadata_is_kept_as_it_came(metadata: dict[str, Any]) -> None:
    assert checked_metadata(metadata) == metadata


def test_the_hash_does_not_see_surrounding_space() -> None:
    assert content_hash(" I like tea\n") == content_hash("I like tea")
    assert content_hash("I like tea") != content_hash("i like tea")
