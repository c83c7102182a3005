"""Fields that requests of this protocol share, with their bounds."""

import ast
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from app.errors import Invalid, NotFound
from app.services import filters
from app.services.drafts import checked_characters, expiry, moment

MAX_WRITTEN = 20_000  # characters of filters in a query
MAX_PAGE = 1_000_000


def _object(value: Any) -> Any:
    """An object, or one that is written: as JSON, or as Python's own client writes a dict into a query."""
    if not isinstance(value, str):
        return value
    if len(value) > MAX_WRITTEN:
        raise Invalid(f"longer than {MAX_WRITTEN} characters")
    try:
        return json.loads(value)
    except ValueError:
        pass
    try:
        return json.loads(json.dumps(ast.literal_eval(value)))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise Invalid("not an object") from None


def known_id(value: Any) -> Any:
    """A UUID; what cannot be one is answered like one that nobody knows."""
    try:
        return UUID(str(value))
    except ValueError:
        raise NotFound("Memory not found") from None


def _identifier(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return (value.strip() or None) if isinstance(value, str) else value


def _listed(value: Any) -> Any:
    return [part for part in value.split(",") if part] if isinstance(value, str) else value


def _time(value: Any) -> Any:
    return _read(value, moment)


def _end(value: Any) -> Any:
    """A time; a day alone is its end."""
    return _read(value, expiry)


def _read(value: Any, read: Callable[[object], datetime | None]) -> datetime | None:
    if value is None or value == "":
        return None
    when = read(value)
    if when is None:
        raise Invalid("not a time: epoch seconds, ISO 8601 or YYYY-MM-DD")
    return when


Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(checked_characters)]
Identifier = Annotated[Name | None, BeforeValidator(_identifier)]
Question = Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(checked_characters)]
Object = Annotated[dict[str, Any], BeforeValidator(_object)]
Names = Annotated[Annotated[list[Name], Field(max_length=200)] | None, BeforeValidator(_listed)]
Time = Annotated[datetime | None, BeforeValidator(_time)]
End = Annotated[datetime | None, BeforeValidator(_end)]
MemoryId = Annotated[UUID, BeforeValidator(known_id)]
Page = Annotated[int, Field(ge=1, le=MAX_PAGE)]


def between(start: datetime | None, end: datetime | None) -> list[Mapping[str, Any]]:
    """Filters on when a memory was made."""
    bounds = {"gte": start, "lte": end}
    return [{"created_at": {name: when.isoformat()}} for name, when in bounds.items() if when]


class Named(BaseModel):
    """Whose memories, and which: mem0's four identifiers and its filters, which may name them too."""

    model_config = ConfigDict(extra="ignore")

    user_id: Identifier = None
    agent_id: Identifier = None
    app_id: Identifier = None
    run_id: Identifier = None
    filters: Object = {}

    @property
    def identifiers(self) -> dict[str, str | None]:
        """By name; null where nothing was said."""
        return {name: value for name, value in self._named().items() if value != filters.ANY}

    def _named(self) -> dict[str, str | None]:
        return {"user_id": self.user_id, "agent_id": self.agent_id, "app_id": self.app_id, "run_id": self.run_id}

    @property
    def which(self) -> Mapping[str, Any]:
        """The filters with everything else that narrows."""
        beside = [*({name: value} for name, value in self._named().items() if value == filters.ANY), *self.beside()]
        return {"AND": [self.filters, *beside]} if beside else self.filters

    def beside(self) -> list[Mapping[str, Any]]:
        """What narrows beside the filters."""
        return []


class Narrowed(Named):
    """What lists and searches take beside the filters."""

    categories: Names = None
    metadata: Object | None = None
    keywords: Name | None = None
    start_date: Time = None
    end_date: End = None
    fields: Names = None
    show_expired: bool = False
    enable_graph: bool = False
    output_format: str | None = None

    def beside(self) -> list[Mapping[str, Any]]:
        """What narrows beside the filters."""
        beside: list[Mapping[str, Any]] = []
        if self.categories:
            beside.append({"categories": {"in": self.categories}})
        if self.metadata:
            beside.append({"metadata": self.metadata})
        if self.keywords:
            beside.append({"memory": {"icontains": self.keywords}})
        return [*beside, *between(self.start_date, self.end_date)]

    @property
    def is_wrapped(self) -> bool:
        """Whether the answer is an object with `results`, which the older paths answer on request only."""
        return self.output_format == "v1.1"
