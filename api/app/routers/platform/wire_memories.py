"""Memories, lists and histories in the hosted mem0's shapes. Pure: no FastAPI, no I/O."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.routers.platform import wire
from app.routers.platform.fields import End, Named, Narrowed, Object, Page, Time
from app.services.chains import Link
from app.services.memories import Edit
from app.services.views import Listing, MemoryView, Window

Item = TypeVar("Item")

PAGE_SIZE = 100
MOST = 1_000  # memories of a list that has no pages


class Paging(BaseModel):
    """`?page=&page_size=`; the older paths have no pages without them."""

    model_config = ConfigDict(extra="ignore")

    page: Page | None = None
    page_size: int | None = Field(None, ge=1, le=MOST)

    @property
    def is_asked(self) -> bool:
        """Whether anybody asked for pages."""
        return self.page is not None or self.page_size is not None

    def window(self, usual: int = PAGE_SIZE) -> Window:
        """The piece of the list that the page is."""
        size = self.page_size or usual
        return Window(size, ((self.page or 1) - 1) * size)


class ListRequest(Narrowed, Paging):
    """What a list is narrowed to, and its page."""

    limit: int | None = Field(None, ge=1, le=MOST, description="Of a list that has no pages.")
    top_k: int | None = Field(None, ge=1, le=MOST, description="The same.")
    latest_only: bool = False

    def paged(self, paging: Paging) -> Self:
        """With the page that the query asks for, if it does."""
        asked = {name: value for name, value in paging.model_dump().items() if value is not None}
        return self.model_copy(update=asked)

    @property
    def piece(self) -> Window:
        """What a list without pages shows."""
        return self.window() if self.is_asked else Window(self.limit or self.top_k or MOST)


class DeleteRequest(Named):
    """DELETE /v1/memories/: what is to be deleted; a slip of the pen is not everything."""

    @model_validator(mode="after")
    def names_something(self) -> Self:
        """Refuse to delete without being told what."""
        if not self.which and not any(self.identifiers.values()):
            raise ValueError("give user_id, agent_id, app_id, run_id or filters")
        return self


class MemoryUpdate(BaseModel):
    """PUT /v1/memories/{id}/; what is not sent stays as it is."""

    text: str | None = None
    metadata: Object | None = None
    timestamp: Time = None
    expiration_date: End = None

    def edit(self) -> Edit:
        """What is to be changed; an `expiration_date` of null is never."""
        until = self.expiration_date if "expiration_date" in self.model_fields_set else ...
        return Edit(self.text, until, self.metadata, occurred_at=self.timestamp)

    @model_validator(mode="after")
    def says_something(self) -> Self:
        """Refuse a change of nothing."""
        if not self.model_fields_set & {"text", "metadata", "timestamp", "expiration_date"}:
            raise ValueError("give text, metadata, timestamp or expiration_date")
        return self


def day_of(until: datetime | None) -> str | None:
    """The last day on which it is valid: a memory expires at the end of a day."""
    return None if until is None else (until - timedelta(microseconds=1)).date().isoformat()


def memory(view: MemoryView) -> dict[str, Any]:
    """One memory."""
    return {
        "id": str(view.id),
        "memory": view.content,
        "user_id": view.user_id,
        "agent_id": view.agent_id,
        "app_id": view.app_name,
        "run_id": view.run_id,
        "actor_id": view.author,
        "hash": hashlib.md5(view.content.encode(), usedforsecurity=False).hexdigest(),
        "metadata": view.metadata,
        "categories": view.categories,
        "immutable": view.memory_type == "pinned",
        "expiration_date": day_of(view.expires_at),
        "created_at": view.created_at.isoformat(),
        "updated_at": view.updated_at.isoformat(),
    }


def updated(view: MemoryView) -> dict[str, Any]:
    """The answer to a change: the memory, its text under both names that clients know."""
    return {**memory(view), "text": view.content}


def listed(found: Listing[MemoryView], asked: ListRequest, url: str) -> Any:
    """The answer to an older list: the memories alone, an object with `results`, or a page if one was asked for."""
    shown = [wire.only(asked.fields, memory(view)) for view in found.items]
    if asked.is_asked:
        return page(Listing(shown, found.total), asked.window(), url, lambda one: one)
    return wrapped(shown, asked)


def listed_page(found: Listing[MemoryView], asked: ListRequest, url: str) -> dict[str, Any]:
    """The answer to a list of version 3: always a page."""
    return page(found, asked.window(), url, lambda view: wire.only(asked.fields, memory(view)))


def wrapped(shown: list[dict[str, Any]], asked: Narrowed) -> Any:
    """Results as the older paths answer them."""
    if not (asked.is_wrapped or asked.enable_graph):
        return shown
    return {"results": shown, **({"relations": []} if asked.enable_graph else {})}


def page(found: Listing[Item], window: Window, url: str, shape: Callable[[Item], Any]) -> dict[str, Any]:
    """A page: how many there are in all, where the pages beside it are, and what is on it."""
    number = window.offset // window.limit + 1
    last = -(-found.total // window.limit)
    return {
        "count": found.total,
        "next": _other(url, number + 1, window.limit) if number < last else None,
        "previous": _other(url, number - 1, window.limit) if number > 1 else None,
        "results": [shape(item) for item in found.items],
    }


def _other(url: str, number: int, size: int) -> str:
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("page", "page_size")]
    query = urlencode([*kept, ("page", number), ("page_size", size)])
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/", query=query))


def history(links: Sequence[Link]) -> list[dict[str, Any]]:
    """Every change, oldest first, with the text before it and after it."""
    return [_link(link) for link in links]


def _link(link: Link) -> dict[str, Any]:
    return {
        "id": str(link.id),
        "memory_id": str(link.memory_id),
        "input": [],
        "old_memory": link.old,
        "new_memory": link.new,
        "user_id": link.owner,
        "event": link.event,
        "metadata": link.metadata,
        "categories": [],
        "created_at": link.created_at.isoformat(),
        "updated_at": (link.updated_at or link.created_at).isoformat(),
    }
