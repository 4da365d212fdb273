"""What this release executes. Other kinds of steps are checked in full and then refused.

The one place to extend when the interpreter's hosts learn a kind.
"""

from __future__ import annotations

from typing import Final

CONCURRENT_LOOP: Final = "control.forEach concurrency"
"""A loop with concurrency above 1, as a kind of its own."""

AVAILABLE_KINDS: Final = frozenset(
    {
        "action.call",
        "transform.assign",
        "state.set",
        "event.wait",
        "human.task",
        "time.wait",
        "control.if",
        "control.forEach",
        "control.tryCatch",
        "control.return",
        "control.callWorkflow",
        CONCURRENT_LOOP,
    }
)
