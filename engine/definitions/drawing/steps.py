"""What is drawn of a document: its steps in order, each with its branches.

Reads the raw document and never raises: documents from before the cut-over may have any shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from engine.contract import Json
from engine.definitions.drawing.words import detail_of
from engine.definitions.findings import ROOT

_BRANCHES: Final = {
    "control.if": (("then", "then"), ("else", "else")),
    "control.forEach": (("body", "each"),),
    "control.tryCatch": (("try", "try"), ("catch", "catch")),
}
"""Field and label of a kind's branches. All are drawn, also where the author wrote none."""


@dataclass(frozen=True, slots=True)
class DrawnStep:
    path: str
    kind: str
    label: str
    """The author's name for it, else its id."""
    detail: str
    """What it calls, waits for or decides; may be empty."""
    branches: tuple[Branch, ...] = ()
    calls: str | None = None
    """Key of the workflow that it runs as a child."""

    @property
    def ends_run(self) -> bool:
        return self.kind == "control.return"

    @property
    def goes_on(self) -> bool:
        """May the step after it be reached? Not after a return, nor where every branch has one."""
        if self.kind == "control.forEach":
            return True  # the list may be empty
        if self.branches:
            return any(branch.goes_on for branch in self.branches)
        return not self.ends_run


@dataclass(frozen=True, slots=True)
class Branch:
    name: str
    label: str
    steps: tuple[DrawnStep, ...]

    @property
    def goes_on(self) -> bool:
        return all(step.goes_on for step in self.steps)


def steps_to_draw(document: Json) -> tuple[DrawnStep, ...]:
    """The document's own steps, with all others in their branches."""
    return _steps(document, "steps", f"{ROOT}.steps")


def _steps(owner: Json, field: str, place: str) -> tuple[DrawnStep, ...]:
    steps = owner.get(field) if isinstance(owner, dict) else None
    if not isinstance(steps, list):
        return ()
    return tuple(
        _step(step, f"{place}[{index}]") for index, step in enumerate(steps) if _is_step(step)
    )


def _is_step(value: Json) -> bool:
    return isinstance(value, dict)


def _step(data: dict[str, Any], path: str) -> DrawnStep:
    kind = _text(data.get("type")) or "step"
    return DrawnStep(
        path=path,
        kind=kind,
        label=_text(data.get("name")) or _text(data.get("id")) or kind,
        detail=detail_of(kind, data),
        branches=tuple(
            Branch(name, label, _steps(data, name, f"{path}.{name}.steps"))
            for name, label in _BRANCHES.get(kind, ())
        ),
        calls=_text(data.get("workflowId")) or None if kind == "control.callWorkflow" else None,
    )


def _text(value: Json) -> str:
    return value.strip() if isinstance(value, str) else ""
