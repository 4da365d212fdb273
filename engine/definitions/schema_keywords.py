"""jsonschema's 2020-12 validator with the keywords replaced that are unsafe on strangers' data.

Patterns run through RE2 (the library uses the standard `re`), uniqueness is linear, references are
counted, and an unknown field is an error at its own place.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, Final

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from engine.contract import Json
from engine.expressions.patterns import compile_pattern
from engine.runs.strict_json import canonical

_REFERENCES: Final = 10_000
_REFERENCES_EACH: Final = 20

references_left: ContextVar[list[int]] = ContextVar("references_left")
"""One number: how many `$ref` may still be followed in this validation."""


class TooMuchWork(Exception):
    """References were followed too often."""


def references_for(value: Json) -> int:
    """How many `$ref` a validation of `value` may follow: some for each value in it."""
    count = 0
    waiting = [value]
    while waiting:
        one = waiting.pop()
        count += 1
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return _REFERENCES + _REFERENCES_EACH * count


def _reference(validator: Any, ref: str, instance: Json, schema: Json) -> Iterator[Any]:
    left = references_left.get()
    left[0] -= 1
    if left[0] < 0:
        raise TooMuchWork
    yield from Draft202012Validator.VALIDATORS["$ref"](validator, ref, instance, schema)


def _pattern(validator: Any, pattern: str, instance: Json, schema: Json) -> Iterator[Any]:
    if isinstance(instance, str) and compile_pattern(pattern).search(instance) is None:
        yield ValidationError("pattern")


def _pattern_properties(
    validator: Any, patterns: dict[str, Json], instance: Json, schema: Json
) -> Iterator[Any]:
    if isinstance(instance, dict):
        for pattern, subschema in patterns.items():
            compiled = compile_pattern(pattern)
            for name, value in instance.items():
                if compiled.search(name) is not None:
                    yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Json, instance: Json, schema: dict[str, Json]
) -> Iterator[Any]:
    if not isinstance(instance, dict):
        return
    patterns = [compile_pattern(pattern) for pattern in schema.get("patternProperties", {})]
    for name, value in instance.items():
        if name in schema.get("properties", {}) or any(p.search(name) for p in patterns):
            continue
        if allowed is False:
            yield ValidationError("unknown field", path=(name,))
        elif isinstance(allowed, dict):
            yield from validator.descend(value, allowed, path=name)


def _unique_items(validator: Any, unique: Json, instance: Json, schema: Json) -> Iterator[Any]:
    if unique and isinstance(instance, list):
        seen: set[str] = set()
        for value in instance:
            text = canonical(_numbers_alike(value))
            if text in seen:
                yield ValidationError("repeated")
                return
            seen.add(text)


def _numbers_alike(value: Json) -> Json:
    """1 and 1.0 are equal in JSON Schema."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_numbers_alike(member) for member in value]
    if isinstance(value, dict):
        return {key: _numbers_alike(member) for key, member in value.items()}
    return value


SafeValidator: Any = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        "$ref": _reference,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "uniqueItems": _unique_items,
    },
)
