"""The echo guard: what this server served to a session is not learned from it again.

Agents put what they were served into their prompts, and hand in the prompt as part of the conversation. A piece of it
(a line, a sentence, the whole) that is word for word a memory which the same app was shown within the hour is an echo.
The pieces are looked up by their hashes, so it costs the same however many memories there are.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.context import Context
from app.database import now
from app.engine import turns
from app.engine.turns import Turn
from app.models import AccessBatch, AccessLog, Memory
from app.services.drafts import content_hash

WITHIN = timedelta(hours=1)
CHUNK = 500
BATCHES = 2_000  # reads that wait to be spread over the log are looked through, the newest of them


def heard(ctx: Context, app_id: UUID, owner_id: UUID, run_id: str | None, said: Sequence[Turn]) -> dict[str, UUID]:
    """The pieces of what was said that the app was served within the hour, each with its memory.

    Those that were served to another session are left out, where both sessions are known. At most three statements a
    500 pieces.
    """
    pieces = dict.fromkeys(islice((piece for turn in said for piece in turns.pieces(turn.content)), turns.MAX_PIECES))
    hashes = {content_hash(piece): piece for piece in pieces if piece}
    ids: dict[UUID, str] = {}
    wanted = list(hashes)
    for start in range(0, len(wanted), CHUNK):
        known = select(Memory.id, Memory.content_hash).where(
            Memory.user_id == owner_id, Memory.content_hash.in_(wanted[start : start + CHUNK])
        )
        ids |= {row.id: hashes[row.content_hash] for row in ctx.rows(known.limit(CHUNK))}
    served = _served(ctx, app_id, run_id, list(ids)) if ids else set()
    return {piece: id for id, piece in ids.items() if id in served}


def _served(ctx: Context, app_id: UUID, run_id: str | None, ids: Sequence[UUID]) -> set[UUID]:
    since = now() - WITHIN
    logged = select(AccessLog.memory_id, AccessLog.metadata_).where(
        AccessLog.memory_id.in_(ids), AccessLog.accessed_at >= since, AccessLog.app_id == app_id
    )
    served = {row.memory_id for row in ctx.rows(logged) if _is_of(row.metadata, run_id)}
    noted = select(AccessBatch.memory_ids, AccessBatch.metadata_).where(
        AccessBatch.app_id == app_id, AccessBatch.accessed_at >= since
    )
    for row in ctx.rows(noted.order_by(AccessBatch.id.desc()).limit(BATCHES)):
        if _is_of(row.metadata, run_id):
            served |= set(_known(row.memory_ids, ids))
    return served


def _known(shown: Iterable[str], ids: Sequence[UUID]) -> list[UUID]:
    names = {id.hex: id for id in ids}
    return [names[one] for one in shown if one in names]


def _is_of(metadata: Any, run_id: str | None) -> bool:
    """Whether a read may have been this session's; most doors do not say whose it was."""
    session = metadata.get("run_id")
    return session is None or run_id is None or session == run_id


def without(turn: Turn, echoes: Iterable[str]) -> Turn:
    """The turn without memory blocks and echoes; possibly with nothing left."""
    return turns.changed(turn, turns.without_pieces(turn.content, set(echoes)))
