"""The index beside the memories, a copy of the truth that can be made again; and how making it again is going."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Name, Time, Updated, Vector

# What a table, a column or an index is on only one of the databases says so: Alembic leaves it alone on the other.
ON_SQLITE = {"dialect": "sqlite"}
ON_POSTGRESQL = {"dialect": "postgresql"}


class MemoryVector(Base):
    """One model's vector of one memory, unit length: float32 on SQLite, pgvector's type on PostgreSQL.

    `change` is the owner's counter when it was written. PostgreSQL has neither that nor `seq`: nothing is held in
    memory there, and its key is the memory and the model.
    """

    __tablename__ = "memory_vectors"
    __table_args__ = (
        UniqueConstraint("memory_id", "model", info=ON_SQLITE),
        Index("ix_memory_vectors_owner_id", "owner_id", "model", "change", info=ON_SQLITE),
        Index("ix_memory_vectors_owner_model", "owner_id", "model", info=ON_POSTGRESQL),
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True, info=ON_SQLITE)
    memory_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    model: Mapped[str] = mapped_column(String(255))
    change: Mapped[int] = mapped_column(info=ON_SQLITE)
    vector: Mapped[Any] = mapped_column(LargeBinary().with_variant(Vector(), "postgresql"))


class VectorOwner(Base):
    """An owner's change counter: a process whose copy is older than this reads what is newer."""

    __tablename__ = "vector_owners"
    __table_args__ = ({"info": ON_SQLITE},)

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    change: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)


class MemoryTerms(Base):
    """The analysed text of one memory (`app.engine.text.terms`): on SQLite one space between two terms, on PostgreSQL a
    tsvector whose positions count how often each is said, and its `length`."""

    __tablename__ = "memory_terms"
    __table_args__ = (
        Index("ix_memory_terms_owner_id", "owner_id", "change", info=ON_SQLITE),
        Index("ix_memory_terms_owner", "owner_id", postgresql_include=["length"], info=ON_POSTGRESQL),
        Index(
            "ix_memory_terms_terms",
            "terms",
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
            info=ON_POSTGRESQL,
        ),
    )

    memory_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    change: Mapped[int] = mapped_column(info=ON_SQLITE)
    length: Mapped[int] = mapped_column(info=ON_POSTGRESQL)
    terms: Mapped[str] = mapped_column(Text().with_variant(TSVECTOR(), "postgresql"))


class WordOwner(Base):
    """As `VectorOwner`, for the words."""

    __tablename__ = "word_owners"
    __table_args__ = ({"info": ON_SQLITE},)

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    change: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)


class MemoryTokens(Base):
    """One model's token vectors of one memory (`app.engine.late`): 64 signed bytes a token."""

    __tablename__ = "memory_tokens"

    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(String(255), primary_key=True)
    tokens: Mapped[bytes] = mapped_column(LargeBinary)


class IndexBuild(Base):
    """An index that is made beside the one that serves, after the embedder or the vector store was changed.

    `cursor` is the last memory of the pass at hand, `since` when the pass before it began: None in the first, which
    takes all. The process that works on it holds a lease.
    """

    __tablename__ = "index_builds"
    __table_args__ = (
        CheckConstraint("status IN ('RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')", name="status"),
        Index("ix_index_builds_status", "status", "created_at"),
    )

    id: Mapped[Id]
    identity: Mapped[Name]
    model: Mapped[Name]
    status: Mapped[str] = mapped_column(String(16))
    total: Mapped[int] = mapped_column(default=0)
    done: Mapped[int] = mapped_column(default=0)
    cursor: Mapped[UUID | None]
    since: Mapped[Time | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
    worker: Mapped[Name | None]
    leased_until: Mapped[Time | None]
    created_at: Mapped[Created]
    updated_at: Mapped[Updated]


class IndexClaim(Base):
    """A pending memory that a sweep is at, so that no other process embeds it too."""

    __tablename__ = "index_claims"

    memory_id: Mapped[UUID] = mapped_column(primary_key=True)
    worker: Mapped[Name]
    until: Mapped[Time]
