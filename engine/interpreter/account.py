"""How large the scopes are: at most 8 MiB together, counted write by write (docs/rules.md 4)."""

from __future__ import annotations

import json
from typing import Any, Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.host import ValueRef

LIMIT_BYTES: Final = 8 * 1024 * 1024

BYTES_PER_EVALUATION: Final = 128
"""Measuring, copying and checking so much of a value takes about as long as an evaluation."""

_TEXT_IS_LIGHTER: Final = 4
"""A text is weighed 2^4 times as fast as a list or an object of the same size."""

_REMEMBERED: Final = 8


class Account:
    """The total of every scope of the run, those of concurrent branches included."""

    __slots__ = ("_remembered", "_weighed", "total")

    def __init__(self) -> None:
        self.total = 0
        self._weighed = 0
        self._remembered: dict[int, tuple[Json, int]] = {}
        """By identity, with the value itself, so that the identity stays its own."""

    def size(self, value: Json) -> int:
        """`measure`, where the same value is often asked for again: written, shown, replaced."""
        if not isinstance(value, dict | list):
            size = measure(value)
            self._weighed += size >> _TEXT_IS_LIGHTER
            return size
        known = self._remembered.get(id(value))
        if known is not None:
            return known[1]
        size = measure(value)
        self._weighed += size
        if len(self._remembered) >= _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[id(value)] = (value, size)
        return size

    def take_work(self) -> int:
        """What weighing values cost since the last time, in evaluations (docs/rules.md 10)."""
        evaluations, self._weighed = divmod(self._weighed, BYTES_PER_EVALUATION)
        return evaluations

    def change(self, by: int, *, even_if_full: bool = False) -> None:
        """Raises StepFailed(StateTooLarge), which the author may catch; nothing is counted then."""
        if by > 0 and self.total + by > LIMIT_BYTES and not even_if_full:
            raise too_large("The run's data", self.total + by)
        self.total += by


def too_large(what: str, size: int) -> StepFailed:
    return StepFailed(
        Category.STATE_TOO_LARGE,
        f"{what} would exceed {LIMIT_BYTES // 1024 // 1024} MiB.",
        details={"limitBytes": LIMIT_BYTES, "bytes": size},
    )


def measure(value: Json) -> int:
    """Bytes of `value` as compact JSON in UTF-8; a reference counts as the value it stands for."""
    if isinstance(value, str):
        return len(value) + 2 if value.isascii() else len(value.encode("utf-8", "replace")) + 2
    if isinstance(value, int | float) or value is None:
        return len(str(value))
    if isinstance(value, ValueRef):
        return value.bytes
    return _Measure().of(value)


class _Measure:
    """One encoding; references met on the way add the size of their values."""

    __slots__ = ("referenced",)

    def __init__(self) -> None:
        self.referenced = 0

    def of(self, value: Json) -> int:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=self._reference)
        size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
        return size + self.referenced

    def _reference(self, value: Any) -> int:
        if not isinstance(value, ValueRef):
            raise TypeError(f"not JSON: {type(value).__name__}")
        self.referenced += value.bytes - 1
        return 0
