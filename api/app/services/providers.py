"""What may be configured, for whoever makes a form of it: the providers, the keys of each, the whole as JSON Schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.context import Context
from app.engine.kinds import Kind
from app.errors import Invalid
from app.services import accounts, config_rules, config_secrets, configs
from app.services.config_rules import Json

# Of keys that only the rules know.
OURS: Mapping[str, Kind] = {
    "model": "text", "temperature": "number", "max_tokens": "whole", "api_key": "text", "ollama_base_url": "text",
    "embedding_dims": "whole", "top_k": "whole",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a provider's `config`. A secret is written and never read back; an address is checked."""

    name: str
    kind: Kind
    is_secret: bool
    is_address: bool


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that a section may name; `missing` says which package it needs that is not installed, if known."""

    name: str
    keys: list[Key]
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """The providers of a section; whether it may go without one."""

    is_optional: bool
    providers: list[Provider]


def known(ctx: Context) -> dict[str, Choices]:
    """What each section of `mem0` may name. No statement.

    Raises:
        Forbidden: the caller is no admin.
    """
    accounts.require(ctx.caller, "admin")
    ctx.release()
    engine = ctx.engine.providers()
    return {
        section: Choices(section in config_rules.OPTIONAL, [_provider(section, name, engine) for name in names])
        for section, names in _names(ctx, engine).items()
    }


def schema(ctx: Context) -> Json:
    """The whole configuration as JSON Schema (2020-12), made from the rules that it is checked by.

    Its `default` has the defaults.

    Raises:
        Forbidden: the caller is no admin.
    """
    whole = config_rules.Config.model_json_schema()
    sections = {name: _section_schema(choices) for name, choices in known(ctx).items()}
    whole["$defs"]["Mem0"]["properties"] = sections
    whole["default"] = config_rules.defaults()
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return whole


def _names(ctx: Context, engine: Any) -> dict[str, list[str]]:
    return {**configs.providers(ctx), "vector_store": engine.store_names(), "reranker": engine.rerankers.names()}


def _provider(section: str, name: str, engine: Any) -> Provider:
    config = config_rules.defaults()
    config["mem0"][section]["provider"] = name
    try:
        taken = config_rules.accepted(config, engine)[section]
        kinds = {**OURS, **_kinds(section, name, engine)}
    except Invalid as error:
        return Provider(name, [], str(error))
    return Provider(name, [_key(key, kinds[key]) for key in sorted(taken, key=_place)])


def _kinds(section: str, name: str, engine: Any) -> dict[str, Kind]:
    found: dict[str, Kind] = {
        "llm": lambda: engine.llm_kinds(name),
        "embedder": engine.embedder_kinds,
        "vector_store": lambda: engine.store_kinds(name),
        "reranker": lambda: engine.rerankers.key_kinds(name),
    }[section]()
    return found


def _key(name: str, kind: Kind) -> Key:
    return Key(name, kind, config_secrets.is_secret(name), config_secrets.is_url(name) and name != "site_url")


def _place(key: str) -> tuple[int, str]:
    """The ones that everybody knows first, in the defaults' order."""
    first = list(OURS)
    return (first.index(key) if key in first else len(first)), key


def _section_schema(choices: Choices) -> Json:
    names: list[str | None] = [one.name for one in choices.providers]
    allowed = [None, *names] if choices.is_optional else names
    return {
        "$ref": "#/$defs/Provider",
        "properties": {"provider": {"enum": allowed}},
        "allOf": [_keys_schema(one) for one in choices.providers if one.missing is None],
    }


def _keys_schema(provider: Provider) -> Json:
    keys = {"propertyNames": {"enum": [key.name for key in provider.keys]}}
    return {
        "if": {"properties": {"provider": {"const": provider.name}}},
        "then": {"properties": {"config": keys}},
    }
