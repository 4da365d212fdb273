"""transform.assign: writes in order, each sees those before it; all of them or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.interpreter import fields
from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def transform_assign(branch: Branch, opened: OpenStep) -> bool:
    opened.output = await fields.write_all(branch, opened, "assign")
    return False
