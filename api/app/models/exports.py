"""What is to be exported, and in which form."""

from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Json, Object


class MemoryExport(Base):
    """A question that is kept, not its answer: that is made anew whenever it is read (decision 0026).

    `digest` is of what selects the memories, so that the last export of the same selection is found by it.
    """

    __tablename__ = "memory_exports"
    __table_args__ = (
        Index("ix_memory_exports_user_id", "user_id", "created_at"),
        Index("ix_memory_exports_digest", "user_id", "digest", "created_at"),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))
    identifiers: Mapped[Object]
    filters: Mapped[Object]
    form: Mapped[dict[str, Any] | None] = mapped_column(Json)  # a JSON schema, as it was sent
    instructions: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[Created]
