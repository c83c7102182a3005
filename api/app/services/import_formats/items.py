"""What a file can hold: memories, conversations, and what could not be read. Nothing here raises over what is in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.errors import Invalid
from app.services import drafts
from app.services.drafts import Draft

MAX_TAGS = 20
MAX_LABEL = 100  # characters of a tag or a category; what is longer is a sentence
MAX_TITLE = 200
SPEAKING = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Problem:
    """What could not be read: the place in the file, and why."""

    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Record:
    """One memory."""

    where: str
    draft: Draft


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; `role` is `user`, `assistant`, or what else the file says."""

    role: str
    text: str
    said_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation: its messages in their order, those of the branch that was read last."""

    where: str
    id: str
    title: str
    started_at: datetime | None = None
    messages: list[Message] = field(default_factory=list)
    agent_id: str | None = None

    @property
    def said_by_user(self) -> list[Message]:
        """What the person said."""
        return [one for one in self.messages if one.role == "user"]


Item = Record | Conversation | Problem


def clean(text: str) -> str:
    """The text without characters that nobody can see or store; exports hold a few."""
    return drafts.CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def cleaned(value: Any, depth: int = 0) -> Any:
    """JSON whose texts are clean."""
    if isinstance(value, str):
        return drafts.CONTROL.sub("", value)
    if depth > drafts.MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return {drafts.CONTROL.sub("", str(key)): cleaned(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [cleaned(item, depth + 1) for item in value]
    return value


def labels(value: Any) -> list[str]:
    """Tags or categories: of a list the texts (or their names) in it, of a text what is between commas."""
    found = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    named = (one.get("name") if isinstance(one, Mapping) else one for one in found)
    bare = (clean(one) for one in named if isinstance(one, str))
    return list(dict.fromkeys(one for one in bare if 0 < len(one) <= MAX_LABEL))[:MAX_TAGS]


def name(value: Any) -> str | None:
    """A name of somebody or of something, if it can be one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    bare = clean(str(value))
    return bare if 0 < len(bare) <= drafts.MAX_NAME else None


def title(value: Any) -> str:
    """A title, cut where it is a text by itself."""
    return clean(value)[:MAX_TITLE] if isinstance(value, str) else ""


def record(
    where: str,
    text: Any,
    metadata: Any = None,
    *,
    tags: Iterable[str] = (),
    categories: Iterable[str] = (),
    created_at: Any = None,
    **fields: Any,
) -> Record | Problem:
    """A memory of that text; what is not said stays what the metadata says, as everywhere."""
    if not isinstance(text, str):
        return Problem(where, "there is no text in it")
    about = cleaned(metadata) if isinstance(metadata, Mapping) else {} if metadata is None else {"metadata": metadata}
    try:
        drafted = drafts.draft(clean(text), about)
    except Invalid as error:
        return Problem(where, str(error))
    said = {key: value for key, value in fields.items() if value is not None}
    when = drafts.moment(created_at)
    return Record(where, replace(drafted, tags=list(tags), categories=list(categories), created_at=when, **said))


def message(role: Any, text: str, said_at: Any = None) -> Message | None:
    """A message, if somebody says something."""
    bare = clean(text)
    return Message(str(role)[:32], bare, drafts.moment(said_at)) if bare else None
