"""What a model answered, as JSON: out of code fences, thoughts and prose, if there is any in it."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_BEGINNING = re.compile(r"[\[{]")
MAX_TRIES = 50  # brackets in prose that turn out to begin no JSON
_decoder = json.JSONDecoder()


class Unusable(ValueError):
    """The answer is not what was asked for; the message is for the model, which is asked once more."""


def items(answer: str, names: Iterable[str]) -> list[Any]:
    """The list that the answer holds under one of `names`, or is.

    Raises:
        Unusable: there is no such list in it.
    """
    wanted = tuple(names)
    for value in _values(answer):
        found = value if isinstance(value, list) else _named(value, wanted)
        if isinstance(found, list):
            return found
    raise Unusable(f'there is no JSON object with a list "{wanted[0]}" in the answer')


def objects(answer: str) -> Iterator[Mapping[str, Any]]:
    """The JSON objects in the answer."""
    return (value for value in _values(answer) if isinstance(value, Mapping))


def _named(value: Any, names: Iterable[str]) -> Any:
    return next((value[name] for name in names if name in value), None) if isinstance(value, Mapping) else None


def _values(answer: str) -> Iterable[Any]:
    text = _THOUGHT.sub("", answer)
    place = 0
    for _ in range(MAX_TRIES):
        beginning = _BEGINNING.search(text, place)
        if beginning is None:
            return
        try:
            value, place = _decoder.raw_decode(text, beginning.start())
        except (ValueError, RecursionError):
            place = beginning.end()
        else:
            yield value


def text_of(value: Any) -> str:
    """A value that should be a text, without what cannot be stored; empty if it is none."""
    if not isinstance(value, str):
        return ""
    return "".join(c for c in value if c in "\n\t" or (c.isprintable() and not "\ud800" <= c <= "\udfff")).strip()


def number_of(value: Any) -> int | None:
    """A value that should be a whole number, or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip().lstrip("#[").rstrip("]")
        return int(value) if value.isdecimal() and len(value) < 9 else None
    return value if isinstance(value, int) else None
