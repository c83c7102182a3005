"""Imports through the dashboard: taken in, watched, called off, tried again, taken back.

A file of memories or conversations is many adds in the queue (decision 0029), as mem9's are. A backup is one
transaction, because its records refer to each other; its task only says what came of it (decision 0035).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Text, case, func, select, true, type_coerce, update
from sqlalchemy.orm import aliased

from app.context import Context
from app.database import new_id, now
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.models import App, Event, ImportTask, User
from app.services import (
    accounts,
    apps,
    backups,
    import_formats,
    import_pieces,
    import_previews,
    inference,
    receipts,
    scopes,
)
from app.services.import_formats import BACKUP
from app.services.import_pieces import Options, Pieces
from app.services.views import Listing, Window

MAX_NAME = 255
MOST_FAILURES = 20
NO_IMPORT = "Import not found"
CANCELLED = "The import was cancelled before this was begun"
NOTHING = "There is nothing in the file to be imported"
NEEDS_MODEL = "Learning from conversations needs a model; none is configured"

_UNDO = aliased(Event)


@dataclass(frozen=True, slots=True)
class Failure:
    """A piece that failed: its receipt, and why."""

    event_id: UUID
    reason: str


@dataclass(slots=True)
class ImportView:
    """An import: what was read, how far it is, and what came of it.

    `status` is pending, processing, done, partial (some pieces failed), failed, cancelled, or undone. `total`, `done`,
    `failed`, `undone` count pieces; `imported` and `duplicates` memories; `details` what was read in the file.
    """

    id: UUID
    user_id: str
    filename: str
    format: str
    app_id: UUID | None
    app_name: str | None
    details: dict[str, Any]
    total: int
    error: str | None
    created_at: datetime
    cancelled_at: datetime | None
    status: str = "done"
    done: int = 0
    failed: int = 0
    undone: int = 0
    imported: int = 0
    updated: int = 0
    duplicates: int = 0
    failures: list[Failure] = field(default_factory=list)


VIEW = (
    select(
        ImportTask.id,
        User.user_id,
        ImportTask.filename,
        ImportTask.kind,
        ImportTask.app_id,
        App.name,
        ImportTask.details,
        ImportTask.total,
        ImportTask.error,
        ImportTask.created_at,
        ImportTask.cancelled_at,
    )
    .join(User, User.id == ImportTask.user_id)
    .outerjoin(App, App.id == ImportTask.app_id)
)


def create(ctx: Context, file: BinaryIO, filename: str, options: Options) -> ImportView:
    """Take a file in: memories and conversations are left to the worker, a backup is brought back at once.

    Raises:
        NotFound: the user is not the caller's own, and the caller is no admin.
        Invalid: nothing of the file is known, or nothing is left of it; TooLarge: it is over a limit.
        Conflict: it is to be learned from, and there is no model.
        Forbidden: the app is paused, or the key may not write as it.
    """
    owner = import_previews.check_owner(ctx, options)
    if options.conversations == "learn" and not inference.asks_a_model(ctx.runtime):
        raise Conflict(NEEDS_MODEL)
    with import_formats.opened(file, filename, ctx.settings.max_import_bytes) as package:
        if package.is_backup:
            return _restore(ctx, file, filename, owner, options)
        pieces = import_pieces.cut(import_formats.read(package, options.format), options)
    if not pieces.total:
        raise Invalid(NOTHING)
    return _take_in(ctx, pieces, filename, owner, options)


def _restore(ctx: Context, file: BinaryIO, filename: str, owner: str, options: Options) -> ImportView:
    done = backups.import_file(ctx, file, owner, options.mode)
    counts = {name: value for name, value in asdict(done).items() if name != "user_id"}
    owner_id = accounts.ensure_user(ctx, owner)
    task = ImportTask(id=new_id(), user_id=owner_id, kind=BACKUP, filename=_shown(filename), created_at=now())
    task.total, task.details = 0, {"backup": counts, "mode": options.mode}
    return _written(ctx, task)


def _take_in(ctx: Context, pieces: Pieces, filename: str, owner: str, options: Options) -> ImportView:
    seen, when = pieces.seen, now()
    format = import_formats.format_of(seen.formats, options.format)
    name = accounts.check_name(import_previews.app_of(ctx, options, format))
    owner_id = accounts.ensure_user(ctx, owner)
    client = apps.for_writing(ctx, owner_id, name)
    task = ImportTask(id=new_id(), user_id=owner_id, app_id=client.id, kind=format, filename=_shown(filename))
    task.total, task.created_at = pieces.total, when
    task.details = {
        "memories": pieces.memories,
        "repeated": seen.repeated,
        "conversations": pieces.chosen,
        "unreadable": seen.unreadable,
        "treatment": options.conversations,
    }
    ctx.session.add(task)
    ctx.session.flush()
    # A receipt a microsecond: their order is the file's.
    for place, drafted in enumerate(pieces.drafted):
        inference.receive_drafts(ctx, owner_id, client, drafted, when + timedelta(microseconds=place), task.id)
    for place, taken_in in enumerate(pieces.conversations, len(pieces.drafted)):
        at = when + timedelta(microseconds=place)
        inference.receive(ctx, owner_id, client, taken_in, receipts.PENDING, when=at, import_id=task.id)
    ctx.after_commit(ctx.runtime.work.set)
    return _written(ctx, task)


def _shown(filename: str) -> str:
    return "".join(one for one in filename if one.isprintable())[:MAX_NAME] or "file"


def _written(ctx: Context, task: ImportTask) -> ImportView:
    ctx.session.add(task)
    ctx.session.flush()
    return _views(ctx, [ImportView(*ctx.rows(VIEW.where(ImportTask.id == task.id))[0])])[0]


def listing(ctx: Context, window: Window, user_id: str | None = None) -> Listing[ImportView]:
    """The imports of the caller's own memories (for an admin of those of `user_id`), newest first. Six statements.

    A key that is bound to an app sees that app's.
    """
    mine = _mine(ctx, user_id or ctx.caller.name)
    query = VIEW.where(*mine).order_by(ImportTask.created_at.desc(), ImportTask.id.desc())
    rows = ctx.rows(query.limit(window.limit).offset(window.offset))
    total = ctx.session.scalar(select(func.count()).select_from(ImportTask).where(*mine)) or 0
    return Listing(_views(ctx, [ImportView(*row) for row in rows]), total)


def get(ctx: Context, task_id: UUID) -> ImportView:
    """One import, with the first of its pieces that failed.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = ctx.row(VIEW.where(ImportTask.id == task_id, *_mine(ctx, None)))
    if row is None:
        raise NotFound(NO_IMPORT)
    view = _views(ctx, [ImportView(*row)])[0]
    if view.failed:
        failed = select(Event.id, Event.error).where(Event.import_id == task_id, Event.status == receipts.FAILED)
        rows = ctx.rows(failed.order_by(Event.created_at).limit(MOST_FAILURES))
        view.failures = [Failure(id, reason or "") for id, reason in rows]
    return view


