"""Searches in our own shapes. Pure: no FastAPI, no I/O."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from app.routers.openmemory.fields import Name, Question
from app.routers.openmemory.wire_memories import MemoryItem, Object, columns
from app.services.searches import MAX_LIMIT, Found, Query, Result
from app.services.surroundings import MOST
from app.services.whys import Rule, Verdict

Limit = Annotated[int | None, Field(ge=1, le=MAX_LIMIT)]
FILTERS = """What narrows the search, in mem0's grammar: `{"author": "Ann", "created_at": {"gte": "2026-01-01"}, "OR":
[{"tags": "x"}, {"NOT": {"run_id": "*"}}]}`. Operators: eq, ne, gt, gte, lt, lte, in, nin, contains, icontains; a value
alone means eq, a list any of its values, "*" any value at all. Any name that is no field is a key of the metadata,
`a.b` one below another."""


class SearchRequest(BaseModel):
    """POST /memories/search: the relevance search that all doors share."""

    user_id: Name | None = None
    query: Question
    limit: Limit = Field(None, description="Most hits; 10 when absent.")
    top_k: Limit = Field(None, description="The same, as mem0 calls it.")
    mode: Literal["hybrid", "vector", "keyword"] = "hybrid"
    app: Name | None = Field(None, description="The app that reads: logged, and bound by its pauses and rules.")
    filters: Object = Field({}, description=FILTERS)
    threshold: Annotated[float | None, Field(ge=0, le=1)] = Field(
        None, description="Hits with a lower score are left out. Only in the mode `vector` is a score absolute."
    )
    explain: bool = Field(False, description="Say what each score is made of.")
    rerank: bool | None = Field(
        None, description="Ask the configured reranker for the order; as `openmemory.rerank` says when absent."
    )
    neighbours: Annotated[int, Field(ge=0, le=MOST)] = Field(
        0, description="So many turns before and after each hit, of the same session."
    )

    def asked(self) -> Query:
        """What to look for."""
        return Query(
            text=self.query,
            limit=self.limit or self.top_k or 10,
            mode=self.mode,
            filters=self.filters,
            threshold=self.threshold,
            explain=self.explain,
            rerank=self.rerank,
            neighbours=self.neighbours,
        )


class WhyNotRequest(SearchRequest):
    """POST /memories/search/why-not: a search, and the memory that is missed among its hits."""

    memory_id: UUID


class Hit(MemoryItem):
    """A memory found by a search. `confidence` is 0 to 100 and means the same for every query; `score` does not.

    With `explain`, `explanation` says what the score is made of (with a reranker: the score before it). `rerank_score`
    is the reranker's own. With `neighbours`, `before` and `after` are the turns around it, in their order.
    """

    text: str
    score: float
    confidence: int
    explanation: dict[str, float] | None = None
    rerank_score: float | None = None
    before: list[MemoryItem] | None = None
    after: list[MemoryItem] | None = None


class SearchAnswer(BaseModel):
    """The answer to a search, best first. `mode` is what was searched in the end."""

    results: list[Hit]
    total: int
    mode: str
    warning: str | None = None


class WhyNot(BaseModel):
    """Why a memory is no hit: the `rule` that decided and a sentence; its place `rank` among the `of` ranked."""

    memory_id: UUID
    rule: Rule
    detail: str
    rank: int | None
    of: int | None
    score: float | None
    explanation: dict[str, float] | None
    mode: str
    warning: str | None


def found(result: Result) -> SearchAnswer:
    """The answer to a search."""
    hits = [_hit(hit) for hit in result.hits]
    answer = {"results": hits, "total": len(hits), "mode": result.mode, "warning": result.warning}
    return SearchAnswer.model_validate(answer)


def _hit(hit: Found) -> dict[str, Any]:
    return {
        **columns(hit.memory),
        "text": hit.memory.content,
        "score": hit.score,
        "confidence": round(hit.confidence),
        "explanation": hit.parts,
        "rerank_score": hit.rerank_score,
        "before": None if hit.turns is None else [columns(view) for view in hit.turns.before],
        "after": None if hit.turns is None else [columns(view) for view in hit.turns.after],
    }


def why_not(memory_id: UUID, verdict: Verdict) -> WhyNot:
    """Why a memory is no hit."""
    return WhyNot(
        memory_id=memory_id,
        rule=verdict.rule,
        detail=verdict.detail,
        rank=verdict.rank,
        of=verdict.of,
        score=verdict.score,
        explanation=None if verdict.parts is None else dict(verdict.parts),
        mode=verdict.mode,
        warning=verdict.warning,
    )
