"""mem9's files of memories: `{"agent_id", "memories": [{"content", "tags", "metadata", ...}]}`."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.services import ingests
from app.services.import_formats.items import Item, labels, name, record

NAME, LABEL, APP = "mem9", "mem9 memory file", "mem9"
MAX_TYPE = 32


def matches(section: str, record: Any) -> bool:
    """Whether it is a memory of mem9's: others have no `agent_id`, `memory_type` or `tags` beside `content`."""
    if section != "memories" or not isinstance(record, Mapping) or not isinstance(record.get("content"), str):
        return False
    return bool({"memory_type", "tags", "agent_id", "session_id"} & record.keys())


def read(where: str, found: Any, about: Mapping[str, Any]) -> Iterator[Item]:
    """The memory with its tags, its type and its session."""
    kind = found.get("memory_type")
    metadata = found.get("metadata")
    yield record(
        where,
        found["content"],
        ingests.as_object(metadata),
        tags=labels(found.get("tags")),
        created_at=found.get("created_at"),
        agent_id=name(found.get("agent_id")) or name(about.get("agent_id")),
        run_id=name(found.get("session_id")) or name(about.get("session_id")),
        memory_type=kind if isinstance(kind, str) and 0 < len(kind) <= MAX_TYPE else None,
        source=name(found.get("source")),
    )
