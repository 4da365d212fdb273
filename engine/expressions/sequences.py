"""JSONata's way with many values: flattening, filters, groups, order and wildcards.

Every function gets the evaluation it works for, which counts what it does.
"""

from __future__ import annotations

import functools
import math
from datetime import datetime
from typing import Any, Protocol

from engine.expressions.errors import Fault
from engine.expressions.limits import ITEMS_PER_EVALUATION
from engine.expressions.tree import Node
from engine.expressions.values import (
    Meter,
    Sequence,
    Value,
    described,
    is_number,
    members,
    present,
    sequence,
    truthy,
)


class Evaluation(Meter, Protocol):
    now: datetime

    def eval(self, node: Node, input: Value, frame: Any) -> Value: ...


def collapsed(result: Any, *, keep: bool) -> Value:
    """A sequence of one is its member, an empty one is absent."""
    if keep:
        result.keep_singleton = True
    if not result:
        return None
    if len(result) == 1 and not result.keep_singleton:
        return present(result[0])
    return result


def kept(result: Value) -> Any:
    """`path[]`: a list stays one, even of a single member."""
    if type(result) is Sequence:
        made: Any = result
    else:
        made = Sequence(result if isinstance(result, list) else [result])
    if made.cons and not made.sequence:
        made = sequence([made])
    made.keep_singleton = True
    return made


def is_plain_list(value: Any) -> bool:
    return isinstance(value, list) and not getattr(value, "sequence", False)


def flat(evaluation: Evaluation, results: list[Any]) -> Value:
    """One sequence of many results; a list that the expression itself wrote stays whole."""
    made = sequence()
    for result in results:
        if not isinstance(result, list) or getattr(result, "cons", False):
            made.append(result)
        else:
            evaluation.items(len(result))
            made.extend(members(result))
    return made


def filtered(evaluation: Evaluation, predicate: Node, input: Value, frame: Any) -> Value:
    """`list[predicate]`: by position when it is a number or numbers, else by truth."""
    if input is None:
        return sequence()
    values = input if isinstance(input, list) else [input]
    if predicate.type == "number":
        return _at(values, predicate.value)
    results = sequence()
    for index, value in enumerate(values):
        member = present(value)
        chosen = evaluation.eval(predicate, member, frame)
        if is_number(chosen):
            chosen = [chosen]
        if isinstance(chosen, list) and _all_numbers(evaluation, chosen):
            here = sum(_index(position, len(values)) == index for position in chosen)
            results.extend([member] * here)
        elif truthy(chosen, evaluation):
            results.append(member)
    return results


def _all_numbers(evaluation: Evaluation, values: list[Value]) -> bool:
    evaluation.items(len(values))
    return all(is_number(value) for value in values)


def _at(values: list[Value], position: float) -> Value:
    index = _index(position, len(values))
    if not 0 <= index < len(values):
        return sequence()
    value = present(values[index])
    return value if isinstance(value, list) else sequence([value])


def _index(position: float, length: int) -> int:
    index = math.floor(position)
    return index + length if index < 0 else index


def grouped(evaluation: Evaluation, node: Node, input: Value, frame: Any) -> dict[str, Value]:
    """{key: value} over all items; the items of one key are evaluated together."""
    items = (list(members(input)) or [None]) if isinstance(input, list) else [input]
    evaluation.items(len(items))
    groups: dict[str, tuple[int, list[Value]]] = {}
    for item in items:
        for pair_index, pair in enumerate(node.pairs):
            key = evaluation.eval(pair[0], item, frame)
            if key is None:
                continue
            if not isinstance(key, str):
                raise Fault(f"A key of an object must be text, not {described(key)}.")
            owner, gathered = groups.setdefault(key, (pair_index, []))
            if owner != pair_index:
                raise Fault("Two keys of an object are equal.")
            gathered.append(item)
    result = {}
    for key, (owner, gathered) in groups.items():
        context = _together(evaluation, gathered)
        value = evaluation.eval(node.pairs[owner][1], context, frame)
        if value is not None:
            result[key] = value
    return result


def _together(evaluation: Evaluation, gathered: list[Value]) -> Value:
    if len(gathered) == 1:
        return gathered[0]
    together: list[Value] = []
    for item in gathered:
        together.extend(item if isinstance(item, list) else [item])
    evaluation.items(len(together))
    return together


def ordered(evaluation: Evaluation, node: Node, values: list[Value], frame: Any) -> Value:
    """`list^(key)`: each key is evaluated once an item."""
    if len(values) > 1:
        keyed = [
            (tuple(evaluation.eval(term.expression, value, frame) for term in node.terms), value)
            for value in values
        ]
        compare = functools.partial(_compare, [term.descending for term in node.terms])
        values = [value for _, value in sorted(keyed, key=functools.cmp_to_key(compare))]
    result: Value = values
    for part in node.stages or ():
        result = filtered(evaluation, part, result, frame)
    return result


def _compare(descending: list[bool], left: tuple[Any, Value], right: tuple[Any, Value]) -> int:
    """Order by each term; absent keys come last either way."""
    for down, a, b in zip(descending, left[0], right[0], strict=True):
        if a is None or b is None:
            if a is b:
                continue
            return 1 if a is None else -1
        comparable = (is_number(a) and is_number(b)) or (isinstance(a, str) and isinstance(b, str))
        if not comparable:
            raise Fault(f"Cannot order {described(a)} and {described(b)}.")
        if a != b:
            return 1 if (a < b) == down else -1
    return 0


def looked_up(meter: Meter, input: Value, name: str) -> Value:
    """The value of a key; of a list, the values of all its objects."""
    if isinstance(input, dict):
        return present(input[name]) if name in input else None
    if not isinstance(input, list):
        return None
    meter.items(len(input))
    results = sequence()
    for member in input:
        found = looked_up(meter, member, name)
        if isinstance(found, list):
            meter.items(len(found))
            results.extend(members(found))
        elif found is not None:
            results.append(found)
    return results


def children(meter: Meter, input: Value) -> Value:
    """`*`: every value of an object or list, lists flattened."""
    results = sequence()
    if isinstance(input, dict | list):
        meter.items(len(input))
        for value in members(input.values() if isinstance(input, dict) else input):
            results.extend(_leaves(meter, value) if isinstance(value, list) else [value])
    return results


def _leaves(meter: Meter, values: list[Value]) -> list[Value]:
    meter.items(len(values))
    leaves: list[Value] = []
    for value in members(values):
        leaves.extend(_leaves(meter, value) if isinstance(value, list) else [value])
    return leaves


def descendants(meter: Meter, input: Value) -> Value:
    """`**`: the value itself and everything below it."""
    results = sequence()
    if input is not None:
        _descend(meter, input, results)
    return results


def _descend(meter: Meter, value: Value, results: list[Value]) -> None:
    if not isinstance(value, list):
        results.append(value)
    if isinstance(value, dict | list):
        meter.items(len(value) + ITEMS_PER_EVALUATION)
        for member in members(value.values() if isinstance(value, dict) else value):
            _descend(meter, member, results)
