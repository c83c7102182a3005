"""The date that a question names: a year, a month, a day, in English or as digits; any part may be missing."""

import re
from dataclasses import dataclass
from datetime import date

from app.engine.text import MONTHS

_NUMBERS = {name[:3].lower(): number for number, name in enumerate(MONTHS, 1)}
_NAMES = "|".join([*MONTHS, *(name[:3] for name in MONTHS), "Sept"])
# A month is written with a capital, or is no other word: "may" and "march" in small letters are verbs.
_SMALL = "|".join(name.lower() for name in MONTHS if name not in ("May", "March"))
_MONTH = rf"(?P<month>\b(?:{_NAMES}|{_SMALL})\b)\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_PATTERNS = (
    re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<number>\d\d)(?:-(?P<day>\d\d))?\b"),
    re.compile(rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?"),
    re.compile(rf"{_MONTH}\s+(?:the\s+)?{_DAY}\b(?!\d)(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?"),
    re.compile(rf"{_MONTH}(?:\s+(?:of\s+)?(?P<year>(?:19|20)\d\d)\b)?"),
    re.compile(r"\b(?P<year>(?:19|20)\d\d)\b"),
)
NEAR = 0.5  # the month agrees, the day does not: said on another day than it happened


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question says of a date; None where it says nothing."""

    year: int | None = None
    month: int | None = None
    day: int | None = None


def asked(text: str) -> list[Asked]:
    """The dates that the text names, each as exact as it is written."""
    found: list[Asked] = []
    for pattern in _PATTERNS:
        while match := pattern.search(text):
            named = _date(match)
            if named is not None:
                found.append(named)
            text = f"{text[: match.start()]} ; {text[match.end() :]}"  # what is read is not read again
    return found


def _date(match: re.Match[str]) -> Asked | None:
    parts = match.groupdict()
    number, name = parts.get("number"), parts.get("month")
    month = int(number) if number else _NUMBERS[name[:3].lower()] if name else None
    day = int(parts["day"]) if parts.get("day") else None
    if (month is not None and not 1 <= month <= 12) or (day is not None and not 1 <= day <= 31):
        return None
    return Asked(int(parts["year"]) if parts.get("year") else None, month, day)


def agreement(dates: list[Asked], day: date | None) -> float:
    """How well a day agrees with the best of the dates: 1 wholly, NEAR but for the day itself, 0 not."""
    if day is None:
        return 0.0
    return max((_agreement(one, day) for one in dates), default=0.0)


def _agreement(asked: Asked, day: date) -> float:
    if asked.year not in (None, day.year) or asked.month not in (None, day.month):
        return 0.0
    return 1.0 if asked.day in (None, day.day) else NEAR
