"""From the index's ranking to the memories that may be shown: in one round, or in two when the first finds too few."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, select

from app.context import Context
from app.database import asked_last
from app.engine.index import Mode, Vectors
from app.engine.ranking import Ranked
from app.models import Memory
from app.services.views import MemoryView, fetch

SELECTIVE = 2_000  # so many memories or fewer that the filters leave are handed to the index, which then is exact
SELECTIVE_TIMES = 10  # or so many times the limit
SIFTED = 1_000  # of more than that so many are ranked first and sifted after
SIFTED_TIMES = 4
SLACK = 100  # ranked without filters: a few may be gone since, and the index looks as deep anyway
CHUNK = 1_000  # ids a statement

_OF_THESE = select(Memory.id).where(Memory.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Look:
    """One question to the index, and what SQL must say of an answer before it is shown.

    Attributes:
        seen: the scope's conditions and the filters'.
        is_narrowed: whether they hide more than what the index does not hold anyway.
    """

    owner_id: UUID
    text: str
    vector: Vectors | None
    mode: Mode
    seen: Sequence[ColumnElement[bool]]
    is_narrowed: bool
    threshold: float = 0.0


@dataclass(frozen=True, slots=True)
class Sifted:
    """A memory that may be shown, and its place in the ranking."""

    memory: MemoryView
    ranked: Ranked


def sift(ctx: Context, look: Look, wanted: int) -> list[Sifted]:
    """The `wanted` memories that answer best of those that may be shown, best first; fewer if there are no more."""
    ranked = rank(ctx, look, wanted)
    found = _fetched(ctx, look, ranked, wanted)
    if len(found) < wanted and not look.is_narrowed and len(ranked) == _depth(look, wanted):
        # What the index holds and SQL hides fills all of the first round.
        found = _fetched(ctx, look, _ranked(ctx, look, wanted, _candidates(ctx, look.seen)), wanted)
    return found


def rank(ctx: Context, look: Look, wanted: int) -> list[Ranked]:
    """What answers best, best first: of what the filters leave `wanted` or more, if there are as many.

    When the filters leave few memories, the index ranks just those. Otherwise it ranks deeper than `wanted`, and SQL
    says which of the ranked remain; should they be too few, the index is given every id that the filters leave. So
    there are two rounds at most, and the best are never missed. Without filters nothing is asked of SQL here.
    """
    if not look.is_narrowed:
        return _ranked(ctx, look, _depth(look, wanted))
    within = _candidates(ctx, look.seen, max(SELECTIVE, SELECTIVE_TIMES * wanted))
    if within is not None:
        return _ranked(ctx, look, wanted, within)
    depth = _depth(look, wanted)
    ranked = _ranked(ctx, look, depth)
    passed = passing(ctx, look, ranked)
    if len(passed) >= wanted or len(ranked) < depth or ranked[-1].score < look.threshold:
        return passed
    return _ranked(ctx, look, wanted, _candidates(ctx, look.seen))


def _depth(look: Look, wanted: int) -> int:
    return max(SIFTED, SIFTED_TIMES * wanted) if look.is_narrowed else max(SLACK, wanted)


def _candidates(ctx: Context, seen: Sequence[ColumnElement[bool]], most: int | None = None) -> list[UUID] | None:
    """The ids that may be shown; None if there are more than `most`."""
    query = select(Memory.id).where(*seen)
    ids = [row[0] for row in ctx.rows(query if most is None else query.limit(most + 1))]
    return None if most is not None and len(ids) > most else ids


def _ranked(ctx: Context, look: Look, depth: int, within: Collection[UUID] | None = None) -> list[Ranked]:
    ctx.release()  # a store may be far away, and slow
    return ctx.engine.index.rank(look.owner_id, look.text, look.vector, look.mode, depth, within)


def passing(ctx: Context, look: Look, ranked: Sequence[Ranked]) -> list[Ranked]:
    """Those of the ranked that may be shown. One statement for each thousand."""
    passed: list[Ranked] = []
    statement = _OF_THESE.where(asked_last(*look.seen))
    for start in range(0, len(ranked), CHUNK):
        piece = ranked[start : start + CHUNK]
        shown = {row[0] for row in ctx.rows(statement, {"ids": [one.id for one in piece]})}
        passed += [one for one in piece if one.id in shown]
    return passed


def _fetched(ctx: Context, look: Look, ranked: Sequence[Ranked], wanted: int) -> list[Sifted]:
    """The first `wanted` that may be shown; nearly always all of them may, so only they are asked for at first."""
    by_id = {one.id: one for one in ranked if one.score >= look.threshold}
    ids, views = list(by_id), list[MemoryView]()
    start, size = 0, min(wanted, CHUNK)
    while start < len(ids) and len(views) < wanted:
        views += fetch(ctx, ids[start : start + size], *look.seen)
        start, size = start + size, CHUNK
    return [Sifted(view, by_id[view.id]) for view in views[:wanted]]
