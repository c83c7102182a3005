"""What a record can be, the most telling first: whose it is shows in it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.services.import_formats import chatgpt, claude, mem0, mem9, plain
from app.services.import_formats.items import Item


@dataclass(frozen=True, slots=True)
class Shape:
    """A format of records.

    `matches` is asked with the section (the key of the list that it is in) and the record; `read` also gets what the
    file says beside its records.
    """

    name: str
    label: str
    app: str
    matches: Callable[[str, Any], bool]
    read: Callable[[str, Any, Mapping[str, Any]], Iterator[Item]]


SHAPES = [
    Shape(module.NAME, module.LABEL, module.APP, module.matches, module.read)
    for module in (chatgpt, claude, mem0, mem9, plain)
]


def shape_of(section: str, record: Any) -> Shape | None:
    """The first that matches."""
    return next((shape for shape in SHAPES if shape.matches(section, record)), None)
