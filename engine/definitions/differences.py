"""What changed between two versions of a document: its steps by id, and the rest by pointer.

Steps are matched by their ids, so that one step put in before them does not change all that follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any, Final

from engine.contract import Json
from engine.definitions.steps import BLOCKS
from engine.definitions.walk import RawStep, steps_of
from engine.runs.json_diff import Differences, Side, compare_json

LIMIT: Final = 500
"""Steps that are listed, and differences of one step or of the document's other fields."""
_NO_NAMES: Final[dict[str, Json]] = {}


class StepChange(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    """To another branch, or before or behind steps that it stood behind or before."""


@dataclass(frozen=True, slots=True)
class StepDifference:
    change: StepChange
    step_id: str | None
    kind: str | None
    left_path: str | None
    right_path: str | None
    fields: Differences = field(default_factory=Differences)
    """What changed in the step itself, not in its branches."""


@dataclass(frozen=True, slots=True)
class DocumentDifferences:
    fields: Differences
    """Of the document without its steps."""
    steps: tuple[StepDifference, ...]
    more: bool = False
    """Further steps differ, which are not listed."""

    @property
    def none(self) -> bool:
        return self.fields.none and not self.steps


def compare_documents(
    left: Side, right: Side, equal: Callable[[Json, Json], bool]
) -> DocumentDifferences:
    """Each side as it is and as it may be shown; `equal` as for `compare_json`."""
    ours, theirs = _Steps(left), _Steps(right)
    moved = _moved(ours, theirs)
    found = []
    for key, step in ours.steps.items():
        if key not in theirs.steps:
            found.append(_one(StepChange.REMOVED, left=step))
            continue
        other = theirs.steps[key]
        fields = compare_json(ours.own(step), theirs.own(other), equal, limit=LIMIT)
        if not fields.none:
            found.append(_one(StepChange.CHANGED, step, other, fields))
        elif key in moved:
            found.append(_one(StepChange.MOVED, step, other))
    found += [
        _one(StepChange.ADDED, right=step)
        for key, step in theirs.steps.items()
        if key not in ours.steps
    ]
    rest = compare_json(_rest(left), _rest(right), equal, limit=LIMIT)
    return DocumentDifferences(rest, tuple(found[:LIMIT]), more=len(found) > LIMIT)


def _one(
    change: StepChange,
    left: RawStep | None = None,
    right: RawStep | None = None,
    fields: Differences | None = None,
) -> StepDifference:
    step = right or left
    return StepDifference(
        change=change,
        step_id=step.id if step else None,
        kind=step.kind if step else None,
        left_path=left.path if left else None,
        right_path=right.path if right else None,
        fields=fields or Differences(),
    )


class _Steps:
    """A document's steps by id; those without one by their place."""

    def __init__(self, side: Side) -> None:
        self.steps: dict[str, RawStep] = {}
        self._shown = {step.path: step.data for step in steps_of(side.shown)}
        keys: dict[str, str] = {}
        self.blocks: dict[tuple[str, str], list[str]] = {}
        """Keys of the steps in each block, by the key of the step around it and its name."""
        for step in steps_of(side.value):
            key = f"id {step.id}" if step.id and f"id {step.id}" not in self.steps else step.path
            self.steps[key] = step
            keys[step.path] = key
            owner, _, block = step.path.rpartition(".steps[")[0].rpartition(".")
            self.blocks.setdefault((keys.get(owner, ""), block), []).append(key)

    def own(self, step: RawStep) -> Side:
        return Side(_own(step.data), _own(self._shown.get(step.path, _NO_NAMES)))


def _own(data: dict[str, Any]) -> dict[str, Json]:
    return {name: value for name, value in data.items() if name not in BLOCKS}


def _rest(side: Side) -> Side:
    return Side(_without_steps(side.value), _without_steps(side.shown))


def _without_steps(document: Json) -> Json:
    if not isinstance(document, dict):
        return document
    return {name: value for name, value in document.items() if name not in {"steps", "version"}}


def _moved(ours: _Steps, theirs: _Steps) -> set[str]:
    common = ours.steps.keys() & theirs.steps.keys()
    stayed: set[str] = set()
    for place, keys in ours.blocks.items():
        before = [key for key in keys if key in common]
        after = [key for key in theirs.blocks.get(place, []) if key in common]
        for start, _, size in SequenceMatcher(None, before, after, False).get_matching_blocks():
            stayed.update(before[start : start + size])
    return common - stayed
