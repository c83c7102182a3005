"""The embedded index (SQLite only), a copy of the truth that can be made again; and how making it again is going."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Name, Time, Updated

SQLITE_ONLY = {"info": {"dialect": "sqlite"}}


class MemoryVector(Base):
    """One model's vector of one memory: float32, unit length. `change` is the owner's counter when it was written."""

    __tablename__ = "memory_vectors"
    __table_args__ = (
        UniqueConstraint("memory_id", "model"),
        Index("ix_memory_vectors_owner_id", "owner_id", "model", "change"),
        SQLITE_ONLY,
    )

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    memory_id: Mapped[UUID]
    owner_id: Mapped[UUID]
    model: Mapped[str] = mapped_column(String(255))
    change: Mapped[int]
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class VectorOwner(Base):
    """An owner's change counter: a process whose copy is older than this reads what is newer."""

    __tablename__ = "vector_owners"
    __table_args__ = (SQLITE_ONLY,)

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    change: Mapped[int] = mapped_column(default=0)
    removed: Mapped[int] = mapped_column(default=0)


class MemoryTerms(Base):
    """The analysed text of one memory (`app.engine.text.terms`), one space between two terms."""

    __tablename__ = "memory_terms"
    __table_args__ = (Index("ix_memory_terms_owner_id", "owner_id", "change"), SQLITE_ONLY)

    memory_id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID]
    change: Mapped[int]
    terms: Mapped[str] = mapped_column(Text)


class WordOwner(Base):
    """As `VectorOwner`, for the words."""

    __tablename__ = "word_owners"
    __table_args__ = (SQLITE_ONLY,)

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
