"""Traits that are kept: those of the same stamp, with their neighbours, and no more than there is room for."""

from app.engine.ranking import Trait
from app.engine.ranking.kept import OVERHEAD, KeptTraits

ONE, TWO, THREE = (f"{number:032x}" for number in (1, 2, 3))
NOW, LATER = ("ann", 1), ("ann", 2)


def test_what_is_kept_is_known_under_its_own_stamp_alone() -> None:
    kept, trait = KeptTraits(), Trait("s", length=3)
    kept.keep(*NOW, {ONE: trait}, {})
    assert kept.known(*NOW, [ONE, TWO]) == ({ONE: trait}, {})
    assert kept.known(*LATER, [ONE]) == ({}, {})
    kept.keep(*LATER, {ONE: Trait("t")}, {})
    assert kept.known(*LATER, [ONE]) == ({ONE: Trait("t")}, {})
    assert kept.known(*NOW, [ONE]) == ({}, {})


def test_a_neighbour_comes_along_and_is_not_known_by_itself() -> None:
    kept, trait, beside = KeptTraits(), Trait("s", before=ONE, after=THREE), {ONE: Trait("s"), THREE: Trait("s")}
    kept.keep(*NOW, {TWO: trait}, beside)
    assert kept.known(*NOW, [TWO]) == ({TWO: trait}, beside)
    assert kept.known(*NOW, [ONE, THREE]) == ({}, {})
    kept.keep(*NOW, {ONE: Trait("s", after=TWO)}, {TWO: Trait("s")})
    assert kept.known(*NOW, [ONE, TWO])[0] == {ONE: Trait("s", after=TWO), TWO: trait}
    kept.keep(*LATER, {ONE: Trait("s")}, {})
    assert kept.known(*NOW, [TWO]) == ({}, {})  # what stood before it may be another by now


def test_the_owners_who_searched_least_recently_leave_first() -> None:
    tokens = bytes(128)
    kept = KeptTraits(2 * (OVERHEAD + len(tokens)))
    for owner in ("ann", "bo"):
        kept.keep(owner, 1, {ONE: Trait(tokens=tokens)}, {})
    kept.known("ann", 1, [ONE])
    kept.keep("cy", 1, {ONE: Trait(tokens=tokens)}, {})
    assert [owner for owner in ("ann", "bo", "cy") if kept.known(owner, 1, [ONE])[0]] == ["ann", "cy"]


def test_of_one_owner_no_more_is_kept_than_there_is_room_for() -> None:
    kept = KeptTraits(2 * OVERHEAD)
    for key in (ONE, TWO):
        kept.keep(*NOW, {key: Trait()}, {ONE: Trait()})  # that one is here already, and is counted once
    assert set(kept.known(*NOW, [ONE, TWO])[0]) == {ONE, TWO}
    kept.keep(*NOW, {THREE: Trait()}, {})
    assert kept.known(*NOW, [ONE, TWO, THREE]) == ({}, {})
    kept.keep(*NOW, {THREE: Trait()}, {})
    assert set(kept.known(*NOW, [THREE])[0]) == {THREE}
