"""What the review found in memories, and what somebody decided about it."""

from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base
from app.models.columns import Created, Id, Object, Time, Word

PAIRED, SINGLE = text("other_id IS NOT NULL"), text("other_id IS NULL")
OPEN, RESOLVED = text("resolved_at IS NULL"), text("resolved_at IS NOT NULL")


class Finding(Base):
    """A pair of memories that say the same or contradict each other, or a memory that holds a secret.

    It is about what they said then: the hashes tell whether they say it still. `detail` has no text of a memory.

    Attributes:
        memory_id: of a pair the one with the smaller id, which is the older one but for imported ids.
        score: the cosine of a pair, 0 to 1.
        event_id: the receipt of what was done to resolve it.
    """

    __tablename__ = "findings"
    __table_args__ = (
        CheckConstraint("kind IN ('duplicate', 'contradiction', 'secret')", name="kind"),
        CheckConstraint("resolution IN ('keep', 'merge', 'delete', 'redact')", name="resolution"),
        Index("ix_findings_pair", "memory_id", "other_id", unique=True, sqlite_where=PAIRED, postgresql_where=PAIRED),
        Index("ix_findings_single", "memory_id", unique=True, sqlite_where=SINGLE, postgresql_where=SINGLE),
        Index("ix_findings_other_id", "other_id", sqlite_where=PAIRED, postgresql_where=PAIRED),
        Index("ix_findings_open", "user_id", "kind", "created_at", "id", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_findings_resolved", "user_id", "resolved_at", "id", sqlite_where=RESOLVED, postgresql_where=RESOLVED),
    )

    id: Mapped[Id]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[Word]
    memory_id: Mapped[UUID] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"))
    other_id: Mapped[UUID | None] = mapped_column(ForeignKey("memories.id", ondelete="CASCADE"))
    memory_hash: Mapped[str] = mapped_column(String(64))
    other_hash: Mapped[str | None] = mapped_column(String(64))
    score: Mapped[float | None]
    detail: Mapped[Object]
    created_at: Mapped[Created]
    resolved_at: Mapped[Time | None]
    resolution: Mapped[Word | None]
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    event_id: Mapped[UUID | None]
