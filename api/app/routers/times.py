"""Times as several doors write them. Pure."""

from datetime import UTC, datetime


def written(when: datetime) -> str:
    """ISO 8601 in UTC with a Z, in seconds."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
