"""Writing the zip: piece by piece, from one snapshot, with nothing held but the slice in hand.

Equal contents give equal bytes: the zip carries no time.
"""

import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.context import Context, Runtime
from app.errors import Forbidden, Invalid, NotFound
from app.models import Memory, User
from app.services import apps, scopes
from app.services.backups import sections
from app.services.backups.archive import DOCUMENT, LINES
from app.services.backups.sections import Selection
from app.services.scopes import Scope

FLUSH = 64 * 1024  # bytes
EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier time


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of a user's memories; all that are not deleted without anything said.

    Attributes:
        app_id: only those that this app wrote.
        from_date: only those created then or later, epoch seconds; `to_date`: then or earlier.
        memory_ids: only these, as far as they are there.
    """

    app_id: UUID | None = None
    from_date: int | None = None
    to_date: int | None = None
    memory_ids: Sequence[UUID] | None = None


ALL = Wanted()


def export(ctx: Context, user_id: str, wanted: Wanted = ALL) -> Iterator[bytes]:
    """The zip of a user's memories, piece by piece. What may be refused is refused by the call, not by the iteration.

    Whatever a person governs is in it (paused and archived memories too); deleted and expired memories are not.
    The iterator reads from a session of its own, which lives until it is exhausted or closed.

    Raises:
        Forbidden: the key is bound to an app.
        NotFound: no such user or app, or one that the caller may not see.
        Invalid: the dates are reversed or no dates.
    """
    scope = _scope(ctx, user_id, wanted)
    user = ctx.session.execute(
        select(
            User.user_id,
            User.name,
            User.email,
            User.metadata_.label("metadata"),
            User.created_at,
            User.updated_at,
            User.id,
        ).where(User.id == scope.owner_id)
    ).one()
    conditions = _conditions(ctx, scope, wanted)
    return _zipped(ctx.runtime, Selection(user, wanted.app_id, wanted.from_date, wanted.to_date, conditions))


def count(ctx: Context, user_id: str, wanted: Wanted = ALL) -> int:
    """How many memories `export` would write; arguments and errors as there."""
    conditions = _conditions(ctx, _scope(ctx, user_id, wanted), wanted)
    return ctx.session.scalar(select(func.count()).select_from(Memory).where(*conditions)) or 0


def _scope(ctx: Context, user_id: str, wanted: Wanted) -> Scope:
    if ctx.caller.app:
        raise Forbidden("An app's key may not export")
    scope = scopes.resolve(ctx, user_id)
    if wanted.app_id and apps.find(ctx, wanted.app_id).owner_id != scope.owner_id:
        raise NotFound(apps.NO_APP)
    return scope


def _conditions(ctx: Context, scope: Scope, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions = [*scopes.governed(ctx, scope), *_between(wanted.from_date, wanted.to_date)]
    if wanted.app_id:
        conditions.append(Memory.app_id == wanted.app_id)
    if wanted.memory_ids is not None:
        conditions.append(Memory.id.in_(wanted.memory_ids))
    return conditions


def _between(from_date: int | None, to_date: int | None) -> list[ColumnElement[bool]]:
    if from_date is not None and to_date is not None and from_date > to_date:
        raise Invalid("from_date is after to_date")
    conditions = []
    if from_date is not None:
        conditions.append(Memory.created_at >= _moment(from_date))
    if to_date is not None:
        conditions.append(Memory.created_at <= _moment(to_date))
    return conditions


def _moment(epoch: int) -> datetime:
    try:
        return datetime.fromtimestamp(epoch, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise Invalid("A date is out of range") from error


@contextmanager
def _snapshot(runtime: Runtime) -> Iterator[Session]:
    with runtime.database.reading() as session:
        if not runtime.database.is_sqlite:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


class _Sink(io.RawIOBase):
    """Where the zip is written to; `take` hands on what has gathered."""

    def __init__(self) -> None:
        self._gathered = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._gathered += data
        return len(data)

    def take(self, least: int = FLUSH) -> Iterator[bytes]:
        if len(self._gathered) >= least:
            yield bytes(self._gathered)
            self._gathered.clear()


def _zipped(runtime: Runtime, selection: Selection) -> Iterator[bytes]:
    sink = _Sink()
    with _snapshot(runtime) as session:
        slices = list(sections.sliced(session, selection))
        with zipfile.ZipFile(sink, "w") as archive:
            with _member(archive, DOCUMENT, zipfile.ZIP_DEFLATED) as document:
                for text in sections.document(session, selection, slices):
                    document.write(text)
                    yield from sink.take()
            with (
                _member(archive, LINES, zipfile.ZIP_STORED) as member,
                gzip.GzipFile(filename="", fileobj=member, mode="wb", mtime=0) as lines,
            ):
                for record in sections.lines(session, selection, slices):
                    lines.write(sections.written(record) + b"\n")
                    yield from sink.take()
    yield from sink.take(1)


def _member(archive: zipfile.ZipFile, name: str, method: int) -> IO[bytes]:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = method
    entry.external_attr = 0o600 << 16
    return archive.open(entry, "w", force_zip64=True)
