"""control.tryCatch: the error is `error` in the catch block, and a var where the author says so.

A failure in the catch block goes outward: this block takes none but those of its try.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.interpreter.failure import Failure
from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def control_try_catch(branch: Branch, opened: OpenStep) -> bool:
    if not opened.resumed:
        opened.block = "try"
    with branch.inside(opened):
        if opened.block == "try":
            try:
                with branch.handled_by("catch"):
                    returned = await branch.run_block(opened)
            except Failure as failure:
                if not failure.catchable:
                    raise
                _caught(branch, opened, failure)
            else:
                opened.output = {"branch": "try"}
                return returned
        opened.output = {"branch": "catch"}
        return await branch.run_block(opened)


def _caught(branch: Branch, opened: OpenStep, failure: Failure) -> None:
    branch.scope.set_error(failure.data)
    name = opened.config.get("captureErrorAs")
    if name:
        branch.scope.set_var(name, failure.data, even_if_full=True)
    opened.block, opened.index = "catch", 0
