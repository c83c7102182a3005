"""What was said before and after: the neighbouring turns of hits in their sessions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select

from app.context import Context
from app.models import Memory
from app.services.views import VIEW, MemoryView, read_beside

MOST = 5  # on each side


@dataclass(slots=True)
class Turns:
    """The visible turns around one, as they were said: `before` ends right before it, `after` begins right after."""

    before: list[MemoryView] = field(default_factory=list)
    after: list[MemoryView] = field(default_factory=list)

    @property
    def ids(self) -> list[UUID]:
        """Of all of them."""
        return [view.id for view in (*self.before, *self.after)]


def around(
    ctx: Context, hits: Sequence[MemoryView], count: int, seen: Sequence[ColumnElement[bool]]
) -> dict[UUID, Turns]:
    """Up to `count` turns before and after each hit, by its id; only such as fulfil `seen`. One statement.

    A turn's place in its session (owner and `run_id`) is that of its event time, else of its creation. What is in no
    session has no neighbours.
    """
    found = {hit.id: Turns() for hit in hits}
    runs = sorted({hit.run_id for hit in hits if hit.run_id is not None})
    if not count or not runs:
        return found
    for view, hit_id, distance in read_beside(ctx, _statement(list(found), runs, count, seen), 2):
        turns = found[hit_id]
        (turns.before if distance < 0 else turns.after).append(view)
    return found


def _statement(
    ids: Sequence[UUID], runs: Sequence[str], count: int, seen: Sequence[ColumnElement[bool]]
) -> Select[*tuple[Any, ...]]:
    order = (func.coalesce(Memory.occurred_at, Memory.created_at), Memory.created_at, Memory.id)
    place = func.row_number().over(partition_by=(Memory.user_id, Memory.run_id), order_by=order)
    turns = (
        select(Memory.id, Memory.user_id, Memory.run_id, place.label("place"))
        .where(Memory.run_id.in_(runs), *seen)
        .cte("turns")
    )
    hit, turn = turns.alias("hit"), turns.alias("turn")
    distance = (turn.c.place - hit.c.place).label("distance")
    beside = (
        select(turn.c.id, hit.c.id.label("hit_id"), distance)
        .join_from(hit, turn, and_(turn.c.user_id == hit.c.user_id, turn.c.run_id == hit.c.run_id))
        .where(hit.c.id.in_(ids), distance.between(-count, count), distance != 0)
        .subquery("beside")
    )
    rows = VIEW.add_columns(beside.c.hit_id, beside.c.distance).join(beside, beside.c.id == Memory.id)
    return rows.order_by(beside.c.distance)
