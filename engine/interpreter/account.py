"""How large the scopes are: at most 8 MiB together, counted write by write (rules.md 4)."""

from __future__ import annotations

import json
from typing import Any, Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter.host import ValueRef

LIMIT_BYTES: Final = 8 * 1024 * 1024


class Account:
    """The total of every scope of the run, those of concurrent branches included."""

    __slots__ = ("total",)

    def __init__(self, total: int = 0) -> None:
        self.total = total

    def change(self, by: int, *, even_if_full: bool = False) -> None:
        """Raises StepFailed(StateTooLarge), which the author may catch; nothing is counted then."""
        if by > 0 and self.total + by > LIMIT_BYTES and not even_if_full:
            raise StepFailed(
                Category.STATE_TOO_LARGE,
                f"the run's data would exceed {LIMIT_BYTES // 1024 // 1024} MiB",
                details={"limitBytes": LIMIT_BYTES, "bytes": self.total + by},
            )
        self.total += by


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
