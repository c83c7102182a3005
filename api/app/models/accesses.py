"""Who read what: the access log, and its sums per app and memory."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Object, Time, Word


class AccessLog(Base):
    """One memory shown to one app once. A trigger adds each row to `app_accesses`."""

    __tablename__ = "access_logs"
    __table_args__ = (
        Index("ix_access_logs_memory_id", "memory_id", "accessed_at", "id"),
        Index("ix_access_logs_app_id", "app_id", "accessed_at"),
    )

    id: Mapped[Id]
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
    )

    app_id: Mapped[UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True)
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"), primary_key=True)
    access_count: Mapped[int] = mapped_column(default=1)
    first_accessed_at: Mapped[Time]
    last_accessed_at: Mapped[Time]
