"""Retention: memories that are old, or that nobody reads, are archived by the rules of `openmemory.retention`.

Pinned memories are exempt, and what a person made active again counts as new. Nothing is destroyed: each batch leaves a
receipt, which can be undone. Previews and runs ask the same conditions.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, literal, select, union_all
from sqlalchemy.orm import Session

from app.context import Context, Runtime
from app.database import now
from app.models import App, AppAccess, Category, Memory, State, StatusChange, memory_categories
from app.services import accesses, accounts, chores, configs
from app.services.retention_rules import Rule
from app.services.views import MemoryView, fetch

KIND = "ARCHIVE"
KEY = "retention"  # the row of `configs` that says when the worker did it last
EVERY = timedelta(hours=1)
PAGE = 5_000  # ids that are read at once
AT_ONCE = 10_000  # memories that one request archives at most
SHOWN = 10  # memories of each rule that a preview shows
PINNED = "pinned"


@dataclass(frozen=True, slots=True)
class Due:
    """What a rule would archive: how many, and the oldest of them."""

    rule: str
    count: int
    memories: list[MemoryView]


@dataclass(frozen=True, slots=True)
class Ran:
    """What was archived, by rule; `is_done` unless there is more."""

    archived: dict[str, int]
    is_done: bool


def preview(ctx: Context) -> list[Due]:
    """What each rule would archive now. Constantly many statements, whatever the number of rules.

    Raises:
        Forbidden: the caller is no admin.
    """
    accounts.require(ctx.caller, "admin")
    accesses.spread(ctx.runtime)
    rules = _rules(ctx.session)
    if not rules:
        return []
    when = now()
    counts = dict(ctx.rows(union_all(*(_count(place, rule, when) for place, rule in enumerate(rules)))))
    first: dict[int, list[UUID]] = defaultdict(list)
    for place, id in ctx.rows(union_all(*(_first(place, rule, when) for place, rule in enumerate(rules)))):
        first[place].append(id)
    views = {view.id: view for view in fetch(ctx, list({id for ids in first.values() for id in ids}))}
    return [
        Due(rule.name, counts[place], [views[id] for id in first[place] if id in views])
        for place, rule in enumerate(rules)
    ]


def run(ctx: Context) -> Ran:
    """Archive now what is due, `AT_ONCE` memories at most, in transactions of their own.

    Raises:
        Forbidden: the caller is no admin.
    """
    accounts.require(ctx.caller, "admin")
    ctx.release()
    return _archive(ctx.runtime, AT_ONCE)


def sweep(runtime: Runtime) -> int:
    """The worker's turn: archive what is due, once an hour whatever the number of processes; how many there were."""
    with runtime.database.reading() as session:
        if not _rules(session) or not chores.is_time(session, KEY, EVERY):
            return 0
    if not chores.claim(runtime, KEY, EVERY):
        return 0
    return sum(_archive(runtime, None).archived.values())


def _rules(source: Session) -> list[Rule]:
    return [Rule.model_validate(rule) for rule in configs.current(source)["openmemory"]["retention"]]


def _archive(runtime: Runtime, limit: int | None) -> Ran:
    accesses.spread(runtime)
    with runtime.database.reading() as session:
        rules = _rules(session)
    archived = {rule.name: 0 for rule in rules}
    for rule in rules:
        left = None if limit is None else limit - sum(archived.values())
        archived[rule.name] += _archive_by(runtime, rule, left)
    return Ran(archived, limit is None or sum(archived.values()) < limit)


def _archive_by(runtime: Runtime, rule: Rule, limit: int | None) -> int:
    """By a page of ids, read without a lock, at a time; each batch of a page asks again whether it still is due."""
    done = 0
    while limit is None or done < limit:
        still = conditions(rule, now())
        with runtime.database.reading() as session:
            page = PAGE if limit is None else min(PAGE, limit - done)
            ids = session.scalars(select(Memory.id).where(*still).limit(page)).all()
        taken = 0
        for start in range(0, len(ids), chores.BATCH):
            batch = ids[start : start + chores.BATCH]
            taken += chores.bring(runtime, batch, still, State.archived, KIND, f"retention: {rule.name}")
        done += taken
        if not taken:
            break  # nothing is due, or what is due is another process's by now
    return done


def conditions(rule: Rule, when: datetime) -> list[ColumnElement[bool]]:
    """The memories that the rule archives at `when`: active, not pinned, and all holds that it names."""
    ages = [rule.archive_after_days, rule.archive_after_days_without_access]
    oldest = when - timedelta(days=max(days for days in ages if days is not None))
    found = [Memory.state == State.active, Memory.created_at < oldest, Memory.memory_type != PINNED]
    if rule.archive_after_days is not None:
        found.append(~exists(_resumed(when - timedelta(days=rule.archive_after_days))))
    if rule.archive_after_days_without_access is not None:
        since = when - timedelta(days=rule.archive_after_days_without_access)
        # Changing a memory, or its state, is a use of it as well.
        found += [Memory.updated_at < since, ~exists(_read(since))]
    if rule.app is not None:
        found.append(Memory.app_id.in_(select(App.id).where(App.name == rule.app)))
    if rule.category is not None:
        link = memory_categories.c
        named = select(link.memory_id).join(Category, Category.id == link.category_id)
        found.append(Memory.id.in_(named.where(Category.name == rule.category)))
    return found


def _resumed(since: datetime) -> Select[UUID]:
    return select(StatusChange.id).where(
        StatusChange.memory_id == Memory.id, StatusChange.changed_at >= since, StatusChange.new_state == State.active
    )


def _read(since: datetime) -> Select[UUID]:
    return select(AppAccess.memory_id).where(AppAccess.memory_id == Memory.id, AppAccess.last_accessed_at >= since)


def _count(place: int, rule: Rule, when: datetime) -> Select[int, int]:
    return select(literal(place), func.count()).select_from(Memory).where(*conditions(rule, when))


def _first(place: int, rule: Rule, when: datetime) -> Select[int, UUID]:
    due = select(Memory.id, Memory.created_at).where(*conditions(rule, when))
    oldest = due.order_by(Memory.created_at, Memory.id).limit(SHOWN).subquery()
    return select(literal(place), oldest.c.id)
