"""JSON text into values and back. What is read obeys strict JSON (docs/rules.md 8)."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from engine.contract import Json
from engine.errors import Category, Invalid, StepFailed
from engine.interpreter.transforms.coerced import one_kind_of_number
from engine.interpreter.transforms.fields import Fields, Whole
from engine.interpreter.transforms.limits import OUTPUT_MAX_BYTES, one_text, too_large
from engine.interpreter.transforms.transform import Transform
from engine.runs import strict_json


def _text_or_parsed(value: object) -> object:
    if isinstance(value, str | dict | list):
        return value
    raise PydanticCustomError("source", "Input should be text, an object or a list")


class Parse(Fields):
    source: Annotated[
        Any,
        BeforeValidator(_text_or_parsed),
        WithJsonSchema({"type": ["string", "object", "array"]}),
    ]
    """An object or a list is given back as it is: it has been parsed already."""


class Parsed(Fields):
    value: Any
    type: Literal["object", "array", "string", "number", "boolean", "null"]


class Stringify(Fields):
    source: Any
    spacing: Annotated[Whole, Field(ge=0, le=10)] = 0
    """Spaces of indentation; 0: all on one line."""


class Stringified(Fields):
    text: str


def _parse(input: Parse) -> dict[str, Json]:
    value = _read(input.source) if isinstance(input.source, str) else input.source
    return {"value": value, "type": json_type(value)}


def json_type(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def _read(text: str) -> Json:
    if len(text) > OUTPUT_MAX_BYTES:
        raise too_large("The text")
    try:
        return _quickly(text)
    except (ValueError, RecursionError):
        pass
    try:
        return strict_json.parse(text)
    except Invalid as error:
        problems = [
            {"pointer": problem.pointer, "message": problem.message} for problem in error.problems
        ]
        raise StepFailed(
            Category.VALIDATION,
            f"The text is no JSON that can be kept: {problems[0]['message']}.",
            code="INVALID_JSON",
            details={"problems": problems},
        ) from None


def _quickly(text: str) -> Json:
    """The value of faultless text, in a small part of the time: no places are kept.

    Raises ValueError for whatever strict JSON may refuse; it then says what and where. Depth and
    U+0000 are looked at with the result of every transform.
    """
    value = json.loads(
        text, object_pairs_hook=_no_key_twice, parse_constant=_refused, parse_float=_finite
    )
    text.encode("utf-8")
    if any(escape in text for escape in ("\\ud", "\\uD", "\\u0000")) and strict_json.check(value):
        raise ValueError("a text that cannot be kept")
    return value


def _no_key_twice(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice")
    return made


def _refused(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or abs(value) >= 2.0**53:
        raise ValueError("out of range")
    return 0.0 if value == 0 else value


def _stringify(input: Stringify) -> dict[str, Json]:
    encoder = json.JSONEncoder(
        ensure_ascii=False,
        allow_nan=False,
        indent=input.spacing or None,
        separators=(",", ": ") if input.spacing else (",", ":"),
    )
    return {"text": one_text(encoder.iterencode(one_kind_of_number(input.source)))}


JSON_VALUES: Final = {
    "parse_json": Transform(Parse, Parsed, _parse, "Read a value from JSON text."),
    "stringify_json": Transform(Stringify, Stringified, _stringify, "Write a value as JSON text."),
}
