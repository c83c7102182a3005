"""An add: received and kept, decided, carried out, and answered with its receipt (docs/inference.md).

Where a model has to be asked, the receipt is written first, under a lease: whatever happens from then on, what was
sent is kept, and a worker takes up what a dead process left behind. So an add that is answered at once and one that
is left to the worker go the same way.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from app.context import Caller, Context, Runtime
from app.database import Base, new_id, now
from app.errors import CommonplaceError, Conflict, Invalid, Kept, NotFound, Unavailable, Why
from app.models import App, User
from app.services import accounts, apps, decisions, intakes, learning, memories, receipts, sessions, similars
from app.services.apps import Writer
from app.services.decisions import Decision, Outcome
from app.services.drafts import Draft
from app.services.intakes import Intake
from app.services.learning import Job, Plan
from app.services.memories import Added
from app.services.receipts import Taken
from app.services.scopes import DEFAULT_APP, Scope, reading_app
from app.services.views import MemoryView
from app.workers import this_worker

GRACE = 60  # seconds of a lease beside what the model may take: embedding, the index, the disk
INTERNAL = "Something went wrong that nobody expected; the server's log has it under this receipt's id"
GIVEN_UP = f"It was begun {receipts.MOST_TAKEN} times and never finished"
SENT_BEFORE = "every message of it was sent before"
TURNS = insert(Base.metadata.tables["session_messages"])

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Learned:
    """What an add did: its receipt, every decision, and the memories they left behind or found, in their order."""

    event_id: UUID
    status: str
    inference: str | None
    decisions: list[Decision] = field(default_factory=list)
    memories: list[MemoryView] = field(default_factory=list)
    error: str | None = None
    why: Why = Why.unknown

    @property
    def memory(self) -> MemoryView | None:
        """The memory that stands for the add: one that it made or changed, else one that says it already."""
        living = {view.id: view for view in self.memories if view.state == "active"}
        done = [one for one in self.decisions if one.event in ("ADD", "UPDATE")] or self.decisions
        return next((living[one.id] for one in done if one.id in living), None)


def add(ctx: Context, user_id: str | None, taken_in: Intake, *, app: str | None, later: bool = False) -> Learned:
    """Learn from what was taken in; with `later` only keep it, for the worker.

    Raises:
        Forbidden: the app is paused, or the caller may not write for this user.
        Kept: the model does not answer, or not usably; what was sent is kept, and can be tried again.
    """
    if later:
        taken = _receive(ctx, user_id, taken_in, app, receipts.PENDING)
        ctx.after_commit(ctx.runtime.work.set)
        return Learned(taken.id, receipts.PENDING if taken.input else receipts.SUCCEEDED, None)
    if not taken_in.infer and taken_in.session is None:
        return _stored(memories.add(ctx, user_id, taken_in.drafts(), app=app))
    if not asks_a_model(ctx.runtime) and taken_in.session is None:
        return _without_model(ctx, user_id, taken_in, app)
    taken = _receive(ctx, user_id, taken_in, app, receipts.RUNNING)
    if not taken.input:
        return Learned(taken.id, receipts.SUCCEEDED, None)
    learned = perform(ctx.runtime, taken)
    if learned.status == receipts.FAILED:
        told = f"{learned.error}. What was sent is kept: POST /events/{taken.id}/retry tries again"
        raise Kept(told, taken.id, learned.why)
    return learned


def asks_a_model(runtime: Runtime) -> bool:
    """Whether an LLM is configured, be it one that cannot be built."""
    chosen = runtime.engine.chosen
    return chosen.llm is not None or chosen.failure is not None


def _stored(added: Added) -> Learned:
    told = [Decision("ADD", view.id, view.version, memory=view.content) for view in added.memories]
    return Learned(added.event_id, receipts.SUCCEEDED, None, told, added.memories)


def add_many(ctx: Context, user_id: str | None, drafted: Sequence[Draft], *, app: str | None, infer: bool) -> Learned:
    """Store each draft as it is, all or none; with `infer` those that are known are left out. No model is asked."""
    if not infer:
        return _stored(memories.add(ctx, user_id, drafted, app=app))
    owner = user_id or ctx.caller.name
    job = _job_of_request(ctx, owner, app, intakes.NOTHING)
    return _write(ctx, job, app, learning.compared(ctx.runtime, job, drafted))


def _without_model(ctx: Context, user_id: str | None, taken_in: Intake, app: str | None) -> Learned:
    """Store each turn verbatim unless it is known; one transaction, decided before it begins."""
    job = _job_of_request(ctx, user_id or ctx.caller.name, app, taken_in)
    return _write(ctx, job, app, learning.plan(ctx.runtime, job, None))


def _write(ctx: Context, job: Job, app: str | None, plan: Plan) -> Learned:
    owner = job.owner
    owner_id = accounts.ensure_user(ctx, owner)
    client = apps.for_writing(ctx, owner_id, app)
    scope = similars.scope_of(ctx, owner_id, client.id)
    outcome = decisions.carry_out(ctx, scope, owner, client, plan.steps)
    event_id = _write_receipt(ctx, owner_id, client.id, receipts.SUCCEEDED, None, plan.inference, outcome.decisions)
    return _learned(event_id, plan, outcome)


def _job_of_request(ctx: Context, owner: str, app: str | None, taken_in: Intake) -> Job:
    """The job of a request that has written nothing yet, so owner and app may not be there."""
    name = reading_app(ctx, app) or DEFAULT_APP
    query = select(User.id, App.id).outerjoin(App, (App.owner_id == User.id) & (App.name == name))
    allowed = owner == ctx.caller.name or ctx.caller.is_admin
    with ctx.runtime.database.reading() as session:
        row = session.execute(query.where(User.user_id == owner)).first() if allowed else None
    owner_id, app_id = row if row else (ctx.caller.user_id, None)
    return Job(None, ctx.caller, owner, owner_id, app_id, taken_in)


def _learned(event_id: UUID, plan: Plan, outcome: Outcome) -> Learned:
    found = list(outcome.memories.values())
    return Learned(event_id, receipts.SUCCEEDED, plan.inference, outcome.decisions, found)


def _receive(ctx: Context, user_id: str | None, taken_in: Intake, app: str | None, status: str) -> Taken:
    """Keep what was sent: its receipt and its raw turns, in a transaction of their own, before any model is asked.

    Of a conversation only what is new; if nothing is, the receipt says so and is done: then there is no `input`.
    """
    with ctx.runtime.context(ctx.caller, writing=True) as own:
        owner_id = accounts.ensure_user(own, user_id or ctx.caller.name)
        client = apps.for_writing(own, owner_id, app)
        return receive(own, owner_id, client, taken_in, status)


def receive(
    ctx: Context,
    owner_id: UUID,
    client: Writer,
    taken_in: Intake,
    status: str,
    *,
    when: datetime | None = None,
    import_id: UUID | None = None,
) -> Taken:
    """Write the receipt and the raw turns in this transaction."""
    event_id, when = new_id(), when or now()
    if taken_in.session is None:
        ids = [new_id() for _ in taken_in.turns]
        _write_turns(ctx, owner_id, client, taken_in, ids, when)
    else:
        fresh = sessions.keep(ctx, owner_id, client, event_id, taken_in, taken_in.session, when)
        taken_in, ids = fresh.intake, fresh.ids
    if not taken_in.turns:
        known = [Decision("NONE", reason=SENT_BEFORE)]
        done = {"id": event_id, "created_at": when, "import_id": import_id}
        _write_receipt(ctx, owner_id, client.id, receipts.SUCCEEDED, None, None, known, **done)
        return Taken(event_id, owner_id, client.id, {}, when, 1, when)
    kept = {**taken_in.kept(), "by": str(ctx.caller.user_id), "messages": [str(id) for id in ids]}
    leased_until = receipts.lease(_lease_seconds(ctx.runtime))
    held: dict[str, Any] = {"leased_until": None, "worker": None, "created_at": when, "import_id": import_id}
    if status == receipts.RUNNING:
        held |= {"leased_until": leased_until, "worker": this_worker()}
    _write_receipt(ctx, owner_id, client.id, status, kept, None, (), id=event_id, **held)
    return Taken(event_id, owner_id, client.id, kept, leased_until, 1, when)


def receive_drafts(
    ctx: Context, owner_id: UUID, client: Writer, drafted: Sequence[Draft], when: datetime, import_id: UUID
) -> UUID:
    """Write a receipt for the worker that stores these drafts, but those that are known word for word; its id."""
    nothing = {**intakes.NOTHING.kept(), "by": str(ctx.caller.user_id), "messages": []}
    kept = {**nothing, "drafts": [intakes.kept_draft(item) for item in drafted]}
    held = {"created_at": when, "import_id": import_id}
    return _write_receipt(ctx, owner_id, client.id, receipts.PENDING, kept, None, (), **held)


def _write_receipt(
    ctx: Context,
    owner_id: UUID,
    app_id: UUID,
    status: str,
    kept: dict[str, Any] | None,
    inference: str | None,
    decided: Sequence[Decision],
    **held: Any,
) -> UUID:
    row = {
        "id": new_id(),
        "user_id": owner_id,
        "app_id": app_id,
        "kind": "ADD",
        "status": status,
        "inference": inference,
        "input": kept,
        "results": [one.kept() for one in decided],
        "attempts": 0 if status == receipts.PENDING else 1,
        **held,
    }
    ctx.write(memories.RECEIPTS, row)
    return UUID(str(row["id"]))


def _write_turns(
    ctx: Context, owner_id: UUID, client: Writer, taken_in: Intake, ids: Sequence[UUID], when: datetime
) -> None:
    template = taken_in.template
    rows: list[dict[str, Any]] = [
        {
            "id": id,
            "user_id": owner_id,
            "app_id": client.id,
            "agent_id": template.agent_id,
            "run_id": template.run_id,
            "role": turn.role,
            "author": turn.name or template.author,
            "content": turn.content,
            "metadata": {},
            "tags": template.tags,
            "created_at": when,
        }
        for id, turn in zip(ids, taken_in.turns, strict=True)
    ]
    ctx.write(TURNS, rows)


def _lease_seconds(runtime: Runtime) -> float:
    llm = runtime.engine.in_use.llm
    return (llm.timeout if llm else 0) * learning.BUDGET + GRACE


def retry(ctx: Context, event_id: UUID) -> Learned:
    """Try a failed add once more, now; its receipt afterwards, FAILED again if it failed again.

    Raises:
        NotFound: no such receipt, or somebody else's.
        Conflict: it has not failed.
    """
    with ctx.runtime.context(ctx.caller, writing=True) as own:
        taken = receipts.retry(own, event_id, receipts.lease(_lease_seconds(ctx.runtime)))
    return perform(ctx.runtime, taken)


def retry_all(ctx: Context, user_id: str | None) -> int:
    """Have the worker try all that failed again; how many there are."""
    count = receipts.retry_all(ctx, user_id)
    ctx.after_commit(ctx.runtime.work.set)
    return count


def perform_next(runtime: Runtime) -> bool:
    """Do the oldest add that waits, or that a dead process left behind; False if there is none."""
    taken = receipts.claim(runtime, _lease_seconds(runtime))
    if taken is None:
        return False
    if taken.attempts > receipts.MOST_TAKEN:
        _failed(runtime, taken, _nobody(taken), GIVEN_UP)
    else:
        perform(runtime, taken)
    return True


def perform(runtime: Runtime, taken: Taken) -> Learned:
    """Do an add that has been received: all of it, or nothing and the receipt says why.

    Never raises over the add itself; what a database or a provider throws is logged under the receipt's id.
    """
    caller, why = _nobody(taken), Why.unknown
    try:
        return _perform(runtime, taken, caller)
    except CommonplaceError as error:
        reason = str(error)
        why = error.why if isinstance(error, Unavailable) else why
    except Exception:  # anything at all: a disk, a provider's client; the receipt must not stay as if it ran
        logger.exception("an add failed", extra={"event_id": str(taken.id)})
        reason = INTERNAL
    return _failed(runtime, taken, caller, reason, why)


def _perform(runtime: Runtime, taken: Taken, caller: Caller) -> Learned:
    job = _job(runtime, taken, caller)
    plan = _plan(runtime, taken, job)
    with runtime.context(job.caller, writing=True) as ctx:
        scope, client = _writing(ctx, job)
        compares = job.intake.infer or "drafts" in taken.input
        outcome = decisions.carry_out(ctx, scope, job.owner, client, plan.steps, compare=compares)
        if plan.turns:
            outcome.add(decisions.carry_out(ctx, scope, job.owner, client, plan.turns, compare=False))
        receipts.finish(ctx, taken, plan.inference, [one.kept() for one in outcome.decisions])
    return _learned(taken.id, plan, outcome)


def _plan(runtime: Runtime, taken: Taken, job: Job) -> Plan:
    if "drafts" in taken.input:
        return learning.as_drafted(runtime, [intakes.restored_draft(item) for item in taken.input["drafts"]])
    if job.intake.session is not None:
        return learning.of_session(runtime, job, runtime.engine.llm)
    return learning.plan(runtime, job, runtime.engine.llm) if job.intake.infer else learning.as_it_is(runtime, job)


def _job(runtime: Runtime, taken: Taken, caller: Caller) -> Job:
    """What has been received, with the names that it needs.

    Raises:
        NotFound: its app was removed meanwhile.
    """
    query = select(User.user_id, App.id).outerjoin(App, App.id == taken.app_id).where(User.id == taken.user_id)
    with runtime.database.reading() as session:
        owner, app_id = session.execute(query).one()
    if app_id is None:
        raise NotFound(apps.NO_APP)
    kept = intakes.restored(taken.input)
    ids = [str(id) for id in taken.input["messages"]]
    return Job(taken.id, caller, owner, taken.user_id, app_id, kept, ids, taken.created_at)


def _nobody(taken: Taken) -> Caller:
    """Who asked, as far as carrying it out needs to know: whether they may was checked when it was received."""
    return Caller(UUID(str(taken.input["by"])), "", None, frozenset({"read", "write"}))


def _writing(ctx: Context, job: Job) -> tuple[Scope, Writer]:
    if job.app_id is None:
        raise Invalid("An add without an app")
    scope = similars.scope_of(ctx, job.owner_id, job.app_id)
    reader = scope.reader
    if reader is None or not reader.is_active:
        raise Conflict("The app has been paused meanwhile")
    return scope, Writer(job.app_id, reader.name, reader.is_active)


def _failed(runtime: Runtime, taken: Taken, caller: Caller, reason: str, why: Why = Why.unknown) -> Learned:
    with runtime.context(caller, writing=True) as ctx:
        receipts.fail(ctx, taken, reason)
    return Learned(taken.id, receipts.FAILED, None, error=reason, why=why)
