"""Imports of files: each piece of one is an add of its own that the worker does, so the queue is all that there is.

A piece is written with its receipt in one transaction, done by whichever process takes it under a lease, and carried
out in the transaction that ends its receipt: a process that is killed loses none and does none twice.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from app.context import Context
from app.database import new_id, now
from app.errors import Invalid, NotFound
from app.models import App, Event, ImportTask
from app.services import accounts, apps, import_files, inference, receipts, spaces
from app.services.import_files import Pieces
from app.services.spaces import Space

PENDING, PROCESSING, DONE, FAILED = "pending", "processing", "done", "failed"
EMPTY, PARTIAL = "empty", "partial"
KINDS = ("memory", "session")  # what this door takes; files of other kinds come in by the dashboard's
MAX_BYTES = 50 * 1024 * 1024
MOST_SHOWN = 500
MAX_NAME = 255
NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True)
class TaskView:
    """An import: how many pieces it has, how many are done, and why it failed, if it did."""

    id: UUID
    file: str
    status: str
    total: int
    done: int
    error: str | None = None


def create(
    ctx: Context,
    space: Space,
    file: BinaryIO,
    filename: str,
    kind: str,
    agent_id: str | None = None,
    session_id: str | None = None,
) -> TaskView:
    """Take a file of `memory` or of `session` in; all of it is checked first, and stored or refused as a whole.

    Raises:
        Forbidden: the agent's app is paused, or its key may not write.
    """
    own = spaces.writer(ctx, space)
    try:
        pieces, error = import_files.read(kind, file.read(), agent_id or space.agent, session_id), None
    except Invalid as wrong:
        pieces, error = Pieces(), str(wrong)
    owner_id = accounts.ensure_user(own, own.caller.name)
    client = apps.for_writing(own, owner_id, space.app(own.caller))
    when = now()
    name = "".join(one for one in filename if one.isprintable())[:MAX_NAME]
    task = ImportTask(id=new_id(), user_id=owner_id, app_id=client.id, kind=kind, filename=name, created_at=when)
    task.total, task.error = pieces.total, error
    own.session.add(task)
    own.session.flush()
    # A receipt a microsecond: their order is the file's.
    for place, drafted in enumerate(pieces.drafted):
        at = when + timedelta(microseconds=place)
        inference.receive_drafts(own, owner_id, client, drafted, at, task.id)
    for place, taken_in in enumerate(pieces.conversations):
        at = when + timedelta(microseconds=place)
        inference.receive(own, owner_id, client, taken_in, receipts.PENDING, when=at, import_id=task.id)
    ctx.after_commit(ctx.runtime.work.set)
    return TaskView(task.id, name, FAILED if error else PENDING, task.total, 0, error)


def listing(ctx: Context, space: Space) -> list[TaskView]:
    """The newest 500 imports into the space that is written to, newest first. Three statements."""
    own = ctx.acting_as(space.nodes[0].caller)
    newest = select(ImportTask).where(*_mine(own)).order_by(ImportTask.created_at.desc(), ImportTask.id.desc())
    return _views(own, own.session.scalars(newest.limit(MOST_SHOWN)).all())


def get(ctx: Context, space: Space, task_id: UUID | None) -> TaskView:
    """One import.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    own = ctx.acting_as(space.nodes[0].caller)
    found = own.session.scalars(select(ImportTask).where(ImportTask.id == task_id, *_mine(own))).all()
    if not found:
        raise NotFound(NOT_FOUND)
    return _views(own, found)[0]


def overall(tasks: Sequence[TaskView]) -> str:
    """How all of them together stand."""
    statuses = {task.status for task in tasks}
    if not statuses:
        return EMPTY
    if FAILED in statuses:
        return PARTIAL
    return DONE if statuses == {DONE} else PROCESSING


def _mine(ctx: Context) -> list[ColumnElement[bool]]:
    mine: list[ColumnElement[bool]] = [ImportTask.user_id == ctx.caller.user_id, ImportTask.kind.in_(KINDS)]
    if ctx.caller.app is not None:
        mine.append(ImportTask.app_id.in_(select(App.id).where(App.name == ctx.caller.app)))
    return mine


def _views(ctx: Context, tasks: Sequence[ImportTask]) -> list[TaskView]:
    counts: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    reasons: dict[UUID, str | None] = {}
    pieces = select(Event.import_id, Event.status, func.count(), func.min(Event.error))
    of_these = Event.import_id.in_([task.id for task in tasks])
    for id, status, count, reason in ctx.rows(pieces.where(of_these).group_by(Event.import_id, Event.status)):
        counts[id][status] = count
        reasons[id] = reason if status == receipts.FAILED else reasons.get(id)
    return [_view(task, counts[task.id], reasons.get(task.id)) for task in tasks]


def _view(task: ImportTask, counts: dict[str, int], reason: str | None) -> TaskView:
    done = counts.get(receipts.SUCCEEDED, 0)
    return TaskView(task.id, task.filename, _status(task, counts), task.total, done, task.error or reason)


def _status(task: ImportTask, counts: dict[str, int]) -> str:
    if task.error:
        return FAILED
    waiting, running = counts.get(receipts.PENDING, 0), counts.get(receipts.RUNNING, 0)
    if waiting == task.total:
        return PENDING
    if waiting or running:
        return PROCESSING
    return FAILED if counts.get(receipts.FAILED) else DONE
