"""Messages that are a conversation together: mem9's session files, and lists of `role` and `content`."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from app.services import drafts
from app.services.import_formats.items import Conversation, Item, Message, Problem, message, name, title

NAME, LABEL, APP = "session", "Messages of a session", "mem9"
MOST = 100_000


def message_of(found: Any) -> Mapping[str, Any] | None:
    """The message in a record, if it is one; OpenClaw puts it one deeper."""
    inner = found.get("message") if isinstance(found, Mapping) and found.get("type") == "message" else found
    if (
        isinstance(inner, Mapping)
        and isinstance(inner.get("role"), str)
        and isinstance(inner.get("content"), str | list)
    ):
        return inner
    return None


class Gathering:
    """The messages of one file, gathered until it ends."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._said: list[Message] = []
        self._session: str | None = None
        self.seen = 0

    def take(self, found: Mapping[str, Any]) -> None:
        """Another message."""
        self.seen += 1
        self._session = self._session or name(found.get("session_id"))
        if len(self._said) < MOST:
            when = found.get("created_at") or found.get("timestamp")
            said = message(found["role"].strip() or "user", _text(found["content"]), when)
            self._said += [] if said is None else [said]

    def items(self, about: Mapping[str, Any]) -> Iterator[Item]:
        """What there is to be learned from."""
        if self.seen > MOST:
            yield Problem(self._where, f"only the first {MOST} messages of it are read")
        if not self._said:
            return
        id = name(about.get("session_id")) or name(about.get("id")) or self._session or self._digest()
        began = next((one.said_at for one in self._said if one.said_at), None) or drafts.moment(about.get("created_at"))
        agent = name(about.get("agent_id"))
        yield Conversation(self._where, id, title(about.get("title")) or self._where, began, self._said, agent)

    def _digest(self) -> str:
        """A name for a session that has none: the same for the same words."""
        said = "\x1f".join(one.text for one in self._said[:50])
        return f"import-{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = [part.get("text") for part in content if isinstance(part, Mapping)]
    return "\n".join(part for part in parts if isinstance(part, str))
