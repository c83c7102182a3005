"""Undo of one receipt: all that it did, or nothing. What is undone is itself a receipt, and can be undone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.context import Caller, Context
from app.errors import Conflict, NotFound
from app.models import Event, Memory, MemoryVersion, State
from app.services import chores, labels, restores
from app.services.restores import Before, Step

KIND = "UNDO"
NO_EVENT = "Event not found"
NAMED = 20  # memories that a refusal names


@dataclass(frozen=True, slots=True)
class Undone:
    """The receipt of an undo, and what it did to each memory: DELETE, UPDATE or RESTORE."""

    event_id: UUID
    undoes: UUID
    results: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Span:
    """What a receipt did to one memory: from its first to its last version."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Plan:
    event: Event
    steps: list[Step]
    in_the_way: list[UUID]


def undo(ctx: Context, event_id: UUID, *, force: bool = False) -> Undone:
    """Bring every memory of a receipt back to the version before it; what it added is deleted.

    With `force` memories that were changed since are brought back too, and those that are purged are left out.

    Raises:
        NotFound: no such receipt, or somebody else's.
        Forbidden: the key is bound to an app.
        Conflict: memories were changed since (the message names them), or the receipt changed none.
    """
    restores.refuse_apps(ctx)
    labelled = _labelled(ctx, event_id)
    if labelled is not None:
        return labelled
    with ctx.runtime.database.reading() as session:
        texts = [text for one in _plan(session, ctx.caller, event_id, force).steps if (text := one.composed)]
    vectors = ctx.engine.embed(texts) if texts else None
    names = ctx.engine.categories(vectors, len(texts))
    plan = _plan(ctx.session, ctx.caller, event_id, force)
    steps = [one for one in plan.steps if one.is_change]
    restores.apply(ctx, steps, KIND)
    restores.follow(ctx, steps, dict(zip(texts, names, strict=True)) if vectors is not None else {})
    results = [_result(one) for one in steps]
    event = plan.event
    made = chores.receipt(ctx, event.user_id, KIND, results, app_id=event.app_id, undoes=event.id)
    return Undone(made, event.id, results)


def _labelled(ctx: Context, event_id: UUID) -> Undone | None:
    """The undo of a labelling, which takes back what it did and nothing else; None if the receipt is none."""
    with ctx.runtime.database.reading() as session:
        event = _event(session, ctx.caller, event_id)
    if not event.results or any(result.get("event") != labels.KIND for result in event.results):
        return None
    spans = _spans(event.results)
    results = labels.take_back(ctx, event.user_id, {id: [span.last] for id, span in spans.items()})
    if not results:
        raise Conflict(_refusal([]))
    made = chores.receipt(ctx, event.user_id, KIND, results, app_id=event.app_id, undoes=event.id)
    return Undone(made, event.id, results)


def _result(one: Step) -> dict[str, Any]:
    done = "UPDATE"
    if one.before.state != one.after.state:
        done = "DELETE" if one.after.state == State.deleted else "RESTORE"
    return {"id": str(one.after.id), "event": done, "version": one.after.version + 1}


def _plan(session: Session, caller: Caller, event_id: UUID, force: bool) -> _Plan:
    event = _event(session, caller, event_id)
    spans = _spans(event.results)
    if not spans:
        raise Conflict("This receipt changed no memory that could be changed back")
    memories = {one.id: one for one in restores.read(session, Memory.id.in_(spans), Memory.user_id == event.user_id)}
    plan = _Plan(event, *_steps(memories, spans, _versions_before(session, spans)))
    changed = [id for id, one in memories.items() if one.version != spans[id].last]
    in_the_way = [*(changed if not force else ()), *plan.in_the_way]
    gone = [id for id in spans if id not in memories]
    if in_the_way or (gone and not force) or not plan.steps:
        raise Conflict(_refusal([*in_the_way, *gone]))
    return plan


def _event(session: Session, caller: Caller, event_id: UUID) -> Event:
    query = select(Event).where(Event.id == event_id)
    event = session.scalars(query if caller.is_admin else query.where(Event.user_id == caller.user_id)).first()
    if event is None:
        raise NotFound(NO_EVENT)
    return event


def _spans(results: Sequence[Mapping[str, Any]]) -> dict[UUID, _Span]:
    """By memory, the versions that a receipt made of it; receipts from before versions were in them know of adds."""
    spans: dict[UUID, _Span] = {}
    for result in results:
        version = result.get("version", 1 if result.get("event") == "ADD" else None)
        if result.get("event") in ("NONE", "FAILED", "PURGE") or not isinstance(version, int) or not result.get("id"):
            continue
        id = UUID(result["id"])
        known = spans.get(id, _Span(version, version))
        spans[id] = _Span(min(known.first, version), max(known.last, version))
    return spans


def _versions_before(session: Session, spans: Mapping[UUID, _Span]) -> dict[UUID, MemoryVersion]:
    wanted = [(id, span.first - 1) for id, span in spans.items() if span.first > 1]
    if not wanted:
        return {}
    query = select(MemoryVersion).where(tuple_(MemoryVersion.memory_id, MemoryVersion.version).in_(wanted))
    return {one.memory_id: one for one in session.scalars(query)}


def _steps(
    memories: Mapping[UUID, Before], spans: Mapping[UUID, _Span], before: Mapping[UUID, MemoryVersion]
) -> tuple[list[Step], list[UUID]]:
    """The steps back, and the memories whose version before is not known (an import brought them without)."""
    steps, unknown = [], []
    for id, now in memories.items():
        if spans[id].first == 1:
            steps.append(restores.step(now, now.content, now.metadata, State.deleted))
        elif id in before:
            old = before[id]
            steps.append(restores.step(now, old.content, old.metadata_, old.state))
        else:
            unknown.append(id)
    return steps, unknown


def _refusal(ids: Sequence[UUID]) -> str:
    if not ids:
        return "Nothing of this receipt is left to undo"
    named = ", ".join(str(id) for id in ids[:NAMED])
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"{len(ids)} of its memories were changed or purged since: {named}{more}"
