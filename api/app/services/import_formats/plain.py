"""Plain JSON: texts, or objects with a text under one of the usual names."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.services.import_formats.items import Item, labels, name, record

NAME, LABEL, APP = "json", "JSON", "import"
TEXT = ("text", "content", "memory", "fact", "note", "value", "summary")
CREATED = ("created_at", "createdAt", "timestamp", "date", "time")
KNOWN = {"created_at", "createdAt", "tags", "categories", "category", "metadata", "metadata_", "agent_id", "source"}


def text_of(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """The name under which the object's text is, and the text."""
    found = ((key, record[key]) for key in TEXT if isinstance(record.get(key), str))
    return next(found, None)


def matches(section: str, record: Any) -> bool:
    """Whether there is a text."""
    return isinstance(record, str) or (isinstance(record, Mapping) and text_of(record) is not None)


def read(where: str, found: Any, about: Mapping[str, Any]) -> Iterator[Item]:
    """The memory; what we do not know of it becomes metadata."""
    if isinstance(found, str):
        yield record(where, found)
        return
    key, text = text_of(found) or ("", None)
    own = found.get("metadata") or found.get("metadata_")
    aside = {name: value for name, value in found.items() if name not in KNOWN and name != key}
    metadata = {**aside, **(own if isinstance(own, Mapping) else {})}
    yield record(
        where,
        text,
        metadata,
        tags=labels(found.get("tags")),
        categories=labels(found.get("categories") or found.get("category")),
        created_at=next((found[one] for one in CREATED if found.get(one)), None),
        agent_id=name(found.get("agent_id")),
        source=name(found.get("source")),
    )
