"""Memories in mem9's shapes. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from app.database import now
from app.errors import Invalid
from app.routers.mem9.wire import filled, moment, source
from app.routers.reply import Reply
from app.services import drafts, ingests
from app.services.decisions import PINNED
from app.services.drafts import Draft
from app.services.inference import Learned
from app.services.ingests import About, Said
from app.services.recalls import Asked, Hit, Page
from app.services.space_edits import Changes
from app.services.views import Window

LIMIT, MOST = 10, 200
FURTHEST = 2**31
BOOTSTRAP, MOST_BOOTSTRAP = 20, 100
MOST_DELETED = 1_000
MAX_PARAMETER = 10_000  # characters
RANGES = {
    "created_after": ("created_at", "gte"),
    "created_before": ("created_at", "lte"),
    "updated_from": ("updated_at", "gte"),
    "updated_to": ("updated_at", "lte"),
}


class Message(BaseModel):
    """One message of a conversation."""

    role: str = ""
    content: str = ""
    seq: int | None = Field(None, ge=-(2**31), lt=2**31)


class Ingest(BaseModel):
    """POST /memories: a content or messages."""

    content: str | None = None
    messages: list[Message] | None = None
    memory_type: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    tags: list[str] | None = None
    metadata: Any = None
    mode: str | None = None
    sync: bool | None = None

    def checked(self) -> "Ingest":
        """This, if it is one of the two, with what belongs to it.

        Raises:
            Invalid: it is not.
        """
        has_content = bool(self.content and self.content.strip())
        if self.messages and has_content:
            raise Invalid("body: provide either content or messages, not both")
        if self.messages and self.memory_type:
            raise Invalid("memory_type: memory_type is only allowed with content, not messages")
        if not self.messages and not has_content:
            raise Invalid("content: content or messages required")
        if has_content and self.mode:
            raise Invalid("body: content mode does not accept mode")
        if has_content and self.memory_type and not self.is_pinned:
            raise Invalid(
                f'memory_type: unsupported value "{self.memory_type}"; only "pinned" is supported on the explicit '
                "content path"
            )
        if self.mode not in (None, "", "smart", "raw"):
            raise Invalid(f'mode: unsupported value "{self.mode}"; use "smart" or "raw"')
        return self

    @property
    def is_pinned(self) -> bool:
        """Whether it is to be stored as it is, and never changed by a model."""
        return self.memory_type == PINNED

    @property
    def is_later(self) -> bool:
        """Whether the worker is to do it."""
        return not self.sync

    @property
    def is_raw(self) -> bool:
        """Whether nothing is to be learned from the messages: they are kept and remembered as they were said."""
        return self.mode == "raw"

    def about(self) -> About:
        """What is said beside the words."""
        return About(self.agent_id, self.session_id, self.tags or (), self.metadata)

    def said(self) -> list[Said]:
        """The messages."""
        return [Said(one.role or "user", one.content, one.seq) for one in self.messages or ()]


class BulkItem(BaseModel):
    """One memory of a bulk create."""

    content: str = ""
    memory_type: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    source: str | None = None
    tags: list[str] | None = None
    metadata: Any = None


class Bulk(BaseModel):
    """POST /memories/bulk."""

    memories: list[BulkItem]

    def drafts(self, agent: str | None) -> list[Draft]:
        """What is to be stored.

        Raises:
            Invalid: there are too many, or one of them cannot be; the message says which.
        """
        if not 1 <= len(self.memories) <= ingests.AT_ONCE:
            raise Invalid(f"memories: 1 to {ingests.AT_ONCE} are stored at once")
        return [_draft(place, item, agent) for place, item in enumerate(self.memories)]


class Ids(BaseModel):
    """POST /memories/batch-delete."""

    ids: list[str] | None = None

    def wanted(self) -> list[UUID]:
        """The ids; what is none names nothing.

        Raises:
            Invalid: there are none, or too many.
        """
        given = [one.strip() for one in self.ids or () if one.strip()]
        if not given:
            raise Invalid("ids: required")
        if len(given) > MOST_DELETED:
            raise Invalid(f"ids: too many (max {MOST_DELETED})")
        return [found for one in given if (found := identifier(one))]


class Update(BaseModel):
    """PUT /memories/{id}."""

    content: str | None = None
    tags: list[str] | None = None
    metadata: Any = None

    def changes(self, match: str | None, is_strict: bool) -> Changes:
        """What is to be another.

        Raises:
            Invalid: a text or a tag is over its limit, or what must match is no version.
        """
        content = ingests.checked_content(self.content) if self.content else None
        tags = None if self.tags is None else ingests.checked_tags(self.tags)
        metadata = ingests.as_object(self.metadata) if "metadata" in self.model_fields_set else ...
        return Changes(content, tags, metadata, expected(match) if is_strict else None)


def _draft(place: int, item: BulkItem, agent: str | None) -> Draft:
    where = f"memories[{place}]"
    kind = item.memory_type or "insight"
    if kind not in ("insight", PINNED):
        raise Invalid(f'{where}.memory_type: unsupported value "{kind}"')
    try:
        template = About(item.agent_id, item.session_id, item.tags or (), item.metadata).template(agent)
        origin = ingests.named("source", item.source) or template.source
        content = ingests.checked_content(item.content)
    except Invalid as error:
        raise Invalid(f"{where}.{error}") from None
    return replace(template, content=content, memory_type=kind, source=origin)


def identifier(text: str) -> UUID | None:
    """The id of a memory; ids are opaque here, so what cannot be one is the id of nothing."""
    try:
        return UUID(text)
    except ValueError:
        return None


def expected(match: str | None) -> int | None:
    """The version that `If-Match` names, quoted or not; None if any will do.

    Raises:
        Invalid: it names none.
    """
    if match is None or match.strip() in ("", "*"):
        return None
    bare = match.strip().removeprefix("W/").strip('"')
    if not bare.isascii() or not bare.isdigit() or len(bare) > 9:
        raise Invalid("If-Match: must be a version")
    return int(bare)


def asked(query: Mapping[str, str]) -> Asked:
    """What the parameters of GET /memories ask for.

    Raises:
        Invalid: a time that is none, or a parameter of more than 10,000 characters.
    """
    for name, value in query.items():
        if len(value) > MAX_PARAMETER:
            raise Invalid(f"{name}: too long (max {MAX_PARAMETER})")
    window = Window(_limit(query.get("limit", ""), LIMIT, MOST), _whole(query.get("offset", "")) or 0)
    text = query.get("q", "").strip() or None
    return Asked(window, text, _fields(query), query.get("state") or "active", query.get("scanAll") == "true")


def _fields(query: Mapping[str, str]) -> dict[str, Any]:
    """The filters, in mem0's grammar; every value in a list, where `*` is no more than a star."""
    fields: dict[str, Any] = {}
    if tags := [tag for tag in query.get("tags", "").split(",") if tag]:
        fields["AND"] = [{"tags": [tag]} for tag in tags]
    if kinds := [kind for kind in query.get("memory_type", "").split(",") if kind]:
        fields["memory_type"] = kinds
    for name, field in (("source", "source"), ("agent_id", "agent_id"), ("session_id", "run_id")):
        if value := query.get(name):
            fields[field] = [value] if value == "*" or field != "run_id" else value
    for name, (field, operator) in RANGES.items():
        if value := query.get(name):
            fields.setdefault(field, {})[operator] = _time(name, value)
    return fields


