"""Memories, searches, histories and entities in mem0's shapes. Pure: no FastAPI, no I/O."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.errors import Invalid
from app.routers.mem0.fields import IDENTITY, Count, Identifier, Object
from app.routers.mem0.wire_adds import role_of
from app.services.chains import Link
from app.services.entities import Entity
from app.services.intakes import ROLE
from app.services.searches import Found, Query, Result
from app.services.views import Listing, MemoryView

DEFAULT_HITS = 20
SCORES = {"similarity": "semantic_score", "keyword": "bm25_score"}  # as mem0 calls them; others have our names


class SearchRequest(BaseModel):
    """POST /search."""

    query: str
    filters: Object = Field({}, description="Identifiers and metadata, in mem0's grammar.")
    user_id: Identifier = None
    agent_id: Identifier = None
    run_id: Identifier = None
    top_k: Count | None = Field(None, description="Most hits; 20 when absent.")
    limit: Count | None = Field(None, description="The same, as older clients call it.")
    threshold: Annotated[float | None, Field(ge=0, le=1)] = Field(None, description="Lower scores are left out.")
    explain: bool | None = Field(False, description="Say in `score_details` what each score is made of.")
    rerank: bool | None = Field(None, description="Ask the configured reranker for the order.")
    show_expired: bool | None = False

    @property
    def identifiers(self) -> dict[str, str | None]:
        """Those beside the filters."""
        return {"user_id": self.user_id, "agent_id": self.agent_id, "run_id": self.run_id}

    def asked(self) -> Query:
        """What to look for; the limit may be 0."""
        counts = (count for count in (self.top_k, self.limit, DEFAULT_HITS) if count is not None)
        return Query(
            text=self.query,
            limit=next(counts),
            threshold=self.threshold,
            explain=bool(self.explain),
            rerank=self.rerank,
            show_expired=bool(self.show_expired),
        )


class MemoryItem(BaseModel):
    """A memory; what it has not is not there. `hash` is the MD5 of its text."""

    id: UUID
    memory: str
    hash: str
    created_at: str
    updated_at: str
    user_id: str | None = None
    agent_id: str | None = None
    run_id: str | None = None
    actor_id: str | None = None
    role: str | None = None
    expiration_date: str | None = None
    metadata: dict[str, Any] | None = None


class Hit(MemoryItem):
    """A memory that a search found."""

    score: float
    score_details: dict[str, float | None] | None = None


class Memories(BaseModel):
    """A list of memories."""

    results: list[MemoryItem]


class Hits(BaseModel):
    """The answer to a search, best first."""

    results: list[Hit]


class Change(BaseModel):
    """One change of a memory."""

    id: UUID
    memory_id: UUID
    old_memory: str | None
    new_memory: str | None
    event: Literal["ADD", "UPDATE", "DELETE"]
    created_at: str
    updated_at: str | None
    is_deleted: bool
    actor_id: str | None
    role: str | None


class EntityItem(BaseModel):
    """A user, agent or run of whom memories are."""

    id: str
    type: str
    total_memories: int
    created_at: str
    updated_at: str


class Sentence(BaseModel):
    """An answer that is a sentence."""

    message: str


UPDATED = Sentence(message="Memory updated successfully!")
DELETED = Sentence(message="Memory deleted successfully")
ALL_DELETED = Sentence(message="All relevant memories deleted")
RESET = Sentence(message="All memories reset")
ENTITY_DELETED = Sentence(message="Entity deleted")


def said(sentence: Sentence, _: object) -> Sentence:
    """The sentence, once it is so."""
    return sentence


def item(view: MemoryView) -> MemoryItem:
    """A memory."""
    return MemoryItem.model_validate(_fields(view))


def memories(listing: Listing[MemoryView]) -> Memories:
    """A list of memories."""
    return Memories(results=[item(view) for view in listing.items])


def hits(result: Result, query: Query) -> Hits:
    """The answer to a search."""
    return Hits(results=[Hit.model_validate(_hit(hit, query)) for hit in result.hits])


def _hit(hit: Found, query: Query) -> dict[str, Any]:
    details = {} if hit.parts is None else {"score_details": _details(hit, hit.parts, query)}
    return {**_fields(hit.memory), "score": hit.score, **details}


def _details(hit: Found, parts: Mapping[str, float], query: Query) -> dict[str, float | None]:
    shares = {SCORES.get(name, name): value for name, value in parts.items()}
    return {**shares, "final_score": hit.score, "threshold": query.threshold}


def _fields(view: MemoryView) -> dict[str, Any]:
    role = role_of(view.metadata)
    promoted = IDENTITY | ({ROLE} if role else set())
    metadata = {key: value for key, value in view.metadata.items() if key not in promoted}
    fields = {
        "id": view.id,
        "memory": view.content,
        "hash": hashlib.md5(view.content.encode(), usedforsecurity=False).hexdigest(),
        "created_at": _time(view.created_at),
        "updated_at": _time(view.updated_at),
        "user_id": view.user_id,
        "agent_id": view.agent_id,
        "run_id": view.run_id,
        "actor_id": view.author,
        "role": role,
        "expiration_date": view.expires_at and _last_day(view.expires_at),
        "metadata": metadata or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _time(when: datetime) -> str:
    return when.astimezone(UTC).isoformat()


def _last_day(expires_at: datetime) -> str:
    """The last day on which it can be seen: what expires at midnight is not seen on the day that begins then."""
    return (expires_at.astimezone(UTC) - timedelta(microseconds=1)).date().isoformat()


def history(links: Sequence[Link]) -> list[Change]:
    """The changes of a memory."""
    return [_change(link) for link in links]


def _change(link: Link) -> Change:
    return Change(
        id=link.id,
        memory_id=link.memory_id,
        old_memory=link.old,
        new_memory=link.new,
        event=link.event,
        created_at=_time(link.created_at),
        updated_at=link.updated_at and _time(link.updated_at),
        is_deleted=link.event == "DELETE",
        actor_id=link.author,
        role=role_of(link.metadata),
    )


def entities(listing: Listing[Entity]) -> list[EntityItem]:
    """The users, agents and runs."""
    return [
        EntityItem(
            id=one.name,
            type=one.kind,
            total_memories=one.total,
            created_at=_time(one.created_at),
            updated_at=_time(one.updated_at),
        )
        for one in listing.items
    ]


def entity_type(name: str) -> str:
    """The type, if this protocol has it.

    Raises:
        Invalid: it has not.
    """
    if name not in ("user", "agent", "run"):
        raise Invalid("The type of an entity is user, agent or run")
    return name
