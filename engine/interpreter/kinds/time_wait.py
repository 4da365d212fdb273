"""time.wait: for a duration, or until a time; one that has come already does not wait."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from engine.interpreter import fields, moments
from engine.interpreter.failure import timestamp
from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def time_wait(branch: Branch, opened: OpenStep) -> bool:
    await branch.admit(opened)
    due = await _due(branch, opened)
    opened.input = {"mode": opened.config["mode"], "dueAt": timestamp(due)}
    await branch.wait(opened, "time", until=due, payload=opened.input)
    waited = {**opened.input, "resumedAt": timestamp(branch.execution.host.now())}
    opened.output = waited
    branch.scope.set_var("timeWait", waited)
    await fields.write_all(branch, opened, "assign")
    return False


async def _due(branch: Branch, opened: OpenStep) -> datetime:
    now = branch.execution.host.now()
    if opened.config["mode"] == "duration":
        length = await fields.value(branch, opened, "durationMs")
        return moments.after(now, length, "durationMs")
    return moments.at(now, await fields.value(branch, opened, "until"), "until")
