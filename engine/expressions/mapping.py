"""Mappings: literals with expressions at any depth in them (original 2.3).

`{"$expr": "..."}` stands for the expression's value, `{"$secret": "NAME"}` for a secret, which only
the action's own activity resolves; both stand alone, beside other keys they are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.expressions.errors import ExpressionRefused
from engine.expressions.language import Expression, compile_expression
from engine.expressions.result import SECRET_KEY

EXPRESSION_KEY: Final = "$expr"

Place = tuple[str | int, ...]
"""Keys and indexes from the mapping to the value."""


def is_expression(value: Json) -> bool:
    return isinstance(value, dict) and EXPRESSION_KEY in value


def is_secret(value: Json) -> bool:
    return isinstance(value, dict) and SECRET_KEY in value


def resolve(value: Json, scope: Mapping[str, Json], now: datetime) -> tuple[Json, int]:
    """`value` with its expressions evaluated, and what that cost in evaluations.

    Raises `StepFailed` of category ExpressionError; `details.at` says where in the mapping.
    """
    spent = [0]
    return _resolved(value, scope, now, spent, ()), spent[0]


def expressions_of(value: Json, place: Place = ()) -> Iterator[tuple[Place, Json]]:
    """The `$expr` of every expression object in `value`, whatever was written there."""
    for here, found in _special_of(value, place):
        if EXPRESSION_KEY in found:
            yield here, found[EXPRESSION_KEY]


def secrets_of(value: Json, place: Place = ()) -> Iterator[tuple[Place, Json]]:
    """The name in every secret reference of `value`, whatever was written there."""
    for here, found in _special_of(value, place):
        if SECRET_KEY in found:
            yield here, found[SECRET_KEY]


def roots_of(value: Json) -> frozenset[str] | None:
    """Top-level names of the scope that `value` may read; None for any."""
    roots: set[str] = set()
    for _, source in expressions_of(value):
        read = compile_expression(source).roots
        if read is None:
            return None
        roots |= read
    return frozenset(roots)


def _special_of(value: Json, place: Place) -> Iterator[tuple[Place, dict[str, Json]]]:
    waiting: list[tuple[Place, Json]] = [(place, value)]
    while waiting:
        here, one = waiting.pop()
        if is_expression(one) or is_secret(one):
            yield here, one
        elif isinstance(one, dict):
            waiting.extend(((*here, key), member) for key, member in reversed(one.items()))
        elif isinstance(one, list):
            waiting.extend(((*here, index), one[index]) for index in range(len(one) - 1, -1, -1))


def _resolved(
    value: Json, scope: Mapping[str, Json], now: datetime, spent: list[int], place: Place
) -> Json:
    if isinstance(value, list):
        return [
            _resolved(member, scope, now, spent, (*place, index))
            for index, member in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    if EXPRESSION_KEY in value:
        return _evaluated(value, scope, now, spent, place)
    if SECRET_KEY in value:
        if len(value) > 1:
            raise _failed("A $secret stands alone in its object.", place)
        return value
    return {
        key: _resolved(member, scope, now, spent, (*place, key)) for key, member in value.items()
    }


def _evaluated(
    value: dict[str, Json], scope: Mapping[str, Json], now: datetime, spent: list[int], place: Place
) -> Json:
    if len(value) > 1:
        raise _failed("An $expr stands alone in its object.", place)
    expression = _compiled(value[EXPRESSION_KEY], place)
    try:
        found = expression.evaluate(scope, now=now)
    except StepFailed as failed:
        failed.details = {**failed.details, "at": _written(place)}
        raise
    spent[0] += found.evaluations
    return found.value


def _compiled(source: Json, place: Place) -> Expression:
    if not isinstance(source, str):
        raise _failed("An $expr is text.", place)
    try:
        return compile_expression(source)
    except ExpressionRefused as refused:
        raise _failed(refused.message, place) from None


def _failed(message: str, place: Place) -> StepFailed:
    return StepFailed(
        Category.EXPRESSION, message, code="EXPRESSION_FAILED", details={"at": _written(place)}
    )


def _written(place: Place) -> str:
    return ".".join(map(str, place))
