"""What the server does by itself: memories brought to another state in batches, each batch with its receipts."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.context import Caller, Context, Runtime
from app.database import Base, new_id, now
from app.models import Config, Memory, State
from app.services import states
from app.services.states import Cause

BATCH = 500
NEVER = datetime(2000, 1, 1, tzinfo=UTC)
SERVER = Caller(UUID(int=0), "", None, frozenset())  # nobody's: what it changes was changed by no user
RECEIPTS = insert(Base.metadata.tables["events"])

Results = list[dict[str, Any]]


def receipt(
    ctx: Context, owner_id: UUID, kind: str, results: Results, *, app_id: UUID | None = None, undoes: UUID | None = None
) -> UUID:
    """Write the receipt of something that is done, in this transaction; its id."""
    event_id = new_id()
    row = {"id": event_id, "user_id": owner_id, "app_id": app_id, "kind": kind, "status": "SUCCEEDED", "attempts": 1}
    ctx.write(RECEIPTS, row | {"results": results, "undoes": undoes})
    return event_id


def bring(
    runtime: Runtime, ids: Sequence[UUID], still: Sequence[ColumnElement[bool]], state: State, kind: str, reason: str
) -> int:
    """Bring those of the memories for which `still` holds to `state`, in one transaction; how many there were.

    The versions say `kind`, changed by nobody; each owner gets a receipt of that kind, whose results say `reason`.
    """
    with runtime.context(SERVER, writing=True) as ctx:
        # Another process may be at the same: each takes what the other has not.
        these = select(Memory.id, Memory.user_id, Memory.version).where(Memory.id.in_(ids), *still)
        rows = ctx.session.execute(these.with_for_update(skip_locked=True)).all()
        states.change(ctx, [row.id for row in rows], state, Cause(kind, None))
        results: dict[UUID, Results] = defaultdict(list)
        for row in rows:
            done = {"id": str(row.id), "event": kind, "version": row.version + 1, "reason": reason}
            results[row.user_id].append(done)
        for owner_id, of_one in results.items():
            receipt(ctx, owner_id, kind, of_one)
    return len(rows)


def is_time(session: Session, key: str, every: timedelta) -> bool:
    """Whether the chore whose time is noted under `key` was last done so long ago."""
    row = session.scalar(select(Config.value).where(Config.key == key).with_for_update())
    return row is None or now() - datetime.fromisoformat(row["ran_at"]) >= every


def claim(runtime: Runtime, key: str, every: timedelta) -> bool:
    """Note the chore as done now; False if another process has just done so."""
    insert = (sqlite if runtime.database.is_sqlite else postgresql).insert
    with runtime.relaxed.transaction() as session:
        # The row is made first, so that there is one to lock when two processes are the first at once.
        first = {"ran_at": NEVER.isoformat()}
        session.execute(insert(Config).values(key=key, value=first).on_conflict_do_nothing())
        if not is_time(session, key, every):
            return False
        session.merge(Config(key=key, value={"ran_at": now().isoformat()}))
        return True
