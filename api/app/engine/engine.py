"""The engine in use: built in the background from the configuration, exchanged when the configuration changes."""

import importlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from app.database import Database
from app.engine.categories import Categoriser, Prototype
from app.engine.index import Index, Vectors
from app.engine.late import Question
from app.engine.llm import Llm
from app.engine.probing import PROBES, Found, Prober
from app.engine.ranking import Mode
from app.engine.reranking import Reranker
from app.errors import CommonplaceError, Invalid, Unavailable

BUILD_SECONDS = 60  # a request that needs the engine while it is being built waits so long

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Built:
    """One configuration's engine; `config` is what it was built from.

    A reranker that cannot be built is no reason to have no engine: then `no_reranker` says why there is none.
    """

    index: Index
    categoriser: Categoriser
    config: Mapping[str, Any] = field(default_factory=dict)
    reranker: Reranker | None = None
    no_reranker: str | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """The LLM of a configuration, None if it names none; or why there is none yet. `part` is what it was built from."""

    llm: Llm | None = None
    failure: str | None = None
    part: Mapping[str, Any] = field(default_factory=dict)


class Engine:
    """Embeds, categorises and searches with whatever the configuration says."""

    def __init__(self, database: Database, data_dir: Path, cache_bytes: int) -> None:
        self._database = database
        self._data_dir = data_dir
        self._cache_bytes = cache_bytes
        self._ready = threading.Event()
        self._built: Built | None = None
        self._next: Built | None = None
        self._failure = "it has not been started"
        self._chosen = Chosen()
        self._prober = Prober()

    def fail(self, reason: str) -> None:
        """From now on none answers, and whoever asks is told why.

        Not the one before: what it would index under its own model, nobody would find under the configured one.
        """
        self._built = None
        self._failure = reason
        self._ready.set()

    def build(self, config: Mapping[str, Any]) -> Built:
        """An engine for `config`, not in use yet.

        Raises:
            Invalid: it cannot be built; the message says why, in the provider's words, which may quote a secret.
        """
        try:
            return self._build(config)
        except CommonplaceError:
            raise
        except Exception as error:  # any provider's any failure: a refused key, a host that is not there
            raise Invalid(f"{type(error).__name__}: {error}") from error

    def _build(self, config: Mapping[str, Any]) -> Built:
        providers = self.providers()
        index = providers.build_index(config["mem0"]["embedder"], config["mem0"]["vector_store"], self._place())
        reranker, failure = _reranker(providers, config["mem0"]["reranker"])
        return Built(index, _categoriser(index, config["openmemory"]), config, reranker, failure)

    def _place(self) -> Any:
        return self.providers().Place(self._database, self._data_dir / "models", self._cache_bytes)

    def probe(self, name: str, config: Mapping[str, Any]) -> Found:
        """What the section `name` of `mem0` answers to one real call, in bounded time; nothing of it is in use then.

        Raises:
            ProbeFailed: nothing usable; the message is the provider's, which may quote a secret.
        """
        return self._prober.ask(lambda: PROBES[name](self.providers(), config, self._place()))

    def build_llm(self, config: Mapping[str, Any]) -> Llm | None:
        """The LLM of `config`, not in use yet; None if it names none. Not asked anything.

        Raises:
            Invalid: there cannot be one: its package is not installed, or does not take the configuration.
            Unavailable: there is none yet: a key or a variable of the environment is missing.
        """
        try:
            llm: Llm | None = self.providers().build_llm(config["mem0"]["llm"], config["openmemory"]["llm_timeout"])
        except CommonplaceError:
            raise
        except Exception as error:  # any provider's any failure: a key that is missing, a client that changed
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        return llm

    def use_llm(self, chosen: Chosen) -> None:
        """From now on this LLM is asked."""
        self._chosen = chosen

    def use(self, built: Built) -> None:
        """From now on this one answers."""
        self._built = built
        self._ready.set()

    def prepare(self, built: Built) -> None:
        """Keep this one for when its index is complete: it is built already."""
        self._next = built

    def prepared(self, config: Mapping[str, Any]) -> Built:
        """The engine for `config`: the one that is kept, if it is for that, else a new one. Raises as `build`."""
        kept, self._next = self._next, None
        return kept if kept is not None and kept.config == config else self.build(config)

    @staticmethod
    def providers() -> Any:
        """`app.engine.providers`, imported now: mem0 takes a second to import, and a start need not wait."""
        return importlib.import_module("app.engine.providers")

    @property
    def is_ready(self) -> bool:
        """Whether an engine is in use."""
        return self._built is not None

    @property
    def failure(self) -> str | None:
        """Why no engine answers; None while one does, or is being loaded. It may quote a secret."""
        return self._failure if self._ready.is_set() and self._built is None else None

    @property
    def config(self) -> Mapping[str, Any] | None:
        """What the engine in use was built from; None when none is in use."""
        built = self._built
        return built.config if built else None

    @property
    def built(self) -> Built:
        """The engine in use.

        Raises:
            Unavailable: it could not be built, or is not built in time.
        """
        if not self._ready.wait(BUILD_SECONDS):
            raise Unavailable("The embedder is still being loaded")
        if self._built is None:
            raise Unavailable(f"The embedder is not available: {self._failure}")
        return self._built

    @property
    def in_use(self) -> Chosen:
        """The LLM in use as far as is known by now."""
        return self._chosen

    @property
    def chosen(self) -> Chosen:
        """The LLM in use, be it none, waited for like the index at a start.

        Raises:
            Unavailable: nothing is known of it in time.
        """
        if not self._ready.wait(BUILD_SECONDS):
            raise Unavailable("The engine is still being loaded")
        return self._chosen

    @property
    def llm(self) -> Llm | None:
        """The LLM in use; None when none is configured.

        Raises:
            Unavailable: one is configured and could not be built, or nothing is known of it in time.
        """
        chosen = self.chosen
        if chosen.failure is not None:
            raise Unavailable(f"The LLM is not available: {chosen.failure}")
        return chosen.llm

    @property
    def index(self) -> Index:
        """The index in use."""
        return self.built.index

    def embed(self, texts: Sequence[str]) -> Vectors | None:
        """Vectors of `texts` (n, dimensions), in one call; None when the embedder does not answer.

        A dead embedder must not fail a write: what has no vector now is embedded by the sweep.
        """
        told = f"the embedder does not answer; {len(texts)} texts are kept and indexed later"
        return _or_none(lambda: self.built.index.embed(texts), told)

    def embed_query(self, text: str) -> Question | None:
        """A query as the embedder reads it; None when it does not answer: the keyword leg still does."""
        return _or_none(lambda: self.built.index.question(text), "the embedder does not answer a query")

    def near(self, owner: UUID, text: str, vector: Vectors | None, limit: int) -> dict[UUID, float]:
        """Of the owner's memories those nearest to a text, with their cosines; by its words when it has no vector.

        Empty when the store does not answer: a write must not fail over it.
        """
        mode: Mode = "keyword" if vector is None else "vector"
        told = "the index does not answer; what is new is not compared with what is known"
        hits = _or_none(lambda: self.built.index.rank(owner, text, vector, mode, limit), told)
        return {hit.id: hit.score for hit in hits or ()}

    def categories(self, vectors: Vectors | None, count: int) -> list[list[str]]:
        """The categories of `count` texts by their vectors; none without vectors."""
        return [[] for _ in range(count)] if vectors is None else self.built.categoriser.categories(vectors)


def _reranker(providers: Any, section: Mapping[str, Any]) -> tuple[Reranker | None, str | None]:
    try:
        return providers.build_reranker(section), None
    except Invalid as error:
        return None, str(error)


def _or_none(call: Callable[[], Answer], told: str) -> Answer | None:
    try:
        return call()
    except Exception:  # any provider's any failure; logged, and what can be done without it goes on
        logger.exception(told)
        return None


def _categoriser(index: Index, section: Mapping[str, Any]) -> Categoriser:
    prototypes = [Prototype(item["name"], item["description"]) for item in section["categories"]]
    vectors = index.embed([f"{item.name}: {item.description}" for item in prototypes])
    return Categoriser(prototypes, vectors, section["category_threshold"], section["max_categories"])
