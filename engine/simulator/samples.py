"""A value that fits a JSON Schema, where nobody gave one: the plainest there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.contract import Json

_DEEPEST: Final = 16

_PLAIN: Final[Mapping[str, Json]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "null": None,
}


def sample_of(schema: Json, root: Json = None, depth: int = 0) -> Json:
    """Its default, example, constant or first choice; else empty values of its types."""
    root = schema if root is None else root
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    for name in ("default", "const"):
        if name in schema:
            return schema[name]
    for name in ("examples", "enum"):
        if isinstance(schema.get(name), list) and schema[name]:
            return schema[name][0]
    if isinstance(schema.get("$ref"), str):
        return sample_of(_resolved(schema["$ref"], root), root, depth + 1)
    for name in ("anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(name), list) and schema[name]:
            return sample_of(schema[name][0], root, depth + 1)
    return _of_type(schema, root, depth)


def _of_type(schema: Mapping[str, Json], root: Json, depth: int) -> Json:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = kind[0] if kind else None
    if kind == "object" or (kind is None and "properties" in schema):
        members = schema.get("properties")
        members = members if isinstance(members, Mapping) else {}
        return {name: sample_of(member, root, depth + 1) for name, member in members.items()}
    if kind == "array":
        return [sample_of(schema.get("items"), root, depth + 1)] if schema.get("minItems") else []
    if kind == "string" and isinstance(schema.get("minLength"), int):
        return "x" * min(schema["minLength"], 1000)
    if kind in {"integer", "number"} and isinstance(schema.get("minimum"), int | float):
        return schema["minimum"]
    return _PLAIN.get(str(kind))


def _resolved(reference: str, root: Json) -> Json:
    """A local reference (`#/$defs/x`); None for any other."""
    at = root
    for part in reference.removeprefix("#/").split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        at = at.get(name) if isinstance(at, Mapping) else None
    return at
