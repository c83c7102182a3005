"""From noted reads to the access log.

A read notes what it showed in one row of `access_batches` before it is answered. Whoever shows accesses, and the sweep,
first spreads those over the log, one row a memory, and adds them to the days; the sums follow by triggers.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Insert, cast, delete, func, insert, literal, select, true, type_coerce
from sqlalchemy.dialects import postgresql, sqlite

from app.context import Runtime
from app.database import sql_id
from app.models import AccessBatch, AccessLog, App, AppDay, Memory

BATCHES = 500  # spread in one transaction


def spread(runtime: Runtime) -> None:
    """Bring every noted read into the log. Four statements a transaction of 500 reads; one if there are none."""
    with runtime.database.reading() as session:
        waiting = session.connection().execute(select(AccessBatch.id).limit(1)).first()
    more = waiting is not None
    while more:
        with runtime.relaxed.transaction() as session:
            # Two processes may spread at once: each takes its own.
            some = select(AccessBatch.id).order_by(AccessBatch.id).limit(BATCHES).with_for_update(skip_locked=True)
            ids = session.scalars(some).all()
            session.execute(_logged(ids, runtime.database.is_sqlite))
            session.execute(_counted(ids, runtime.database.is_sqlite))
            session.execute(delete(AccessBatch).where(AccessBatch.id.in_(ids)))
        more = len(ids) == BATCHES


def _logged(ids: Sequence[int], on_sqlite: bool) -> Insert:
    each = func.json_each if on_sqlite else func.jsonb_array_elements_text
    values = each(AccessBatch.memory_ids).table_valued("value", name="shown", joins_implicitly=True)
    shown = values if on_sqlite else values.render_derived()
    id = type_coerce(shown.c.value, Memory.id.type) if on_sqlite else cast(shown.c.value, Memory.id.type)
    columns = (AccessBatch.app_id, AccessBatch.access_type, AccessBatch.accessed_at, AccessBatch.metadata_)
    # The join leaves out what was purged meanwhile.
    rows = (
        select(sql_id(), Memory.id, *columns).select_from(AccessBatch).join(shown, true()).join(Memory, Memory.id == id)
    )
    return insert(AccessLog).from_select(
        ["id", "memory_id", "app_id", "access_type", "accessed_at", "metadata"], rows.where(AccessBatch.id.in_(ids))
    )


def _counted(ids: Sequence[int], on_sqlite: bool) -> Any:
    day = day_of(AccessBatch.accessed_at.expression, on_sqlite)
    length = func.json_array_length if on_sqlite else func.jsonb_array_length
    rows = (
        select(App.owner_id, day, App.id, func.count(), func.sum(length(AccessBatch.memory_ids)), literal(0))
        .join(App, App.id == AccessBatch.app_id)
        .where(AccessBatch.id.in_(ids))
        .group_by(App.owner_id, day, App.id)
        .order_by(App.owner_id, day, App.id)  # two processes lock the same days in the same order
    )
    added = (sqlite.insert if on_sqlite else postgresql.insert)(AppDay).from_select(
        ["user_id", "day", "app_id", "reads", "shown", "writes"], rows
    )
    more = {name: getattr(AppDay, name) + getattr(added.excluded, name) for name in ("reads", "shown")}
    return added.on_conflict_do_update(index_elements=["user_id", "day", "app_id"], set_=more)


def day_of(when: ColumnElement[Any], on_sqlite: bool) -> ColumnElement[Any]:
    """The day of a time in SQL, UTC: PostgreSQL would take the day of the connection's zone."""
    return func.date(when) if on_sqlite else func.date(func.timezone("UTC", when))
