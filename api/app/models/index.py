"""The embedded index: a copy of the truth that can be made again at any time. SQLite only."""

from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base

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
