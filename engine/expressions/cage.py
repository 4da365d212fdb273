"""The tree walk before anything runs: only what is on the lists below is in the language.

It is a closed list: a kind of node that jsonata-python may grow is refused until it is added here.
The walk also finds which top-level names an expression may read, so that whoever evaluates it can
fetch only those (docs/rules.md 4: large values are passed by reference).
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.expressions.catalogue import FUNCTIONS, INSTEAD, TAKES_PATTERN, Function
from engine.expressions.errors import ExpressionRefused
from engine.expressions.limits import MAX_RANGE
from engine.expressions.tree import Node

_OPERATORS: Final = frozenset(
    ["+", "-", "*", "/", "%", "&", "=", "!=", "<", "<=", ">", ">=", "and", "or", "in", "??", "?:"]
)
_REFUSED_NODES: Final = {
    "lambda": "Functions of one's own (lambdas) are not in the language.",
    "partial": "Partial application (?) is not in the language.",
    "apply": "Chaining with ~> is not in the language.",
    "transform": "Transforms (|...|) are not in the language.",
    "regex": "A regular expression may stand only as the second argument of $match or $replace.",
}
_CONTEXT: Final = ""
_ROOT: Final = "$"


@dataclass(slots=True)
class _Walk:
    bound: frozenset[str]
    roots: set[str] = field(default_factory=set)
    any_root: bool = False


def check(tree: Node) -> frozenset[str] | None:
    """Top-level names that the tree may read, None for any. Raises `ExpressionRefused`."""
    walk = _Walk(bound=frozenset(_bound_names(tree)))
    _visit(tree, walk, at_root=True)
    return None if walk.any_root else frozenset(walk.roots)


def _visit(node: Node, walk: _Walk, *, at_root: bool) -> None:
    visit = _VISITORS.get(node.type)
    if visit is None:
        raise ExpressionRefused(
            _REFUSED_NODES.get(node.type, "This is not in the language."), node.position
        )
    visit(node, walk, at_root)
    _visit_all((*(node.predicate or ()), *(node.stages or ())), walk, at_root=False)
    if node.group is not None:
        _visit_all(_flat(node.group.pairs), walk, at_root=False)


def _visit_all(nodes: Iterable[Node], walk: _Walk, *, at_root: bool) -> None:
    for node in nodes:
        _visit(node, walk, at_root=at_root)


def _flat(pairs: Iterable[Iterable[Node]]) -> Iterable[Node]:
    return (node for pair in pairs for node in pair)


def _leaf(node: Node, walk: _Walk, at_root: bool) -> None:
    """A literal reads nothing."""


def _name(node: Node, walk: _Walk, at_root: bool) -> None:
    if at_root:
        walk.roots.add(str(node.value))


def _wild(node: Node, walk: _Walk, at_root: bool) -> None:
    walk.any_root = walk.any_root or at_root


def _path(node: Node, walk: _Walk, at_root: bool) -> None:
    steps = node.steps
    here = at_root
    for index, step in enumerate(steps):
        following = steps[index + 1] if index + 1 < len(steps) else None
        if _is_whole_scope(step, at_root=here) and _is_plain_name(following):
            here = True
            continue
        _visit(step, walk, at_root=here)
        here = False


def _is_whole_scope(step: Node, *, at_root: bool) -> bool:
    if step.type != "variable" or step.predicate or step.stages or step.group is not None:
        return False
    return step.value == _ROOT or (step.value == _CONTEXT and at_root)


def _is_plain_name(step: Node | None) -> bool:
    return step is not None and step.type == "name"


def _variable(node: Node, walk: _Walk, at_root: bool) -> None:
    name = str(node.value)
    if name == _ROOT or (name == _CONTEXT and at_root):
        walk.any_root = True
    elif name != _CONTEXT and name not in walk.bound:
        if name in FUNCTIONS:
            raise ExpressionRefused(
                f"${name} is a function and can only be called: {FUNCTIONS[name].signature}.",
                node.position,
            )
        raise ExpressionRefused(
            f"There is no variable ${name}. Names of the scope are written without $.",
            node.position,
            suggestion=f"Write {name}." if name else None,
        )


def _binary(node: Node, walk: _Walk, at_root: bool) -> None:
    if node.value == "..":
        _literal_range(node)
    elif node.value not in _OPERATORS:
        raise ExpressionRefused(f"There is no operator {node.value}.", node.position)
    _visit_all((node.lhs, node.rhs), walk, at_root=at_root)


def _literal_range(node: Node) -> None:
    bounds = (node.lhs, node.rhs)
    if not all(bound.type == "number" and isinstance(bound.value, int) for bound in bounds):
        raise ExpressionRefused("The bounds of a range must be whole numbers.", node.position)
    if node.rhs.value - node.lhs.value + 1 > MAX_RANGE:
        raise ExpressionRefused(f"A range has at most {MAX_RANGE:,} numbers.", node.position)


def _unary(node: Node, walk: _Walk, at_root: bool) -> None:
    if node.value == "[":
        _visit_all(node.expressions, walk, at_root=at_root)
    elif node.value == "{":
        _visit_all(_flat(node.pairs), walk, at_root=at_root)
    elif node.value == "-":
        _visit(node.expression, walk, at_root=at_root)
    else:
        raise ExpressionRefused(f"There is no operator {node.value}.", node.position)


def _condition(node: Node, walk: _Walk, at_root: bool) -> None:
    branches = (node.condition, node.then, node.otherwise)
    _visit_all((branch for branch in branches if branch is not None), walk, at_root=at_root)


def _block(node: Node, walk: _Walk, at_root: bool) -> None:
    _visit_all(node.expressions, walk, at_root=at_root)


def _bind(node: Node, walk: _Walk, at_root: bool) -> None:
    name = str(node.lhs.value)
    if name in (_CONTEXT, _ROOT) or name in FUNCTIONS:
        raise ExpressionRefused(f"${name} cannot be given another value.", node.position)
    _visit(node.rhs, walk, at_root=at_root)


def _sort(node: Node, walk: _Walk, at_root: bool) -> None:
    _visit_all((term.expression for term in node.terms), walk, at_root=False)


def _call(node: Node, walk: _Walk, at_root: bool) -> None:
    function = _called(node)
    node.function = function.name
    arguments = node.arguments
    if not function.accepts(len(arguments)):
        raise ExpressionRefused(
            f"{len(arguments)} arguments do not fit {function.signature}.", node.position
        )
    if function.context and len(arguments) < function.least and at_root:
        walk.any_root = True
    for index, argument in enumerate(arguments):
        pattern = argument.type == "regex"
        if pattern and index == 1 and function.name in TAKES_PATTERN:
            continue
        if function.name == "match" and index == 1:
            raise ExpressionRefused(
                "The second argument of $match is a regular expression: /pattern/.", node.position
            )
        _visit(argument, walk, at_root=at_root)


def _called(node: Node) -> Function:
    """The function that a call node calls; refuses computed calls."""
    procedure = node.procedure
    if procedure.type == "variable" and not procedure.predicate:
        name, bare = str(procedure.value), False
    elif procedure.type == "path" and len(procedure.steps) == 1 and _is_bare(procedure.steps[0]):
        name, bare = str(procedure.steps[0].value), True
    else:
        raise ExpressionRefused("Only a function's name can be called.", node.position)
    function = FUNCTIONS.get(name)
    if function is None or (bare and not function.original):
        raise _unknown(name, node.position, bare=bare)
    return function


def _is_bare(step: Node) -> bool:
    return step.type == "name" and not step.stages and not step.predicate


def _unknown(name: str, position: int, *, bare: bool) -> ExpressionRefused:
    shown = name if bare else f"${name}"
    known = {known.casefold(): known for known in FUNCTIONS}
    close = difflib.get_close_matches(name.casefold(), known, n=1)
    suggestion = INSTEAD.get(name)
    if suggestion is None and close:
        suggestion = f"Did you mean {FUNCTIONS[known[close[0]]].signature}?"
    return ExpressionRefused(
        f"The function {shown} is not in the language.", position, suggestion=suggestion
    )


def _bound_names(tree: Node) -> Iterable[str]:
    """Variables that any := of the tree gives a value."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node.type == "bind":
            yield str(node.lhs.value)
        waiting.extend(_children(node))


def _children(node: Node) -> Iterable[Node]:
    singles = (node.lhs, node.rhs, node.expression, node.condition, node.then, node.otherwise)
    yield from (child for child in singles if child is not None)
    for group in (node.steps, node.expressions, node.arguments, node.terms):
        yield from group
    yield from (*(node.predicate or ()), *(node.stages or ()))
    yield from _flat(node.pairs)
    if node.group is not None:
        yield from _flat(node.group.pairs)


_VISITORS: Final[Mapping[str, Callable[[Node, _Walk, bool], None]]] = {
    "path": _path,
    "name": _name,
    "string": _leaf,
    "number": _leaf,
    "value": _leaf,
    "wildcard": _wild,
    "descendant": _wild,
    "variable": _variable,
    "binary": _binary,
    "unary": _unary,
    "condition": _condition,
    "block": _block,
    "bind": _bind,
    "sort": _sort,
    "function": _call,
}
