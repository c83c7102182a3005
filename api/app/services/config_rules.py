"""What a configuration may be: how a sent one is combined with the one that is kept, and what is refused."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from copy import deepcopy
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.errors import Invalid
from app.services import config_secrets, provider_urls
from app.services.accounts import is_storable
from app.services.retention_rules import Days, Rules, Strict
from app.settings import ROOT

DEFAULTS = ROOT / "default_config.json"
PROVIDERS = ("llm", "embedder", "vector_store", "reranker")

MAX_DEPTH = 8
MAX_TEXT = 1_000_000  # characters of a whole configuration

# What mem0's classes take, and a configuration may not say: Python objects; and what becomes keyword arguments of a
# model loader, where `trust_remote_code` would run a stranger's code in this process.
NEVER = {
    "llm": frozenset({"response_callback"}),
    "embedder": frozenset({"model_kwargs"}),
    "reranker": frozenset({"show_progress_bar"}),
}
OPTIONAL = frozenset({"llm", "reranker"})  # sections that need not name a provider
OBJECTS_ONLY = frozenset({"langchain"})  # providers whose model is a Python object

# Where a provider's client connects when neither the configuration nor the environment names an address.
LOCAL_URLS = {
    "ollama": ("ollama_base_url", "OLLAMA_HOST", "http://localhost:11434"),
    "lmstudio": ("lmstudio_base_url", None, "http://localhost:1234/v1"),
    "vllm": ("vllm_base_url", "VLLM_BASE_URL", "http://localhost:8000/v1"),
    "milvus": ("url", None, "http://localhost:19530"),
    "weaviate": ("cluster_url", None, "http://localhost:8080"),
    "elasticsearch": ("host", None, "http://localhost:9200"),
    "opensearch": ("host", None, "http://localhost:9200"),
}

# What clients write into the middle of a host name or a path: a "/" here would make it another host.
HOST_PARTS = frozenset({"aws_region", "location", "project", "azure_deployment", "api_version"})
HOST_PART = re.compile(r"[A-Za-z0-9._:-]*")

Json = dict[str, Any]


class Category(Strict):
    """A category prototype."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    description: Annotated[str, Field(min_length=1, max_length=4_000)]


class OpenMemory(Strict):
    """What is ours to know."""

    custom_instructions: Annotated[str, Field(max_length=20_000)] | None
    categories: Annotated[list[Category], Field(max_length=200)]
    category_threshold: Annotated[float, Field(ge=0, le=1)]
    max_categories: Annotated[int, Field(ge=0, le=20)]
    rerank: bool
    rerank_depth: Annotated[int, Field(ge=2, le=200)]
    rerank_budget_ms: Annotated[int, Field(ge=10, le=60_000)]
    retention: Rules
    purge_after_days: Days | None
    duplicate_threshold: Annotated[float, Field(ge=0.5, le=1)]
    llm_timeout: Annotated[float, Field(ge=0.1, le=600)]
    review_with_llm: bool

    @field_validator("categories")
    @classmethod
    def unique(cls, categories: list[Category]) -> list[Category]:
        """Refuse two of one name."""
        counts = Counter(category.name.strip().casefold() for category in categories)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"more than one category is called {twice[0]!r}")
        return categories


