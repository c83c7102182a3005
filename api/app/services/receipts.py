"""Receipts: what each add did, and what has become of one that waits, runs or failed.

A receipt that waits is also the queue: whoever takes it holds it under a lease, and one whose lease has run out
belongs to a worker that is dead, as does one whose process has ended on this machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from app.context import Context, Runtime
from app.database import now
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import App, Event, Memory, User
from app.services import apps, scopes
from app.services.scopes import Scope
from app.services.views import Listing, Window
from app.workers import is_gone, this_worker

PENDING, RUNNING, SUCCEEDED, FAILED = "PENDING", "RUNNING", "SUCCEEDED", "FAILED"
STATUSES = (PENDING, RUNNING, SUCCEEDED, FAILED)
NO_EVENT = "Event not found"
MOST_TAKEN = 5  # times that a receipt is taken up; one that has killed so many workers is given up
RETRY_ALL = 10_000
WORKERS = 1_000


@dataclass(frozen=True, slots=True)
class Receipt:
    """One add: what it was, how it stands, what it did. `input` is what was sent, until it succeeded."""

    id: UUID
    user_id: str
    app_id: UUID | None
    app_name: str | None
    kind: str
    status: str
    inference: str | None
    results: list[dict[str, Any]]
    error: str | None
    attempts: int
    created_at: datetime
    updated_at: datetime
    undoes: UUID | None = None
    dismissed_at: datetime | None = None
    input: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of receipts is narrowed to; None means no narrowing."""

    status: str | None = None
    kind: str | None = None
    app: str | None = None
    from_date: datetime | None = None
    to_date: datetime | None = None
    is_dismissed: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL.

        Raises:
            Invalid: the dates are reversed.
        """
        if self.from_date and self.to_date and self.from_date > self.to_date:
            raise Invalid("from_date is after to_date")
        found: list[ColumnElement[bool]] = []
        if self.status:
            found.append(Event.status == self.status)
        if self.kind:
            found.append(Event.kind == self.kind)
        if self.app:
            found.append(Event.app_id.in_(select(App.id).where(App.name == self.app)))
        if self.from_date:
            found.append(Event.created_at >= self.from_date)
        if self.to_date:
            found.append(Event.created_at <= self.to_date)
        if self.is_dismissed is not None:
            found.append(Event.dismissed_at.is_not(None) if self.is_dismissed else Event.dismissed_at.is_(None))
        return found


@dataclass(frozen=True, slots=True)
class Taken:
    """A receipt that is being worked on: who holds it (`leased_until` is also the proof of that), and what to do."""

    id: UUID
    user_id: UUID
    app_id: UUID | None
    input: Mapping[str, Any]
    leased_until: datetime
    attempts: int
    created_at: datetime


VIEW: Select[*tuple[Any, ...]] = (
    select(
        Event.id,
        User.user_id,
        Event.app_id,
        App.name,
        Event.kind,
        Event.status,
        Event.inference,
        Event.results,
        Event.error,
        Event.attempts,
        Event.created_at,
        Event.updated_at,
        Event.undoes,
        Event.dismissed_at,
    )
    .join(User, User.id == Event.user_id)
    .outerjoin(App, App.id == Event.app_id)
)


def listing(ctx: Context, window: Window, user_id: str | None, narrowed: Filter) -> Listing[Receipt]:
    """The receipts of the scope's owner (of everybody for an admin who names none), newest first, without `input`.

    A key that is bound to an app sees that app's.
    """
    conditions = [*_seen(ctx, scopes.resolve(ctx, user_id)), *narrowed.conditions()]
    query = VIEW.where(*conditions).order_by(Event.created_at.desc(), Event.id.desc())
    rows = ctx.rows(query.limit(window.limit).offset(window.offset))
    total = ctx.session.scalar(select(func.count()).select_from(Event).where(*conditions)) or 0
    return Listing([Receipt(*row) for row in rows], total)


def get(ctx: Context, event_id: UUID) -> Receipt:
    """One receipt with `input`, and in its results the texts of the memories that the caller may read.

    Raises:
        NotFound: no such receipt, or somebody else's.
    """
    scope = scopes.resolve(ctx)
    query = VIEW.add_columns(Event.input).where(Event.id == event_id, *_seen(ctx, scope))
    row = ctx.row(query)
    if row is None:
        raise NotFound(NO_EVENT)
    *columns, kept = row
    receipt = replace(Receipt(*columns), input=shown_input(kept))
    texts = _texts(ctx, scope, receipt.results)
    for result in receipt.results:
        if result.get("id") in texts:
            result["memory"] = texts[result["id"]]
    return receipt


def shown_input(kept: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What was sent, as it is shown: the messages, not our own notes beside them."""
    if kept is None:
        return None
    said = [{"role": role, "content": content, "name": name} for role, content, name in kept.get("turns", ())]
    said += [{"role": "user", "content": item["content"], "name": None} for item in kept.get("drafts", ())]
    return {"messages": said, "metadata": kept.get("template", {}).get("metadata", {}), "prompt": kept.get("prompt")}


