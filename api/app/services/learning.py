"""From an intake to decisions: the models' part of an add, with no transaction open while one of them thinks."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from app.context import Caller, Context, Runtime
from app.database import now
from app.engine import asking, extraction, reconciliation
from app.engine.extraction import PROMPT_VERSION, Fact, Wishes
from app.engine.llm import Llm
from app.engine.reconciliation import Action, Known, Verdict
from app.engine.text import compose, gist
from app.engine.turns import Turn, changed, without_blocks
from app.errors import NotConfigured
from app.models import SessionMessage
from app.services import configs, decisions, drafts, echoes, memories, scopes, sessions, similars
from app.services.decisions import Step
from app.services.drafts import Draft
from app.services.intakes import Intake
from app.services.scopes import Scope
from app.services.similars import Near
from app.services.views import MemoryView, fetch

EARLIER = 6  # turns of the same session that the model sees before the new ones
EARLIER_TEXT = 2_000  # characters of each
BY_LLM, VERBATIM = "llm", memories.VERBATIM
BUDGET = 3  # times the timeout of one try: the longest that all of an add's questions may take together

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class Job:
    """One add on its way: whose, through which app, and the receipt that it has already."""

    event_id: UUID | None
    caller: Caller
    owner: str
    owner_id: UUID
    app_id: UUID | None  # None: an app that is not there yet, so it was shown nothing
    intake: Intake
    message_ids: Sequence[str] = ()
    earlier_than: datetime | None = None


@dataclass(slots=True)
class Plan:
    """What is to be done; `inference` is `llm`, `verbatim`, or None where nothing was to be inferred.

    `turns` are remembered beside what is learned from them, and compared with nothing.
    """

    steps: list[Step] = field(default_factory=list)
    inference: str | None = VERBATIM
    turns: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What the database knows before the first question."""

    scope: Scope | None
    section: Mapping[str, Any]
    echoes: Mapping[str, UUID]
    served: Mapping[UUID, MemoryView]
    earlier: Sequence[Turn]


def plan(runtime: Runtime, job: Job, llm: Llm | None) -> Plan:
    """Decide, without writing anything.

    Raises:
        LlmFailure: the model does not answer, or not usably, even when it is asked again.
    """
    said = [changed(turn, without_blocks(turn.content)) for turn in job.intake.turns]
    ground = _ground(runtime, job, said)
    heard = [echoes.without(turn, ground.echoes) for turn in said]
    echoed = [_echo(job, piece, ground.served.get(id)) for id, piece in _by_id(ground.echoes).items()]
    if not any(turn.is_said and turn.content for turn in heard):
        return Plan(echoed, BY_LLM if llm else VERBATIM)
    if llm is None:
        return Plan([*echoed, *_verbatim(runtime, job, ground, heard)])
    return Plan([*echoed, *_learned(runtime, job, ground, heard, llm)], BY_LLM)


def as_it_is(runtime: Runtime, job: Job) -> Plan:
    """Each turn a memory, whatever is known already."""
    return Plan(_embedded(runtime, job.intake.drafts(), None), None)


def as_drafted(runtime: Runtime, drafted: Sequence[Draft]) -> Plan:
    """Each draft a memory in the categories that it names, unless a memory says the same word for word."""
    return Plan(_embedded(runtime, drafted, [item.categories for item in drafted]), None)


def of_session(runtime: Runtime, job: Job, llm: Llm | None) -> Plan:
    """Each turn of a conversation a memory as it was said; and what a model learns from it, if one is to.

    Raises:
        LlmFailure: as `plan`.
        NotConfigured: it is only to be learned from, and there is no model any more.
    """
    found = plan(runtime, job, llm) if llm is not None and job.intake.infer else Plan()
    if job.intake.session is not None and not job.intake.session.remembers:
        if llm is None:
            raise NotConfigured("No model is configured that could learn from it")
        return found
    found.turns = _embedded(runtime, sessions.drafts_of(job.intake, job.message_ids), None)
    return found


def compared(runtime: Runtime, job: Job, drafted: Sequence[Draft]) -> Plan:
    """Each draft a memory, unless it is known."""
    return Plan(_steps(runtime, job, _ground(runtime, job, ()), drafted, None)[0])


