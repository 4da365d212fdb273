"""JSON that reads back equal from both databases, and its canonical text (docs/rules.md 8).

Refused at every entry, each with its pointer: NaN and Infinity, U+0000, lone surrogates, duplicate
keys, floats of 2^53 and more (JSONB would give them back as integers), depth over 64. -0.0 becomes
0.0. RFC 8259 leaves all of these to the receiver; we decide them once.
"""

from __future__ import annotations

import json
import math
from typing import Final, NoReturn

from engine.contract import Json
from engine.errors import Invalid, Problem

MAX_DEPTH: Final = 64
_FLOAT_LIMIT: Final = 2.0**53


class _Pairs(list[tuple[str, Json]]):
    """An object as it was written, duplicate keys and all."""


def parse(text: str | bytes, *, max_depth: int = MAX_DEPTH) -> Json:
    """The value that `text` holds. Raises `Invalid` with every fault's pointer."""
    try:
        raw = json.loads(text, object_pairs_hook=_Pairs, parse_constant=_refuse_constant)
    except RecursionError:
        raise Invalid(
            "This JSON is nested too deeply.", [Problem("", f"deeper than {max_depth} levels")]
        ) from None
    except ValueError as error:
        raise Invalid("This is not valid JSON.", [Problem("", _reason(error))]) from None
    return normal(raw, max_depth=max_depth)


def normal(value: Json, *, max_depth: int = MAX_DEPTH) -> Json:
    """`value` with -0.0 made 0.0. Raises `Invalid` with every fault's pointer."""
    problems: list[Problem] = []
    result = _walk(value, "", MAX_DEPTH - max_depth, problems)
    if problems:
        raise Invalid("This JSON holds values that cannot be kept.", problems)
    return result


def check(value: Json, *, max_depth: int = MAX_DEPTH) -> list[Problem]:
    """What keeps `value` from being stored; empty when nothing does."""
    problems: list[Problem] = []
    _walk(value, "", MAX_DEPTH - max_depth, problems)
    return problems


def canonical(value: Json) -> str:
    """One text for equal values: sorted keys, no spaces, -0.0 written as 0.0."""
    return json.dumps(
        _without_negative_zero(value),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    )


def byte_length(value: Json) -> int:
    """Size of the canonical text in UTF-8."""
    return len(canonical(value).encode("utf-8"))


def child_pointer(pointer: str, key: str | int) -> str:
    """`pointer` with one more token (RFC 6901)."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def _walk(value: Json, pointer: str, depth: int, problems: list[Problem]) -> Json:
    if isinstance(value, _Pairs | dict | list | tuple) and depth >= MAX_DEPTH:
        problems.append(Problem(pointer, "is nested too deeply"))
        return None
    if isinstance(value, _Pairs):
        return _walk_pairs(list(value), pointer, depth, problems)
    if isinstance(value, dict):
        return _walk_pairs(list(value.items()), pointer, depth, problems)
    if isinstance(value, list | tuple):
        return [
            _walk(item, child_pointer(pointer, index), depth + 1, problems)
            for index, item in enumerate(value)
        ]
    if isinstance(value, str):
        fault = _text_fault(value)
        if fault:
            problems.append(Problem(pointer, fault))
        return value
    if isinstance(value, float):
        return _walk_float(value, pointer, problems)
    if value is None or isinstance(value, bool | int):
        return value
    problems.append(Problem(pointer, f"{type(value).__name__} is not a JSON value"))
    return None


def _walk_pairs(
    pairs: list[tuple[Json, Json]], pointer: str, depth: int, problems: list[Problem]
) -> dict[str, Json]:
    result: dict[str, Json] = {}
    for key, value in pairs:
        here = child_pointer(pointer, key)
        if not isinstance(key, str):
            problems.append(Problem(pointer, "a key is not text"))
            continue
        fault = _text_fault(key)
        if fault:
            problems.append(Problem(pointer, f"a key {fault}"))
        if key in result:
            problems.append(Problem(here, "this key stands twice"))
        result[key] = _walk(value, here, depth + 1, problems)
    return result


def _walk_float(value: float, pointer: str, problems: list[Problem]) -> float:
    if not math.isfinite(value):
        problems.append(Problem(pointer, "is no finite number"))
    elif abs(value) >= _FLOAT_LIMIT:
        problems.append(Problem(pointer, "a number with a fraction must be below 2^53"))
    return 0.0 if value == 0 else value


def _text_fault(text: str) -> str | None:
    if "\x00" in text:
        return "holds the character U+0000"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "holds half of a surrogate pair"
    return None


def _without_negative_zero(value: Json) -> Json:
    if isinstance(value, float):
        return 0.0 if value == 0 else value
    if isinstance(value, dict):
        return {key: _without_negative_zero(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_negative_zero(item) for item in value]
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return "the text is not UTF-8"
    return str(error)
