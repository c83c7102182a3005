"""Who: people, and what they sign in with."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Name, Object, Strings, Time, Updated


class User(Base):
    """An owner of memories; `user_id` is the name that protocols carry."""

    __tablename__ = "users"

    id: Mapped[Id]
    user_id: Mapped[Name] = mapped_column(unique=True)
    name: Mapped[Name | None]
    email: Mapped[Name | None]
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_admin: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    metadata_: Mapped[Object] = mapped_column("metadata")
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class ApiKey(Base):
    """A credential of a program: only the hash of its 256 random bits is kept, and a prefix to know it by."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("ix_api_keys_user_id", "user_id", "created_at"),)

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    app_id: Mapped[UUID | None] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    label: Mapped[Name]
    prefix: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[Strings]
    created_at: Mapped[Created]
    last_used_at: Mapped[Time | None]
    expires_at: Mapped[Time | None]
    revoked_at: Mapped[Time | None]


class LoginSession(Base):
    """A person signed in; refresh tokens rotate, the hash of the last one is kept."""

    __tablename__ = "login_sessions"
    __table_args__ = (Index("ix_login_sessions_user_id", "user_id"),)

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    refresh_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_agent: Mapped[Name | None]
    created_at: Mapped[Created]
    last_used_at: Mapped[Time]
    expires_at: Mapped[Time]
    revoked_at: Mapped[Time | None]
