"""What two texts that read alike are to each other, by their words; the cosines are measured (decisions 0024, 0036)."""

import pytest

from app.engine import comparing, likeness
from app.engine.answers import Unusable
from app.engine.likeness import Kind

SAME = [
    ("I love hiking in the mountains", "I love to hike in the mountains", 0.969),
    ("My favorite color is blue", "My favourite colour is blue", 0.983),
    ("Use pnpm, not npm, in the storefront", "In the storefront use pnpm, not npm", 0.967),
    ("Pedro is the owner of the service", "The owner of the service is Pedro", 0.96),
]
AGAINST = [
    ("Ann lives in Paris", "Ann lives in Berlin", 0.804),
    ("Sam works at Acme", "Sam works at Globex", 0.661),
    ("The key rotates every 30 days", "The key rotates every 90 days", 0.964),
    ("User can eat peanuts", "User cannot eat peanuts", 0.946),
    ("User likes olives", "User does not like olives", 0.924),
    ("The default branch is main", "The default branch is master", 0.838),
    ("Sam's dog is called Rex", "Sam's dog is called Max", 0.679),
]
NEITHER = [
    ("note 1: we fly to Rome", "note 2: we fly to Rome", 0.98),
    ("My left knee hurts", "My right knee hurts", 0.968),
    ("Ann lives in Paris", "Bob lives in Paris", 0.85),
    ("Ann lived in Paris", "Ann lives in Berlin", 0.8),
    ("Sam likes swimming", "Sam likes cycling", 0.7),
    ("Sam visited Paris in 2019", "Sam visited Paris in 2020", 0.97),
    ("The function is called twice", "The function is called once", 0.86),
    ("Lena owes Tom 20 euros", "Tom owes Lena 20 euros", 0.98),
    ("Ann lives in Paris", "Ann lives in Berlin", 0.5),
    ("Ann adores the old harbour", "Ann likes the harbour a lot", 0.88),
]


@pytest.mark.parametrize(
    ("pairs", "kind"), [(SAME, Kind.duplicate), (AGAINST, Kind.contradiction), (NEITHER, None)], ids=str
)
def test_what_pairs_are(pairs: list[tuple[str, str, float]], kind: Kind | None) -> None:
    for one, other, cosine in pairs:
        for first, second in ((one, other), (other, one)):
            found = likeness.judge(first, second, cosine)
            assert (found and found.kind) == kind, (first, second, found)


def test_long_texts_are_judged_in_bounded_time() -> None:
    one, other = ("word " * 20_000, "word another " * 10_000)
    assert likeness.judge(one, other, 0.99) is not None


def test_what_a_model_answers() -> None:
    said = (
        '{"pairs": [{"pair": 2, "verdict": "contradiction", "why": "two towns"}, {"pair": 9, "verdict": "DUPLICATE"}]}'
    )
    first, second, third = comparing.read(said, 3)
    assert (first, third) == (None, None)
    assert second is not None
    assert (second.kind, second.why) == (Kind.contradiction, "two towns")
    assert comparing.read('{"pairs": [{"pair": 1, "verdict": "MAYBE"}]}', 1) == [None]
    with pytest.raises(Unusable):
        comparing.read("I would rather not say", 1)


def test_what_a_model_is_shown_is_short() -> None:
    asked = comparing.prompt([("a " * 10_000, "b")])[1]["content"]
    assert len(asked) < 2 * comparing.LONGEST
