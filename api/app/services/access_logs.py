"""The access log of a memory: which app was shown it, when, for which query."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from app.context import Context
from app.models import AccessLog, App
from app.services import accesses, memories
from app.services.views import Listing, Window


@dataclass(frozen=True, slots=True)
class Access:
    """One memory shown to one app once."""

    id: UUID
    memory_id: UUID
    app_id: UUID
    app_name: str
    access_type: str
    accessed_at: datetime
    metadata: dict[str, Any]


def listing(ctx: Context, memory_id: UUID, window: Window) -> Listing[Access]:
    """The accesses of one memory, newest first.

    Raises:
        NotFound: no such memory, or one that the caller may not see.
    """
    accesses.spread(ctx.runtime)
    memories.require(ctx, memory_id)
    mine = AccessLog.memory_id == memory_id
    rows = ctx.session.execute(
        select(
            AccessLog.id,
            AccessLog.memory_id,
            AccessLog.app_id,
            App.name,
            AccessLog.access_type,
            AccessLog.accessed_at,
            AccessLog.metadata_,
        )
        .join(App, App.id == AccessLog.app_id)
        .where(mine)
        .order_by(AccessLog.accessed_at.desc(), AccessLog.id.desc())
        .limit(window.limit)
        .offset(window.offset)
    )
    total = ctx.session.scalar(select(func.count()).select_from(AccessLog).where(mine)) or 0
    return Listing([Access(*row) for row in rows], total)
