"""Evaluates a tree that jsonata-python parsed, with JSONata's meaning and three things of our own.

Why not the library's evaluator: it keeps the last *constructed* expression in a thread-local and
evaluates with that; it reads the clock each time; null inside data becomes absent, `=` on two
absent values is false, Python's exceptions and values come out of it; and it counts no work but
visits of nodes. Here every visit of a node is one evaluation (as its entry callback counts them),
operations over many items or characters cost more, and null stays null. A test holds the two
against each other where they must agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from engine.expressions import sequences
from engine.expressions.builtins import IMPLEMENTATIONS
from engine.expressions.catalogue import FUNCTIONS
from engine.expressions.errors import BudgetSpent
from engine.expressions.limits import (
    CHARACTERS_PER_EVALUATION,
    ITEMS_PER_EVALUATION,
    MAX_EVALUATIONS,
)
from engine.expressions.operators import BINARY, negated
from engine.expressions.tree import Node
from engine.expressions.values import NULL, Sequence, Value, members, sequence, truthy


class Frame:
    """Variables of a block; a name is looked for outwards."""

    __slots__ = ("names", "outer")

    def __init__(self, outer: Frame | None) -> None:
        self.names: dict[str, Value] = {}
        self.outer = outer

    def find(self, name: str) -> Value:
        frame: Frame | None = self
        while frame is not None:
            if name in frame.names:
                return frame.names[name]
            frame = frame.outer
        return None


class Evaluator:
    """One evaluation of one expression. Not shared: threads evaluate the same tree at once."""

    __slots__ = ("_characters", "_items", "now", "root", "spent")

    def __init__(self, root: Mapping[str, Value], now: datetime) -> None:
        self.root = root
        self.now = now
        self.spent = 0
        self._items = 0
        self._characters = 0

    def run(self, tree: Node) -> Value:
        """The value of the tree; None is absent. Raises `Fault`."""
        return self.eval(tree, self.root, Frame(None))

    # The budget (values.Meter).

    def items(self, count: int) -> None:
        self._items += count
        if self._items >= ITEMS_PER_EVALUATION:
            evaluations, self._items = divmod(self._items, ITEMS_PER_EVALUATION)
            self.spend(evaluations)

    def characters(self, count: int) -> None:
        self._characters += count
        if self._characters >= CHARACTERS_PER_EVALUATION:
            evaluations, self._characters = divmod(self._characters, CHARACTERS_PER_EVALUATION)
            self.spend(evaluations)

    def spend(self, evaluations: int) -> None:
        self.spent += evaluations
        if self.spent > MAX_EVALUATIONS:
            raise BudgetSpent(f"The expression takes more than {MAX_EVALUATIONS:,} evaluations.")

    # The nodes.

    def eval(self, node: Node, input: Value, frame: Frame) -> Value:
        self.spend(1)
        kind = node.type
        result = _VISITORS[kind](self, node, input, frame)
        if node.predicate is not None:
            for part in node.predicate:
                result = sequences.filtered(self, part, result, frame)
        if node.group is not None and kind != "path":
            result = sequences.grouped(self, node.group, result, frame)
        if type(result) is Sequence and result.sequence:
            return sequences.collapsed(result, keep=node.keep_array)
        return result

    def path(self, node: Node, input: Value, frame: Frame) -> Value:
        steps = node.steps
        start, value = 0, input
        if type(input) is dict and not node.keep_singleton_array:
            start, value = self._plain_names(steps, input)
        result = self._steps(steps, start, value, frame) if start < len(steps) else value
        if node.keep_singleton_array and result is not None:
            result = sequences.kept(result)
        if node.group is not None:
            result = sequences.grouped(self, node.group, result, frame)
        return result

    def _plain_names(self, steps: tuple[Node, ...], value: Value) -> tuple[int, Value]:
        """Goes down a path as long as it is names in objects: the common case, and the fast one.

        Answers how many steps were taken, and the value there.
        """
        for index, step in enumerate(steps):
            if step.type != "name" or type(value) is not dict or _has_more(step):
                return index, value
            self.spend(1)
            found = value.get(step.value, _ABSENT)
            if found is _ABSENT:
                return len(steps), None
            value = NULL if found is None else found
        return len(steps), value

    def _steps(self, steps: tuple[Node, ...], start: int, input: Value, frame: Frame) -> Value:
        if isinstance(input, list) and (start or steps[0].type != "variable"):
            values: Iterable[Value] = members(input)
        else:
            values = (input,)
        last = len(steps) - 1
        result: Any = None
        for index in range(start, len(steps)):
            step = steps[index]
            if index == 0 and step.consarray:
                result = self.eval(step, sequence(values), frame)
            elif step.type == "sort":
                result = sequences.ordered(self, step, list(values), frame)
            else:
                result = self._step(step, values, frame, last=index == last)
            if result is None or (isinstance(result, list) and not result):
                break
            values = members(result) if isinstance(result, list) else (result,)
        return result

    def _step(self, step: Node, values: Iterable[Value], frame: Frame, *, last: bool) -> Value:
        results = []
        for value in values:
            result = self.eval(step, value, frame)
            for part in step.stages or ():
                result = sequences.filtered(self, part, result, frame)
            if result is not None:
                results.append(result)
        if last and len(results) == 1 and sequences.is_plain_list(results[0]):
            return results[0]
        return sequences.flat(self, results)

    def name(self, node: Node, input: Value, frame: Frame) -> Value:
        return sequences.looked_up(self, input, str(node.value))

    def literal(self, node: Node, input: Value, frame: Frame) -> Value:
        return NULL if node.value is None else node.value

    def wildcard(self, node: Node, input: Value, frame: Frame) -> Value:
        return sequences.children(self, input)

    def descendants(self, node: Node, input: Value, frame: Frame) -> Value:
        return sequences.descendants(self, input)

    def variable(self, node: Node, input: Value, frame: Frame) -> Value:
        if node.value == "":
            return input
        return self.root if node.value == "$" else frame.find(node.value)

    def binary(self, node: Node, input: Value, frame: Frame) -> Value:
        left = self.eval(node.lhs, input, frame)
        operator = node.value
        if operator == "and":
            return truthy(left, self) and truthy(self.eval(node.rhs, input, frame), self)
        if operator == "or":
            return truthy(left, self) or truthy(self.eval(node.rhs, input, frame), self)
        if operator == "??":
            return left if left is not None else self.eval(node.rhs, input, frame)
        if operator == "?:":
            return left if truthy(left, self) else self.eval(node.rhs, input, frame)
        return BINARY[operator](left, self.eval(node.rhs, input, frame), self)

    def unary(self, node: Node, input: Value, frame: Frame) -> Value:
        if node.value == "{":
            return sequences.grouped(self, node, input, frame)
        if node.value == "-":
            return negated(self.eval(node.expression, input, frame))
        result = Sequence()
        for item in node.expressions:
            value = self.eval(item, input, frame)
            if isinstance(value, list) and not (item.type == "unary" and item.value == "["):
                self.items(len(value))
                result.extend(value)
            elif value is not None:
                result.append(value)
        result.cons = node.consarray
        return result

    def condition(self, node: Node, input: Value, frame: Frame) -> Value:
        if truthy(self.eval(node.condition, input, frame), self):
            return self.eval(node.then, input, frame)
        return None if node.otherwise is None else self.eval(node.otherwise, input, frame)

    def block(self, node: Node, input: Value, frame: Frame) -> Value:
        inner = Frame(frame)
        result = None
        for expression in node.expressions:
            result = self.eval(expression, input, inner)
        return result

    def bind(self, node: Node, input: Value, frame: Frame) -> Value:
        value = self.eval(node.rhs, input, frame)
        frame.names[str(node.lhs.value)] = value
        return value

    def call(self, node: Node, input: Value, frame: Frame) -> Value:
        arguments = [
            argument.value if argument.type == "regex" else self.eval(argument, input, frame)
            for argument in node.arguments
        ]
        function = FUNCTIONS[node.function]
        if function.context and len(arguments) < function.least:
            arguments.insert(0, input)
        return IMPLEMENTATIONS[node.function](self, *arguments)


_ABSENT: Final = object()


def _has_more(step: Node) -> bool:
    """A filter or a group hangs on the step."""
    return step.stages is not None or step.predicate is not None or step.group is not None


_VISITORS: Final[Mapping[str, Callable[[Evaluator, Node, Value, Frame], Value]]] = {
    "path": Evaluator.path,
    "name": Evaluator.name,
    "string": Evaluator.literal,
    "number": Evaluator.literal,
    "value": Evaluator.literal,
    "wildcard": Evaluator.wildcard,
    "descendant": Evaluator.descendants,
    "variable": Evaluator.variable,
    "binary": Evaluator.binary,
    "unary": Evaluator.unary,
    "condition": Evaluator.condition,
    "block": Evaluator.block,
    "bind": Evaluator.bind,
    "function": Evaluator.call,
}
