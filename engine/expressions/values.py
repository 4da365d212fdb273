"""Values while an expression is evaluated: what null, absent, truth, equality and text mean.

Absent (a path that leads nowhere) is Python's None, null is `NULL`. Inside a list or an object both
None (data as it came) and `NULL` (made by the expression) mean null, because absent values are
never put into one; so whoever takes a member out of a container passes it through `present`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

from jsonata.utils import Utils

from engine.expressions.errors import Fault

Value = Any
"""Absent (None), NULL, bool, int, float, str, list[Value] or dict[str, Value]."""

NULL: Final = Utils.NULL_VALUE
Sequence: Any = Utils.JList
"""JSONata's sequence: a list that collapses to its only member, and to absent when empty."""

_SAFE_INTEGER: Final = 2**53

ITEM_COST_OF_MATCH: Final = 30
"""What a match of a regular expression costs, in items: RE2 answers through several calls."""


class Meter(Protocol):
    """Accounts for work that goes over many items or characters."""

    def items(self, count: int) -> None: ...

    def characters(self, count: int) -> None: ...


def present(member: Value) -> Value:
    """A member of a container: there, even when it is null."""
    return NULL if member is None else member


def members(values: Iterable[Value]) -> Iterator[Value]:
    return (NULL if value is None else value for value in values)


def sequence(values: Iterable[Value] = ()) -> Any:
    made = Sequence(values)
    made.sequence = True
    return made


def is_number(value: Value) -> bool:
    return type(value) is int or type(value) is float


def number(result: float) -> int | float:
    """`result` as JSON holds it: integral values are int. Raises `Fault` when it is not finite."""
    if type(result) is int:
        if -_SAFE_INTEGER <= result <= _SAFE_INTEGER:
            return result
        result = _as_double(result)
    if not math.isfinite(result):
        raise Fault("The result is not a finite number.")
    return int(result) if result.is_integer() else result


def _as_double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise Fault("The number is too large.") from None


def truthy(value: Value, meter: Meter) -> bool:
    """JSONata's effective boolean: empty, zero, null and absent are false."""
    if value is None or value is NULL:
        return False
    if isinstance(value, list):
        meter.items(len(value))
        return any(truthy(member, meter) for member in value)
    return bool(value)


def equal(left: Value, right: Value, meter: Meter) -> bool:
    """Deep equality. Absent equals only absent, null only null, true is not 1."""
    if left is None or right is None:
        return left is right
    return same(left, right, meter)


def same(left: Value, right: Value, meter: Meter) -> bool:
    """Equality of two members that are there (None is null)."""
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        meter.items(len(left))
        return all(same(a, b, meter) for a, b in zip(left, right, strict=True))
    if isinstance(left, dict):
        if not isinstance(right, dict) or left.keys() != right.keys():
            return False
        meter.items(len(left))
        return all(same(value, right[key], meter) for key, value in left.items())
    left, right = present(left), present(right)
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def kind(value: Value) -> str:
    """JSON's own word for the type of a value that is there."""
    if value is NULL:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def described(value: Value) -> str:
    """For messages: never the value itself, which may be private."""
    if value is None:
        return "nothing (the path leads nowhere)"
    name = kind(value)
    return name if name == "null" else f"{'an' if name[0] in 'ao' else 'a'} {name}"


def number_text(value: float, *, digits: int | None = None) -> str:
    """A number as JavaScript writes it; `digits` rounds (JSONata's `$string` has 15)."""
    if isinstance(value, float):
        value = _rounded(value, digits)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    text = repr(value)
    if "e" in text:
        mantissa, exponent = text.split("e")
        sign = "-" if exponent[0] == "-" else "+"
        text = f"{mantissa}e{sign}{exponent.lstrip('+-').lstrip('0')}"
    return text


def _rounded(value: float, digits: int | None) -> float:
    rounded = value if digits is None else float(f"{value:.{digits}g}")
    return rounded if math.isfinite(rounded) else value


def text_of(value: Value, meter: Meter, *, digits: int | None = None, indent: bool = False) -> str:
    """The text of a value that is there: strings as they are, the rest as JSON."""
    if isinstance(value, str):
        return value
    if value is NULL:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value, digits=digits)
    text = json.dumps(
        _for_text(value, digits, meter),
        ensure_ascii=False,
        allow_nan=False,
        indent=2 if indent else None,
        separators=None if indent else (",", ":"),
    )
    meter.characters(len(text))
    return text


def _for_text(value: Value, digits: int | None, meter: Meter) -> Value:
    if isinstance(value, list):
        meter.items(len(value))
        return [_for_text(member, digits, meter) for member in value]
    if isinstance(value, dict):
        meter.items(len(value))
        return {key: _for_text(member, digits, meter) for key, member in value.items()}
    if isinstance(value, float):
        rounded = _rounded(value, digits)
        return int(rounded) if rounded.is_integer() else rounded
    return None if value is NULL else value
