"""References as JSON that is told apart from an author's own data: by where they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.contract import REFERENCE_KEY, Json
from engine.interpreter.host import ValueRef

Path = list[str | int]


def taken_out(value: Json, path: Path, refs: list[Path]) -> Any:
    """`value` with every reference as {"$ref", "bytes"}, and its path added to `refs`."""
    if isinstance(value, ValueRef):
        refs.append(path)
        return {REFERENCE_KEY: value.value_id, "bytes": value.bytes}
    if isinstance(value, dict):
        return {key: taken_out(member, [*path, key], refs) for key, member in value.items()}
    if isinstance(value, list):
        return [taken_out(member, [*path, at], refs) for at, member in enumerate(value)]
    return value


def put_back(state: Any, path: Sequence[str | int]) -> None:
    """The reverse, in place, for one path. Raises KeyError, IndexError, TypeError."""
    *way, last = path
    for part in way:
        state = state[part]
    state[last] = ValueRef(state[last][REFERENCE_KEY], state[last]["bytes"])
