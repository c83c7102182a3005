"""Uploaded files of memories or of sessions, read: what they hold, in pieces that are taken in one by one. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.errors import Invalid
from app.services import ingests
from app.services.drafts import MAX_TEXT, Draft, checked_characters, checked_text
from app.services.ingests import About, Said
from app.services.intakes import Intake

MEMORIES_A_PIECE = 100
MESSAGES_A_PIECE = 50
MAX_TYPE = 32


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a file holds: drafts to be stored, or conversations to be learned from."""

    drafted: list[list[Draft]] = field(default_factory=list)
    conversations: list[Intake] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many pieces there are."""
        return len(self.drafted) + len(self.conversations)


def read(kind: str, data: bytes, agent_id: str | None, session_id: str | None) -> Pieces:
    """The pieces of a file of `memory` or of `session`.

    Raises:
        Invalid: it holds nothing, or something that cannot be stored; the message says what.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"parse {kind} file: not UTF-8 text") from None
    try:
        return _session(text, agent_id, session_id) if kind == "session" else _memory(text, agent_id, session_id)
    except RecursionError:
        raise Invalid(f"parse {kind} file: nested too deeply") from None
    except Invalid as error:
        raise Invalid(f"parse {kind} file: {error}") from None


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _memory(text: str, agent_id: str | None, session_id: str | None) -> Pieces:
    """An object with `memories`; anything else is one memory as it is written."""
    found = _object(text)
    items = found.get("memories") if found else None
    if not isinstance(items, list):
        content = checked_text(text)
        template = About(agent_id, session_id).template(None)
        return Pieces([[replace(template, content=content)]])
    if not items:
        raise Invalid("no memories found in file")
    named = str(found["agent_id"]) if found and found.get("agent_id") else agent_id
    drafted = [_draft(place, item, named, session_id) for place, item in enumerate(items)]
    return Pieces([drafted[start : start + MEMORIES_A_PIECE] for start in range(0, len(drafted), MEMORIES_A_PIECE)])


def _draft(place: int, item: Any, agent_id: str | None, session_id: str | None) -> Draft:
    where = f"memories[{place}]"
    if not isinstance(item, Mapping) or not isinstance(item.get("content"), str):
        raise Invalid(f"{where}.content: must be a text")
    tags = item.get("tags") or []
    kind = item.get("memory_type") or "insight"
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise Invalid(f"{where}.tags: must be a list of texts")
    if not isinstance(kind, str) or len(kind) > MAX_TYPE:
        raise Invalid(f"{where}.memory_type: must be a text of {MAX_TYPE} characters at most")
    about = About(agent_id, _text(item, "session_id", where) or session_id, tags, item.get("metadata"))
    origin = _text(item, "source", where)
    try:
        template = about.template(None)
        source = ingests.named("source", origin) or template.source
    except Invalid as error:
        raise Invalid(f"{where}: {error}") from None
    content = ingests.checked_content(item["content"], f"{where}.content")
    return replace(template, content=content, memory_type=checked_characters(kind), source=source)


def _text(item: Mapping[str, Any], name: str, where: str) -> str | None:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise Invalid(f"{where}.{name}: must be a text")
    return value


def _session(text: str, agent_id: str | None, session_id: str | None) -> Pieces:
    """An object with `messages`, or lines that are messages each."""
    found = _object(text)
    listed = found.get("messages") if found else None
    messages = list(_messages(listed if isinstance(listed, list) else _lines(text)))
    if found and isinstance(listed, list):
        agent_id = str(found["agent_id"]) if found.get("agent_id") else agent_id
        session_id = str(found["session_id"]) if found.get("session_id") else session_id
    template = About(agent_id, session_id).template(None)
    pieces = list(ingests.conversation(messages, template, infer=True, most=MESSAGES_A_PIECE))
    if not pieces:
        raise Invalid("no valid messages found in file")
    return Pieces(conversations=pieces)


def _lines(text: str) -> Iterator[Any]:
    for line in text.splitlines():
        found = _object(line)
        if found is not None:
            yield found


def _messages(items: Sequence[Any] | Iterator[Any]) -> Iterator[Said]:
    """Those of the items that are messages, OpenClaw's records among them; long ones in parts."""
    for item in items:
        message = item.get("message") if isinstance(item, Mapping) and item.get("type") == "message" else item
        if not isinstance(message, Mapping):
            continue
        role, content = message.get("role"), _content(message.get("content"))
        if isinstance(role, str) and role.strip() and content.strip():
            for start in range(0, len(content), MAX_TEXT):
                yield Said(role.strip(), content[start : start + MAX_TEXT])


def _content(value: Any) -> str:
    """A message's words; of a list of parts, the texts among them."""
    if isinstance(value, list):
        parts = [part.get("text") for part in value if isinstance(part, Mapping)]
        return "\n".join(part for part in parts if isinstance(part, str))
    return value if isinstance(value, str) else ""
