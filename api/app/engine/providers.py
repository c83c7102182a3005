"""mem0's factories with our providers registered: the only module that builds embedders and vector stores.

Importing it imports what we use of mem0 (0.8 s, 30 MB): `app.engine.engine` does so in the background of a start.
"""

import hashlib
import inspect
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mem0.configs.embeddings.base import BaseEmbedderConfig
from mem0.configs.llms.base import BaseLlmConfig
from mem0.utils.factory import EmbedderFactory, LlmFactory, VectorStoreFactory

from app.engine import rerankers
from app.engine.index import Embedder, Index
from app.engine.llm import Llm
from app.engine.reranking import Reranker
from app.engine.words.sqlite import SqliteWords
from app.errors import Invalid, Unavailable

EmbedderFactory.provider_to_class["local"] = "app.engine.local.LocalEmbedding"
VectorStoreFactory.provider_to_class["sqlite"] = "app.engine.stores.sqlite.SqliteVectorStore"

DIMENSION_PROBE = "How many dimensions?"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the index lives: what the deployment decides and the configuration does not."""

    url: str
    cache_dir: Path
    cache_bytes: int


def embedder_names() -> list[str]:
    """Providers that `mem0.embedder.provider` may name."""
    return sorted(EmbedderFactory.provider_to_class)


def llm_names() -> list[str]:
    """Providers that `mem0.llm.provider` may name."""
    return sorted(LlmFactory.provider_to_class)


def llm_keys(provider: str) -> frozenset[str]:
    """The keys that mem0's configuration of an LLM provider takes."""
    _, config = LlmFactory.provider_to_class[provider]
    return _keys(config) | (_keys(BaseLlmConfig) if _takes_any(config) else frozenset())


def embedder_keys() -> frozenset[str]:
    """The keys that mem0's configuration of an embedder takes, whatever the provider."""
    return _keys(BaseEmbedderConfig)


def _keys(config: type) -> frozenset[str]:
    parameters = inspect.signature(config).parameters.values()
    return frozenset(one.name for one in parameters if one.kind is not one.VAR_KEYWORD)


def _takes_any(config: type) -> bool:
    return any(one.kind is one.VAR_KEYWORD for one in inspect.signature(config).parameters.values())


def build_index(embedder: Mapping[str, Any], store: Mapping[str, Any], place: Place) -> Index:
    """The index that the configuration describes.

    Raises:
        Invalid: it cannot be built; the message says why.
        Exception: whatever the provider raises when it is first asked (a refused key, a host that is not there).
    """
    built = _build_embedder(embedder, place)
    dimensions = len(built.embed_batch([DIMENSION_PROBE], "add")[0])
    model = f"{embedder['provider']}:{embedder['config'].get('model') or 'default'}:{dimensions}"
    words = SqliteWords(place.url, place.cache_bytes // 4)
    return Index(built, _build_store(store, model, dimensions, place), words, model, identity(embedder, store))


def identity(embedder: Mapping[str, Any], store: Mapping[str, Any]) -> str:
    """What tells one index from another: which embedder and which store, keys and secrets included, as a digest."""
    sections = json.dumps([embedder, store], sort_keys=True)
    return f"{embedder['provider']}@{store['provider']}:{hashlib.sha256(sections.encode()).hexdigest()[:16]}"


def _build_embedder(section: Mapping[str, Any], place: Place) -> Embedder:
    provider = section["provider"]
    if provider not in EmbedderFactory.provider_to_class:
        raise Invalid(f"Unknown embedder provider {provider!r}; there are: {', '.join(embedder_names())}")
    config = {key: resolve(value) for key, value in section["config"].items() if value is not None}
    if provider == "local":
        config["model_kwargs"] = {"cache_dir": str(place.cache_dir)}
    try:
        embedder: Embedder = EmbedderFactory.create(provider, config, None)
    except ImportError as error:
        raise Invalid(f"The embedder provider {provider!r} needs a package that is not installed: {error}") from error
    except TypeError as error:
        raise Invalid(f"The embedder provider {provider!r} does not take this configuration: {error}") from error
    return embedder


def _build_store(section: Mapping[str, Any], model: str, dimensions: int, place: Place) -> Any:
    config = {
        "collection_name": model,
        "embedding_model_dims": dimensions,
        "url": place.url,
        "cache_bytes": place.cache_bytes,
    }
    return VectorStoreFactory.create(section["provider"], config)


def build_reranker(section: Mapping[str, Any]) -> Reranker | None:
    """The reranker that the configuration describes; None if it describes none.

    Raises:
        Invalid: it cannot be built; the message says why.
    """
    if section["provider"] is None:
        return None
    return rerankers.build(section["provider"], resolve({k: v for k, v in section["config"].items() if v is not None}))


def build_llm(section: Mapping[str, Any], timeout: float) -> Llm | None:
    """The LLM that the configuration describes, None if it names none; `timeout` in seconds bounds each try.

    Raises:
        Invalid: it cannot be built; the message says why.
        Unavailable: the environment lacks a variable.
        Exception: whatever the provider raises when its client is made (no key, above all).
    """
    provider = section["provider"]
    if provider is None:
        return None
    if provider not in LlmFactory.provider_to_class:
        raise Invalid(f"Unknown LLM provider {provider!r}; there are: {', '.join(llm_names())}")
    takes = llm_keys(provider)
    given = {key: value for key, value in section["config"].items() if value is not None and key in takes}
    try:
        config = resolve(given)
    except Invalid as error:
        raise Unavailable(str(error)) from error
    try:
        model = LlmFactory.create(provider, config)
    except ImportError as error:
        raise Invalid(f"The LLM provider {provider!r} needs a package that is not installed: {error}") from error
    except TypeError as error:
        raise Invalid(f"The LLM provider {provider!r} does not take this configuration: {error}") from error
    return Llm(model, f"{provider}:{model.config.model}", timeout)


def is_set(variable: str) -> bool:
    """Whether the environment has the variable, and something in it."""
    return bool(os.environ.get(variable))


def resolve(value: Any) -> Any:
    """A configured value as it is used: `env:NAME`, at any depth, becomes the variable's value.

    Raises:
        Invalid: the variable is not set.
    """
    if isinstance(value, Mapping):
        return {key: resolve(below) for key, below in value.items()}
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in os.environ:
            raise Invalid(f"The configuration names the environment variable {name}, which is not set")
        return os.environ[name]
    return value
