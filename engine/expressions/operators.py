"""What the operators do with two values; each gets (left, right, meter)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from engine.expressions.errors import Fault
from engine.expressions.values import (
    Meter,
    Value,
    described,
    equal,
    is_number,
    number,
    same,
    text_of,
)


def negated(value: Value) -> Value:
    if value is None:
        return None
    if not is_number(value):
        raise Fault(f"Cannot negate {described(value)}.")
    return number(-value)


def _arithmetic(sign: str, compute: Callable[[float, float], float]) -> Callable[..., Value]:
    def operator(left: Value, right: Value, meter: Meter) -> Value:
        for value in (left, right):
            if value is not None and not is_number(value):
                raise Fault(f"{sign} needs numbers, not {described(value)}.")
        if left is None or right is None:
            return None
        return number(compute(left, right))

    return operator


def _divide(left: float, right: float) -> float:
    if right == 0:
        raise Fault("Division by zero.")
    return left / right


def _remainder(left: float, right: float) -> float:
    if right == 0:
        raise Fault("Division by zero.")
    return math.fmod(left, right)


def _order(sign: str, compare: Callable[..., bool]) -> Callable[..., Value]:
    def operator(left: Value, right: Value, meter: Meter) -> bool:
        numbers = is_number(left) and is_number(right)
        if not numbers and not (isinstance(left, str) and isinstance(right, str)):
            raise Fault(
                f"{sign} compares two numbers or two texts,"
                f" not {described(left)} and {described(right)}."
            )
        return bool(compare(left, right))

    return operator


def _unequal(left: Value, right: Value, meter: Meter) -> bool:
    return not equal(left, right, meter)


def _concatenate(left: Value, right: Value, meter: Meter) -> str:
    texts = ["" if value is None else text_of(value, meter, digits=15) for value in (left, right)]
    meter.characters(len(texts[0]) + len(texts[1]))
    return texts[0] + texts[1]


def _included(left: Value, right: Value, meter: Meter) -> bool:
    if left is None or right is None:
        return False
    values = right if isinstance(right, list) else [right]
    meter.items(len(values))
    return any(same(left, value, meter) for value in values)


def _range(left: Value, right: Value, meter: Meter) -> Value:
    """Bounds are literals, checked by the cage: at most 1,000 numbers."""
    meter.items(right - left + 1)
    return list(range(left, right + 1)) or None


BINARY: Final[Mapping[str, Callable[[Value, Value, Meter], Value]]] = {
    "+": _arithmetic("+", lambda left, right: left + right),
    "-": _arithmetic("-", lambda left, right: left - right),
    "*": _arithmetic("*", lambda left, right: left * right),
    "/": _arithmetic("/", _divide),
    "%": _arithmetic("%", _remainder),
    "=": equal,
    "!=": _unequal,
    "<": _order("<", lambda left, right: left < right),
    "<=": _order("<=", lambda left, right: left <= right),
    ">": _order(">", lambda left, right: left > right),
    ">=": _order(">=", lambda left, right: left >= right),
    "&": _concatenate,
    "in": _included,
    "..": _range,
}
