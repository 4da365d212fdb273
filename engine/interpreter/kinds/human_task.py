"""human.task: until a person has answered the task, or its time-out closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter import fields, moments
from engine.interpreter.failure import timestamp
from engine.interpreter.open_step import OpenStep
from engine.interpreter.recorded import shown

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch

COMPLETED: Final = "HUMAN_TASK_COMPLETED"


async def human_task(branch: Branch, opened: OpenStep) -> bool:
    await branch.admit(opened)
    task = await _task(branch, opened)
    until = await fields.timeout(branch, opened)
    if until is not None:
        task["timeoutAt"] = timestamp(until)
    opened.input = shown(
        branch.execution.account, {name: value for name, value in task.items() if name != "form"}
    )
    answer = await branch.wait(opened, "human", until=until, event_name=COMPLETED, payload=task)
    if answer is None:
        raise StepFailed(
            Category.TIMEOUT,
            "Nobody answered the task in time.",
            details={"taskType": task.get("taskType"), "timeoutAt": task["timeoutAt"]},
        )
    await fields.take_event(branch, opened, answer, COMPLETED)
    return False


async def _task(branch: Branch, opened: OpenStep) -> dict[str, Json]:
    """What the inbox shows and what the answer is checked against."""
    task: dict[str, Json] = {"title": await fields.text(branch, opened, "title") or ""}
    for name in ("description", "assignee"):
        if (text := await fields.text(branch, opened, name)) is not None:
            task[name] = text
    if opened.config.get("taskType") is not None:
        task["taskType"] = opened.config["taskType"]
    if opened.config.get("contextData") is not None:
        task["contextData"] = await fields.value(branch, opened, "contextData")
    if opened.config.get("form") is not None:
        task["form"] = opened.config["form"]
    due_in = await fields.value(branch, opened, "dueInMs")
    if due_in is not None:
        task["dueAt"] = timestamp(moments.after(branch.execution.host.now(), due_in, "dueInMs"))
    return task
