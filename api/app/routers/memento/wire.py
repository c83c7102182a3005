"""Memento's shapes; see README.md. Pure: no FastAPI, no I/O."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer
from pydantic_core import PydanticCustomError

from app import __version__, errors
from app.routers.reply import Reply
from app.routers.statuses import headers_of
from app.routers.times import written
from app.services.drafts import checked_characters
from app.services.namespaces import CONTAINER, Entry, Health, Narrowing
from app.services.searches import Query, Result
from app.services.views import Listing, MemoryView, Window

MAX_BODY = 10 * 1024 * 1024
MAX_QUERY = 4_096  # bytes
MAX_LIMIT = 100
MAX_OFFSET = 2**31
MAX_TAGS = 50
SUMMARY = 120  # characters

CODES: dict[type[errors.CommonplaceError], tuple[int, str]] = {
    errors.TooLarge: (413, "INVALID_REQUEST"),
    errors.Invalid: (400, "INVALID_REQUEST"),
    errors.Unauthenticated: (401, "UNAUTHORIZED"),
    errors.Forbidden: (403, "FORBIDDEN"),
    errors.NotFound: (404, "NOT_FOUND"),
    errors.Conflict: (409, "CONFLICT"),
    errors.RateLimited: (429, "RATE_LIMIT_EXCEEDED"),
    errors.Unavailable: (503, "SERVICE_UNAVAILABLE"),
}
REFUSED = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
REQUIRED = ("missing", "required")

_SENTENCE = re.compile(r"\s*(.+?(?:[.!?\u2026](?=\s|$)|[\u3002\uff01\uff1f]|\n|$))", re.DOTALL)


class MementoWire:
    """How this protocol says what went wrong."""

    def failure(self, error: errors.CommonplaceError) -> Reply:
        """A domain error: its text."""
        status, code = next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)
        return _refused(status, code, str(error), headers_of(error))

    def invalid(self, problems: list[dict[str, Any]]) -> Reply:
        """A request of another shape than declared: what is wrong with its first field."""
        return _refused(400, "INVALID_REQUEST", _told(problems[0]))

    def http(self, status: int, text: str) -> Reply:
        """What the framework refuses."""
        return _refused(status, REFUSED.get(status, "INVALID_REQUEST"), text)

    def crash(self, request_id: str) -> Reply:
        """An unexpected exception."""
        return _refused(500, "INTERNAL_ERROR", f"Internal server error (request {request_id})")


def _refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Reply:
    return Reply(status, {"success": False, "error": message, "code": code}, headers or {})


def _told(problem: dict[str, Any]) -> str:
    place = [str(part) for part in problem["loc"][1:]]
    if problem["type"] == "json_invalid" or not place:
        return "The request body must be a JSON object"
    return f"{'.'.join(place)} is required" if problem["type"] in REQUIRED else f"{'.'.join(place)}: {problem['msg']}"


def _said(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise PydanticCustomError("required", "it is required")
    return value


def _short(value: str) -> str:
    if len(value.encode("utf-8", "replace")) > MAX_QUERY:
        raise PydanticCustomError("too_long", "at most 4,096 bytes are taken")
    return checked_characters(value)


def _name(value: str) -> str | None:
    return checked_characters(value).strip() or None


def _tags(value: Any) -> Any:
    return [tag.strip() for tag in value if tag.strip()] if isinstance(value, list) else []


def _clamped(value: float | None) -> int:
    return 10 if value is None else int(min(max(value, 1), MAX_LIMIT))


def _start(value: float | None) -> int:
    return int(min(max(value or 0, 0), MAX_OFFSET))


Said = Annotated[str, BeforeValidator(_said)]
Question = Annotated[str, BeforeValidator(_said), AfterValidator(_short)]
Name = Annotated[str | None, Field(max_length=255), AfterValidator(lambda value: value and _name(value))]
Tag = Annotated[str, Field(max_length=255), AfterValidator(checked_characters)]
Tags = Annotated[list[Tag] | None, Field(max_length=MAX_TAGS), AfterValidator(_tags)]
Number = Annotated[float | None, Field(allow_inf_nan=False)]
Limit = Annotated[Number, AfterValidator(_clamped)]
Offset = Annotated[Number, AfterValidator(_start)]
Mode = Literal["vector", "keyword", "hybrid"]
Priority = Literal["low", "normal", "high"]


class SaveRequest(BaseModel):
    """POST /save."""

    content: Said
    tags: Tags = None
    namespace: Name = None
    is_global: Annotated[bool | None, Field(alias="global")] = False
    container: Name = None
    priority: Priority | None = None

    def entry(self) -> Entry:
        """As services take it."""
        return Entry(self.content, self.tags or (), self.container, self.priority or "normal")


class SearchRequest(BaseModel):
    """POST /search."""

    query: Question
    tags: Tags = None
    limit: Limit = 10
    mode: Annotated[Mode | None, Field(alias="searchMode")] = None

    def asked(self) -> Query:
        """As services take it."""
        return Query(self.query, limit=_clamped(self.limit), mode=self.mode or "vector")

    def narrowing(self) -> Narrowing:
        """What it is narrowed to."""
        return Narrowing(self.tags or ())


class RecallRequest(SearchRequest):
    """POST /recall."""

    namespace: Name = None
    container: Name = None

    def narrowing(self) -> Narrowing:
        """What it is narrowed to."""
        return Narrowing(self.tags or (), self.container)


class EntryMetadata(BaseModel):
    """What is known of an entry; `timestamp` is when it was said, else saved."""

    namespace: str
    tags: list[str]
    timestamp: str
    summary: str
    priority: str
    container: str


class EntryOut(BaseModel):
    """An entry."""

    id: str
    content: str
    metadata: EntryMetadata


class Saved(BaseModel):
    """The answer to a save."""

    success: Literal[True] = True
    count: int = 1
    ids: list[str]
    message: str = "Saved 1 memory entry"


class Hit(BaseModel):
    """An entry that was found; the score is 0 to 1."""

    entry: EntryOut
    score: float


class Hits(BaseModel):
    """The answer to a recall or a search, best first."""

    success: Literal[True] = True
    count: int
    results: list[Hit]


class Entries(BaseModel):
    """A page of entries; `count` of them, `total` in all."""

    success: Literal[True] = True
    count: int
    total: int
    offset: int
    entries: list[EntryOut]


class ConfigOut(BaseModel):
    """What the entries are kept in."""

    storageType: str
    embeddingProvider: str | None
    embeddingModel: str | None
    namespace: str


class StatsOut(BaseModel):
    """How many entries there are."""

    entriesInNamespace: int
    globalEntries: int
    autoCapture: bool = False


class HealthOut(BaseModel):
    """Whether the server answers; the rest for who may ask."""

    success: Literal[True] = True
    status: Literal["healthy"] = "healthy"
    version: str = __version__
    config: ConfigOut | None = None
    stats: StatsOut | None = None

    @model_serializer(mode="wrap")
    def without_nulls(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Only what may be told."""
        return {name: value for name, value in serialize(self).items() if value is not None}


