"""All steps of a document as it was written, well-formed or not, with their places.

Checks work on this raw form, so that one malformed step hides no fault of another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.contract import Json
from engine.definitions.findings import ROOT
from engine.definitions.steps import BLOCKS


@dataclass(frozen=True, slots=True)
class RawStep:
    path: str
    data: dict[str, Any]
    nesting: int
    """1 for the document's own steps."""
    loop_names: frozenset[str] = frozenset()
    """Names of the loops around it: item, index, ... and the authors' own."""

    @property
    def id(self) -> str | None:
        found = self.data.get("id")
        return found if isinstance(found, str) else None

    @property
    def kind(self) -> str | None:
        found = self.data.get("type")
        return found if isinstance(found, str) else None

    @property
    def config(self) -> dict[str, Any]:
        """A node's config; a control step has its fields at its top."""
        if self.kind is not None and self.kind.startswith("control."):
            return self.data
        found = self.data.get("config")
        return found if isinstance(found, dict) else {}

    def text(self, field: str) -> str | None:
        found = self.config.get(field)
        return found if isinstance(found, str) else None

    def object(self, field: str) -> dict[str, Any]:
        found = self.config.get(field)
        return found if isinstance(found, dict) else {}


LOOP_NAMES = frozenset({"item", "index", "length", "isFirst", "isLast"})


def steps_of(document: Json) -> Iterator[RawStep]:
    """Every step, outer before inner, in the order they are written. No recursion."""
    waiting = list(reversed(_block(document, "steps", f"{ROOT}.steps", 1, frozenset())))
    while waiting:
        step = waiting.pop()
        yield step
        inner: list[RawStep] = []
        for name in BLOCKS:
            names = _names_inside(step) if name == "body" else step.loop_names
            place = f"{step.path}.{name}.steps"
            inner.extend(_block(step.data, name, place, step.nesting + 1, names))
        waiting.extend(reversed(inner))


def _names_inside(loop: RawStep) -> frozenset[str]:
    own = loop.text("itemVar")
    return loop.loop_names | LOOP_NAMES | ({own} if own else frozenset())


def _block(
    owner: Json, field: str, place: str, nesting: int, names: frozenset[str]
) -> list[RawStep]:
    steps = owner.get(field) if isinstance(owner, dict) else None
    if not isinstance(steps, list):
        return []
    return [
        RawStep(f"{place}[{index}]", step, nesting, names)
        for index, step in enumerate(steps)
        if isinstance(step, dict)
    ]
