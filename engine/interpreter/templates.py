"""A configured value, prepared once: where its expressions are and what they may read.

`engine.expressions.mapping` says what a mapping means; this is the same, taken apart so that the
interpreter can fetch what the expressions read and yield between two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.expressions import Expression, ExpressionRefused, compile_expression
from engine.expressions.mapping import EXPRESSION_KEY, is_expression, is_secret


@dataclass(frozen=True, slots=True)
class Slot:
    """Where an expression's value goes; `at`: its place in the mapping, for error details."""

    expression: Expression
    at: str


class Template:
    """`roots`: the top-level names that its expressions may read; None: any."""

    __slots__ = ("_shape", "roots", "slots")

    def __init__(self, value: Json) -> None:
        self.slots: list[Slot] = []
        self._shape = self._shape_of(value, ())
        self.roots = _all_roots(slot.expression for slot in self.slots)

    def filled(self, values: list[Json]) -> Json:
        """The whole value, given those of its `slots` in their order.

        Parts without expressions are given out as they are: nobody may change them.
        """
        return values[0] if self._shape is _SLOT else _filled(self._shape, iter(values))

    def _shape_of(self, value: Json, place: tuple[str, ...]) -> Any:
        if is_expression(value):
            at = ".".join(place)
            self.slots.append(Slot(_compiled(value[EXPRESSION_KEY], at), at))
            return _SLOT
        before = len(self.slots)
        shape: Any = None
        if isinstance(value, dict) and not is_secret(value):
            shape = {key: self._shape_of(member, (*place, key)) for key, member in value.items()}
        elif isinstance(value, list):
            shape = [self._shape_of(item, (*place, str(at))) for at, item in enumerate(value)]
        return shape if len(self.slots) > before else _Literal(value)


@dataclass(frozen=True, slots=True)
class _Literal:
    value: Json


_SLOT: Final = object()


def _filled(shape: Any, values: Iterator[Json]) -> Json:
    if shape is _SLOT:
        return next(values)
    if isinstance(shape, _Literal):
        return shape.value
    if isinstance(shape, dict):
        return {key: _filled(member, values) for key, member in shape.items()}
    return [_filled(member, values) for member in shape]


def _compiled(source: Json, at: str) -> Expression:
    """Publish has checked it; an engine that refuses it now fails the step, and says so."""
    try:
        return compile_expression(str(source))
    except ExpressionRefused as refused:
        raise StepFailed(
            Category.EXPRESSION,
            refused.message,
            code=refused.code,
            details={"at": at} if at else None,
        ) from refused


def _all_roots(expressions: Iterable[Expression]) -> frozenset[str] | None:
    roots: set[str] = set()
    for expression in expressions:
        if expression.roots is None:
            return None
        roots |= expression.roots
    return frozenset(roots)