def _ground(runtime: Runtime, job: Job, said: Sequence[Turn]) -> _Ground:
    with runtime.context(job.caller) as ctx:
        section = configs.current(ctx)["openmemory"]
        if job.app_id is None:
            return _Ground(None, section, {}, {}, ())
        scope = similars.scope_of(ctx, job.owner_id, job.app_id)
        speaking = [turn for turn in said if turn.is_said]
        found = echoes.heard(ctx, job.app_id, job.owner_id, job.intake.template.run_id, speaking)
        seen = fetch(ctx, list(dict.fromkeys(found.values())), *scopes.visible(scope))
        served = {view.id: view for view in seen}
        return _Ground(scope, section, found, served, _earlier(ctx, job))


def _earlier(ctx: Context, job: Job) -> list[Turn]:
    """The last turns of the same session, oldest first."""
    run_id = job.intake.template.run_id
    if run_id is None or job.earlier_than is None:
        return []
    query = select(SessionMessage.role, SessionMessage.content, SessionMessage.author).where(
        SessionMessage.user_id == job.owner_id,
        SessionMessage.run_id == run_id,
        SessionMessage.app_id == job.app_id,
        SessionMessage.created_at < job.earlier_than,
    )
    rows = ctx.rows(query.order_by(SessionMessage.created_at.desc(), SessionMessage.id.desc()).limit(EARLIER))
    found = [Turn(role, without_blocks(content)[:EARLIER_TEXT], author) for role, content, author in reversed(rows)]
    return [turn for turn in found if turn.is_said]


def _by_id(found: Mapping[str, UUID]) -> dict[UUID, str]:
    return {id: piece for piece, id in found.items()}


def _echo(job: Job, piece: str, view: MemoryView | None) -> Step:
    draft = replace(job.intake.template, content=piece)
    return Step(draft, action=Action.none, target=view, reason=decisions.SERVED)


def _verbatim(runtime: Runtime, job: Job, ground: _Ground, heard: Sequence[Turn]) -> list[Step]:
    return _steps(runtime, job, ground, replace(job.intake, turns=tuple(heard)).drafts(), None)[0]


def _learned(runtime: Runtime, job: Job, ground: _Ground, heard: Sequence[Turn], llm: Llm) -> list[Step]:
    until = time.monotonic() + BUDGET * llm.timeout
    said = [(place, turn) for place, turn in enumerate(heard) if turn.is_said and turn.content]
    template, section = job.intake.template, ground.section
    wishes = Wishes(section["custom_instructions"], job.intake.prompt, _described(section["categories"]))
    asked = extraction.prompt([turn for _, turn in said], ground.earlier, template.occurred_at or now(), wishes)
    facts = asking.ask(llm, asked, until, lambda answer: extraction.read(answer, wishes, len(said)))
    drafted = [_draft(job, fact, said, llm) for fact in facts]
    steps, near = _steps(runtime, job, ground, drafted, [fact.categories for fact in facts])
    _reconcile(llm, until, steps, near)
    _embed_updates(runtime, steps)
    return steps


