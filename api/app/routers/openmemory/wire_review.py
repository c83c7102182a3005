"""What the review found, and what is decided about it, in JSON. Pure: no FastAPI, no I/O."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.routers.openmemory.fields import Name
from app.routers.openmemory.paging import Paging
from app.routers.openmemory.wire_history import Read, StepItem
from app.routers.openmemory.wire_memories import MemoryItem, item
from app.services.drafts import MAX_TEXT
from app.services.findings import Counts, Found
from app.services.resolutions import MOST, Choice, Resolved
from app.services.views import Listing

Kind = Literal["duplicate", "contradiction", "secret"]
Resolution = Literal["keep", "merge", "delete", "redact"]


class SecretItem(BaseModel):
    """Where in the memory's own text (characters) a secret stands, and what it seems to be; masked."""

    kind: str
    start: int
    end: int
    shown: str


class FindingItem(BaseModel):
    """Something to decide: a pair of memories, or one that holds a secret. Times carry their zone."""

    id: UUID
    user_id: str
    kind: Kind
    memory_id: UUID
    other_id: UUID | None
    memory: MemoryItem | None = Field(description="Null once it is deleted; masked where it holds a secret.")
    other: MemoryItem | None = Field(description="The newer one of a pair.")
    score: float | None = Field(description="Of a pair: the cosine, 0 to 1.")
    why: str | None = Field(description="`same words`, `other words`, `negation`, `value`, or a model's reason.")
    secrets: list[SecretItem]
    changes: list[StepItem] = Field(description="From the one text to the other.")
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: Resolution | None
    event_id: UUID | None = Field(description="The receipt of what was done.")


class FindingPage(BaseModel):
    """GET /review."""

    items: list[FindingItem]
    total: int
    page: int
    size: int
    pages: int


class OpenCounts(BaseModel):
    """How many of each kind wait for a decision."""

    duplicate: int
    contradiction: int
    secret: int


class ReviewCounts(BaseModel):
    """GET /review/counts."""

    open: OpenCounts
    failed: int = Field(description="Failed receipts that nobody dismissed.")
    examined: int = Field(description="Active memories that were looked at.")
    memories: int = Field(description="Active memories.")
    asks_llm: bool = Field(description="Whether a model is asked about contradictions, too.")


class ResolveRequest(BaseModel):
    """POST /review/{finding_id}/resolve."""

    action: Resolution
    survivor: UUID | None = Field(None, description="merge: which of the two stays, the newer one without it.")
    text: str | None = Field(None, max_length=MAX_TEXT, description="merge: what it is to say.")
    memory_ids: list[UUID] = Field([], max_length=2, description="delete: which of the two, or both.")
    is_for_good: bool = Field(
        False, description="redact: delete the memory and its versions, to be purged; keep the rest."
    )


class ResolveManyRequest(BaseModel):
    """POST /review/resolve."""

    finding_ids: list[UUID] = Field(min_length=1, max_length=MOST)
    action: Literal["keep", "merge", "redact"]


class UndoManyRequest(BaseModel):
    """POST /review/undo."""

    finding_ids: list[UUID] = Field(min_length=1, max_length=MOST)


class ScanRequest(BaseModel):
    """POST /review/scan."""

    user_id: Name | None = None


class ResolvedItem(Read):
    """The receipt of a decision, and what it did to each memory."""

    finding_id: UUID
    resolution: Resolution
    event_id: UUID
    results: list[dict[str, Any]]
    is_in_versions: bool = Field(description="Older versions hold still what was taken out, until they are purged.")


class ResolvedMany(BaseModel):
    """POST /review/resolve: one a finding."""

    items: list[ResolvedItem]


class Reopening(BaseModel):
    """The receipt of an undo; the finding is open again."""

    finding_id: UUID
    event_id: UUID


class Reopened(BaseModel):
    """POST /review/undo."""

    reopened: int


class Scanning(BaseModel):
    """POST /review/scan: so many memories are to be looked at again."""

    memories: int


def page(listing: Listing[Found], paging: Paging) -> FindingPage:
    """A page of findings."""
    pages = -(-listing.total // paging.size)
    items = [_finding(found) for found in listing.items]
    return FindingPage(items=items, total=listing.total, page=paging.page, size=paging.size, pages=pages)


def _finding(found: Found) -> FindingItem:
    names = set(FindingItem.model_fields) - {"memory", "other", "why", "secrets", "changes"}
    return FindingItem.model_validate(
        {name: getattr(found, name) for name in names}
        | {
            "memory": found.memory and item(found.memory),
            "other": found.other and item(found.other),
            "why": found.detail.get("why"),
            "secrets": found.detail.get("secrets", []),
            "changes": [{"op": step.op, "text": step.text} for step in found.changes],
        }
    )


def counts(found: Counts) -> ReviewCounts:
    """What waits."""
    return ReviewCounts(
        open=OpenCounts(**found.open),
        failed=found.failed,
        examined=found.examined,
        memories=found.memories,
        asks_llm=found.asks_llm,
    )


def choice(body: ResolveRequest) -> Choice:
    """As the service takes it."""
    return Choice(body.action, body.survivor, body.text, body.memory_ids, body.is_for_good)


def resolved(done: Resolved) -> ResolvedItem:
    """The receipt of a decision."""
    return ResolvedItem.model_validate(done)


def resolved_many(done: Sequence[Resolved]) -> ResolvedMany:
    """The receipts of many decisions."""
    return ResolvedMany(items=[resolved(one) for one in done])
