"""The result of an expression is JSON of a limited size, or an error (authoring.md)."""

from __future__ import annotations

import json
import math
from typing import Final

from engine.contract import Json
from engine.expressions.errors import ResultRefused
from engine.expressions.limits import (
    ITEMS_PER_EVALUATION,
    MAX_RESULT_BYTES,
    MAX_RESULT_DEPTH,
)
from engine.expressions.values import NULL, Value

_SAFE: Final = 2.0**53
_MOST_MEMBERS: Final = MAX_RESULT_BYTES // 2
"""Each takes two bytes at least: a huge value is refused before it is copied."""
SECRET_KEY: Final = "$secret"  # noqa: S105 - the key, not a secret
TOO_LARGE: Final = f"The result is larger than {MAX_RESULT_BYTES // 1024} KiB."


def as_json(value: Value) -> tuple[Json, int]:
    """`value` as plain JSON, copied, and what that cost in evaluations.

    The copy is not part of the expression's own budget, but of the task's in which it is made.
    Raises `ResultRefused` when the value is absent, no JSON, or too big.
    """
    if value is None:
        raise ResultRefused(
            "The expression has no value: its path leads nowhere."
            " Use coalesce(..., null) where that may be.",
            "EXPRESSION_NO_VALUE",
        )
    left = [_MOST_MEMBERS]
    copied = _copy(value, 1, left)
    if isinstance(copied, list | dict | str):
        text = json.dumps(copied, ensure_ascii=False, separators=(",", ":"))
        if len(text) > MAX_RESULT_BYTES or len(text.encode("utf-8")) > MAX_RESULT_BYTES:
            raise _too_large()
    return copied, (_MOST_MEMBERS - left[0]) // ITEMS_PER_EVALUATION


def _too_large() -> ResultRefused:
    return ResultRefused(TOO_LARGE, "EXPRESSION_TOO_LARGE")


def _copy(value: Value, depth: int, left: list[int]) -> Json:
    if isinstance(value, str):
        return _text(value)
    if value is None or value is NULL:
        return None
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _float(value)
    if not isinstance(value, list | dict):
        raise ResultRefused("The result is not JSON.", "EXPRESSION_NOT_JSON")
    if depth > MAX_RESULT_DEPTH:
        raise ResultRefused(
            f"The result is nested deeper than {MAX_RESULT_DEPTH} levels.", "EXPRESSION_NOT_JSON"
        )
    left[0] -= len(value)
    if left[0] < 0:
        raise _too_large()
    if isinstance(value, dict) and SECRET_KEY in value:
        # It would be resolved as a secret, for whoever sent the data.
        raise ResultRefused("Data that holds a $secret cannot be used.", "EXPRESSION_SECRET")
    if isinstance(value, list):
        return [_copy(member, depth + 1, left) for member in value]
    return {_text(key): _copy(member, depth + 1, left) for key, member in value.items()}


def _float(value: float) -> Json:
    if not math.isfinite(value):
        raise ResultRefused("The result is not a finite number.", "EXPRESSION_NOT_JSON")
    if abs(value) >= _SAFE:
        return int(value)
    return 0.0 if value == 0 else value


def _text(value: str) -> str:
    if "\x00" in value:
        raise ResultRefused("The result holds the character U+0000.", "EXPRESSION_NOT_JSON")
    return value
