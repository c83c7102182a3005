"""Who read what: reads as they are noted, the access log, and its sums per app and memory, and by day."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, new_id
from app.models.columns import Created, Object, Strings, Time, Word


class AccessBatch(Base):
    """A read as it was answered: one row, whatever it showed. `access_logs.spread` makes it one log row a memory."""

    __tablename__ = "access_batches"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    access_type: Mapped[Word]
    accessed_at: Mapped[Created]
    metadata_: Mapped[Object] = mapped_column("metadata")
    memory_ids: Mapped[Strings]


class AccessLog(Base):
    """One memory shown to one app once. A trigger adds each row to `app_accesses`.

    A page of 50 memories is 50 rows here, so they lie in one tree, in the order in which they are read, with no index
    beside it: half the price of a table with three.
    """

    __tablename__ = "access_logs"
    __table_args__ = (PrimaryKeyConstraint("memory_id", "accessed_at", "id"), {"sqlite_with_rowid": False})

    id: Mapped[UUID] = mapped_column(default=new_id)
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"))
    app_id: Mapped[UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    access_type: Mapped[Word]
    accessed_at: Mapped[Created]
    metadata_: Mapped[Object] = mapped_column("metadata")


class AppAccess(Base):
    """How often and when an app read a memory; kept by a trigger on `access_logs`."""

    __tablename__ = "app_accesses"
    __table_args__ = (
        Index("ix_app_accesses_app_id", "app_id", "access_count", "memory_id"),
        Index("ix_app_accesses_memory_id", "memory_id"),
        {"sqlite_with_rowid": False},
    )

    app_id: Mapped[UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True)
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"), primary_key=True)
    access_count: Mapped[int] = mapped_column(default=1)
    first_accessed_at: Mapped[Time]
    last_accessed_at: Mapped[Time]


class AppDay(Base):
    """What an app did on a day, UTC: how often it read, how many memories it was shown, how often its own changed.

    Reads are added when they are spread over the log, writes by a trigger on `memory_versions`. Nothing is ever taken
    off: it was so on that day, whatever became of the memories.
    """

    __tablename__ = "app_days"
    __table_args__ = (
        PrimaryKeyConstraint("user_id", "day", "app_id"),
        Index("ix_app_days_day", "day"),
        Index("ix_app_days_app_id", "app_id", "day"),
        {"sqlite_with_rowid": False},
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    day: Mapped[date]
    app_id: Mapped[UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    reads: Mapped[int] = mapped_column(default=0, server_default="0")
    shown: Mapped[int] = mapped_column(default=0, server_default="0")
    writes: Mapped[int] = mapped_column(default=0, server_default="0")
