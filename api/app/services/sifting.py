"""From the index's ranking to the memories that may be shown: in one round, or in two when the first finds too few."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, bindparam, select

from app.context import Context
from app.database import asked_last
from app.engine.late import Question
from app.engine.ranking import Mode, Ranked
from app.models import Memory, State
from app.prepared import Prepared
from app.services import features, scopes
from app.services.views import MemoryView, narrowed, pick

SLACK = 40  # ranked without filters: a few may be gone since, and the index looks as deep anyway
SIFTED, SIFTED_TIMES = 200, 2  # ranked with filters before SQL sifts: at least, and times those wanted
CHUNK = 1_000  # memories a statement
IDS = 5_000  # ids a statement

# Where nothing narrows a search, what may be shown of an owner's is asked by statements that are made once.
LIVING = tuple(scopes.living(scopes.OWNER, (State.active,)))
_SHOWN = Prepared(narrowed(*LIVING))
_OF_THESE = select(Memory.id).where(Memory.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Look:
    """One question to the index, and what SQL must say of an answer before it is shown.

    Attributes:
        seen: the scope's conditions and the filters'; `scopes.OWNER` in them is `owner_id`.
        is_narrowed: whether they hide more than what the index does not hold anyway.
        is_selective: whether they leave so few that SQL is asked first.
    """

    owner_id: UUID
    text: str
    vector: Question | None
    mode: Mode
    seen: Sequence[ColumnElement[bool]]
    is_narrowed: bool
    is_selective: bool = False
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
    if len(found) < wanted and not look.is_narrowed and not _is_all(look, ranked, _depth(look, wanted)):
        # What the index holds and SQL hides, the index being behind, fills all of the first round.
        found = _fetched(ctx, look, _ranked(ctx, look, wanted, _candidates(ctx, look)), wanted)
    return found


def rank(ctx: Context, look: Look, wanted: int) -> list[Ranked]:
    """What answers best, best first: of what the filters leave `wanted` or more, if there are as many.

    The index ranks more than are wanted, and SQL says which of the ranked the filters leave. Should they be too few,
    SQL says which memories the filters leave at all, and the index ranks just those. So there are two rounds at most,
    and what the index itself finds is not missed. Without filters nothing is asked of SQL here.
    """
    if look.is_selective:
        return _ranked(ctx, look, wanted, _candidates(ctx, look))
    depth = _depth(look, wanted)
    ranked = _ranked(ctx, look, depth)
    if not look.is_narrowed:
        return ranked
    passed = passing(ctx, look, ranked)
    if len(passed) >= wanted or _is_all(look, ranked, depth):
        return passed
    return _ranked(ctx, look, wanted, _candidates(ctx, look))


def _depth(look: Look, wanted: int) -> int:
    return max(SIFTED, SIFTED_TIMES * wanted) if look.is_narrowed else max(SLACK, wanted)


def _is_all(look: Look, ranked: Sequence[Ranked], depth: int) -> bool:
    """Whether nothing that is worth showing can come after the ranked."""
    return len(ranked) < depth or ranked[-1].score < look.threshold


def _candidates(ctx: Context, look: Look) -> list[UUID]:
    """The ids of all that may be shown."""
    return [row[0] for row in ctx.rows(select(Memory.id).where(*look.seen), {"owner": look.owner_id})]


def _ranked(ctx: Context, look: Look, depth: int, within: Collection[UUID] | None = None) -> list[Ranked]:
    ctx.release()  # a store may be far away, and slow
    ask = features.asker(ctx, look.owner_id)
    return ctx.engine.index.rank(look.owner_id, look.text, look.vector, look.mode, depth, within, ask)


def passing(ctx: Context, look: Look, ranked: Sequence[Ranked]) -> list[Ranked]:
    """Those of the ranked that may be shown. One statement for each 5,000."""
    passed: list[Ranked] = []
    statement = _OF_THESE.where(asked_last(*look.seen))
    for start in range(0, len(ranked), IDS):
        piece = ranked[start : start + IDS]
        shown = {row[0] for row in ctx.rows(statement, {"ids": [one.id for one in piece], "owner": look.owner_id})}
        passed += [one for one in piece if one.id in shown]
    return passed


def _fetched(ctx: Context, look: Look, ranked: Sequence[Ranked], wanted: int) -> list[Sifted]:
    """The first `wanted` that may be shown; nearly always all of them may, so only they are asked for at first."""
    by_key = {one.key: one for one in ranked if one.score >= look.threshold}
    keys, views = list(by_key), list[MemoryView]()
    statement = _SHOWN if look.seen is LIVING else narrowed(*look.seen)
    start, size = 0, min(wanted, CHUNK)
    while start < len(keys) and len(views) < wanted:
        ids = [UUID(key) for key in keys[start : start + size]]
        views += pick(ctx, statement, ids, {"owner": look.owner_id}, alone=True)
        start, size = start + size, CHUNK
    return [Sifted(view, by_key[view.id.hex]) for view in views[:wanted]]
