"""What a function gets of the evaluation that calls it, and how it checks its arguments."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from engine.expressions.errors import Fault
from engine.expressions.values import Meter, Value, described, is_number


class Call(Meter, Protocol):
    @property
    def now(self) -> datetime:
        """Workflow time."""


def text(value: Value, function: str) -> str:
    if not isinstance(value, str):
        raise Fault(f"{function} needs text, not {described(value)}.")
    return value


def number(value: Value, function: str) -> Any:
    if not is_number(value):
        raise Fault(f"{function} needs a number, not {described(value)}.")
    return value


def whole(value: Value, function: str) -> int:
    """A number with its fraction cut off, as JavaScript cuts it."""
    return int(number(value, function))


def as_list(value: Value) -> list[Value]:
    """JSONata passes a single value where a list is expected."""
    return value if isinstance(value, list) else [value]