def _time(name: str, value: str) -> str:
    # A plus sign in a query is a space.
    when = drafts.moment(value) or drafts.moment(value.replace(" ", "+"))
    if when is None:
        raise Invalid(f"{name}: must be an ISO 8601 time")
    return when.isoformat()


def _whole(text: str) -> int | None:
    bare = text.strip()
    return min(int(bare), FURTHEST) if bare.isascii() and bare.isdigit() and len(bare) < 20 else None


def _limit(text: str, default: int, most: int) -> int:
    return min(_whole(text) or default, most)


def bootstrap(query: Mapping[str, str]) -> Asked:
    """What GET /memories/bootstrap asks for."""
    return Asked(Window(_limit(query.get("limit", ""), BOOTSTRAP, MOST_BOOTSTRAP)))


def memory(hit: Hit, *, is_aged: bool = False) -> dict[str, Any]:
    """A memory, its keys in their order; what says nothing is left out."""
    view = hit.memory
    given = filled(
        {
            "source": view.source,
            "tags": view.tags,
            "metadata": ingests.as_sent(view.metadata),
            "agent_id": view.agent_id,
            "session_id": view.run_id,
            "updated_by": view.updated_by,
        }
    )
    told = {
        "score": None if hit.score is None else round(hit.score, 6),
        "confidence": None if hit.confidence is None else round(hit.confidence),
        "relative_age": relative_age(view.updated_at, now()) if is_aged else None,
        "chain_source": source(hit.source),
    }
    return {
        "id": str(view.id),
        "content": view.content,
        "memory_type": view.memory_type,
        **given,
        "state": view.state,
        "version": view.version,
        "created_at": moment(view.created_at),
        "updated_at": moment(view.updated_at),
        **filled(told),
    }


def page(found: Page) -> Reply:
    """The envelope of lists and recalls."""
    memories = [memory(hit, is_aged=True) for hit in found.hits]
    return Reply(
        200,
        {"memories": memories, "total": found.total, "limit": found.window.limit, "offset": found.window.offset},
    )


def briefing(found: Page) -> Reply:
    """The answer of GET /memories/bootstrap."""
    return Reply(200, {"memories": [memory(hit, is_aged=True) for hit in found.hits], "total": found.total})


def one(hit: Hit) -> Reply:
    """One memory."""
    return Reply(200, memory(hit))


def updated(hit: Hit) -> Reply:
    """A changed memory; the ETag is its version, without quotes."""
    return Reply(200, memory(hit), {"ETag": str(hit.memory.version)})


def created(hit: Hit) -> Reply:
    """A pinned memory."""
    return Reply(201, memory(hit))


def created_many(hits: Sequence[Hit]) -> Reply:
    """The memories of a bulk create, in the order in which they were sent."""
    return Reply(201, {"ok": True, "memories": [memory(hit) for hit in hits]})


def learned(done: Learned | None, is_later: bool) -> Reply:
    """What became of a write: 202 with its receipt if the worker does it. Without one, nothing was said."""
    if not is_later:
        return Reply(200, {"status": "ok"})
    return Reply(202, {"status": "accepted", **({} if done is None else {"id": str(done.event_id)})})


def deleted(count: int) -> Reply:
    """How many memories were deleted."""
    return Reply(200, {"deleted": count})


def relative_age(when: datetime, today: datetime) -> str:
    """How long ago in words: "just now", "1 hour ago", "3 weeks ago". A month has 30 days, and twelve are a year."""
    minutes = (today - when) // timedelta(minutes=1)
    hours, days = minutes // 60, minutes // 1440
    if minutes < 1:
        return "just now"
    if days < 1:
        return _ago(hours, "hour") if hours else _ago(minutes, "minute")
    if days < 30:
        return _ago(days // 7, "week") if days >= 7 else _ago(days, "day")
    return _ago(days // 30, "month") if days // 30 < 12 else _ago(max(1, days // 365), "year")


def _ago(count: int, unit: str) -> str:
    return f"{count} {unit}{'' if count == 1 else 's'} ago"
