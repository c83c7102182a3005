"""What becomes of each fact, and carrying it out: all of an add's decisions in one transaction, or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, update

from app.context import Context
from app.engine.index import Vectors
from app.engine.reconciliation import Action
from app.models import Memory, State
from app.services import categories, memories, scopes, similars, states
from app.services.apps import Writer
from app.services.drafts import Draft, content_hash
from app.services.scopes import Scope
from app.services.views import MemoryView, fetch

PINNED = "pinned"
EXACT = "exact duplicate"
NEAR = "near duplicate"
TWICE = "said twice"
SERVED = "served to this session within the hour"
KNOWN = "known already"
IS_PINNED = "the memory is pinned: a model may not change it"
CHANGED = "the memory changed meanwhile"
TAKEN_BACK = "no longer true"
REPLACED = "replaced by a newer one"

SUPERSEDE = update(Memory).where(Memory.id == bindparam("b_id")).values(superseded_by=bindparam("b_by"))


@dataclass(slots=True)
class Step:
    """One fact and what is to become of it.

    `target` is the memory that it concerns, as it was when it was decided; `text` what an UPDATE shall say, if not what
    the fact says. `composed` and `vector` are of the memory that an ADD or an UPDATE will leave.
    """

    draft: Draft
    composed: str = ""
    vector: Vectors | None = None
    names: Sequence[str] = ()
    action: Action = Action.add
    target: MemoryView | None = None
    text: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of one fact: ADD, UPDATE, DELETE, NONE, or ARCHIVE for a memory that a newer one replaced.

    `version` is the memory's after the change; `memory` and `previous` are texts, for the answer only.
    """

    event: str
    id: UUID | None = None
    version: int | None = None
    reason: str | None = None
    superseded_by: UUID | None = None
    memory: str | None = None
    previous: str | None = None

    def kept(self) -> dict[str, Any]:
        """As receipts keep it: it names the memory and does not repeat it, so a purge has one place less to clean."""
        fields = {
            "id": self.id and str(self.id),
            "event": self.event,
            "version": self.version,
            "reason": self.reason,
            "superseded_by": self.superseded_by and str(self.superseded_by),
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(slots=True)
class Outcome:
    """All decisions of one add, and the memories that they left behind or found, each once."""

    decisions: list[Decision] = field(default_factory=list)
    memories: dict[UUID, MemoryView] = field(default_factory=dict)

    def note(self, event: str, view: MemoryView | None, reason: str | None = None, **more: Any) -> None:
        """Add a decision about a memory, if there is one."""
        if view is None:
            self.decisions.append(Decision(event, reason=reason))
            return
        self.memories[view.id] = view
        told = {"id": view.id, "version": None if event == "NONE" else view.version, "memory": view.content}
        self.decisions.append(Decision(event, reason=reason, **{**told, **more}))

    def add(self, other: "Outcome") -> None:
        """Note what another one notes, after this one's."""
        self.decisions += other.decisions
        self.memories |= other.memories


def carry_out(
    ctx: Context, scope: Scope, owner: str, client: Writer, steps: Sequence[Step], *, compare: bool = True
) -> Outcome:
    """Do what the steps say, in their order, each checked once more against what is there now.

    A memory that was changed, hidden or pinned since it was shown to the model stays as it is; what a fact says is
    then added beside it. Two facts about one memory: the first changes it. Without `compare` nothing is a duplicate.
    """
    outcome = Outcome()
    if compare:
        new = [step for step in steps if step.action is Action.add]
        settle_exact(new, similars.of_same_hash(ctx, scope, [step.draft for step in new]) if new else {})
        _settle_changes(steps, _current(ctx, scope, steps))
    fresh = {id(step): memories.fresh(step.draft, owner, client, list(step.names)) for step in steps if _adds(step)}
    new = [step for step in steps if _adds(step)]
    vectors = None if any(step.vector is None for step in new) else [s.vector for s in new if s.vector is not None]
    if scope.owner_id is not None:
        memories.store(ctx, scope.owner_id, [fresh[id(step)] for step in new], [s.composed for s in new], vectors)
    for step in steps:
        _take(ctx, scope, step, fresh.get(id(step)), outcome)
    return outcome


def _adds(step: Step) -> bool:
    return step.action in (Action.add, Action.supersede)


def _current(ctx: Context, scope: Scope, steps: Sequence[Step]) -> dict[UUID, MemoryView]:
    ids = dict.fromkeys(step.target.id for step in steps if step.target)
    return {view.id: view for view in fetch(ctx, list(ids), *scopes.visible(scope))}


def settle_exact(steps: Sequence[Step], same: Mapping[str, Sequence[MemoryView]]) -> None:
    """What a memory says word for word is not added; `same` as `similars.of_same_hash` has it."""
    for step in steps:
        twins = same.get(content_hash(step.draft.content), ())
        twin = next((view for view in twins if similars.is_compatible(step.draft, view)), None)
        if twin is not None:
            step.action, step.target, step.reason = Action.none, twin, EXACT


def _settle_changes(steps: Sequence[Step], now: Mapping[UUID, MemoryView]) -> None:
    """Bring the changes of memories in line with what may still be done."""
    touched: set[UUID] = set()
    for step in steps:
        if step.action not in (Action.add, Action.none) and step.target is not None:
            _settle_change(step, now.get(step.target.id), touched)


def _settle_change(step: Step, now: MemoryView | None, touched: set[UUID]) -> None:
    old = step.target
    if now is None or old is None or now.version != old.version or now.id in touched:
        _beside(step, CHANGED)
    elif now.memory_type == PINNED:
        _beside(step, IS_PINNED)
    else:
        step.target = now
        touched.add(now.id)


def _beside(step: Step, reason: str) -> None:
    """The memory stays as it is: what the fact says is added, what it only takes back is not."""
    step.action = Action.none if step.action is Action.delete else Action.add
    step.reason = reason


def _take(ctx: Context, scope: Scope, step: Step, view: MemoryView | None, outcome: Outcome) -> None:
    old = step.target
    if view is not None:
        outcome.note("ADD", view, step.reason)
        if step.action is Action.supersede and old is not None:
            _supersede(ctx, old, view, outcome)
    elif step.action is Action.update and old is not None:
        _update(ctx, scope, step, old, outcome)
    elif step.action is Action.delete and old is not None:
        states.change(ctx, [old.id], State.deleted)
        gone = replace(old, state=State.deleted, version=old.version + 1)
        outcome.note("DELETE", gone, step.reason or TAKEN_BACK, memory=None, previous=old.content)
    else:
        outcome.note("NONE", old, step.reason or KNOWN)


def _supersede(ctx: Context, old: MemoryView, new: MemoryView, outcome: Outcome) -> None:
    states.change(ctx, [old.id], State.archived)
    ctx.write(SUPERSEDE, {"b_id": old.id, "b_by": new.id})
    gone = replace(old, state=State.archived, version=old.version + 1)
    outcome.note("ARCHIVE", gone, REPLACED, superseded_by=new.id, memory=None, previous=old.content)


def _update(ctx: Context, scope: Scope, step: Step, old: MemoryView, outcome: Outcome) -> None:
    content = step.text or step.draft.content
    if content == old.content:
        outcome.note("NONE", old, KNOWN)
        return
    when = step.draft.occurred_at or old.occurred_at
    view = memories.rewrite(ctx, replace(old, content=content, occurred_at=when, provenance=step.draft.provenance))
    if scope.owner_id is not None:
        categories.replace(ctx, scope.owner_id, old.id, step.names)
        view.categories = sorted(step.names)
    ctx.touch([old.id])
    if step.vector is not None:
        ctx.ready(old.id, step.composed, step.vector)
    outcome.note("UPDATE", view, step.reason, previous=old.content)
