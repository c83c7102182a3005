"""The embedded index: a copy of the truth that can be made again at any time. SQLite only.

Beside these tables lies `memory_terms`, an FTS5 table whose rowid is `memory_vectors.seq`; SQLAlchemy has no words
for it, so the migration creates it by hand.
"""

from uuid import UUID

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base

SQLITE_ONLY = {"info": {"dialect": "sqlite"}}


class MemoryVector(Base):
    """The vector of one memory: float32, unit length. `change` is the owner's counter when it was written."""

    __tablename__ = "memory_vectors"
    __table_args__ = (Index("ix_memory_vectors_owner_id", "owner_id", "model", "change"), SQLITE_ONLY)

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    memory_id: Mapped[UUID] = mapped_column(unique=True)
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