class Deleted(BaseModel):
    """The answer to a delete."""

    success: Literal[True] = True
    message: str


def window(limit: float | None, offset: float | None) -> Window:
    """A piece of a list, within its bounds."""
    return Window(_clamped(limit), _start(offset))


def parts(comma_separated: str | None) -> list[str]:
    """The tags of a query parameter."""
    return [part.strip() for part in (comma_separated or "").split(",") if part.strip()][:MAX_TAGS]


def name_of(shown: str) -> str:
    """What an entry is called that is not found."""
    return f"Memory entry {shown}"


def saved(view: MemoryView) -> Saved:
    """The answer to a save."""
    return Saved(ids=[str(view.id)])


def entry(view: MemoryView) -> EntryOut:
    """A memory as an entry, whichever door it came by."""
    return EntryOut(
        id=str(view.id),
        content=view.content,
        metadata=EntryMetadata(
            namespace=view.app_name,
            tags=list(dict.fromkeys([*view.tags, *_listed(view.metadata.get("tags"))])),
            timestamp=written(view.occurred_at or view.created_at),
            summary=summary(view.content),
            priority=view.priority or _text(view.metadata.get("priority")) or "normal",
            container=_text(view.metadata.get(CONTAINER)) or view.app_name,
        ),
    )


def _listed(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def summary(content: str) -> str:
    """The first sentence, of SUMMARY characters at most."""
    found = _SENTENCE.match(content[: 4 * SUMMARY])
    first = " ".join((found[1] if found else content).split())
    return first if len(first) <= SUMMARY else f"{first[: SUMMARY - 1].rstrip()}\u2026"


def found(result: Result) -> Hits:
    """The answer to a recall or a search."""
    hits = [Hit(entry=entry(hit.memory), score=round(min(max(hit.score, 0.0), 1.0), 4)) for hit in result.hits]
    return Hits(count=len(hits), results=hits)


def page(listing: Listing[MemoryView], window: Window) -> Entries:
    """A page of a list."""
    shown = [entry(view) for view in listing.items]
    return Entries(count=len(shown), total=listing.total, offset=window.offset, entries=shown)


def deleted(shown: str) -> Deleted:
    """The answer to a delete."""
    return Deleted(message=f"{name_of(shown)} deleted successfully")


def health(found: Health | None) -> HealthOut:
    """Health, with what may be told to who asks."""
    if found is None:
        return HealthOut()
    config = ConfigOut(
        storageType=found.storage,
        embeddingProvider=found.embedder,
        embeddingModel=found.model,
        namespace=found.namespace,
    )
    return HealthOut(
        config=config, stats=StatsOut(entriesInNamespace=found.entries, globalEntries=found.global_entries)
    )
