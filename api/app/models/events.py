"""What happened: receipts of writes, raw turns, import tasks."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Json, Name, Object, Strings, Time, Updated, Word


class Event(Base):
    """The receipt of one add: what was decided for every candidate, and why. `input` is kept until it succeeded.

    Its `worker` (a process) holds it until `leased_until`; if it is RUNNING after that, the worker is dead.
    """

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("status IN ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED')", name="status"),
        Index("ix_events_user_id", "user_id", "created_at"),
        Index("ix_events_status", "status", "created_at"),
        Index(
            "ix_events_import",
            "import_id",
            "status",
            sqlite_where=text("import_id IS NOT NULL"),
            postgresql_where=text("import_id IS NOT NULL"),
        ),
        Index(
            "ix_events_undoes",
            "undoes",
            sqlite_where=text("undoes IS NOT NULL"),
            postgresql_where=text("undoes IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    app_id: Mapped[UUID | None] = mapped_column(ForeignKey("apps.id", ondelete="SET NULL"))
    kind: Mapped[Word]
    status: Mapped[str] = mapped_column(String(16))
    inference: Mapped[Word | None]
    input: Mapped[dict[str, Any] | None] = mapped_column(Json)
    results: Mapped[list[dict[str, Any]]] = mapped_column(Json, default=list)
    error: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    undoes: Mapped[UUID | None]  # the receipt whose changes this one took back
    import_id: Mapped[UUID | None]  # the import that this is a piece of
    leased_until: Mapped[Time | None]
    worker: Mapped[Name | None]
    dismissed_at: Mapped[Time | None]  # a failed one that somebody does not want to see again; it can be tried still
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class SessionMessage(Base):
    """A raw turn of a conversation. If each turn is remembered as well, its memory has the same id.

    Attributes:
        seq: its place in the session, as it was sent or counted; NULL where no conversation was sent.
        content_hash: of session, role and content, where a turn that is sent again is the same turn.
        event_id: the receipt of the add that brought it.
    """

    __tablename__ = "session_messages"
    __table_args__ = (
        Index("ix_session_messages_run_id", "user_id", "run_id", "created_at"),
        Index("ix_session_messages_hash", "user_id", "content_hash", unique=True),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    app_id: Mapped[UUID | None] = mapped_column(ForeignKey("apps.id", ondelete="SET NULL"))
    agent_id: Mapped[Name | None]
    run_id: Mapped[Name | None]
    role: Mapped[Word]
    author: Mapped[Name | None]
    content: Mapped[str] = mapped_column(Text)
    metadata_: Mapped[Object] = mapped_column("metadata")
    source: Mapped[Name | None]
    tags: Mapped[Strings]
    seq: Mapped[int | None]
    content_hash: Mapped[str | None] = mapped_column(String(64))
    event_id: Mapped[UUID | None]
    created_at: Mapped[Created]


class ImportTask(Base):
    """A file that was taken in: `total` pieces, each an add of its own that is left to the worker.

    How far it is, the receipts of those adds say. `error` is why nothing of it could be taken in.

    Attributes:
        kind: what the file was: mem9's `memory` and `session`, else a name of `import_formats.FORMATS`.
        details: what was read in it, in numbers; for a backup, which is one transaction, what it did.
        cancelled_at: when what had not been begun was called off.
    """

    __tablename__ = "import_tasks"
    __table_args__ = (Index("ix_import_tasks_user_id", "user_id", "created_at"),)

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    app_id: Mapped[UUID | None] = mapped_column(ForeignKey("apps.id", ondelete="SET NULL"))
    kind: Mapped[Word]
    filename: Mapped[Name]
    total: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    details: Mapped[Object]
    cancelled_at: Mapped[Time | None]
    created_at: Mapped[Created]
