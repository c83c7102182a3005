"""An import taken back: the undo of its pieces (`undo`), so many at a time, newest first."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import aliased

from app.context import Context
from app.errors import Conflict
from app.models import Event, SessionMessage
from app.services import import_tasks, receipts, undo
from app.services.import_formats import BACKUP

AT_ONCE = 25  # pieces of a hundred memories
BATCH = 200
CHANGING = ("ADD", "UPDATE", "DELETE", "ARCHIVE")

_UNDO = aliased(Event)


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Pieces: those taken back now, those still to be, and those that hold memories that were changed since."""

    undone: int
    left: int
    changed: int


def take_back(ctx: Context, task_id: UUID, *, force: bool = False) -> TakenBack:
    """Undo the next 25 pieces of an import; to be asked again until nothing is left.

    Pieces with memories that were changed since stay as they are, unless `force` says that these go, too. What was said
    in conversations is forgotten with them, so that the file can be taken in again.

    Raises:
        NotFound, Forbidden: as `import_tasks.require`.
        Conflict: it is not done yet, or it is a backup, which leaves no receipts.
    """
    view = import_tasks.require(ctx, task_id)
    if view.format == BACKUP:
        raise Conflict("A backup is brought back as a whole and leaves no receipts: it cannot be taken back")
    if view.status in ("pending", "processing"):
        raise Conflict("The import is not done yet; cancel it first")
    undone, left, changed = list[UUID](), 0, 0
    for id in list(_open_pieces(ctx, task_id)):
        if len(undone) >= AT_ONCE:
            left += 1
            continue
        try:
            undo.undo(ctx, id, force=force)
            undone.append(id)
        except Conflict:  # nothing has been written of it
            changed += 1
    ctx.session.execute(delete(SessionMessage).where(SessionMessage.event_id.in_(undone)))
    return TakenBack(len(undone), left, changed)


def _open_pieces(ctx: Context, task_id: UUID) -> Iterator[UUID]:
    """The pieces that changed something and were not taken back, newest first."""
    taken_back = select(_UNDO.id).where(_UNDO.undoes == Event.id).exists()
    done = select(Event.id, Event.results, Event.created_at).where(
        Event.import_id == task_id, Event.status == receipts.SUCCEEDED, ~taken_back
    )
    newest = done.order_by(Event.created_at.desc())
    for place in range(0, 1_000_000, BATCH):
        rows = ctx.rows(newest.limit(BATCH).offset(place))
        yield from (row.id for row in rows if any(one.get("event") in CHANGING for one in row.results))
        if len(rows) < BATCH:
            return
