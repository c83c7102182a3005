"""From noted reads to the access log.

A read notes what it showed in one row of `access_batches` before it is answered. Whoever shows accesses, and the sweep,
first spreads those over the log, one row a memory; the sums follow by triggers.
"""

from collections.abc import Sequence

from sqlalchemy import Insert, cast, delete, func, insert, select, true, type_coerce

from app.context import Runtime
from app.database import sql_id
from app.models import AccessBatch, AccessLog, Memory

BATCHES = 500  # spread in one transaction


def spread(runtime: Runtime) -> None:
    """Bring every noted read into the log. Two statements a transaction of 500 reads; one if there are none."""
    with runtime.database.reading() as session:
        waiting = session.connection().execute(select(AccessBatch.id).limit(1)).first()
    more = waiting is not None
    while more:
        with runtime.relaxed.transaction() as session:
            # Two processes may spread at once: each takes its own.
            some = select(AccessBatch.id).order_by(AccessBatch.id).limit(BATCHES).with_for_update(skip_locked=True)
            ids = session.scalars(some).all()
            session.execute(_logged(ids, runtime.database.is_sqlite))
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