def _described(categories: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {item["name"]: item["description"] for item in categories}


def _draft(job: Job, fact: Fact, said: Sequence[tuple[int, Turn]], llm: Llm) -> Draft:
    """A fact as a memory: its day, who said it if one alone did, and where it comes from."""
    template = job.intake.template
    places = [said[number][0] for number in fact.turns] or [place for place, _ in said]
    names = {job.intake.turns[place].name for place in places}
    provenance = {
        "event_id": str(job.event_id),
        "messages": [job.message_ids[place] for place in places if place < len(job.message_ids)],
        "model": llm.name,
        "prompt_version": PROMPT_VERSION,
    }
    return replace(
        template,
        content=fact.text,
        author=(names.pop() if len(names) == 1 else None) or template.author,
        occurred_at=drafts.moment(fact.occurred_at) or template.occurred_at,
        provenance=provenance,
    )


def _steps(
    runtime: Runtime, job: Job, ground: _Ground, drafted: Sequence[Draft], named: Sequence[Sequence[str]] | None
) -> tuple[list[Step], list[list[Near]]]:
    """The drafts as steps, with what is near to each; those that are known word for word are NONE already."""
    if not drafted:
        return [], []
    most = ground.section["max_categories"]
    steps = _embedded(runtime, drafted, [of_one[:most] for of_one in named] if named else None)
    threshold = ground.section["duplicate_threshold"]
    if named is None:  # no model has a use for what is near and no twin
        near = _near(runtime, job, ground.scope, steps, threshold)
    else:
        near = _near(runtime, job, ground.scope, steps, similars.LEAST)
        _settle_exact(runtime, job, ground.scope, steps)
    _settle_twins(steps, near, threshold)
    return steps, near


def _embedded(runtime: Runtime, drafted: Sequence[Draft], named: Sequence[Sequence[str]] | None) -> list[Step]:
    """The drafts as steps, embedded in one call; in the categories that a model named, else in the nearest."""
    composed = [compose(item.content, item.author, item.occurred_at) for item in drafted]
    vectors = runtime.engine.embed(composed)
    nearest = runtime.engine.categories(vectors, len(drafted))
    return [
        Step(item, composed[i], None if vectors is None else vectors[i], (named[i] if named else ()) or nearest[i])
        for i, item in enumerate(drafted)
    ]


def _near(runtime: Runtime, job: Job, scope: Scope | None, steps: Sequence[Step], least: float) -> list[list[Near]]:
    if scope is None:
        return [[] for _ in steps]
    # Before the first statement: the store may be far away.
    found = [runtime.engine.near(job.owner_id, step.composed, step.vector, similars.DEPTH) for step in steps]
    with runtime.context(job.caller) as ctx:
        return similars.nearest(ctx, scope, found, least)


def _settle_exact(runtime: Runtime, job: Job, scope: Scope | None, steps: Sequence[Step]) -> None:
    if scope is not None:
        with runtime.context(job.caller) as ctx:
            same = similars.of_same_hash(ctx, scope, [step.draft for step in steps])
        decisions.settle_exact(steps, same)


def _settle_twins(steps: Sequence[Step], near: Sequence[Sequence[Near]], threshold: float) -> None:
    """Near duplicates of what is known, and what was said twice, need no model."""
    seen: dict[tuple[str, ...], list[Draft]] = {}
    for step, around in zip(steps, near, strict=True):
        if step.action is Action.none:
            continue
        twin = next(
            (one for one in around if similars.is_twin(step.draft, one.memory, one.similarity, threshold)), None
        )
        said = seen.setdefault(gist(step.draft.content) or (step.draft.content,), [])
        if twin is not None:
            step.action, step.target = Action.none, twin.memory
            is_exact = drafts.content_hash(step.draft.content) == drafts.content_hash(twin.memory.content)
            step.reason = decisions.EXACT if is_exact else f"{decisions.NEAR} ({twin.similarity:.2f})"
        elif any(_is_repeated(step.draft, other) for other in said):
            step.action, step.reason = Action.none, decisions.TWICE
        else:
            said.append(step.draft)


def _is_repeated(item: Draft, other: Draft) -> bool:
    return item.author == other.author and item.occurred_at == other.occurred_at


def _reconcile(llm: Llm, until: float, steps: Sequence[Step], near: Sequence[Sequence[Near]]) -> None:
    """Ask once about all facts to which something similar is known; without any there is nothing to ask."""
    open_ones = [
        (step, around) for step, around in zip(steps, near, strict=True) if step.action is Action.add and around
    ]
    if not open_ones:
        return
    views = list({one.memory.id: one.memory for _, around in open_ones for one in around}.values())
    known = [Known(view.content, view.created_at, view.memory_type == decisions.PINNED) for view in views]
    facts = [step.draft.content for step, _ in open_ones]
    verdicts = asking.ask(
        llm,
        reconciliation.prompt(facts, known, now()),
        until,
        lambda answer: reconciliation.read(answer, facts, len(known)),
    )
    for (step, _), verdict in zip(open_ones, verdicts, strict=True):
        _judge(step, verdict, views)


def _judge(step: Step, verdict: Verdict, views: Sequence[MemoryView]) -> None:
    step.action, step.reason, step.text = verdict.action, verdict.note, verdict.text
    step.target = None if verdict.memory is None else views[verdict.memory]


def _embed_updates(runtime: Runtime, steps: Sequence[Step]) -> None:
    """What an UPDATE will leave in the index, where that is not the fact itself: in one call, if there is any."""
    wanted = []
    for step in steps:
        if step.action is Action.update and step.target is not None:
            when = step.draft.occurred_at or step.target.occurred_at
            composed = compose(step.text or step.draft.content, step.target.author, when)
            if composed != step.composed:
                step.composed, step.vector = composed, None
                wanted.append(step)
    vectors = runtime.engine.embed([step.composed for step in wanted]) if wanted else None
    for place, step in enumerate(wanted):
        step.vector = None if vectors is None else vectors[place]
