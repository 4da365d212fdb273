"""Event filters: does an event's payload fit a wait (original 2.6, decided in docs/authoring.md)?

On a missing value only `not_exists` is true. Only like is compared with like: the order of a number
and a text is false both ways, and 1 is neither "1" nor true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from engine.contract import Json

_MISSING: Final = object()

LIST_OPERATORS: Final = frozenset({"in", "not_in"})
TEXT_OPERATORS: Final = frozenset({"starts_with", "ends_with"})
VALUELESS_OPERATORS: Final = frozenset({"exists", "not_exists"})


def matches(filters: Sequence[Mapping[str, Json]], payload: Json) -> bool:
    """Whether every filter `{path, op, value?}` is true of the payload."""
    return all(_true(one, payload) for one in filters)


def _true(one: Mapping[str, Json], payload: Json) -> bool:
    found = _at(payload, one["path"])
    if found is _MISSING:
        return bool(one["op"] == "not_exists")
    return OPERATORS[one["op"]](found, one.get("value"))


def _at(payload: Json, path: str) -> Any:
    value = payload
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit():
            if int(part[:9]) >= len(value):
                return _MISSING
            value = value[int(part)]
        else:
            return _MISSING
    return value


def _same(left: Json, right: Json) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)


def _in_order(compare: Callable[[Any, Any], bool]) -> Callable[[Json, Json], bool]:
    def operator(left: Json, right: Json) -> bool:
        texts = isinstance(left, str) and isinstance(right, str)
        return (texts or (_is_number(left) and _is_number(right))) and compare(left, right)

    return operator


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_one_of(value: Json, candidates: Json) -> bool:
    return isinstance(candidates, list) and any(_same(value, one) for one in candidates)


def _is_none_of(value: Json, candidates: Json) -> bool:
    return isinstance(candidates, list) and not _is_one_of(value, candidates)


def _contains(value: Json, part: Json) -> bool:
    if isinstance(value, list):
        return any(_same(member, part) for member in value)
    return isinstance(value, str) and isinstance(part, str) and part in value


def _begins(value: Json, part: Json) -> bool:
    return isinstance(value, str) and isinstance(part, str) and value.startswith(part)


def _ends(value: Json, part: Json) -> bool:
    return isinstance(value, str) and isinstance(part, str) and value.endswith(part)


OPERATORS: Final[Mapping[str, Callable[[Json, Json], bool]]] = {
    "=": _same,
    "!=": lambda value, other: not _same(value, other),
    "in": _is_one_of,
    "not_in": _is_none_of,
    "exists": lambda value, other: True,
    "not_exists": lambda value, other: False,
    ">": _in_order(lambda left, right: bool(left > right)),
    ">=": _in_order(lambda left, right: bool(left >= right)),
    "<": _in_order(lambda left, right: bool(left < right)),
    "<=": _in_order(lambda left, right: bool(left <= right)),
    "contains": _contains,
    "starts_with": _begins,
    "ends_with": _ends,
}
