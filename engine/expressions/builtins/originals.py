"""The five functions of the original language (docs/authoring.md, Expressions)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Final

from engine.expressions.builtins.call import Call
from engine.expressions.values import NULL, Value, text_of


def now_iso(call: Call) -> str:
    """Workflow time, in milliseconds as JavaScript's toISOString writes it."""
    now = call.now.astimezone(UTC)
    return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"


def coalesce(call: Call, *candidates: Value) -> Value:
    for candidate in candidates:
        if candidate is not None and candidate is not NULL:
            return candidate
    return NULL


def length(call: Call, value: Value) -> int:
    return len(value) if isinstance(value, str | list) else 0


def to_string(call: Call, value: Value) -> str:
    return "" if value is None or value is NULL else text_of(value, call)


def append(call: Call, values: Value, value: Value) -> list[Value]:
    """Always a list: an absent or null first argument is an empty one."""
    if values is None or values is NULL:
        result = []
    else:
        result = list(values) if isinstance(values, list) else [values]
    if value is not None:
        result.extend(value if isinstance(value, list) else [value])
    call.items(len(result))
    return result


FUNCTIONS: Final[Mapping[str, Callable[..., Value]]] = {
    "nowIso": now_iso,
    "coalesce": coalesce,
    "len": length,
    "toString": to_string,
    "append": append,
}
