"""Which lines of a picture a run has gone along, told from how often each of its steps ran.

Only counts are known, not the order of what ran: where branches without steps leave two answers
open, the line counts as not gone along.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.definitions.drawing.shapes import Drawing, Line, Role
from engine.definitions.drawing.steps import DrawnStep


@dataclass(frozen=True, slots=True)
class Passes:
    """How often a step of a document ran in one run."""

    begun: int = 0
    """Occurrences, not attempts."""
    done: int = 0
    """Those after which the run went on: succeeded, or failed and handled."""
    failed: int = 0
    """Those that failed and were not handled."""


_NONE: Final = Passes()


def lines_walked(drawing: Drawing, passes: Mapping[str, Passes]) -> tuple[Line, ...]:
    """In the order of `drawing.lines`; those not gone along are left out."""
    walk = _Walk({box.step.path: box.step for box in drawing.boxes}, passes)
    return tuple(line for line in drawing.lines if walk.went_along(line))


class _Walk:
    def __init__(self, steps: Mapping[str, DrawnStep], passes: Mapping[str, Passes]) -> None:
        self._steps = steps
        self._passes = passes

    def went_along(self, line: Line) -> bool:
        target = self._of(line.target)
        if line.role is Role.ENTER:
            return target.begun > 0
        if line.source is None:
            return False
        if line.role is Role.REPEAT:
            return target.begun > self._of(line.source).begun
        if line.role is Role.SKIP:
            return self._skipped(self._steps[line.source], line)
        return self._left(self._steps[line.source])

    def _of(self, path: str | None) -> Passes:
        return self._passes.get(path or "", _NONE)

    def _left(self, step: DrawnStep) -> bool:
        """Has it ever been left for what comes after it? Not by a return in it."""
        if step.ends_run:
            return False
        returned = any(inner.ends_run and self._of(inner.path).begun for inner in _within(step))
        return self._of(step.path).done > int(returned)

    def _skipped(self, step: DrawnStep, line: Line) -> bool:
        done = self._of(step.path).done
        if step.kind == "control.tryCatch":
            failed = any(self._of(inner.path).failed for inner in _within(step, "try"))
            return done > 0 and failed is line.is_fault
        if line.target is None:
            return done > 0 and len(step.branches) == 1
        begun = self._of(line.target).begun
        return done > begun if step.kind == "control.if" else done > 0 and begun == 0


def _within(step: DrawnStep, branch: str | None = None) -> Iterable[DrawnStep]:
    """All steps in its branches, or in the one of this name."""
    waiting = [inner for one in step.branches if branch in (None, one.name) for inner in one.steps]
    while waiting:
        inner = waiting.pop()
        yield inner
        waiting.extend(below for one in inner.branches for below in one.steps)
