"""What a backup holds, and how much of it a user has already. Nothing is written but the staged copy."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO
from uuid import UUID, uuid5

from sqlalchemy import select

from app.context import Context
from app.errors import Forbidden
from app.models import Memory, User
from app.services.backups.records import Remembered
from app.services.backups.staging import Staging, staged

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """One memory of the backup."""

    content: str
    created_at: datetime | None
    tags: list[str]
    categories: list[str]
    is_known: bool


@dataclass(slots=True)
class Contents:
    """What is in a backup; `known` are memories that the user has already, by their ids, deleted ones included."""

    memories: int = 0
    known: int = 0
    apps: int = 0
    categories: int = 0
    first: list[Shown] = field(default_factory=list)


def preview(ctx: Context, file: BinaryIO, user_id: str) -> Contents:
    """What the backup holds, read and checked as an import would.

    Raises:
        as `import_file`, but for what only shows when it is written.
    """
    if ctx.caller.app:
        raise Forbidden("An app's key may not import")
    with staged(file, ctx.settings.max_import_bytes) as staging:
        owner = ctx.session.scalar(select(User.id).where(User.user_id == user_id))
        found = Contents(apps=staging.count("apps"), categories=staging.count("categories"))
        for rows in staging.read("SELECT seq, id, record FROM memories WHERE seq > ? ORDER BY seq"):
            known = _known(ctx, owner, [UUID(id) for _, id, _ in rows])
            found.memories += len(rows)
            found.known += len(known)
            left = SHOWN - len(found.first)
            found.first += [_shown(staging, row, known) for row in rows[:left]]
    return found


def _known(ctx: Context, owner: UUID | None, ids: Sequence[UUID]) -> set[UUID]:
    if owner is None:
        return set()
    variants = {uuid5(owner, id.hex): id for id in ids}
    places = select(Memory.id).where(Memory.user_id == owner, Memory.id.in_([*ids, *variants]))
    return {variants.get(id, id) for id in ctx.session.scalars(places)}


def _shown(staging: Staging, row: tuple[Any, ...], known: set[UUID]) -> Shown:
    _, id, text = row
    record = Remembered.model_validate_json(text)
    return Shown(record.content, record.created_at, record.tags, staging.names(id), UUID(id) in known)
