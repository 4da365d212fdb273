"""A mapping against the schema of what it is the input of, as far as publish can know."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.contract import Json
from engine.definitions.checks.checked import Checked
from engine.definitions.findings import did_you_mean
from engine.definitions.payload_schema import validate
from engine.definitions.schema_paths import can_be, followed, is_known, schema_at, types_of
from engine.definitions.walk import RawStep
from engine.expressions.mapping import (
    EXPRESSION_KEY,
    Place,
    expressions_of,
    is_expression,
    is_secret,
    secrets_of,
)

_PAYLOAD_PATH: Final = re.compile(r"\s*payload((?:\.[A-Za-z_][A-Za-z0-9_]*)+)\s*")
_CODES: Final = {
    "REQUIRED": "MISSING_REQUIRED_MAPPING",
    "ADDITIONAL_PROPERTIES": "UNKNOWN_INPUT_FIELD",
}


class InputCheck:
    """One step's mapping against one schema."""

    def __init__(
        self,
        checked: Checked,
        step: RawStep,
        root: Mapping[str, Json],
        field: str = "inputMapping",
    ) -> None:
        self._checked = checked
        self._step = step
        self._root = root
        self._field = field

    def check(self, mapping: dict[str, Any]) -> None:
        self._value(self._root, mapping, (self._field,))

    def _value(self, schema: Any, value: Json, place: Place) -> None:
        if is_expression(value):
            self._expression(schema, value[EXPRESSION_KEY], place)
        elif is_secret(value):
            self._types(schema, frozenset({"string"}), place)
        elif _is_literal(value):
            self._literal(schema, value, place)
        else:
            self._container(_object_part(followed(schema, self._root), self._root), value, place)

    def _literal(self, schema: Any, value: Json, place: Place) -> None:
        if not isinstance(schema, Mapping):
            return
        definitions = {
            key: self._root[key] for key in ("$defs", "definitions") if key in self._root
        }
        for problem in validate({**definitions, **schema}, value):
            name = _name((*place, *_parts(problem.pointer)))
            code = _CODES.get(problem.code, "MAPPING_TYPE_INCOMPATIBLE")
            self._checked.error(self._step, code, f"{name}: {problem.message}")

    def _container(self, schema: Any, value: Json, place: Place) -> None:
        if not isinstance(schema, dict):
            return
        if isinstance(value, list):
            self._types(schema, frozenset({"array"}), place)
            for index, member in enumerate(value):
                self._value(schema.get("items"), member, (*place, index))
        elif isinstance(value, dict):
            self._types(schema, frozenset({"object"}), place)
            self._object(schema, value, place)

    def _object(self, schema: dict[str, Any], value: dict[str, Any], place: Place) -> None:
        properties = schema.get("properties")
        known = properties if isinstance(properties, dict) else {}
        for name in schema.get("required", ()):
            if name not in value:
                message = f"{_name((*place, name))}: This field is required."
                self._checked.error(self._step, "MISSING_REQUIRED_MAPPING", message)
        for name, member in value.items():
            inner = known.get(name, schema.get("additionalProperties"))
            if inner is False:
                message = f"{_name((*place, name))}: This field is not known."
                suggestion = did_you_mean(name, known)
                self._checked.error(self._step, "UNKNOWN_INPUT_FIELD", message, suggestion)
            else:
                self._value(inner, member, (*place, name))

    def _expression(self, schema: Any, source: Json, place: Place) -> None:
        payload = self._checked.payload_schema
        found = _PAYLOAD_PATH.fullmatch(source) if isinstance(source, str) else None
        if found is None or payload is None:
            return
        segments = found.group(1)[1:].split(".")
        if not is_known(payload, segments):
            message = f"{_name(place)}: {source.strip()} is not in the payload schema."
            self._checked.warning(self._step, "MAPPING_TYPE_UNKNOWN", message)
            return
        types = types_of(schema_at(payload, segments), payload)
        if types is not None:
            self._types(schema, types, place)

    def _types(self, schema: Any, source: frozenset[str], place: Place) -> None:
        wanted = types_of(schema, self._root)
        if wanted is not None and not can_be(source, wanted):
            message = (
                f"{_name(place)}: {' or '.join(sorted(source))} is mapped"
                f" where {' or '.join(sorted(wanted))} is expected."
            )
            self._checked.error(self._step, "MAPPING_TYPE_INCOMPATIBLE", message)


def _is_literal(value: Json) -> bool:
    return next(_special(value), None) is None


def _special(value: Json) -> Iterator[Any]:
    yield from expressions_of(value)
    yield from secrets_of(value)


def _object_part(schema: Any, root: Mapping[str, Json]) -> Any:
    """Of a choice such as "an object or null", its only part that can hold something."""
    if not isinstance(schema, dict):
        return None
    for keyword in ("anyOf", "oneOf"):
        if isinstance(schema.get(keyword), list):
            parts = [followed(part, root) for part in schema[keyword]]
            holders = [part for part in parts if types_of(part, root) != frozenset({"null"})]
            return holders[0] if len(holders) == 1 else None
    return schema


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _name(place: Place) -> str:
    return ".".join(map(str, place))
