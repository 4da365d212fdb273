"""control.return: ends its own run, successfully, from any depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def control_return(branch: Branch, opened: OpenStep) -> bool:
    return True
