"""What is decided about findings, carried out and taken back: each decision leaves a receipt.

A finding is about what its memories said when it was found. If one has changed since, or is gone, nothing is done.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.context import Context
from app.database import new_id, now
from app.engine import secret_shapes
from app.engine.index import Vectors
from app.engine.text import compose
from app.errors import Conflict, Invalid, NotFound
from app.models import Finding, Memory, State
from app.services import categories, chores, decisions, drafts, findings, memories, scopes, states, undo
from app.services.views import MemoryView, fetch

KIND = "REVIEW"
MOST = 100  # findings that are resolved at once
NO_FINDING = "Finding not found"
RESOLVED_ALREADY = "It is resolved already"
CHANGED = "One of its memories was changed meanwhile; look at it again"

Action = Literal["keep", "merge", "delete", "redact"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to become of a finding.

    Attributes:
        survivor: of a merge the memory that stays; the newer one without it. The other is archived.
        text: of a merge what the survivor is to say, if not what it says.
        memory_ids: of a delete which of the two, or both.
        is_for_good: of a secret, have what is left in a new memory, and the old one deleted with all its versions, so
            that it can be purged.
    """

    action: Action
    survivor: UUID | None = None
    text: str | None = None
    memory_ids: Sequence[UUID] = ()
    is_for_good: bool = False


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was done about one finding: its receipt, and for each memory UPDATE, ARCHIVE, DELETE or NONE.

    `is_in_versions`: older versions of a memory hold still what was taken out of it, until it is purged.
    """

    finding_id: UUID
    resolution: Action
    event_id: UUID
    results: list[dict[str, Any]]
    is_in_versions: bool = False


@dataclass(frozen=True, slots=True)
class _Case:
    """An open finding with its memories, the older one first."""

    id: UUID
    user_id: UUID
    kind: str
    ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class _Worded:
    """What a memory is to say: the text, what the index reads of it, its vector and categories."""

    text: str
    composed: str
    vector: Vectors | None
    names: Sequence[str]


@dataclass(slots=True)
class _Done:
    """What was done to the memories of one finding."""

    results: list[dict[str, Any]] = field(default_factory=list)

    def note(self, event: str, id: UUID, version: int | None = None, **more: Any) -> None:
        """As receipts keep it: no text."""
        told = {"id": str(id), "event": event, "version": version, "reason": "review", **more}
        self.results.append({name: value for name, value in told.items() if value is not None})


def resolve(ctx: Context, finding_id: UUID, choice: Choice) -> Resolved:
    """Decide about one finding.

    Raises:
        NotFound: no such finding, or somebody else's.
        Forbidden: the key is bound to an app.
        Conflict: it is resolved, or one of its memories has changed since.
        Invalid: the choice does not fit the finding, or the text cannot be a memory's.
    """
    return resolve_many(ctx, [finding_id], choice)[0]


def resolve_many(ctx: Context, finding_ids: Sequence[UUID], choice: Choice) -> list[Resolved]:
    """As `resolve`, of many at once, all or none; each has its own receipt.

    Raises:
        as `resolve`; Conflict also where two of them concern one memory that the first of them changes.
    """
    findings.refuse_apps(ctx)
    wanted = list(dict.fromkeys(finding_ids))
    if len(wanted) > MOST:
        raise Invalid(f"At most {MOST} findings are resolved at once")
    with ctx.runtime.database.reading() as session:
        texts = _texts(session, _cases(session, ctx, wanted), choice)
    worded = _worded(ctx, texts)
    cases = {case.id: case for case in _cases(ctx.session, ctx, wanted)}
    _lock(ctx, [id for case in cases.values() for id in case.ids])
    _require_open(ctx, wanted, cases)
    touched: set[UUID] = set()
    done = []
    for id in wanted:
        if choice.action != "keep" and touched & set(cases[id].ids):
            raise Conflict(CHANGED)
        done.append(_carry_out(ctx, cases[id], choice, worded))
        touched |= set(cases[id].ids)
    return done


def _cases(session: Session, ctx: Context, ids: Sequence[UUID]) -> list[_Case]:
    """Those of the findings that the caller reaches, resolved or not."""
    query = select(Finding.id, Finding.user_id, Finding.kind, Finding.memory_id, Finding.other_id)
    mine = [] if ctx.caller.is_admin else [Finding.user_id == ctx.caller.user_id]
    rows = session.execute(query.where(Finding.id.in_(ids), *mine)).all()
    return [_Case(row.id, row.user_id, row.kind, [id for id in row[3:] if id]) for row in rows]


def _texts(session: Session, cases: Sequence[_Case], choice: Choice) -> dict[UUID, tuple[str, str]]:
    """By memory that is to say something else: that, and what the index is to read of it."""
    if choice.action == "redact":
        wanted: dict[UUID, str | None] = {id: None for case in cases for id in case.ids if case.kind == findings.SECRET}
    elif choice.action == "merge" and choice.text is not None and len(cases) == 1:
        wanted = {_survivor(cases[0], choice): drafts.checked_text(choice.text)}
    else:
        return {}
    query = select(Memory.id, Memory.content, Memory.author, Memory.occurred_at).where(Memory.id.in_(wanted))
    texts: dict[UUID, tuple[str, str]] = {}
    for row in session.execute(query):
        text = wanted[row.id]
        text = secret_shapes.redacted(row.content, secret_shapes.find(row.content)) if text is None else text
        if text != row.content:
            texts[row.id] = text, compose(text, row.author, row.occurred_at)
    return texts


def _worded(ctx: Context, texts: Mapping[UUID, tuple[str, str]]) -> dict[UUID, _Worded]:
    composed = [read for _, read in texts.values()]
    vectors = ctx.engine.embed(composed) if composed else None
    names = ctx.engine.categories(vectors, len(composed))
    return {
        id: _Worded(text, read, None if vectors is None else vectors[place], names[place])
        for place, (id, (text, read)) in enumerate(texts.items())
    }


def _survivor(case: _Case, choice: Choice) -> UUID:
    if len(case.ids) < 2:
        raise Invalid("There is nothing to merge")
    if choice.survivor is not None and choice.survivor not in case.ids:
        raise Invalid("The memory that is to stay is not one of the two")
    return choice.survivor or case.ids[-1]


def _lock(ctx: Context, ids: Sequence[UUID]) -> None:
    """Hold the memories: nobody changes one between the look at it and what is done to it."""
    ctx.session.execute(select(Memory.id).where(Memory.id.in_(ids)).order_by(Memory.id).with_for_update()).all()


def _require_open(ctx: Context, wanted: Sequence[UUID], cases: Mapping[UUID, _Case]) -> None:
    if any(id not in cases for id in wanted):
        raise NotFound(NO_FINDING)
    ended = select(Finding.id).where(Finding.id.in_(wanted), Finding.resolved_at.is_not(None)).limit(1)
    if ctx.session.scalar(ended):
        raise Conflict(RESOLVED_ALREADY)
    still = set(ctx.session.scalars(findings.open_ones(Finding.id).where(Finding.id.in_(wanted))))
    if any(id not in still for id in wanted):
        raise Conflict(CHANGED)


def _carry_out(ctx: Context, case: _Case, choice: Choice, worded: Mapping[UUID, _Worded]) -> Resolved:
    views = {view.id: view for view in fetch(ctx, case.ids, *scopes.living(case.user_id, scopes.GOVERNED))}
    if len(views) < len(case.ids):
        raise Conflict(CHANGED)
    done = _Done()
    ACTIONS[choice.action](ctx, case, choice, views, worded, done)
    event_id = chores.receipt(ctx, case.user_id, KIND, done.results)
    ended = {"resolved_at": now(), "resolution": choice.action, "resolved_by": ctx.caller.user_id, "event_id": event_id}
    ctx.session.execute(update(Finding).where(Finding.id == case.id).values(**ended))
    return Resolved(case.id, choice.action, event_id, done.results, choice.action == "redact")


Views = Mapping[UUID, MemoryView]
Words = Mapping[UUID, _Worded]


def _keep(ctx: Context, case: _Case, choice: Choice, views: Views, worded: Words, done: _Done) -> None:
    for id in case.ids:
        done.note("NONE", id)


def _merge(ctx: Context, case: _Case, choice: Choice, views: Views, worded: Words, done: _Done) -> None:
    survivor = _survivor(case, choice)
    if survivor in worded:
        _rewrite(ctx, case, views[survivor], worded[survivor], done)
    for id in case.ids:
        if id != survivor:
            states.change(ctx, [id], State.archived)
            ctx.write(decisions.SUPERSEDE, {"b_id": id, "b_by": survivor})
            done.note("ARCHIVE", id, views[id].version + 1, superseded_by=str(survivor))


def _delete(ctx: Context, case: _Case, choice: Choice, views: Views, worded: Words, done: _Done) -> None:
    if not choice.memory_ids or not set(choice.memory_ids) <= set(case.ids):
        raise Invalid("What is to be deleted is not one of its memories")
    gone = list(dict.fromkeys(choice.memory_ids))
    states.change(ctx, gone, State.deleted)
    for id in gone:
        done.note("DELETE", id, views[id].version + 1)


def _redact(ctx: Context, case: _Case, choice: Choice, views: Views, worded: Words, done: _Done) -> None:
    (id,) = case.ids[:1]
    if case.kind != findings.SECRET or id not in worded:
        raise Invalid("There is no secret in it to be removed")
    if not choice.is_for_good:
        _rewrite(ctx, case, views[id], worded[id], done)
        return
    new = _copied(ctx, case, views[id], worded[id])
    done.note("ADD", new.id, new.version)
    states.change(ctx, [id], State.deleted)
    ctx.write(decisions.SUPERSEDE, {"b_id": id, "b_by": new.id})
    done.note("DELETE", id, views[id].version + 1, superseded_by=str(new.id))


def _copied(ctx: Context, case: _Case, view: MemoryView, wanted: _Worded) -> MemoryView:
    """The memory once more under a new id, with another text and no versions before it."""
    names = sorted(wanted.names) or view.categories
    new = replace(view, id=new_id(), content=wanted.text, version=1, updated_at=now(), categories=names)
    vectors = None if wanted.vector is None else [wanted.vector]
    memories.store(ctx, case.user_id, [new], [wanted.composed], vectors)
    return new


ACTIONS = {"keep": _keep, "merge": _merge, "delete": _delete, "redact": _redact}


def _rewrite(ctx: Context, case: _Case, view: MemoryView, wanted: _Worded, done: _Done) -> None:
    new = memories.rewrite(ctx, replace(view, content=wanted.text))
    ctx.touch([view.id])
    if wanted.vector is not None:
        categories.replace(ctx, case.user_id, view.id, wanted.names)
        ctx.ready(view.id, wanted.composed, wanted.vector)
    done.note("UPDATE", view.id, new.version)


def take_back(ctx: Context, finding_id: UUID) -> UUID:
    """Undo what was decided about a finding: its memories are what they were, and it is open again. The new receipt.

    Raises:
        NotFound: no such finding, or somebody else's.
        Forbidden: the key is bound to an app.
        Conflict: it is not resolved, or its memories were changed since.
    """
    findings.refuse_apps(ctx)
    with ctx.runtime.database.reading() as session:
        _, resolution, event_id = _decided(session, ctx, [finding_id])[finding_id]
    # Before the first statement of this transaction: what comes back may have to be embedded.
    made = undo.undo(ctx, event_id).event_id if resolution != "keep" else None
    (now_decided,) = _decided(ctx.session, ctx, [finding_id]).values()
    if now_decided[1:] != (resolution, event_id):
        raise Conflict(CHANGED)
    _open_again(ctx, [finding_id])
    return made or _noted(ctx, now_decided[0], event_id)


def keep_no_more(ctx: Context, finding_ids: Sequence[UUID]) -> int:
    """Undo that these findings were kept, all or none, in two statements; how many they are.

    Raises:
        as `take_back`; Conflict also for one that was resolved otherwise.
    """
    findings.refuse_apps(ctx)
    decided = _decided(ctx.session, ctx, list(dict.fromkeys(finding_ids)))
    if any(resolution != "keep" for _, resolution, _ in decided.values()):
        raise Conflict("Only what was kept is taken back many at once")
    _open_again(ctx, list(decided))
    for owner_id, _, event_id in decided.values():
        _noted(ctx, owner_id, event_id)
    return len(decided)


def _decided(session: Session, ctx: Context, ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, str, UUID]]:
    """By finding its owner, what was decided about it, and the receipt of that."""
    mine = [] if ctx.caller.is_admin else [Finding.user_id == ctx.caller.user_id]
    query = select(Finding.id, Finding.user_id, Finding.resolution, Finding.event_id)
    rows = session.execute(query.where(Finding.id.in_(ids), *mine)).all()
    if len(rows) < len(ids):
        raise NotFound(NO_FINDING)
    if any(row.resolution is None or row.event_id is None for row in rows):
        raise Conflict("It is not resolved")
    return {row.id: (row.user_id, row.resolution, row.event_id) for row in rows}


def _open_again(ctx: Context, ids: Sequence[UUID]) -> None:
    nothing = dict.fromkeys(("resolved_at", "resolution", "resolved_by", "event_id"))
    ctx.session.execute(update(Finding).where(Finding.id.in_(ids)).values(**nothing))


def _noted(ctx: Context, owner_id: UUID, undoes: UUID) -> UUID:
    return chores.receipt(ctx, owner_id, undo.KIND, [], undoes=undoes)
