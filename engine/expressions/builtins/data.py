"""Lists, objects and types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from engine.expressions.builtins.call import Call, as_list, text
from engine.expressions.errors import Fault
from engine.expressions.sequences import looked_up
from engine.expressions.values import (
    NULL,
    Value,
    described,
    kind,
    members,
    sequence,
    truthy,
)


def count(call: Call, values: Value) -> int:
    return 0 if values is None else len(as_list(values))


def boolean(call: Call, value: Value) -> Value:
    return None if value is None else truthy(value, call)


def negation(call: Call, value: Value) -> Value:
    return None if value is None else not truthy(value, call)


def exists(call: Call, value: Value) -> bool:
    return value is not None


def type_of(call: Call, value: Value) -> Value:
    return None if value is None else kind(value)


def keys(call: Call, value: Value) -> Value:
    objects = as_list(value)
    call.items(len(objects))
    found: dict[str, None] = {}
    for one in objects:
        if isinstance(one, dict):
            call.items(len(one))
            found.update(dict.fromkeys(one))
    return sequence(found)


def lookup(call: Call, value: Value, key: Value) -> Value:
    return looked_up(call, value, text(key, "$lookup"))


def merge(call: Call, values: Value) -> Value:
    if values is None:
        return None
    merged: dict[str, Value] = {}
    call.items(len(as_list(values)))
    for one in as_list(values):
        if not isinstance(one, dict):
            what = "null" if one is None else described(one)
            raise Fault(f"$merge needs objects, not {what}.")
        call.items(len(one))
        merged.update(one)
    return merged


def spread(call: Call, value: Value) -> Value:
    if isinstance(value, list):
        call.items(len(value))
        results = sequence()
        for member in members(value):
            one = spread(call, member)
            results.extend(one if isinstance(one, list) else [one])
        return results
    if isinstance(value, dict):
        call.items(len(value))
        return sequence({key: member} for key, member in value.items())
    return value


def distinct(call: Call, values: Value) -> Value:
    if not isinstance(values, list):
        return values
    call.items(len(values))
    seen: set[Any] = set()
    results = []
    for value in members(values):
        key = _key(value, call)
        if key not in seen:
            seen.add(key)
            results.append(value)
    return sequence(results) if getattr(values, "sequence", False) else results


def _key(value: Value, call: Call) -> tuple[str, Any]:
    """Equal values have equal keys, and only they."""
    name = kind(value)
    if name in ("array", "object"):
        text_of_value = json.dumps(_plain(value), sort_keys=True)
        call.characters(len(text_of_value))
        return name, text_of_value
    return name, None if value is NULL else value


def _plain(value: Value) -> Value:
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, dict):
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None if value is NULL else value


def reverse(call: Call, values: Value) -> Value:
    if values is None:
        return None
    call.items(len(as_list(values)))
    return list(reversed(as_list(values)))


def zipped(call: Call, *lists: Value) -> Value:
    if any(values is None for values in lists):
        return []
    rows = [as_list(values) for values in lists]
    call.items(sum(map(len, rows)))
    return [list(row) for row in zip(*rows, strict=False)]


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "count": count,
    "boolean": boolean,
    "not": negation,
    "exists": exists,
    "type": type_of,
    "keys": keys,
    "lookup": lookup,
    "merge": merge,
    "spread": spread,
    "distinct": distinct,
    "reverse": reverse,
    "zip": zipped,
}
