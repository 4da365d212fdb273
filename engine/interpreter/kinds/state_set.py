"""state.set: meta.state, the label that tells an operator how far the run is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.errors import Category, StepFailed
from engine.expressions.paths import parse_assign
from engine.interpreter import fields
from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch

STATE: Final = parse_assign("meta.state")


async def state_set(branch: Branch, opened: OpenStep) -> bool:
    label = await fields.value(branch, opened, "state")
    if not isinstance(label, str) or not label:
        raise StepFailed(Category.VALIDATION, "The state must be a text that is not empty.")
    await fields.write(branch, STATE, label)
    opened.output = {"state": label}
    return False
