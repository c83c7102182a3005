"""mem0's `get_all`, its hosted export, and a bare list of the same: records with `memory`."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.services import drafts
from app.services.import_formats.items import Item, labels, name, record

NAME, LABEL, APP = "mem0", "mem0 export", "mem0"
KEPT = {"id": "mem0_id", "user_id": "mem0_user_id", "app_id": "mem0_app_id", "actor_id": "actor_id", "role": "role"}


def matches(section: str, record: Any) -> bool:
    """Whether it is a memory of mem0's."""
    return isinstance(record, Mapping) and isinstance(record.get("memory"), str)


def read(where: str, found: Any, about: Mapping[str, Any]) -> Iterator[Item]:
    """The memory with its dates, its session and its agent. Its id and its user become metadata."""
    own = found.get("metadata")
    metadata = {**own} if isinstance(own, Mapping) else {}
    for key, kept in KEPT.items():
        value = found.get(key)
        if value is not None and kept not in metadata:
            metadata[kept] = value
    yield record(
        where,
        found["memory"],
        metadata,
        tags=labels(metadata.get("tags")),
        categories=labels(found.get("categories") or metadata.get("categories")),
        created_at=found.get("created_at"),
        agent_id=name(found.get("agent_id")),
        run_id=name(found.get("run_id")),
        expires_at=drafts.expiry(found.get("expiration_date")),
    )
