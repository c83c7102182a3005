"""What is written through one door is found, read, changed, paused and deleted through every other."""

from itertools import permutations

import pytest

from tests.protocols.across.conftest import Opened
from tests.protocols.across.doors import ALL, Door, OpenMemory

WORDS = "The lighthouse keeper paints her boat green in spring"
QUESTION = "what colour is the boat of the lighthouse keeper"
CHANGED = "The lighthouse keeper paints her boat red in autumn"

PAIRS = list(permutations(ALL, 2))
ids = "-".join


@pytest.fixture
def pair(request: pytest.FixtureRequest, opened: Opened) -> tuple[Door, Door]:
    """The door that writes and the one that comes after, each with a key of its own of the same user."""
    here, there = request.param
    return opened(here), opened(there)


pairs = pytest.mark.parametrize("pair", PAIRS, indirect=True, ids=lambda pair: f"{pair[0].name}-{pair[1].name}")


@pairs
def test_written_here_it_is_found_read_and_paused_there(pair: tuple[Door, Door], opened: Opened) -> None:
    here, there = pair
    id = here.write(WORDS)
    assert WORDS in there.find(QUESTION)
    assert WORDS in there.listed()
    assert there.read(id) == WORDS
    governing = opened(OpenMemory)
    assert isinstance(governing, OpenMemory)
    governing.state(id, "paused")
    assert WORDS not in there.find(QUESTION)
    assert WORDS not in there.listed()
    governing.state(id, "active")
    assert WORDS in there.find(QUESTION)


@pairs
def test_written_here_it_is_changed_and_deleted_there(pair: tuple[Door, Door]) -> None:
    here, there = pair
    id = here.write(WORDS)
    words = WORDS if "change" in there.lacks else CHANGED
    if "change" not in there.lacks:
        there.change(id, CHANGED)
        assert here.read(id) == CHANGED
        assert CHANGED in here.find(QUESTION)
        assert WORDS not in here.find(QUESTION)
    there.delete(id)
    for door in (here, there):
        assert words not in door.find(QUESTION)
        assert words not in door.listed()
        assert door.read(id) is None


def test_only_memento_cannot_change_a_memory() -> None:
    assert {door.name: door.lacks for door in ALL if door.lacks} == {"memento": frozenset({"change"})}
