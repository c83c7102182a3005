"""Space chains: several spaces, in an order, behind one key."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Name, Time, Updated


class SpaceChain(Base):
    """An ordered list of spaces. Writes go to the first, reads walk them all."""

    __tablename__ = "space_chains"

    id: Mapped[Id]
    name: Mapped[Name]
    description: Mapped[str | None] = mapped_column(Text)
    project_id: Mapped[Name | None]
    created_by_user_id: Mapped[Name | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]
    deleted_at: Mapped[Time | None]


class ChainNode(Base):
    """A space in a chain, and the key that let it in: what that key may, the chain may there, and no longer.

    Without a key an admin let it in; then the chain may read and write there.
    """

    __tablename__ = "space_chain_nodes"
    __table_args__ = (UniqueConstraint("chain_id", "position"), Index("ix_space_chain_nodes_user_id", "user_id"))

    id: Mapped[Id]
    chain_id: Mapped[UUID] = mapped_column(ForeignKey("space_chains.id", ondelete="CASCADE"))
    position: Mapped[int]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"))
    external_space_id: Mapped[Name | None]
    display_name: Mapped[Name | None]
    created_at: Mapped[Created]


class ChainKey(Base):
    """A key of a chain: only the hash of its 256 random bits is kept, and its ends to know it by."""

    __tablename__ = "space_chain_keys"
    __table_args__ = (Index("ix_space_chain_keys_chain_id", "chain_id", "created_at"),)

    id: Mapped[Id]
    chain_id: Mapped[UUID] = mapped_column(ForeignKey("space_chains.id", ondelete="CASCADE"))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    preview: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[Created]
    disabled_at: Mapped[Time | None]
