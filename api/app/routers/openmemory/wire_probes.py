"""What may be configured, and whether it works, in JSON. Pure: no FastAPI, no I/O."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field

from app.routers.openmemory import wire_config
from app.services.probes import Probe
from app.services.providers import Choices

Section = Literal["llm", "embedder", "vector_store", "reranker"]


class TestedSection(wire_config.Open):
    """A section of `mem0`, as in PUT /config."""

    provider: str | None = None
    config: dict[str, Any] | None = None


class TestRequest(BaseModel):
    """POST /config/test."""

    name: Section
    section: TestedSection


class TestAnswer(BaseModel):
    """What became of one real call. `ok` is false when it was refused, by us or by the provider, or failed."""

    ok: bool
    detail: str = Field(description="What was done, or the reason why it could not be; secrets are masked.")
    milliseconds: float | None = Field(description="Of the call alone.")
    model: str | None
    dimensions: int | None = Field(description="Of an embedder's vectors.")
    answer: str | None = Field(description="The first words of an LLM's answer.")


class ProviderKey(BaseModel):
    """A key of a provider's `config`."""

    name: str
    kind: Literal["text", "number", "whole", "switch", "other"]
    is_secret: bool = Field(description="Written, never read back.")
    is_address: bool = Field(description="Has to be public, or in ALLOWED_PROVIDER_HOSTS.")


class ProviderOut(BaseModel):
    """A provider, and what its `config` may hold; `missing` says which package it needs that is not installed."""

    name: str
    keys: list[ProviderKey]
    missing: str | None


class ChoicesOut(BaseModel):
    """The providers of a section; whether it may go without one."""

    is_optional: bool
    providers: list[ProviderOut]


class Providers(BaseModel):
    """GET /config/providers."""

    llm: ChoicesOut
    embedder: ChoicesOut
    vector_store: ChoicesOut
    reranker: ChoicesOut


def answer(probe: Probe) -> TestAnswer:
    """What became of the call."""
    return TestAnswer(
        ok=probe.is_well,
        detail=probe.detail,
        milliseconds=probe.milliseconds,
        model=probe.model,
        dimensions=probe.dimensions,
        answer=probe.answer,
    )


def providers(known: Mapping[str, Choices]) -> Providers:
    """The providers by section."""
    return Providers.model_validate(known, from_attributes=True)
