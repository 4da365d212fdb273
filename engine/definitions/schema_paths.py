"""What a JSON Schema says of the value at a path: enough for publish checks, no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from engine.contract import Json

_MAX_REFERENCES: Final = 32
_COMBINING: Final = ("allOf", "anyOf", "oneOf", "if", "patternProperties", "$dynamicRef")


def followed(schema: Any, root: Mapping[str, Json]) -> Any:
    """`schema` with a local `$ref` followed; None where it leads nowhere."""
    for _ in range(_MAX_REFERENCES):
        if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
            return schema
        schema = _at(root, schema["$ref"])
    return None


def _at(root: Any, reference: str) -> Any:
    if not reference.startswith("#"):
        return None
    here = root
    for part in unquote(reference[1:]).split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(here, list) and key.isdigit() and int(key) < len(here):
            here = here[int(key)]
        elif isinstance(here, dict):
            here = here.get(key)
        else:
            return None
    return here


def schema_at(root: Mapping[str, Json], segments: Sequence[str]) -> Any:
    """The schema of what is at the path; None when nothing is said, False when nothing can be."""
    here: Any = dict(root)
    for segment in segments:
        here = followed(here, root)
        if not isinstance(here, dict):
            return None if here is not False else False
        here = _member(here, segment)
        if here is None or here is False:
            return here
    return followed(here, root)


def _member(schema: dict[str, Any], segment: str) -> Any:
    properties = schema.get("properties")
    if isinstance(properties, dict) and segment in properties:
        return properties[segment]
    if segment == "-" or segment.isdigit():
        if "items" in schema:
            return schema["items"]
        if schema.get("type") == "array":
            return None
    if any(keyword in schema for keyword in _COMBINING):
        return None
    if "additionalProperties" in schema:
        more = schema["additionalProperties"]
        return None if more is True else more
    return None if not isinstance(properties, dict) else _UNKNOWN


_UNKNOWN: Final = False
"""Fields are listed and this is none of them: allowed perhaps, but nobody has heard of it."""


def is_known(root: Mapping[str, Json], segments: Sequence[str]) -> bool:
    """False only where the schema lists fields on the way and this path is not among them."""
    return schema_at(root, segments) is not False


def types_of(schema: Any, root: Mapping[str, Json]) -> frozenset[str] | None:
    """JSON types that the schema allows; None: unknown."""
    schema = followed(schema, root)
    if not isinstance(schema, dict):
        return None
    if "type" in schema:
        found = schema["type"]
        names = [found] if isinstance(found, str) else found
        return frozenset(names) if isinstance(names, list) else None
    if "const" in schema:
        return frozenset({_type_of(schema["const"])})
    if isinstance(schema.get("enum"), list):
        return frozenset(_type_of(value) for value in schema["enum"])
    for keyword in ("anyOf", "oneOf"):
        if isinstance(schema.get(keyword), list):
            parts = [types_of(part, root) for part in schema[keyword]]
            known = [part for part in parts if part is not None]
            return frozenset().union(*known) if len(known) == len(parts) else None
    return None


def _type_of(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "integer" if isinstance(value, int) else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def can_be(source: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether some value of the one is a value of the other."""
    if source & wanted:
        return True
    numbers = {"number", "integer"}
    return bool(source & numbers) and bool(wanted & numbers)