def require(ctx: Context, task_id: UUID) -> ImportView:
    """One import that is to be changed.

    Raises:
        NotFound: as `get`. Forbidden: the key is bound to an app.
    """
    if ctx.caller.app:
        raise Forbidden("An app's key may not change an import")
    return get(ctx, task_id)


def cancel(ctx: Context, task_id: UUID) -> ImportView:
    """Call off what has not been begun; what is done stays.

    Raises:
        NotFound, Forbidden: as `require`. Conflict: all of it is done, or begun.
    """
    require(ctx, task_id)
    waiting = update(Event).where(Event.import_id == task_id, Event.status == receipts.PENDING)
    values = {"status": receipts.FAILED, "error": CANCELLED, "input": None, "updated_at": now()}
    stopped = ctx.session.execute(waiting.values(values).execution_options(synchronize_session=False))
    if not stopped.rowcount:  # type: ignore[attr-defined]
        raise Conflict("Nothing of this import is waiting any more")
    ctx.session.execute(update(ImportTask).where(ImportTask.id == task_id).values(cancelled_at=now()))
    return get(ctx, task_id)


def retry(ctx: Context, task_id: UUID) -> ImportView:
    """Have the worker try the pieces that failed again.

    Raises:
        NotFound, Forbidden: as `require`. Conflict: none failed that could be tried again.
    """
    require(ctx, task_id)
    failed = update(Event).where(Event.import_id == task_id, Event.status == receipts.FAILED, Event.input.is_not(None))
    values = {"status": receipts.PENDING, "attempts": 0, "error": None, "updated_at": now()}
    again = ctx.session.execute(failed.values(values).execution_options(synchronize_session=False))
    if not again.rowcount:  # type: ignore[attr-defined]
        raise Conflict("No piece of this import has failed and can be tried again")
    ctx.after_commit(ctx.runtime.work.set)
    return get(ctx, task_id)