class Settled(BaseModel):
    """The keys of a provider's configuration that the protocol knows; others are asked of mem0."""

    model_config = ConfigDict(extra="allow", strict=True)

    model: Annotated[str, Field(max_length=1_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    api_key: Annotated[str, Field(max_length=4_000)] | None = None
    ollama_base_url: Annotated[str, Field(max_length=2_000)] | None = None
    embedding_dims: Annotated[int, Field(ge=1, le=65_536)] | None = None


class Provider(Strict):
    """A provider and its configuration."""

    provider: Annotated[str, Field(min_length=1, max_length=100)] | None
    config: Settled


class Mem0(Strict):
    """What mem0 is to use."""

    llm: Provider
    embedder: Provider
    vector_store: Provider
    reranker: Provider


class Config(Strict):
    """The whole."""

    openmemory: OpenMemory
    mem0: Mem0


def defaults() -> Json:
    """`default_config.json`."""
    config: Json = json.loads(DEFAULTS.read_text(encoding="utf-8"))
    return config


def merged(old: Any, sent: Any, default: Any) -> Any:
    """`sent` laid over `old`, object by object; null is the default."""
    if sent is None:
        return deepcopy(default)
    if not (isinstance(old, Mapping) and isinstance(sent, Mapping)):
        return deepcopy(sent)
    below = default if isinstance(default, Mapping) else {}
    new = {key: merged(old.get(key), value, below.get(key)) for key, value in sent.items()}
    # A null beyond the default's keys is as good as absent.
    return {key: value for key, value in {**old, **new}.items() if value is not None or key in below}


def replaced(old: Json, sent: Json) -> Json:
    """`old` with the sections that `sent` names: a provider's `config` is replaced, what is not named is kept."""
    base, default = deepcopy(old), defaults()
    for name in PROVIDERS:
        if isinstance(at(sent, "mem0", name, "config"), Mapping):
            base["mem0"][name]["config"] = default["mem0"][name]["config"]
    new: Json = merged(base, sent, default)
    return new


def laid_over(old: Json, sent: Json) -> Json:
    """`sent` merged into `old`; of a provider that is exchanged for another nothing is kept."""
    base, default = deepcopy(old), defaults()
    for name in PROVIDERS:
        if at(sent, "mem0", name, "provider") not in (None, old["mem0"][name]["provider"]):
            base["mem0"][name]["config"] = default["mem0"][name]["config"]
    new: Json = merged(base, sent, default)
    return new


def difference(default: Json, config: Json) -> Json:
    """What of `config` is to be kept: that which `merged(default, difference, default)` needs to give it again."""
    kept: Json = {}
    for key, value in config.items():
        known = default.get(key)
        if isinstance(value, Mapping) and isinstance(known, Mapping):
            value = difference(dict(known), dict(value)) or known
        if value != known:
            kept[key] = value
    return kept


def at(config: Any, *path: str) -> Any:
    """What lies at a path; None if nothing does."""
    for key in path:
        config = config.get(key) if isinstance(config, Mapping) else None
    return config


def check_size(sent: Any) -> None:
    """Pass if it is neither too deep nor too large to be looked at, and holds only what can be stored.

    Raises:
        Invalid: it is not.
    """
    level, size = [sent], 0
    for _ in range(MAX_DEPTH):
        texts = [text for value in level for text in _texts(value)]
        if not all(map(is_storable, texts)):
            raise Invalid("The configuration holds NUL or half of a surrogate pair")
        size += sum(map(len, texts))
        level = [below for value in level for below in _children(value)]
    if level or size > MAX_TEXT:
        raise Invalid(f"The configuration is deeper than {MAX_DEPTH} levels or longer than {MAX_TEXT} characters")


def _texts(value: Any) -> Iterable[str]:
    return [value] if isinstance(value, str) else map(str, value) if isinstance(value, Mapping) else ()


def _children(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()


def check(config: Json, providers: Any) -> None:
    """Pass if the whole configuration makes sense, as far as can be told without the network.

    Args:
        providers: `app.engine.providers`.

    Raises:
        Invalid: it does not; the message names each key and what is wrong with it, never its value.
    """
    try:
        Config.model_validate(config)
    except ValidationError as error:
        raise Invalid("; ".join(_complaints(error))) from None
    mem0 = config["mem0"]
    _check_name("llm", mem0["llm"], [name for name in providers.llm_names() if name not in OBJECTS_ONLY])
    _check_name("embedder", mem0["embedder"], [name for name in providers.embedder_names() if name not in OBJECTS_ONLY])
    _check_name("vector_store", mem0["vector_store"], providers.store_names())
    _check_name("reranker", mem0["reranker"], providers.rerankers.names())
    _check_nested_llm(mem0["reranker"], providers)
    taken = accepted(config, providers)
    _check_store(mem0["vector_store"])
    for name in PROVIDERS:
        _check_keys(name, mem0[name]["config"], taken[name])
        _check_texts(name, mem0[name]["config"])


def _complaints(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        message = "there is no such key" if problem["type"] == "extra_forbidden" else problem["msg"]
        yield f"{'.'.join(map(str, problem['loc']))}: {message}"


def _check_name(name: str, section: Json, known: Collection[str]) -> None:
    provider = section["provider"]
    if provider is None and name in OPTIONAL:
        return
    if provider not in known:
        raise Invalid(f"mem0.{name}.provider: {provider!r} is not available; there are: {', '.join(known)}")


def accepted(config: Json, providers: Any) -> dict[str, frozenset[str]]:
    """The keys that the `config` of each provider's section may hold: the default's, and what mem0's class takes."""
    default, llm = defaults()["mem0"], config["mem0"]["llm"]["provider"]
    reranker = config["mem0"]["reranker"]["provider"]
    taken = {
        "llm": providers.llm_keys(llm) if llm in providers.llm_names() else frozenset(),
        "embedder": providers.embedder_keys(),
        "reranker": providers.rerankers.keys(reranker) if reranker in providers.rerankers.names() else frozenset(),
        "vector_store": providers.store_keys(config["mem0"]["vector_store"]["provider"]),
    }
    return {
        name: (taken.get(name, frozenset()) | default[name]["config"].keys()) - NEVER.get(name, frozenset())
        for name in PROVIDERS
    }


def _check_keys(name: str, config: Json, known: frozenset[str]) -> None:
    unknown = sorted(config.keys() - known)
    if unknown:
        takes = ", ".join(sorted(known)) or "none"
        raise Invalid(f"mem0.{name}.config: there are no such keys: {', '.join(unknown)}; this provider takes: {takes}")


def nested_llm(section: Json) -> Json | None:
    """The LLM that a reranker asks, as a section of its own; None if it asks none.

    Raises:
        Invalid: it is no object of a provider and its config.
    """
    config = section["config"]
    if section["provider"] != "llm_reranker":
        return None
    nested = config.get("llm") or {}
    below = nested.get("config") or {} if isinstance(nested, Mapping) else None
    if not isinstance(below, Mapping) or not nested.keys() <= {"provider", "config"}:
        raise Invalid("mem0.reranker.config.llm: this is an object of a provider and its config")
    return {"provider": nested.get("provider") or config.get("provider") or "openai", "config": dict(below)}


def _check_nested_llm(section: Json, providers: Any) -> None:
    llm = nested_llm(section)
    if llm is None:
        return
    known = [name for name in providers.llm_names() if name not in OBJECTS_ONLY]
    if llm["provider"] not in known:
        raise Invalid(f"mem0.reranker.config.llm.provider: there are: {', '.join(known)}")
    _check_keys("reranker.config.llm", llm["config"], providers.llm_keys(llm["provider"]) - NEVER["llm"])


def _check_texts(name: str, config: Json) -> None:
    for path, text in config_secrets.strings(config):
        full = f"mem0.{name}.config.{path}"
        if config_secrets.is_reference(text):
            config_secrets.check_reference(full, text)
        # A line break in a header's value is an error whose message shows the value.
        elif config_secrets.is_secret(path) and not (text.isascii() and text.isprintable()):
            raise Invalid(f"{full}: a secret has only printable ASCII characters")
        elif path.rpartition(".")[2] in HOST_PARTS and not HOST_PART.fullmatch(text):
            raise Invalid(f"{full}: this may hold only letters, digits and . _ : -")


def check_carried(name: str, old: Json, new: Json, sent: Any) -> None:
    """Pass unless a kept secret would go to another provider or address than the one it was entered for.

    Args:
        sent: the section as it was sent, masks and all.

    Raises:
        Invalid: it would: who may change the address does not thereby learn the secret.
    """
    if _destination(old) == _destination(new):
        return
    kept, given = config_secrets.secrets(old), config_secrets.secrets(sent)
    for path, secret in config_secrets.secrets(new).items():
        if kept.get(path) == secret != given.get(path):
            raise Invalid(f"mem0.{name}.{path}: the provider or its address changes, so enter the secret again")


def _destination(section: Json) -> Any:
    return section["provider"], config_secrets.addresses(section["config"])


def check_reach(name: str, section: Json, providers: Any, allowed: Collection[str]) -> None:
    """Pass if every address that the section's provider would connect to may be connected to.

    Raises:
        Invalid: one may not, or cannot be resolved.
    """
    for path, url in _urls(section, providers):
        provider_urls.check(url, allowed, f"mem0.{name}.config.{path}")
    llm = nested_llm(section)
    if llm is not None:
        check_reach("reranker.config.llm", llm, providers, allowed)


def _urls(section: Json, providers: Any) -> Iterator[tuple[str, str]]:
    config, provider = section["config"], section["provider"]
    if provider == "litellm":  # it has providers of its own, named before the model
        provider = str(config.get("model") or "").partition("/")[0].replace("lm_studio", "lmstudio")
    if provider in LOCAL_URLS:
        key, variable, url = LOCAL_URLS[provider]
        # What the environment names is the operator's word.
        if not config.get(key) and not (variable and providers.is_set(variable)):
            yield key, url
    for path, text in config_secrets.addresses(config).items():
        url = providers.resolve(text)
        yield path, f"http://{url}:{config.get('port') or 80}" if path == "host" and "://" not in url else url


def _check_store(section: Json) -> None:
    """What mem0's clients take for granted: half an address, and they connect to this machine."""
    config, provider = section["config"], section["provider"]
    if provider not in {"qdrant", "chroma"}:
        return
    if bool(config.get("host")) != bool(config.get("port")):
        raise Invalid("mem0.vector_store.config: host and port go together")
    remote = ("url", "host") if provider == "qdrant" else ("host", "tenant")
    if (config.get("api_key") or config.get("https")) and not any(map(config.get, remote)):
        raise Invalid(f"mem0.vector_store.config: an api_key needs one of {', '.join(remote)}")
