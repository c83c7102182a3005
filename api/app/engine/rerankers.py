"""mem0's rerankers, made by their names; imported with `app.engine.providers` alone, for mem0 takes its time."""

from collections.abc import Mapping
from typing import Any

from mem0.utils.factory import RerankerFactory
from pydantic import ValidationError

from app.engine import kinds
from app.engine.kinds import Kind
from app.engine.reranking import Reranker
from app.errors import Invalid


def names() -> list[str]:
    """Providers that `mem0.reranker.provider` may name."""
    return sorted(RerankerFactory.provider_to_class)


def keys(provider: str) -> frozenset[str]:
    """The keys that mem0's configuration of a reranker takes."""
    return frozenset(key_kinds(provider))


def key_kinds(provider: str) -> dict[str, Kind]:
    """Those keys, and what each holds."""
    _, config = RerankerFactory.provider_to_class[provider]
    return kinds.of(config)


def build(provider: str, config: Mapping[str, Any]) -> Reranker:
    """The reranker; `config` has no `env:NAME` in it any more.

    Raises:
        Invalid: it cannot be built; the message says why, naming the package that is missing.
    """
    if provider not in RerankerFactory.provider_to_class:
        raise Invalid(f"Unknown reranker provider {provider!r}; there are: {', '.join(names())}")
    try:
        made = RerankerFactory.create(provider, dict(config))
    except ImportError as error:
        raise Invalid(f"The reranker provider {provider!r} needs a package that is not installed: {error}") from error
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, one["loc"])) for one in error.errors(include_input=False))
        raise Invalid(f"The reranker provider {provider!r} does not take this configuration: {wrong}") from None
    except Exception as error:  # any provider's any failure: a refused key, a model that cannot be loaded
        raise Invalid(f"The reranker provider {provider!r} cannot be made: {type(error).__name__}: {error}") from error
    return Reranker(made, provider)
