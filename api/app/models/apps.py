"""Through what: the clients that write and read memories, and what each may see."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Name, Object, Strings, Time, Updated, Word


class App(Base):
    """A client of one owner. The three access figures are kept by a trigger on `app_accesses`."""

    __tablename__ = "apps"
    __table_args__ = (UniqueConstraint("owner_id", "name"),)

    id: Mapped[Id]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[Name]
    description: Mapped[str | None] = mapped_column(Text)
    metadata_: Mapped[Object] = mapped_column("metadata")
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    accessed_count: Mapped[int] = mapped_column(default=0)
    first_accessed_at: Mapped[Time | None]
    last_accessed_at: Mapped[Time | None]


class AccessControl(Base):
    """A rule: this subject may (not) see this object; an empty `object_id` means all of the kind."""

    __tablename__ = "access_controls"
    __table_args__ = (
        CheckConstraint("effect IN ('allow', 'deny')", name="effect"),
        Index("ix_access_controls_subject", "subject_type", "subject_id", "object_type", "object_id"),
        Index("ix_access_controls_object", "object_type", "object_id"),
    )

    id: Mapped[Id]
    subject_type: Mapped[Word]
    subject_id: Mapped[UUID | None]
    object_type: Mapped[Word]
    object_id: Mapped[UUID | None]
    effect: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[Created]


class Webhook(Base):
    """An address of the owner's that is told about events."""

    __tablename__ = "webhooks"
    __table_args__ = (Index("ix_webhooks_user_id", "user_id"),)

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    url: Mapped[str] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(String(255))
    events: Mapped[Strings]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
