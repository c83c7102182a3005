"""mem0's factories with our providers registered: the only module that builds embedders and vector stores.

Importing it imports what we use of mem0 (0.8 s, 30 MB): `app.engine.engine` does so in the background of a start.
"""

import hashlib
import importlib
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
from mem0.vector_stores.configs import VectorStoreConfig

from app.database import Database
from app.engine import kinds, rerankers
from app.engine.index import BESIDE, Embedder, Index
from app.engine.kinds import Kind
from app.engine.llm import Llm
from app.engine.reranking import Reranker
from app.engine.stores.elsewhere import ElsewhereStore
from app.engine.words import Words
from app.engine.words.postgres import PostgresWords
from app.engine.words.sqlite import SqliteWords
from app.errors import Invalid, Unavailable

EmbedderFactory.provider_to_class["local"] = "app.engine.local.LocalEmbedding"
VectorStoreFactory.provider_to_class["sqlite"] = "app.engine.stores.sqlite.SqliteVectorStore"
VectorStoreFactory.provider_to_class["postgresql"] = "app.engine.stores.pgvector.PgVectorStore"

# Of mem0's the ones whose address a configuration says in a form that can be checked, and that find small owners:
# not faiss (recall .02 for one in a hundred), not pgvector as mem0 sets it up (.05).
ELSEWHERE = (
    "qdrant", "chroma", "milvus", "weaviate", "elasticsearch", "opensearch", "pinecone", "upstash_vector"
)  # fmt: skip
STORE_DEFAULTS: Mapping[str, Mapping[str, Any]] = {"milvus": {"metric_type": "COSINE"}}
# What the deployment decides, or what is a Python object.
NOT_CONFIGURED = frozenset(
    {"collection_name", "embedding_model_dims", "path", "client", "custom_search_query", "http_auth",
     "connection_class", "pod_config", "extra_params", "hybrid_search", "enable_embeddings", "ca_certs"}
)  # fmt: skip
DIMENSION_PROBE = "How many dimensions?"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the index lives: what the deployment decides and the configuration does not.

    `database` is the truth's, whose connections the index uses, too, on PostgreSQL.
    """

    database: Database
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
    return frozenset(llm_kinds(provider))


def llm_kinds(provider: str) -> dict[str, Kind]:
    """Those keys, and what each holds."""
    _, config = LlmFactory.provider_to_class[provider]
    return (kinds.of(BaseLlmConfig) if _takes_any(config) else {}) | kinds.of(config)


def store_names() -> list[str]:
    """Providers that `mem0.vector_store.provider` may name."""
    return [*BESIDE, *ELSEWHERE]


def store_keys(provider: str) -> frozenset[str]:
    """The keys that mem0's configuration of a vector store takes and a user may set.

    Raises:
        Invalid: the provider's package is not installed.
    """
    return frozenset(store_kinds(provider))


def store_kinds(provider: str) -> dict[str, Kind]:
    """Those keys, and what each holds. Raises as `store_keys`."""
    if provider not in ELSEWHERE:
        return {}
    module, name = f"mem0.configs.vector_stores.{provider}", VectorStoreConfig()._provider_configs[provider]
    try:
        config = getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise Invalid(f"The vector store {provider!r} needs a package that is not installed: {error}") from error
    return {name: kind for name, kind in kinds.of(config).items() if name not in NOT_CONFIGURED}


def is_in_process(section: Mapping[str, Any]) -> bool:
    """Whether a store keeps its vectors in a directory of this process: Qdrant and Chroma without an address."""
    config = section["config"]
    return section["provider"] in {"qdrant", "chroma"} and not any(map(config.get, ("url", "host", "api_key")))


def embedder_keys() -> frozenset[str]:
    """The keys that mem0's configuration of an embedder takes, whatever the provider."""
    return frozenset(embedder_kinds())


def embedder_kinds() -> dict[str, Kind]:
    """Those keys, and what each holds."""
    return kinds.of(BaseEmbedderConfig)


def _takes_any(config: type) -> bool:
    return any(one.kind is one.VAR_KEYWORD for one in inspect.signature(config).parameters.values())


def build_index(embedder: Mapping[str, Any], store: Mapping[str, Any], place: Place) -> Index:
    """The index that the configuration describes.

    Raises:
        Invalid: it cannot be built; the message says why.
        Exception: whatever the provider raises when it is first asked (a refused key, a host that is not there).
    """
    built = build_embedder(embedder, place)
    dimensions = len(built.embed_batch([DIMENSION_PROBE], "add")[0])
    model = f"{embedder['provider']}:{embedder['config'].get('model') or 'default'}:{dimensions}"
    built_store = build_store(store, model, dimensions, place)
    return Index(built, built_store, build_words(place), model, identity(embedder, store))


def identity(embedder: Mapping[str, Any], store: Mapping[str, Any]) -> str:
    """What tells one index from another: which embedder and which store, keys and secrets included, as a digest."""
    if store["provider"] in BESIDE:
        store = {**store, "provider": BESIDE[0]}
    sections = json.dumps([embedder, store], sort_keys=True)
    return f"{embedder['provider']}@{store['provider']}:{hashlib.sha256(sections.encode()).hexdigest()[:16]}"


def build_embedder(section: Mapping[str, Any], place: Place) -> Embedder:
    """The embedder that the configuration describes.

    Raises:
        Invalid: it cannot be built; the message says why.
        Exception: whatever the provider raises when its client is made.
    """
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


def build_words(place: Place) -> Words:
    """The keyword leg, beside the truth."""
    if place.database.is_sqlite:
        return SqliteWords(place.database.url, place.cache_bytes // 4)
    return PostgresWords(place.database)


def build_store(section: Mapping[str, Any], model: str, dimensions: int, place: Place) -> Any:
    """The store of the vectors of `model`; one that lies elsewhere is opened when it is first used."""
    if section["provider"] in ELSEWHERE:
        return _build_elsewhere(section, model, dimensions, place)
    config: dict[str, Any] = {"collection_name": model, "embedding_model_dims": dimensions}
    if place.database.is_sqlite:
        beside = {"url": place.database.url, "cache_bytes": place.cache_bytes}
        return VectorStoreFactory.create("sqlite", config | beside)
    return VectorStoreFactory.create("postgresql", config | {"database": place.database})


def _build_elsewhere(section: Mapping[str, Any], model: str, dimensions: int, place: Place) -> ElsewhereStore:
    provider, is_local = section["provider"], is_in_process(section)
    config = dict(STORE_DEFAULTS.get(provider, {}))
    config |= {key: resolve(value) for key, value in section["config"].items() if value is not None}
    config["collection_name"] = f"commonplace_{hashlib.sha256(model.encode()).hexdigest()[:16]}"
    if provider != "chroma":
        config["embedding_model_dims"] = dimensions
    if is_local:
        config["path"] = str(place.cache_dir.parent / provider)

    def open_store() -> Any:
        return VectorStoreFactory.create(provider, VectorStoreConfig(provider=provider, config=config).config)

    return ElsewhereStore(provider, open_store, is_local=is_local)


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
