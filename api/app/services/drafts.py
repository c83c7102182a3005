"""What may be stored, for every door alike: texts, names, metadata, and the columns that metadata can speak for."""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from dateutil import parser as dateparser

from app.errors import Invalid, TooLarge

MAX_TEXT = 100_000  # characters
MAX_METADATA = 65_536  # bytes as JSON
MAX_DEPTH = 32
MAX_NAME = 255

CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
ONE_DAY = re.compile(r"\d{4}-\d\d-\d\d")
FOUR_DIGITS = re.compile(r"\d{4}")
EARLIEST = datetime(1, 1, 2, tzinfo=UTC)
LATEST = datetime(9999, 12, 30, tzinfo=UTC)
MILLISECONDS_FROM = 100_000_000_000  # an epoch beyond this (the year 5138 in seconds) is in milliseconds

# Doors without fields for session, author and event time take them from these metadata keys, first match wins.
RUN_KEYS = ("session_id", "session", "run_id")
AUTHOR_KEYS = ("author", "speaker", "actor_id", "role")
TIME_KEYS = ("occurred_at", "timestamp", "date")
EXPIRY_KEYS = ("expires_at", "expiration_date")


@dataclass(frozen=True, slots=True)
class Draft:
    """A memory that is going to be stored."""

    content: str
    metadata: dict[str, Any] = field(default_factory=dict)
    agent_id: str | None = None
    run_id: str | None = None
    author: str | None = None
    occurred_at: datetime | None = None
    memory_type: str = "insight"
    tags: list[str] = field(default_factory=list)
    priority: str | None = None
    source: str | None = None
    expires_at: datetime | None = None
    provenance: dict[str, Any] | None = None
    id: UUID | None = None  # a new one without it
    created_at: datetime | None = None  # when another server wrote it; now without it
    categories: list[str] = field(default_factory=list)  # those that the nearest give without them


def draft(content: str, metadata: Mapping[str, Any] | None = None, expires_at: datetime | None = None) -> Draft:
    """A checked draft; session, author, event time and expiry are taken from the metadata, which stays as it came.

    Raises:
        Invalid: an empty or overlong text, control characters, metadata that is no plain JSON or too large.
    """
    checked = checked_metadata(metadata)
    return Draft(
        content=checked_text(content),
        metadata=checked,
        agent_id=_name(checked.get("agent_id")),
        run_id=_first_name(checked, RUN_KEYS),
        author=_first_name(checked, AUTHOR_KEYS),
        occurred_at=_first_time(checked),
        expires_at=checked_expiry(expires_at) or _first_expiry(checked),
    )


def checked_text(text: str, longest: int = MAX_TEXT) -> str:
    """The text, if it may be a memory's: of so many characters at most, where a door has a limit of its own."""
    if not text.strip():
        raise Invalid("The text is empty")
    if len(text) > longest:
        raise TooLarge(f"The text has {len(text)} characters; at most {longest} are stored")
    return checked_characters(text)


def checked_characters(text: str) -> str:
    """The text, if every character of it can be stored and shown."""
    found = CONTROL.search(text)
    if found:
        raise Invalid(f"The text has a control character (U+{ord(found[0]):04X}) at position {found.start()}")
    return text


def checked_expiry(when: datetime | None) -> datetime | None:
    """The time, if something may expire then; None is never.

    Raises:
        Invalid: it is past: what was stored would never be seen.
    """
    if when is not None and when <= datetime.now(UTC):
        raise Invalid("expires_at is not in the future")
    return when


def checked_metadata(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """The metadata, if it is plain JSON of a bounded size."""
    if not metadata:
        return {}
    _check_json(metadata, 0)
    if len(json.dumps(metadata)) > MAX_METADATA:
        raise TooLarge(f"The metadata is longer than {MAX_METADATA} bytes")
    return dict(metadata)


def _check_json(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Invalid(f"The metadata is nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        checked_characters(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise Invalid("The metadata has a number that JSON does not know (NaN or Infinity)")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            checked_characters(str(key))
            _check_json(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check_json(item, depth + 1)


def content_hash(content: str) -> str:
    """SHA-256 of the text without surrounding space, hexadecimal: equal for exact duplicates."""
    return hashlib.sha256(content.strip().encode()).hexdigest()


def moment(value: object) -> datetime | None:
    """A time in any usual form, aware (UTC where it names no zone); None if it is not one.

    Numbers are epoch seconds, or milliseconds when they are that large; texts are ISO 8601 or written dates with a
    four-digit year ("1:56 pm on 8 May, 2023").
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, datetime):
        return _aware(value)
    if isinstance(value, int | float):
        return _epoch(value)
    if isinstance(value, str) and len(value) <= 64:
        return _written(value.strip())
    return None


def _epoch(value: float) -> datetime | None:
    if not math.isfinite(value):
        return None
    seconds = value / 1000 if abs(value) >= MILLISECONDS_FROM else value
    try:
        when = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        return None
    return when if EARLIEST < when < LATEST else None


def _written(text: str) -> datetime | None:
    if re.fullmatch(r"-?\d{9,14}(\.\d+)?", text):
        return _epoch(float(text))
    # Without a year the parser would fill in today's: that is a guess, not a date.
    if not FOUR_DIGITS.search(text):
        return None
    try:
        return _aware(dateparser.parse(text, default=datetime(1, 1, 1), tzinfos=_zone))  # a zone is added by _aware
    except (ValueError, OverflowError, TypeError):
        return None


def _zone(_: str | None, offset: int | None) -> timezone | None:
    # A zone's name alone ("EST", "IST") is ambiguous, and the parser would ask the server's own zone or warn: no zone.
    return None if offset is None else timezone(timedelta(seconds=offset))


def _aware(when: datetime) -> datetime | None:
    try:
        utc = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return utc if EARLIEST < utc < LATEST else None


def _first_time(metadata: Mapping[str, Any]) -> datetime | None:
    return next((when for key in TIME_KEYS if (when := moment(metadata.get(key)))), None)


def _first_expiry(metadata: Mapping[str, Any]) -> datetime | None:
    return next((when for key in EXPIRY_KEYS if (when := expiry(metadata.get(key)))), None)


def expiry(value: object) -> datetime | None:
    """When something expires: a `moment`; a date alone (mem0's `expiration_date`) is the end of that day, UTC."""
    when = moment(value)
    is_day = isinstance(value, str) and ONE_DAY.fullmatch(value.strip())
    return when + timedelta(days=1) if when and is_day and when < LATEST - timedelta(days=2) else when


def _first_name(metadata: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    return next((name for key in keys if (name := _name(metadata.get(key)))), None)


def _name(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if 0 < len(text) <= MAX_NAME else None
