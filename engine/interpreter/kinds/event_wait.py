"""event.wait: until an event of this name and correlation key comes, or its time-out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.interpreter import fields
from engine.interpreter.failure import timestamp
from engine.interpreter.open_step import OpenStep

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def event_wait(branch: Branch, opened: OpenStep) -> bool:
    await branch.admit(opened)
    name = await fields.value(branch, opened, "eventName")
    key = await fields.text(branch, opened, "correlationKey")
    filters = await fields.value(branch, opened, "filters")
    until = await fields.timeout(branch, opened)
    waited_for: dict[str, Json] = {"eventName": name, "correlationKey": key}
    if until is not None:
        waited_for["timeoutAt"] = timestamp(until)
    opened.input = waited_for
    event = await branch.wait(
        opened,
        "event",
        until=until,
        key=key,
        event_name=name,
        payload={**waited_for, "filters": filters or []},
    )
    if event is None:
        raise StepFailed(Category.TIMEOUT, f"No event {name} came in time.", details=waited_for)
    await fields.take_event(branch, opened, event, name)
    return False
