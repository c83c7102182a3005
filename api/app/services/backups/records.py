"""What one record of each section of `memories.json` may look like: ours, and the genuine OpenMemory's."""

import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field

from app.models import State
from app.services import drafts

MAX_CONTENT = 10 * drafts.MAX_TEXT  # what another server took may be longer than what we take; this is still a text
MAX_INTEGER = 2**31 - 1
MAX_BITS = 1024  # of a whole number in metadata: JSON knows no limit, databases do
MAX_DEPTH = 64  # of metadata
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _storable(text: str) -> str:
    if UNSTORABLE.search(text):
        raise ValueError("holds a NUL character or half of a surrogate pair")
    return text


def _plain(value: Any, depth: int = 0) -> Any:
    """Metadata, if any database takes it."""
    if depth > MAX_DEPTH:
        raise ValueError(f"is nested deeper than {MAX_DEPTH} levels")
    if not value:
        return value
    if isinstance(value, str):
        _storable(value)
    elif isinstance(value, list):
        for item in value:
            _plain(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _plain(key)
            _plain(item, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("holds a number that is too large")
    elif isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ValueError("holds a number of too many digits")
    return value


def _time(value: Any) -> datetime | None:
    """ISO 8601 (UTC where it names no zone, as the genuine exporter has it) or epoch seconds."""
    if value is None or value == "":
        return None
    written = _iso(value)
    if written is not None and written.tzinfo is UTC and 1 < written.year < 9999:
        return written
    found = drafts.moment(written or value)
    if found is None:
        raise ValueError("is not a date")
    return found


def _iso(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _or(default: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: default if value is None else value)


Text = Annotated[str, AfterValidator(_storable)]
Content = Annotated[Text, Field(max_length=MAX_CONTENT), _or("")]
Name = Annotated[Text, Field(max_length=255)]
Required = Annotated[Name, Field(min_length=1)]
Word = Annotated[Text, Field(max_length=32)]
Time = Annotated[datetime | None, BeforeValidator(_time)]
Metadata = Annotated[dict[str, Any], BeforeValidator(lambda value: _plain(value)), _or({})]
Number = Annotated[int, Field(ge=1, le=MAX_INTEGER)]
Standing = Annotated[State, _or(State.active)]


class Record(BaseModel):
    """A line of a section; what we do not know is passed over."""

    model_config = ConfigDict(extra="ignore")


class Person(Record):
    """Whose backup it is. `id` means something only inside the file."""

    id: Text | None = None
    user_id: Text | None = None
    name: Name | None = None
    email: Name | None = None
    metadata: Metadata = Field({}, validation_alias=AliasChoices("metadata", "metadata_"))
    created_at: Time = None
    updated_at: Time = None


class Client(Record):
    """An app."""

    id: UUID
    name: Required
    description: Text | None = None
    metadata: Metadata = Field({}, validation_alias=AliasChoices("metadata", "metadata_"))
    is_active: Annotated[bool, _or(True)] = True
    created_at: Time = None
    updated_at: Time = None

    @property
    def parent(self) -> None:
        """It hangs on nothing."""


class Topic(Record):
    """A category."""

    id: UUID
    name: Required
    description: Text | None = None
    created_at: Time = None
    updated_at: Time = None

    @property
    def parent(self) -> None:
        """It hangs on nothing."""


class Remembered(Record):
    """A memory. What is missing (a genuine export has fewer fields) is not in `model_fields_set`."""

    id: UUID
    app_id: UUID | None = None
    content: Content = ""
    metadata: Metadata = Field({}, validation_alias=AliasChoices("metadata", "metadata_"))
    state: Standing = State.active
    created_at: Time = None
    updated_at: Time = None
    archived_at: Time = None
    deleted_at: Time = None
    agent_id: Name | None = None
    run_id: Name | None = None
    author: Name | None = None
    memory_type: Word = "insight"
    tags: Annotated[list[Name], _or([])] = []
    priority: Word | None = None
    source: Name | None = None
    version: Annotated[Number, _or(1)] = 1
    superseded_by: UUID | None = None
    occurred_at: Time = None
    expires_at: Time = None
    category_ids: Annotated[list[UUID], _or([])] = []

    @property
    def parent(self) -> UUID | None:
        """The app that wrote it."""
        return self.app_id


class Link(Record):
    """A memory in a category."""

    memory_id: UUID
    category_id: UUID


class Change(Record):
    """A step of a memory between two states."""

    id: UUID
    memory_id: UUID
    changed_by: Text | None = None
    old_state: Standing = State.active
    new_state: Standing = State.active
    changed_at: Time = None

    @property
    def parent(self) -> UUID:
        """The memory."""
        return self.memory_id


class Version(Record):
    """What a memory said after a change."""

    id: UUID
    memory_id: UUID
    version: Number
    event: Word
    content: Content
    metadata: Metadata = {}
    state: Standing = State.active
    changed_by: Text | None = None
    created_at: Time = None

    @property
    def parent(self) -> UUID:
        """The memory."""
        return self.memory_id


class Rule(Record):
    """What an app may (not) see."""

    id: UUID
    subject_type: Word
    subject_id: UUID | None = None
    object_type: Word
    object_id: UUID | None = None
    effect: Annotated[str, Field(pattern="^(allow|deny)$")]
    created_at: Time = None

    @property
    def parent(self) -> UUID | None:
        """The app it is about."""
        return self.subject_id


SECTIONS: dict[str, type[Client | Topic | Remembered | Change | Version | Rule]] = {
    "apps": Client,
    "categories": Topic,
    "memories": Remembered,
    "status_history": Change,
    "memory_versions": Version,
    "access_controls": Rule,
}
