"""What people allowed: clients that registered themselves by OAuth, what each may do for whom, and codes on the way."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Name, Object, Strings, Time


class OAuthClient(Base):
    """A client that registered itself; `metadata` is what it said of itself. Its secret is derived, not kept."""

    __tablename__ = "oauth_clients"
    __table_args__ = (Index("ix_oauth_clients_created_at", "created_at"),)

    id: Mapped[Id]
    name: Mapped[Name]
    metadata_: Mapped[Object] = mapped_column("metadata")
    created_at: Mapped[Created]


class Grant(Base):
    """What a user allowed a client: as which app, which scopes, at which address. Refresh tokens rotate.

    `key_id`: the key that the user signed in with to allow it; the grant does not outlive it.
    """

    __tablename__ = "oauth_grants"
    __table_args__ = (
        Index("ix_oauth_grants_user_id", "user_id", "created_at"),
        Index("ix_oauth_grants_client_id", "client_id"),
        Index("ix_oauth_grants_app_id", "app_id"),
        Index("ix_oauth_grants_key_id", "key_id"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    client_id: Mapped[UUID] = mapped_column(ForeignKey("oauth_clients.id", ondelete="CASCADE"))
    app_id: Mapped[UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    scopes: Mapped[Strings]
    resource: Mapped[str] = mapped_column(Text)
    refresh_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[Created]
    last_used_at: Mapped[Time | None]
    expires_at: Mapped[Time]
    revoked_at: Mapped[Time | None]


class GrantCode(Base):
    """The way from a consent to the first tokens: good once, for a minute; only the hash is kept."""

    __tablename__ = "oauth_codes"
    __table_args__ = (Index("ix_oauth_codes_grant_id", "grant_id"),)

    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("oauth_grants.id", ondelete="CASCADE"))
    redirect_uri: Mapped[str] = mapped_column(Text)
    is_redirect_explicit: Mapped[bool]
    code_challenge: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[Time]
    used_at: Mapped[Time | None]
