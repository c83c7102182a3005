"""Chosen memories as lines of JSON, to be read by a person or a program: `backups` is what can be restored from."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.context import Context, Runtime
from app.database import asked_last
from app.errors import Forbidden, NotFound
from app.models import Memory
from app.services import scopes
from app.services.views import MemoryView, fetch

PIECE = 500
FIELDS = (
    *("id", "user_id", "app_name", "content", "state", "metadata", "categories", "tags", "memory_type", "agent_id"),
    *("run_id", "author", "priority", "source", "version", "occurred_at", "expires_at", "created_at", "updated_at"),
)


def export(ctx: Context, ids: Sequence[UUID], user_id: str | None = None) -> Iterator[bytes]:
    """The memories, one JSON object a line, in the order of the ids; all or none. A statement for each 500, two before.

    What may be refused is refused by the call, not by the iteration.

    Raises:
        Forbidden: the key is bound to an app.
        NotFound: one of the memories does not exist, is deleted, or is not the caller's.
    """
    if ctx.caller.app:
        raise Forbidden("An app's key may not export")
    scope = scopes.resolve(ctx, user_id)
    wanted = list(dict.fromkeys(ids))
    seen = asked_last(*scopes.governed(ctx, scope))
    known = set(ctx.session.scalars(select(Memory.id).where(Memory.id.in_(wanted), seen)))
    missing = [id for id in wanted if id not in known]
    if missing:
        raise NotFound(f"Memory not found: {missing[0]}")
    return _written(ctx.runtime, ctx, wanted)


def _written(runtime: Runtime, ctx: Context, ids: Sequence[UUID]) -> Iterator[bytes]:
    for start in range(0, len(ids), PIECE):
        # A transaction of its own: nobody holds one for as long as somebody takes to read.
        with runtime.context(ctx.caller) as own:
            views = fetch(own, ids[start : start + PIECE])
        yield b"".join(_line(view) for view in views)


def _line(view: MemoryView) -> bytes:
    record: dict[str, Any] = {name: getattr(view, name) for name in FIELDS}
    return json.dumps(record, default=_text, separators=(",", ":")).encode() + b"\n"


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
