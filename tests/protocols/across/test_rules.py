"""Access rules hold at every door: what is kept from an app does not come out of any."""

from typing import Any

import pytest

from tests.protocols.across.conftest import Opened
from tests.protocols.across.doors import ALL, Door, OpenMemory
from tests.protocols.asking import API

HIDDEN = "The spare key of the boathouse hangs behind the clock"
KEPT = "The boathouse is painted every other spring"
QUESTION = "boathouse"


class Governed:
    """Two memories of Ann's, her app `agent`, and the doors as its bound key finds them."""

    def __init__(self, opened: Opened) -> None:
        self.ann = opened(OpenMemory)
        self.opened = opened
        self.hidden, self.kept = self.ann.write(HIDDEN), self.ann.write(KEPT)
        self.door(OpenMemory).find(QUESTION)  # the app's first appearance
        found = self.ann.done("GET", f"{API}/apps?name=agent")["apps"]
        self.rules = f"{API}/apps/{found[0]['id']}/access-rules"

    def door(self, kind: type[Door]) -> Door:
        """The door, with a key that is bound to the app."""
        return self.opened(kind, app="agent")

    def rule(self, effect: str, memory_id: str | None = None) -> str:
        """The id of a rule that was made."""
        body: dict[str, Any] = {"effect": effect, "memory_id": memory_id}
        return str(self.ann.done("POST", self.rules, body)["id"])


@pytest.fixture
def governed(opened: Opened) -> Governed:
    """Ann, her two memories, and her app."""
    return Governed(opened)


def seen(door: Door) -> set[str]:
    """Which of the two come out of the door, by search and by list alike."""
    both = {HIDDEN, KEPT}
    found, listed = both & set(door.find(QUESTION)), both & set(door.listed())
    assert found == listed, door.name
    return found


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_what_is_denied_comes_out_of_no_door(kind: type[Door], governed: Governed) -> None:
    door = governed.door(kind)
    assert seen(door) == {HIDDEN, KEPT}
    rule = governed.rule("deny", governed.hidden)
    assert seen(door) == {KEPT}
    assert door.read(governed.hidden) is None
    assert seen(governed.opened(kind)) == {HIDDEN, KEPT}  # its owner's other keys see it on
    governed.ann.done("DELETE", f"{governed.rules}/{rule}")
    assert seen(door) == {HIDDEN, KEPT}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.name)
def test_what_is_allowed_is_all_that_an_app_is_shown(kind: type[Door], governed: Governed) -> None:
    door = governed.door(kind)
    governed.rule("allow", governed.kept)
    assert seen(door) == {KEPT}
    assert door.read(governed.hidden) is None
    governed.rule("deny")
    assert seen(door) == set()
    governed.rule("allow")  # in the place of the one that denied all
    assert seen(door) == {HIDDEN, KEPT}
