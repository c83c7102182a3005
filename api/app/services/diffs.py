"""What changed between two versions, in steps that a client can show. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

PIECE = re.compile(r"\s+|\w+|[^\w\s]")
# Comparing takes up to the product of the two lengths. A page of versions has so much to spend; what is left over is
# shown as one text in the place of another.
BUDGET = 20_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of text that stayed, went or came; the steps in their order are the way from the old to the new text."""

    op: Literal["equal", "delete", "insert"]
    text: str


@dataclass(slots=True)
class Budget:
    """What may still be spent on comparing, in pairs of words."""

    left: int = BUDGET


def words(old: str, new: str, budget: Budget | None = None) -> list[Step]:
    """The steps from `old` to `new`, by words; none if they are equal."""
    if old == new:
        return []
    before, after = PIECE.findall(old), PIECE.findall(new)
    first = _common(before, after)
    last = _common(before[first:][::-1], after[first:][::-1])
    ends = len(before) - last, len(after) - last
    middle = _middle(before[first : ends[0]], after[first : ends[1]], budget or Budget())
    return _joined([Step("equal", "".join(before[:first])), *middle, Step("equal", "".join(before[ends[0] :]))])


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _middle(before: Sequence[str], after: Sequence[str], budget: Budget) -> list[Step]:
    price = len(before) * len(after)
    if price > budget.left:
        return [Step("delete", "".join(before)), Step("insert", "".join(after))]
    budget.left -= price
    steps = []
    for op, start, end, begin, stop in SequenceMatcher(None, before, after).get_opcodes():
        if op == "equal":
            steps.append(Step("equal", "".join(before[start:end])))
        else:
            steps += [Step("delete", "".join(before[start:end])), Step("insert", "".join(after[begin:stop]))]
    return steps


def _joined(steps: Sequence[Step]) -> list[Step]:
    """Without empty steps, and with neighbours of a kind made one."""
    found: list[Step] = []
    for step in steps:
        if found and found[-1].op == step.op:
            found[-1] = Step(step.op, found[-1].text + step.text)
        elif step.text:
            found.append(step)
    return found


@dataclass(frozen=True, slots=True)
class Changed:
    """A value before and after; None where there is none."""

    old: Any
    new: Any


def keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Changed]:
    """The keys whose values differ."""
    every = dict.fromkeys([*old, *new])
    return {key: Changed(old.get(key), new.get(key)) for key in every if old.get(key) != new.get(key)}
