"""A validation error in words beside the right field. Values of the instance are never repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast

from jsonschema import ValidationError

from engine.contract import Json
from engine.errors import Problem
from engine.runs.strict_json import child_pointer

_SHOWN: Final = 200


def pointer_of(path: Iterable[str | int]) -> str:
    pointer = ""
    for part in path:
        pointer = child_pointer(pointer, part)
    return pointer


def problems_of(error: ValidationError) -> Iterator[Problem]:
    """One problem a fault; a missing field is reported at its own place."""
    pointer = pointer_of(error.absolute_path)
    keyword, instance = str(error.validator), cast("dict[str, Json]", error.instance)
    value = cast("Any", error.validator_value)
    if keyword in ("anyOf", "oneOf"):
        yield from _of_alternatives(error, pointer)
    elif keyword == "required":
        # The validator has one error for each name; this gives all, and the caller drops repeats.
        for name in value:
            if name not in instance:
                yield Problem(child_pointer(pointer, name), "This field is required.", "REQUIRED")
    elif keyword == "dependentRequired":
        yield from _of_dependencies(value, instance, pointer)
    else:
        words = _WORDS.get(keyword)
        message = words(value) if words else f"Does not fit ({keyword})."
        yield Problem(pointer, message, _code(keyword))


def _of_dependencies(
    value: dict[str, list[str]], instance: dict[str, Json], pointer: str
) -> Iterator[Problem]:
    for name, needed in value.items():
        for other in needed:
            if name in instance and other not in instance:
                message = f"This field is required when {name} is given."
                yield Problem(child_pointer(pointer, other), message, "REQUIRED")


def _of_alternatives(error: ValidationError, pointer: str) -> Iterator[Problem]:
    """What keeps the value from the alternative that it comes nearest to."""
    inner = error.context or []
    if not inner:
        yield Problem(pointer, "Fits more than one of the alternatives.", "ONE_OF")
        return
    depth = len(error.absolute_path)
    if all(one.validator == "type" and len(one.absolute_path) == depth for one in inner):
        types = [name for one in inner for name in _listed(one.validator_value)]
        yield Problem(pointer, _type(list(dict.fromkeys(types))), "TYPE")
        return
    branches: dict[Any, list[ValidationError]] = {}
    for one in inner:
        branches.setdefault(one.schema_path[0] if one.schema_path else 0, []).append(one)
    nearest = min(branches.values(), key=_distance(depth))
    for one in nearest:
        yield from problems_of(one)


def _distance(depth: int) -> Callable[[list[ValidationError]], tuple[bool, int]]:
    """A branch of the wrong type is far; then the one with the fewest faults is nearest."""

    def distance(errors: list[ValidationError]) -> tuple[bool, int]:
        wrong_kind = any(
            error.validator in ("type", "const") and len(error.absolute_path) <= depth + 1
            for error in errors
        )
        return wrong_kind, len(errors)

    return distance


def _code(keyword: str) -> str:
    """additionalProperties -> ADDITIONAL_PROPERTIES."""
    return "".join(f"_{letter}" if letter.isupper() else letter for letter in keyword).upper()


def _listed(value: Json) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _type(value: Json) -> str:
    names = [
        "null" if name == "null" else f"{'an' if name[0] in 'aeio' else 'a'} {name}"
        for name in _listed(value)
    ]
    return f"Must be {' or '.join(names)}."


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _enum(values: list[Json]) -> str:
    return f"Must be one of {_shown(values)[1:].removesuffix(']')}."


_WORDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda value: f"Must be {_shown(value)}.",
    "additionalProperties": lambda value: "This field is not known.",
    "unevaluatedProperties": lambda value: "Holds fields that are not known.",
    "unevaluatedItems": lambda value: "Holds items that are not allowed.",
    "minLength": lambda value: f"Must have at least {value} characters.",
    "maxLength": lambda value: f"Must have at most {value} characters.",
    "pattern": lambda value: f"Must match the pattern {value}.",
    "minimum": lambda value: f"Must be {value} or more.",
    "maximum": lambda value: f"Must be {value} or less.",
    "exclusiveMinimum": lambda value: f"Must be more than {value}.",
    "exclusiveMaximum": lambda value: f"Must be less than {value}.",
    "multipleOf": lambda value: f"Must be a multiple of {value}.",
    "minItems": lambda value: f"Must have at least {value} items.",
    "maxItems": lambda value: f"Must have at most {value} items.",
    "uniqueItems": lambda value: "Items must not repeat.",
    "contains": lambda value: "Must hold an item that fits.",
    "minContains": lambda value: f"Must hold at least {value} items that fit.",
    "maxContains": lambda value: f"Must hold at most {value} items that fit.",
    "minProperties": lambda value: f"Must have at least {value} fields.",
    "maxProperties": lambda value: f"Must have at most {value} fields.",
    "not": lambda value: "Is of a form that is not allowed.",
    "None": lambda value: "Is not allowed.",
}
