"""control.if: one of two blocks. An absent else is an empty one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.errors import Category, StepFailed
from engine.interpreter import fields
from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def control_if(branch: Branch, opened: OpenStep) -> bool:
    if not opened.resumed:
        condition = await fields.value(branch, opened, "condition")
        if not isinstance(condition, bool):
            raise StepFailed(
                Category.VALIDATION,
                f"The condition must be a boolean, not {fields.described(condition)}.",
            )
        opened.block = "then" if condition else "else"
    opened.output = {"branch": opened.block}
    with branch.inside(opened):
        return await branch.run_block(opened)
