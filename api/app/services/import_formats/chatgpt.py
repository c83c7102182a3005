"""ChatGPT's `conversations.json`: each conversation is a tree of messages, and `current_node` the end of its branch."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.services import drafts
from app.services.import_formats.items import SPEAKING, Conversation, Item, Message, Problem, message, name, title

NAME, LABEL, APP = "chatgpt", "ChatGPT export", "chatgpt"
SPOKEN = ("text", "multimodal_text")


def matches(section: str, record: Any) -> bool:
    """Whether it is a conversation with a tree."""
    return isinstance(record, Mapping) and isinstance(record.get("mapping"), Mapping)


def read(where: str, record: Any, about: Mapping[str, Any]) -> Iterator[Item]:
    """The conversation, of the branch that was read last."""
    said = [one for node in _branch(record) if (one := _message(node.get("message"))) is not None]
    id = name(record.get("conversation_id")) or name(record.get("id")) or name(record.get("title"))
    if not said or id is None:
        yield Problem(where, "a conversation in which nobody says anything" if id else "a conversation without an id")
        return
    yield Conversation(where, id, title(record.get("title")), drafts.moment(record.get("create_time")), said)


def _branch(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The nodes from the root to the current one; in the order of their times where the tree does not hold."""
    nodes, path = record["mapping"], []
    place, seen = record.get("current_node"), set[str]()
    while isinstance(place, str) and place not in seen and isinstance(nodes.get(place), Mapping):
        seen.add(place)
        path.append(nodes[place])
        place = nodes[place].get("parent")
    if path:
        return path[::-1]
    return sorted((node for node in nodes.values() if isinstance(node, Mapping)), key=_time)


def _time(node: Mapping[str, Any]) -> float:
    message = node.get("message")
    when = message.get("create_time") if isinstance(message, Mapping) else None
    return float(when) if isinstance(when, int | float) else 0.0


def _message(found: Any) -> Message | None:
    if not isinstance(found, Mapping):
        return None
    author, content, metadata = (
        one if isinstance(one := found.get(key), Mapping) else {} for key in ("author", "content", "metadata")
    )
    is_hidden = metadata.get("is_visually_hidden_from_conversation") is True
    is_to_all = found.get("recipient") in (None, "all")  # else it is a call of a tool
    if author.get("role") not in SPEAKING or is_hidden or not is_to_all:
        return None
    if content.get("content_type", "text") not in SPOKEN:
        return None
    parts = content.get("parts")
    texts = [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []
    return message(author["role"], "\n".join(texts), found.get("create_time"))
