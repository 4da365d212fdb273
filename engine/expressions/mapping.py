"""Mappings: literals with expressions at any depth in them (original 2.3).

`{"$expr": "..."}` stands for the expression's value, `{"$secret": "NAME"}` for a secret, which only
the action's own activity resolves; both stand alone, beside other keys they are refused. The
interpreter's templates put the values in; here is what belongs to the form itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.contract import Json
from engine.expressions.result import SECRET_KEY

EXPRESSION_KEY: Final = "$expr"

Place = tuple[str | int, ...]
"""Keys and indexes from the mapping to the value."""


def is_expression(value: Json) -> bool:
    return isinstance(value, dict) and EXPRESSION_KEY in value


def is_secret(value: Json) -> bool:
    return isinstance(value, dict) and SECRET_KEY in value


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