def _mine(ctx: Context, user_id: str | None) -> list[ColumnElement[bool]]:
    """Whose imports the caller may see: one owner's, for an admin who names none anybody's."""
    scope = scopes.resolve(ctx, user_id)
    owner = ctx.caller.user_id if user_id == ctx.caller.name else scope.owner_id
    mine: list[ColumnElement[bool]] = [] if owner is None else [ImportTask.user_id == owner]
    if ctx.caller.app is not None:
        mine.append(ImportTask.app_id.in_(select(App.id).where(App.name == ctx.caller.app)))
    return mine


def _views(ctx: Context, views: Sequence[ImportView]) -> list[ImportView]:
    """The views with how far they are and what came of them. Three statements, of all together."""
    ids = [view.id for view in views]
    if not ids:
        return []
    pieces, events, undone = _pieces(ctx, ids), _results(ctx, ids), _undone(ctx, ids)
    for view in views:
        _fill(view, pieces[view.id], events[view.id])
        view.undone = undone.get(view.id, 0)
        view.status = _status(view, pieces[view.id])
    return list(views)


def _pieces(ctx: Context, ids: Sequence[UUID]) -> Mapping[UUID, dict[str, int]]:
    """By import, how many pieces stand how; those that were called off as `CANCELLED`."""
    found: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    status = case((Event.error == CANCELLED, "CANCELLED"), else_=Event.status)
    counted = select(Event.import_id, status, func.count()).where(Event.import_id.in_(ids))
    for id, name, count in ctx.rows(counted.group_by(Event.import_id, status)):
        found[id][name] = count
    return found


def _results(ctx: Context, ids: Sequence[UUID]) -> Mapping[UUID, dict[str, int]]:
    """By import, how often its receipts say what."""
    if ctx.runtime.database.is_sqlite:
        each = func.json_each(Event.results).table_valued("value", name="each")
        event = func.json_extract(each.c.value, "$.event")
    else:
        each = func.jsonb_array_elements(Event.results).table_valued("value", name="each").render_derived()
        event = func.jsonb_extract_path_text(each.c.value, "event")
    said = type_coerce(event, Text).label("said")
    rows = select(Event.import_id.label("import_id"), said).select_from(Event).join(each, true())
    told = rows.where(Event.import_id.in_(ids), Event.status == receipts.SUCCEEDED).subquery()
    counted = select(told.c.import_id, told.c.said, func.count()).group_by(told.c.import_id, told.c.said)
    found: defaultdict[UUID, dict[str, int]] = defaultdict(dict)
    for id, name, count in ctx.rows(counted):
        found[id][name] = count
    return found


def _undone(ctx: Context, ids: Sequence[UUID]) -> dict[UUID, int]:
    """By import, how many of its pieces were taken back."""
    counted = select(Event.import_id, type_coerce(func.count(Event.id.distinct()), Integer))
    taken_back = counted.join(_UNDO, _UNDO.undoes == Event.id).where(Event.import_id.in_(ids))
    return {id: count for id, count in ctx.rows(taken_back.group_by(Event.import_id)) if id is not None}


def _fill(view: ImportView, pieces: Mapping[str, int], results: Mapping[str, int]) -> None:
    if backup := view.details.get("backup"):
        view.imported, view.updated = backup["imported"], backup["updated"]
        view.duplicates = backup["unchanged"] + backup["skipped"]
        return
    view.done, view.failed = pieces.get(receipts.SUCCEEDED, 0), pieces.get(receipts.FAILED, 0)
    view.imported, view.updated = results.get("ADD", 0), results.get("UPDATE", 0)
    view.duplicates = results.get("NONE", 0) + view.details.get("repeated", 0)


def _status(view: ImportView, pieces: Mapping[str, int]) -> str:
    waiting, running = pieces.get(receipts.PENDING, 0), pieces.get(receipts.RUNNING, 0)
    if view.error:
        return "failed"
    if waiting or running:
        return "pending" if waiting == view.total else "processing"
    if view.undone:
        return "undone"
    if view.cancelled_at and pieces.get("CANCELLED"):
        return "cancelled"
    if view.failed:
        return "partial" if view.done else "failed"
    return "done"
