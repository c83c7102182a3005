"""Claude's export: `conversations.json`, `projects.json`, and what Claude remembers, as Markdown."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.services import drafts
from app.services.import_formats import markdown
from app.services.import_formats.items import Conversation, Item, Message, Problem, message, name, record, title

NAME, LABEL, APP = "claude", "Claude export", "claude"
ROLES = {"human": "user", "user": "user", "assistant": "assistant"}
MEMORY = ("conversations_memory", "memory")


def matches(section: str, record: Any) -> bool:
    """Whether it is a conversation, a project, or what is remembered."""
    if not isinstance(record, Mapping):
        return False
    is_project = isinstance(record.get("prompt_template"), str) and "uuid" in record
    return isinstance(record.get("chat_messages"), list) or is_project or _remembers(record)


def _remembers(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("conversations_memory"), str)


def read(where: str, record: Any, about: Mapping[str, Any]) -> Iterator[Item]:
    """The conversation; a project's description and instructions; each line of what is remembered."""
    if isinstance(record.get("chat_messages"), list):
        yield _conversation(where, record)
    elif _remembers(record):
        yield from _remembered(where, record)
    else:
        yield from _project(where, record)


def _conversation(where: str, found: Mapping[str, Any]) -> Item:
    said = [one for item in found["chat_messages"] if (one := _message(item)) is not None]
    id = name(found.get("uuid")) or name(found.get("id")) or name(found.get("name"))
    if not said or id is None:
        return Problem(where, "a conversation in which nobody says anything" if id else "a conversation without an id")
    return Conversation(where, id, title(found.get("name")), drafts.moment(found.get("created_at")), said)


def _message(found: Any) -> Message | None:
    if not isinstance(found, Mapping) or found.get("sender") not in ROLES:
        return None
    content = found.get("content")
    blocks = content if isinstance(content, list) else []
    texts = [
        block["text"]
        for block in blocks
        if isinstance(block, Mapping) and block.get("type") == "text" and isinstance(block.get("text"), str)
    ]
    whole = found.get("text")
    text = "\n".join(texts) or (whole if isinstance(whole, str) else "")
    return message(ROLES[found["sender"]], text, found.get("created_at"))


def _project(where: str, found: Mapping[str, Any]) -> Iterator[Item]:
    project = title(found.get("name"))
    for key in ("description", "prompt_template"):
        text = found.get(key)
        if isinstance(text, str) and text.strip():
            about = {"project": project, "part": key} if project else {"part": key}
            yield record(f"{where}.{key}", text, about, created_at=found.get("created_at"))


def _remembered(where: str, found: Mapping[str, Any]) -> Iterator[Item]:
    yield from markdown.read(f"{where}.conversations_memory", found["conversations_memory"])
    projects = found.get("project_memories")
    for id, text in projects.items() if isinstance(projects, Mapping) else ():
        if isinstance(text, str):
            yield from markdown.read(f"{where}.project_memories.{str(id)[:40]}", text)
