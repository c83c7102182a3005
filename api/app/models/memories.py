"""What: the memory, its versions, its states, its categories."""

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Json, Name, Object, Strings, Time, Updated, Word


class State(StrEnum):
    """Where a memory stands. Only `active` ones are indexed and shown to apps."""

    active = "active"
    paused = "paused"
    archived = "archived"
    deleted = "deleted"


def _partial(name: str, *columns: str, where: TextClause) -> Index:
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


# Literally so in queries, too: then both databases see that the partial index answers them. The state is wrapped, or
# SQLite takes an index over it and walks through all that is active.
UNEXAMINED = "coalesce(state, '') = 'active' AND examined_version {differs} version"
STATES = ", ".join(f"'{state}'" for state in State)


class Memory(Base):
    """One remembered thing. SQL is the truth; `indexed_at` is NULL until the index holds this version.

    `version` grows by one with every change, so it also tells whether a row changed while it was being embedded.
    """

    __tablename__ = "memories"
    __table_args__ = (
        CheckConstraint(f"state IN ({STATES})", name="state"),
        CheckConstraint("version >= 1", name="version"),
        Index("ix_memories_owner_state", "user_id", "state", "created_at", "id"),
        Index("ix_memories_owner", "user_id", "created_at", "id", "state"),
        Index("ix_memories_updated", "user_id", "updated_at", "id", "state"),
        Index("ix_memories_app", "app_id", "created_at", "id", "state"),
        Index("ix_memories_state", "state", "created_at", "id"),
        Index("ix_memories_created", "created_at", "id", "state"),
        Index("ix_memories_hash", "user_id", "content_hash"),
        Index("ix_memories_run", "user_id", "run_id", "occurred_at"),
        _partial(
            "ix_memories_turns", "user_id", "run_id", "created_at", "id", "state", where=text("run_id IS NOT NULL")
        ),
        _partial(
            "ix_memories_agent", "user_id", "agent_id", "created_at", "id", "state", where=text("agent_id IS NOT NULL")
        ),
        _partial("ix_memories_unindexed", "id", where=text("indexed_at IS NULL")),
        # Empty but for what the review has not looked at yet: a change brings a row in, without a write of its own.
        Index(
            "ix_memories_unexamined",
            "user_id",
            "id",
            sqlite_where=text(UNEXAMINED.format(differs="IS NOT")),
            postgresql_where=text(UNEXAMINED.format(differs="IS DISTINCT FROM")),
        ),
        _partial("ix_memories_expiring", "user_id", "expires_at", "id", where=text("expires_at IS NOT NULL")),
        # For the worker, which asks for everybody's: what is to expire next, and what is to be purged next.
        _partial("ix_memories_expires_at", "expires_at", "id", where=text("expires_at IS NOT NULL")),
        _partial("ix_memories_deleted_at", "deleted_at", "id", where=text("deleted_at IS NOT NULL")),
        # Without it the database looks through all memories for what the one superseded that is purged.
        _partial("ix_memories_superseded_by", "superseded_by", where=text("superseded_by IS NOT NULL")),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    app_id: Mapped[UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"))
    agent_id: Mapped[Name | None]
    run_id: Mapped[Name | None]
    author: Mapped[Name | None]
    content: Mapped[str] = mapped_column(Text)
    content_hash: Mapped[str] = mapped_column(String(64))
    memory_type: Mapped[Word] = mapped_column(default="insight")
    state: Mapped[str] = mapped_column(String(16), default=State.active)
    metadata_: Mapped[Object] = mapped_column("metadata")
    tags: Mapped[Strings]
    priority: Mapped[Word | None]
    source: Mapped[Name | None]
    updated_by: Mapped[Name | None]  # the agent that last wrote it, where the door says which
    provenance: Mapped[dict[str, Any] | None] = mapped_column(Json)  # of one that a model wrote: from what, with which
    version: Mapped[int] = mapped_column(default=1)
    superseded_by: Mapped[UUID | None] = mapped_column(ForeignKey("memories.id", ondelete="SET NULL"))
    occurred_at: Mapped[Time | None]
    expires_at: Mapped[Time | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Created]  # set by the verbs alone: marking a row as indexed is no change of the memory
    archived_at: Mapped[Time | None]
    deleted_at: Mapped[Time | None]
    indexed_at: Mapped[Time | None]
    examined_version: Mapped[int | None]  # which version the review has looked at (services.examinations)


class MemoryVersion(Base):
    """What a memory said after each change."""

    __tablename__ = "memory_versions"
    __table_args__ = (UniqueConstraint("memory_id", "version"),)

    id: Mapped[Id]
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"))
    version: Mapped[int]
    event: Mapped[Word]
    content: Mapped[str] = mapped_column(Text)
    metadata_: Mapped[Object] = mapped_column("metadata")
    state: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[Time | None]
    labels: Mapped[dict[str, Any] | None] = mapped_column(Json)  # what a labelling added and took off
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[Created]


class StatusChange(Base):
    """One step of a memory between two states."""

    __tablename__ = "memory_status_history"
    __table_args__ = (Index("ix_memory_status_history_memory_id", "memory_id", "changed_at"),)

    id: Mapped[Id]
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"))
    old_state: Mapped[str] = mapped_column(String(16))
    new_state: Mapped[str] = mapped_column(String(16))
    changed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    changed_at: Mapped[Created]


class Category(Base):
    """A topic of one owner's memories."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[Name]
    description: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


memory_categories = Table(
    "memory_categories",
    Base.metadata,
    Column("memory_id", ForeignKey("memories.id", ondelete="CASCADE"), primary_key=True),
    Column("category_id", ForeignKey("categories.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_memory_categories_category_id", "category_id", "memory_id"),
)


# The tags of memories that are not deleted, one row each, so that they can be counted; triggers on `memories` keep it.
memory_tags = Table(
    "memory_tags",
    Base.metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("tag", String(255), primary_key=True),
    Column("memory_id", ForeignKey("memories.id", ondelete="CASCADE"), primary_key=True),
    Index("ix_memory_tags_memory_id", "memory_id"),
    Index("ix_memory_tags_tag", "tag", "memory_id"),
    sqlite_with_rowid=False,
)


class MemoryTally(Base):
    """How many memories an owner has by app and state; kept by triggers on `memories`, so that no page has to count.

    `changes` only grows: with each memory that comes, goes or takes another place. While an owner's sum of them stays
    the same, each of the owner's memories stands where it stood in every list by creation.
    """

    __tablename__ = "memory_tallies"
    __table_args__ = (Index("ix_memory_tallies_app_id", "app_id"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    app_id: Mapped[UUID] = mapped_column(ForeignKey("apps.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
    changes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