def _texts(ctx: Context, scope: Scope, results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    ids = [UUID(result["id"]) for result in results if result.get("id")]
    if not ids:
        return {}
    seen = select(Memory.id, Memory.content).where(Memory.id.in_(ids), *scopes.governed(ctx, scope))
    texts = {str(row.id): row.content for row in ctx.rows(seen)}
    shown = [id for id in ids if str(id) in texts]
    if ctx.caller.app:
        apps.log_reads(ctx, scope.reader, shown, "get")
    return texts


def _seen(ctx: Context, scope: Scope) -> list[ColumnElement[bool]]:
    seen: list[ColumnElement[bool]] = [] if scope.owner_id is None else [Event.user_id == scope.owner_id]
    if ctx.caller.app and scope.reader:
        seen.append(Event.app_id == scope.reader.app_id)
    return seen


def lease(seconds: float) -> datetime:
    """Until when somebody who begins now may work on a receipt."""
    return now() + timedelta(seconds=seconds)


def retry(ctx: Context, event_id: UUID, leased_until: datetime) -> Taken:
    """Take a failed receipt up again.

    Raises:
        NotFound: no such receipt, or somebody else's.
        Conflict: it has not failed.
    """
    mine = [Event.id == event_id, *_seen(ctx, scopes.resolve(ctx))]
    status = ctx.session.scalar(select(Event.status).where(*mine))
    if status is None:
        raise NotFound(NO_EVENT)
    taken = _take(ctx, and_(*mine, Event.status == FAILED, Event.input.is_not(None)), leased_until)
    if taken is None:
        raise Conflict(f"Only what failed can be tried again; this is {status}")
    return taken


def dismiss(ctx: Context, event_id: UUID, *, is_dismissed: bool = True) -> None:
    """Show a failed receipt among what waits no more, or again. What was sent is kept, and it can be tried as before.

    Raises:
        NotFound: no such receipt, or somebody else's.
        Forbidden: the key is bound to an app.
        Conflict: it has not failed.
    """
    if ctx.caller.app is not None:
        raise Forbidden("A key that is bound to an app may not dismiss receipts")
    mine = [Event.id == event_id, *_seen(ctx, scopes.resolve(ctx))]
    status = ctx.session.scalar(select(Event.status).where(*mine))
    if status is None:
        raise NotFound(NO_EVENT)
    if status != FAILED:
        raise Conflict(f"Only what failed can be dismissed; this is {status}")
    ctx.session.execute(update(Event).where(*mine).values(dismissed_at=now() if is_dismissed else None))


def retry_all(ctx: Context, user_id: str | None) -> int:
    """Have the worker try all that failed and was not dismissed again: the caller's own, or what `user_id` names.

    How many there are.
    """
    scope = scopes.resolve(ctx, user_id or ctx.caller.name)
    owner = ctx.caller.user_id if scope.owner_id is None else scope.owner_id
    seen = [*_seen(ctx, scope), Event.user_id == owner]
    waits = [Event.status == FAILED, Event.input.is_not(None), Event.dismissed_at.is_(None)]
    failed = select(Event.id).where(*seen, *waits).limit(RETRY_ALL)
    ids = [row.id for row in ctx.rows(failed)]
    again = update(Event).where(Event.id.in_(ids), Event.status == FAILED)
    ctx.session.execute(
        again.values(status=PENDING, attempts=0, error=None, updated_at=now()).execution_options(
            synchronize_session=False
        )
    )
    return len(ids)


def claim(runtime: Runtime, seconds: float) -> Taken | None:
    """Take the oldest receipt that waits, or whose worker is dead; None if there is none.

    Two workers never take the same: SQLite has one writer at a time, PostgreSQL skips what another has locked.
    """
    with runtime.database.reading() as session:
        running = session.scalars(select(Event.worker).where(Event.status == RUNNING).distinct().limit(WORKERS)).all()
        ended = [name for name in running if name and is_gone(name)]
        late = or_(Event.leased_until.is_(None), Event.leased_until < now(), Event.worker.in_(ended))
        waits = or_(Event.status == PENDING, and_(Event.status == RUNNING, late))
        if session.scalar(select(Event.id).where(waits).limit(1)) is None:
            return None
    with runtime.database.transaction() as session:
        # What an import brought comes after all else: somebody may wait for the one add of theirs.
        row = _take_oldest(session, and_(waits, Event.import_id.is_(None)), seconds) or _take_oldest(
            session, waits, seconds
        )
    return None if row is None else Taken(*row)


def _take_oldest(session: Session, condition: ColumnElement[bool], seconds: float) -> Any:
    oldest = select(Event.id).where(condition).order_by(Event.created_at).limit(1).with_for_update(skip_locked=True)
    return session.execute(_taking(Event.id.in_(oldest), lease(seconds))).first()


def _take(ctx: Context, condition: ColumnElement[bool], leased_until: datetime) -> Taken | None:
    row = ctx.session.execute(_taking(condition, leased_until)).first()
    return None if row is None else Taken(*row)


def _taking(condition: ColumnElement[bool], leased_until: datetime) -> Any:
    values = {"status": RUNNING, "attempts": Event.attempts + 1, "leased_until": leased_until, "worker": this_worker()}
    values |= {"updated_at": now(), "dismissed_at": None}
    columns = (Event.id, Event.user_id, Event.app_id, Event.input, Event.leased_until, Event.attempts, Event.created_at)
    taking = update(Event).where(condition).values(**values).returning(*columns)
    return taking.execution_options(synchronize_session=False)


def finish(ctx: Context, taken: Taken, inference: str | None, results: Sequence[Mapping[str, Any]]) -> None:
    """Say in the transaction of what was done that it is done; what was sent is not kept any longer.

    Raises:
        Conflict: the lease ran out, and another took it up: nothing of this transaction may stand.
    """
    values = {"status": SUCCEEDED, "inference": inference, "results": list(results), "input": None, "error": None}
    if not _end(ctx, taken, values):
        raise Conflict("Another worker has taken this up meanwhile")


def fail(ctx: Context, taken: Taken, reason: str) -> None:
    """Say that it failed, and why; what was sent stays. Nothing if another has taken it up meanwhile."""
    _end(ctx, taken, {"status": FAILED, "error": reason, "results": []})


def _end(ctx: Context, taken: Taken, values: Mapping[str, Any]) -> bool:
    held = [Event.id == taken.id, Event.status == RUNNING, Event.leased_until == taken.leased_until]
    ending = update(Event).where(*held).values(leased_until=None, worker=None, updated_at=now(), **values)
    return bool(ctx.session.execute(ending.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
