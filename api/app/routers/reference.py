"""One API reference over all doors: their OpenAPI documents as one, each door's operations under its name.

Every door is an app of its own, so two may use one name for a schema or an operation: in the merged document a name
begins with its door's.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI

METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch"})
REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Door:
    """A protocol's app, where it is mounted, and the name that its operations stand under.

    `examples` has a body that works for each request that has one, by method and path: "POST /memories".
    """

    prefix: str
    name: str
    app: FastAPI
    examples: Mapping[str, Any] = field(default_factory=dict)


def merged(title: str, version: str, description: str, doors: Sequence[Door]) -> dict[str, Any]:
    """An OpenAPI 3.1 document of what all the doors answer; where two take one request, the first one's, as mounted."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    schemes: dict[str, Any] = {}
    for door in doors:
        document = _named(door)
        for path, item in document["paths"].items():
            paths[f"{door.prefix}{path}"] = {**item, **paths.get(f"{door.prefix}{path}", {})}
        components = document.get("components", {})
        schemas |= components.get("schemas", {})
        schemes |= components.get("securitySchemes", {})
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "tags": [{"name": door.name, "description": door.app.description} for door in _once(doors)],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": schemes},
    }


def _once(doors: Sequence[Door]) -> Iterator[Door]:
    seen: set[str] = set()
    for door in doors:
        if door.name not in seen:
            seen.add(door.name)
            yield door


def _named(door: Door) -> dict[str, Any]:
    """The door's own document, its names made its own."""
    own = door.name.replace(" ", "")
    document: dict[str, Any] = json.loads(
        json.dumps(door.app.openapi()).replace(f'"{REFERENCE}', f'"{REFERENCE}{own}.')
    )
    components = document.get("components", {})
    components["schemas"] = {f"{own}.{name}": schema for name, schema in components.get("schemas", {}).items()}
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            item[method]["tags"] = [door.name]
            body = item[method].get("requestBody", {}).get("content", {}).get("application/json")
            if body is not None and f"{method.upper()} {path}" in door.examples:
                body["example"] = door.examples[f"{method.upper()} {path}"]
            item[method]["operationId"] = f"{own}{door.prefix}{path}-{method}".replace("/", "-").lower()
    return document
