"""Traits that are kept: those of the same stamp, with their neighbours, and no more than there is room for."""

import numpy as np

from app.engine.ranking import Trait
from app.engine.ranking.kept import OVERHEAD, KeptTraits

ONE, TWO, THREE = (f"{number:032x}" for number in (1, 2, 3))
NOW, LATER = ("ann", 1), ("ann", 2)


def test_what_is_kept_is_known_under_its_own_stamp_alone() -> None:
    kept, trait = KeptTraits(), Trait("s", length=3)
    kept.keep(NOW, {ONE: trait}, {})
    assert kept.known(NOW, [ONE, TWO]) == ({ONE: trait}, {})
    assert kept.known(LATER, [ONE]) == ({}, {})
    kept.keep(LATER, {ONE: Trait("t")}, {})
    assert kept.known(LATER, [ONE]) == ({ONE: Trait("t")}, {})
    assert kept.known(NOW, [ONE]) == ({}, {})


def test_a_neighbour_comes_along_and_is_not_known_by_itself() -> None:
    kept, trait, beside = KeptTraits(), Trait("s", before=ONE, after=THREE), {ONE: Trait("s"), THREE: Trait("s")}
    kept.keep(NOW, {TWO: trait}, beside)
    assert kept.known(NOW, [TWO]) == ({TWO: trait}, beside)
    assert kept.known(NOW, [ONE, THREE]) == ({}, {})
    kept.keep(NOW, {ONE: Trait("s", after=TWO)}, {TWO: Trait("s")})
    assert kept.known(NOW, [ONE, TWO])[0] == {ONE: Trait("s", after=TWO), TWO: trait}
    kept.keep(LATER, {ONE: Trait("s")}, {})
    assert kept.known(NOW, [TWO]) == ({}, {})  # what stood before it may be another by now


def test_the_least_recently_used_leave_first() -> None:
    tokens = np.zeros((2, 64), dtype=np.int8)
    kept = KeptTraits(2 * (OVERHEAD + tokens.nbytes))
    for key in (ONE, TWO):
        kept.keep(NOW, {key: Trait(tokens=tokens)}, {})
    kept.known(NOW, [ONE])
    kept.keep(NOW, {THREE: Trait(tokens=tokens)}, {})
    assert list(kept.known(NOW, [ONE, TWO, THREE])[0]) == [ONE, THREE]
