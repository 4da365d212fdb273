"""What a step kind is to the interpreter: one function that executes an open step of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch

Handler = Callable[["Branch", OpenStep], Awaitable[bool]]
"""Executes one attempt. True: the run ends here, successfully (control.return).

Raises StepFailed for its own failure; lets Failure of steps inside pass unless it handles them.
Sets `input` and `output` for the row. A block honours `resumed`.
"""
