"""Searches in the hosted mem0's shapes. Pure: no FastAPI, no I/O."""

from typing import Any

from pydantic import Field

from app.routers.platform import wire
from app.routers.platform.fields import Narrowed, Question
from app.routers.platform.wire_memories import memory, wrapped
from app.services.searches import MAX_LIMIT, Found, Query, Result


class SearchRequest(Narrowed):
    """POST /v3/memories/search/, and the same of versions 1 and 2."""

    query: Question
    top_k: int | None = Field(None, ge=1, le=MAX_LIMIT)
    limit: int | None = Field(None, ge=1, le=MAX_LIMIT)
    threshold: float | None = Field(None, ge=0, le=1)
    rerank: bool | None = None
    keyword_search: bool | None = None
    latest_only: bool = False

    def asked(self) -> Query:
        """What to look for; whose it is and the filters come beside it."""
        return Query(
            text=self.query,
            limit=self.top_k or self.limit or 10,
            mode="vector" if self.keyword_search is False else "hybrid",
            threshold=self.threshold,
            rerank=self.rerank,
            show_expired=self.show_expired,
        )


def found(result: Result, asked: SearchRequest) -> dict[str, Any]:
    """The answer of version 3, best first."""
    return {"results": _hits(result, asked), **({"relations": []} if asked.enable_graph else {})}


def found_before(result: Result, asked: SearchRequest) -> Any:
    """The answer of versions 1 and 2: hits alone, or an object with `results` if `output_format` is `v1.1`."""
    return wrapped(_hits(result, asked), asked)


def _hits(result: Result, asked: SearchRequest) -> list[dict[str, Any]]:
    return [wire.only(asked.fields, _hit(hit)) for hit in result.hits]


def _hit(hit: Found) -> dict[str, Any]:
    return {**memory(hit.memory), "score": hit.score}
