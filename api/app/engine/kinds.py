"""What the keys of mem0's configuration classes hold, by their annotations: what a form asks for."""

import inspect
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

Kind = Literal["text", "number", "whole", "switch", "other"]

KINDS: Mapping[Any, Kind] = {str: "text", float: "number", int: "whole", bool: "switch"}


def of(config: type) -> dict[str, Kind]:
    """The kind of each key that a configuration class takes; `other` is an object, a list, or one of several kinds."""
    fields = getattr(config, "model_fields", None)
    if fields is not None:
        return {name: kind(field.annotation) for name, field in fields.items()}
    taken = inspect.signature(config).parameters.values()
    return {one.name: kind(one.annotation) for one in taken if one.kind is not one.VAR_KEYWORD}


def kind(annotation: Any) -> Kind:
    """The kind of one annotation; None beside it does not count."""
    if get_origin(annotation) in (Union, UnionType):
        kinds = {kind(one) for one in get_args(annotation) if one is not type(None)}
        return kinds.pop() if len(kinds) == 1 else "other"
    return KINDS.get(annotation, "other")
