"""Numbers: JSONata's functions, without Python's own readings of text and of halves."""

from __future__ import annotations

import decimal
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.expressions.builtins.call import Call, as_list, number, whole
from engine.expressions.errors import Fault
from engine.expressions.values import Value, described, is_number
from engine.expressions.values import number as json_number

_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BASES: Final = {"0x": 16, "0b": 2, "0o": 8}
_MAX_DIGITS: Final = 400


def _numbers(call: Call, values: Value, function: str) -> list[Any] | None:
    if values is None:
        return None
    numbers = as_list(values)
    call.items(len(numbers))
    for value in numbers:
        if not is_number(value):
            what = "null" if value is None else described(value)
            raise Fault(f"{function} needs a list of numbers, not {what}.")
    return numbers


def total(call: Call, values: Value) -> Value:
    numbers = _numbers(call, values, "$sum")
    return None if numbers is None else json_number(sum(numbers))


def greatest(call: Call, values: Value) -> Value:
    numbers = _numbers(call, values, "$max")
    return max(numbers) if numbers else None


def smallest(call: Call, values: Value) -> Value:
    numbers = _numbers(call, values, "$min")
    return min(numbers) if numbers else None


def average(call: Call, values: Value) -> Value:
    numbers = _numbers(call, values, "$average")
    return json_number(sum(numbers) / len(numbers)) if numbers else None


def to_number(call: Call, value: Value) -> Value:
    if value is None:
        return None
    if isinstance(value, bool):
        return int(value)
    if is_number(value):
        return value
    if isinstance(value, str) and len(value) <= _MAX_DIGITS:
        if _DECIMAL.fullmatch(value):
            return int(value) if value.lstrip("-").isdigit() else json_number(float(value))
        base = _BASES.get(value[:2].lower())
        if base and value[2:].isalnum() and value.isascii():
            return _in_base(value, base)
    what = "this text" if isinstance(value, str) else described(value)
    raise Fault(f"$number cannot read {what} as a number.")


def _in_base(text: str, base: int) -> int | float:
    try:
        return json_number(int(text[2:], base))
    except ValueError:
        raise Fault("$number cannot read this text as a number.") from None


def rounded(call: Call, value: Value, precision: Value = None) -> Value:
    if value is None:
        return None
    exact = decimal.Decimal(repr(number(value, "$round")))
    places = 0 if precision is None else whole(precision, "$round")
    if abs(places) > _MAX_DIGITS:
        raise Fault(f"$round has a precision of at most {_MAX_DIGITS}.")
    with decimal.localcontext(prec=2 * _MAX_DIGITS + 400):
        step = decimal.Decimal(1).scaleb(-places)
        return json_number(float(exact.quantize(step, rounding=decimal.ROUND_HALF_EVEN)))


def _simple(name: str, compute: Callable[[float], float]) -> Callable[[Call, Value], Value]:
    def function(call: Call, value: Value) -> Value:
        return None if value is None else json_number(compute(number(value, name)))

    return function


def root(call: Call, value: Value) -> Value:
    if value is None:
        return None
    if number(value, "$sqrt") < 0:
        raise Fault("$sqrt has no value for a negative number.")
    return json_number(math.sqrt(value))


def power(call: Call, base: Value, exponent: Value) -> Value:
    if base is None:
        return None
    left, right = float(number(base, "$power")), float(number(exponent, "$power"))
    try:
        result = left**right
    except (ZeroDivisionError, OverflowError):
        raise Fault("The result of $power is not a finite number.") from None
    if isinstance(result, complex):
        raise Fault("The result of $power is not a real number.")
    return json_number(result)


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "sum": total,
    "max": greatest,
    "min": smallest,
    "average": average,
    "number": to_number,
    "round": rounded,
    "floor": _simple("$floor", math.floor),
    "ceil": _simple("$ceil", math.ceil),
    "abs": _simple("$abs", abs),
    "power": power,
    "sqrt": root,
}
