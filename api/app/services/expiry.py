"""What is past its `expires_at` is hidden by every query at once; the worker brings it to `deleted`."""

from typing import Any

from sqlalchemy import ColumnElement, Select, select

from app.context import Runtime
from app.database import now
from app.models import Memory, State
from app.services import chores, scopes

KIND = scopes.EXPIRED


def late(*columns: Any) -> Select[*tuple[Any, ...]]:
    """What has expired and is not deleted, the longest expired first.

    By `expires_at`: everybody's next ones lie first in an index of those few that expire at all.
    """
    return select(*columns).where(*_is_late()).order_by(Memory.expires_at, Memory.id)


def _is_late() -> list[ColumnElement[bool]]:
    return [Memory.expires_at <= now(), Memory.state != State.deleted]


def expire(runtime: Runtime) -> int:
    """Delete what has expired, and leave receipts; how many there were. One read if there is nothing to do."""
    done = 0
    while True:
        with runtime.database.reading() as session:
            ids = session.scalars(late(Memory.id).limit(chores.BATCH)).all()
        taken = chores.bring(runtime, ids, _is_late(), State.deleted, KIND, "expires_at") if ids else 0
        done += taken
        if not taken:
            return done
