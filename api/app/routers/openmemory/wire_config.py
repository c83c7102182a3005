"""The configuration's shapes. They describe; what may be in them is decided in `services/config_rules.py`.

Keys beyond the described ones pass through both ways: each provider of mem0's has some of its own.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Open(BaseModel):
    """An object that may hold more than it describes."""

    model_config = ConfigDict(extra="allow")


class Category(Open):
    """A category and what its memories are about; the description is what gets compared."""

    name: str
    description: str


class Rule(Open):
    """What is to be archived by itself."""

    name: str
    app: str | None = None
    category: str | None = None
    archive_after_days: int | None = None
    archive_after_days_without_access: int | None = None


class OpenMemory(Open):
    """`openmemory`."""

    custom_instructions: str | None = None
    categories: list[Category] | None = None
    category_threshold: float | None = None
    max_categories: int | None = None
    rerank: bool | None = None
    rerank_depth: int | None = None
    rerank_budget_ms: int | None = None
    retention: list[Rule] | None = None
    purge_after_days: int | None = None


class LlmConfig(Open):
    """`mem0.llm.config`."""

    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    api_key: str | None = None
    ollama_base_url: str | None = None


class Llm(Open):
    """`mem0.llm`; without a provider memories are stored as they are said."""

    provider: str | None = None
    config: LlmConfig | None = None


class EmbedderConfig(Open):
    """`mem0.embedder.config`."""

    model: str | None = None
    api_key: str | None = None
    ollama_base_url: str | None = None


class Embedder(Open):
    """`mem0.embedder`."""

    provider: str | None = None
    config: EmbedderConfig | None = None


class VectorStore(Open):
    """`mem0.vector_store`."""

    provider: str | None = None
    config: dict[str, Any] | None = None


class RerankerConfig(Open):
    """`mem0.reranker.config`."""

    model: str | None = None
    api_key: str | None = None
    top_k: int | None = None


class Reranker(Open):
    """`mem0.reranker`; without a provider searches are not reranked."""

    provider: str | None = None
    config: RerankerConfig | None = None


class Mem0(Open):
    """`mem0`."""

    llm: Llm | None = None
    embedder: Embedder | None = None
    vector_store: VectorStore | None = None
    reranker: Reranker | None = None


class Config(Open):
    """The whole, or in a request a part of it."""

    openmemory: OpenMemory | None = None
    mem0: Mem0 | None = None


def sent(body: BaseModel) -> dict[str, Any]:
    """What the request named, and nothing else: a key that is null is named."""
    # Not getattr for the extra ones: one may be called like a method.
    named = {key: value for key, value in body.__dict__.items() if key in body.model_fields_set}
    return {key: _plain(value) for key, value in {**named, **(body.model_extra or {})}.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return sent(value)
    return [_plain(item) for item in value] if isinstance(value, list) else value
