"""What a JSON Schema may not hold here, although the standard allows it.

A schema is run on payloads that strangers send: it fetches nothing, its patterns are RE2's, and its
references neither go round in circles nor double their work at every turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any, Final
from urllib.parse import unquote

from engine.contract import Json
from engine.errors import Problem
from engine.expressions.patterns import PatternRefused, compile_pattern
from engine.runs.strict_json import child_pointer

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_SCHEMA_DEPTH: Final = 64
_MAX_IN_PLACE: Final = 10_000

_ONE: Final = (
    "not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS: Final = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_IN_PLACE_ONE: Final = ("not", "if", "then", "else")
_IN_PLACE_LISTS: Final = ("allOf", "anyOf", "oneOf")
_REFUSED: Final = ("$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary")

Subschemas = Mapping[str, dict[str, Json]]
"""Every subschema that is an object, by its JSON pointer."""


def depth_of(value: Json, limit: int) -> int:
    """How deep `value` is nested; the search ends beyond `limit`. No recursion."""
    deepest = 0
    waiting: list[tuple[Json, int]] = [(value, 1)]
    while waiting and deepest <= limit:
        one, depth = waiting.pop()
        if isinstance(one, dict | list):
            deepest = max(deepest, depth)
            inner = one.values() if isinstance(one, dict) else one
            waiting.extend((member, depth + 1) for member in inner)
    return deepest


def faults_of(schema: dict[str, Json]) -> list[Problem]:
    """Problems of a schema that the meta-schema accepts; pointers lead into it."""
    subschemas = dict(_walk(schema, ""))
    problems = [
        problem
        for pointer, subschema in subschemas.items()
        for problem in _own_faults(pointer, subschema, subschemas)
    ]
    return problems or _circles(subschemas)


def _walk(schema: Json, pointer: str) -> Iterator[tuple[str, dict[str, Json]]]:
    if not isinstance(schema, dict):
        return
    yield pointer, schema
    for child_place, child in _children(schema, pointer, _ONE, _LISTS, _MAPS):
        yield from _walk(child, child_place)


def _children(
    schema: dict[str, Json], pointer: str, one: tuple[str, ...], lists: tuple[str, ...],
    maps: tuple[str, ...],
) -> Iterator[tuple[str, Json]]:  # fmt: skip
    for keyword in one:
        if keyword in schema:
            yield child_pointer(pointer, keyword), schema[keyword]
    for keyword in lists:
        for index, child in enumerate(schema.get(keyword, ())):
            yield child_pointer(child_pointer(pointer, keyword), index), child
    for keyword in maps:
        for name, child in schema.get(keyword, {}).items():
            yield child_pointer(child_pointer(pointer, keyword), name), child


def _own_faults(pointer: str, schema: dict[str, Json], subschemas: Subschemas) -> Iterator[Problem]:
    for keyword in _REFUSED:
        if keyword in schema:
            yield _problem(pointer, keyword, f"{keyword} is not supported.")
    yield from _identity_faults(pointer, schema)
    if "$ref" in schema:
        yield from _reference_faults(pointer, schema["$ref"], subschemas)
    if "pattern" in schema:
        yield from _pattern_faults(child_pointer(pointer, "pattern"), schema["pattern"])
    for pattern in schema.get("patternProperties", {}):
        place = child_pointer(child_pointer(pointer, "patternProperties"), pattern)
        yield from _pattern_faults(place, pattern)
    if "unevaluatedProperties" in schema and _use_patterns(subschemas):
        # The library would run the patterns of property names by the standard `re`.
        message = "unevaluatedProperties is not supported in a schema with patternProperties."
        yield _problem(pointer, "unevaluatedProperties", message)


def _identity_faults(pointer: str, schema: dict[str, Json]) -> Iterator[Problem]:
    if pointer:
        for keyword in ("$schema", "$id"):
            if keyword in schema:
                yield _problem(pointer, keyword, f"{keyword} may stand only at the top.")
    elif schema.get("$schema", DIALECT).rstrip("#") != DIALECT:
        yield _problem(pointer, "$schema", f"The dialect is {DIALECT}.")


def _use_patterns(subschemas: Subschemas) -> bool:
    return any("patternProperties" in schema for schema in subschemas.values())


def _reference_faults(pointer: str, reference: str, subschemas: Subschemas) -> Iterator[Problem]:
    if not reference.startswith("#"):
        yield _problem(pointer, "$ref", "A $ref may only lead into the same schema (#/$defs/...).")
    elif _target(reference) not in subschemas:
        yield _problem(pointer, "$ref", f"There is no schema at {reference}.")


def _target(reference: str) -> str:
    return unquote(reference[1:])


def _pattern_faults(pointer: str, pattern: str) -> Iterator[Problem]:
    try:
        compile_pattern(pattern)
    except PatternRefused as refused:
        yield Problem(pointer, f"The pattern is refused by RE2: {refused}.")


def _problem(pointer: str, keyword: str, message: str) -> Problem:
    return Problem(child_pointer(pointer, keyword), message)


def _circles(subschemas: Subschemas) -> list[Problem]:
    """References that lead back without going down into the value, or multiply."""
    costs: dict[str, int] = {}
    for start in subschemas:
        fault = _cost_of(start, subschemas, costs)
        if fault is not None:
            return [fault]
    return []


def _cost_of(start: str, subschemas: Subschemas, costs: dict[str, int]) -> Problem | None:
    """Fills in how many schemas are applied to one value at `start`; iterative, for depth."""
    on_the_way: set[str] = set()
    waiting = [start]
    while waiting:
        place = waiting[-1]
        if place in costs:
            waiting.pop()
            continue
        inner = list(_in_place(place, subschemas))
        if place not in on_the_way:
            on_the_way.add(place)
            for child in inner:
                if child in on_the_way and child not in costs:
                    return Problem(place, "A $ref leads back to where it stands.")
            waiting.extend(child for child in inner if child not in costs)
            continue
        on_the_way.discard(place)
        costs[place] = reduce(int.__add__, (costs[child] for child in inner), 1)
        if costs[place] > _MAX_IN_PLACE:
            return Problem(place, "The schema takes too much work: its references multiply.")
        waiting.pop()
    return None


def _in_place(pointer: str, subschemas: Subschemas) -> Iterator[str]:
    """Subschemas that are applied to the same value as the one at `pointer`."""
    schema: dict[str, Any] = subschemas[pointer]
    if "$ref" in schema:
        yield _target(schema["$ref"])
    for place, _ in _children(
        schema, pointer, _IN_PLACE_ONE, _IN_PLACE_LISTS, ("dependentSchemas",)
    ):
        if place in subschemas:
            yield place
