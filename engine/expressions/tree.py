"""The tree of an expression, small and ours, made of the one that jsonata-python's parser gives.

The parser's symbols have fifty fields each and hold on to the parser; thousands of expressions are
kept compiled, so only what an evaluation reads is kept. Whoever adds a field here must decide what
it means in the cage and in the evaluator: nothing else of the parser's tree gets through.
"""

from __future__ import annotations

from typing import Any, Final

from engine.expressions.errors import ExpressionRefused


class Node:
    """One part of an expression; which fields are set depends on `type`."""

    __slots__ = (
        "arguments",
        "condition",
        "consarray",
        "descending",
        "expression",
        "expressions",
        "function",
        "group",
        "keep_array",
        "keep_singleton_array",
        "lhs",
        "otherwise",
        "pairs",
        "position",
        "predicate",
        "procedure",
        "rhs",
        "stages",
        "steps",
        "terms",
        "then",
        "type",
        "value",
    )

    type: str
    value: Any
    position: int
    consarray: bool
    """A list written in the expression: it is not flattened."""
    keep_array: bool
    """Written with []: stays a list."""
    keep_singleton_array: bool
    descending: bool
    function: str
    """Of a call: the catalogue's name, set by the cage."""
    lhs: Node
    rhs: Node
    expression: Node
    condition: Node
    then: Node
    otherwise: Node | None
    procedure: Node
    steps: tuple[Node, ...]
    expressions: tuple[Node, ...]
    arguments: tuple[Node, ...]
    terms: tuple[Node, ...]
    predicate: tuple[Node, ...] | None
    """Filters on a value, and ..."""
    stages: tuple[Node, ...] | None
    """... on a step of a path."""
    group: Node | None
    pairs: tuple[tuple[Node, Node], ...]
    """Keys and values of an object or a group."""


_ONE: Final = ("lhs", "rhs", "expression", "condition", "then", "procedure", "group")
_MANY: Final = ("steps", "expressions", "arguments", "terms")
_POSITION_VARIABLES: Final = ("focus", "index", "tuple", "ancestor")


def compact(symbol: Any) -> Node:
    """The node of a parser's symbol and everything below. Raises `ExpressionRefused`."""
    if any(getattr(symbol, name) is not None for name in _POSITION_VARIABLES):
        raise ExpressionRefused("Variables of a position are not in the language.", symbol.position)
    node = Node()
    node.type = symbol.type or "group"
    node.value = symbol.value
    node.position = symbol.position
    node.consarray = symbol.consarray
    node.keep_array = symbol.keep_array
    node.keep_singleton_array = symbol.keep_singleton_array
    node.descending = symbol.descending
    for name in _ONE:
        setattr(node, name, _optional(getattr(symbol, name)))
    for name in _MANY:
        setattr(node, name, tuple(compact(child) for child in getattr(symbol, name) or ()))
    node.otherwise = _optional(symbol._else)
    node.predicate = _filters(symbol.predicate)
    node.stages = _filters(symbol.stages)
    node.pairs = tuple((compact(k), compact(v)) for k, v in symbol.lhs_object or ())
    return node


def _optional(symbol: Any) -> Any:
    return None if symbol is None else compact(symbol)


def _filters(parts: Any) -> tuple[Node, ...] | None:
    """The expressions of `[...]` behind a value or step."""
    if parts is None:
        return None
    for part in parts:
        if part.type != "filter":
            raise ExpressionRefused("This is not in the language.", part.position)
    return tuple(compact(part.expr) for part in parts)
