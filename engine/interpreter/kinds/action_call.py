"""action.call: a registered action. Pure ones run here, the others through the host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.contract import Json
from engine.errors import Category, StepFailed
from engine.expressions.paths import parse_save_as
from engine.interpreter import fields
from engine.interpreter.host import ActionRequest
from engine.interpreter.open_step import OpenStep
from engine.interpreter.recorded import shown
from engine.interpreter.transforms import transformed

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch

DEFAULT_TIMEOUT_MS: Final = 30_000


async def action_call(branch: Branch, opened: OpenStep) -> bool:
    kept = opened.kept
    if "input" not in kept:
        # Once for all attempts: a repeated effect must be the same effect, with the same key.
        resolved = await fields.value(branch, opened, "inputMapping") or {}
        kept["key"] = await _idempotency_key(branch, opened)
        kept["input"] = resolved
    if opened.step.mode == "pure":
        output = _transformed(branch, opened)
    else:
        output = await _performed(branch, opened)
    save_as = opened.config.get("saveAs")
    if save_as:
        await fields.write(branch, parse_save_as(save_as), output)
    return False


async def _idempotency_key(branch: Branch, opened: OpenStep) -> str | None:
    if "idempotencyKey" not in opened.config:
        return None
    key = await fields.text(branch, opened, "idempotencyKey")
    if not key:
        raise StepFailed(Category.VALIDATION, "The idempotency key must not be empty.")
    return key


def _transformed(branch: Branch, opened: OpenStep) -> Json:
    config, now = opened.config, branch.execution.host.now()
    opened.input = shown(branch.execution.account, opened.kept["input"])
    done = transformed(config["actionId"], config["version"], opened.kept["input"], now=now)
    branch.execution.spent(done.evaluations)
    opened.output = shown(branch.execution.account, done.output)
    return done.output


async def _performed(branch: Branch, opened: OpenStep) -> Json:
    """The output, or a reference to it. The host's side writes the step's row."""
    config, step = opened.config, opened.step
    request = ActionRequest(
        place=opened.place,
        action=config["actionId"],
        version=config["version"],
        input=opened.kept["input"],
        quick=step.mode == "local",
        timeout_ms=config.get("timeoutMs", DEFAULT_TIMEOUT_MS),
        idempotency_key=opened.kept["key"],
        retry=None if step.retry is None else dict(step.retry),
        handled_by=branch.handler_of(step),
    )
    branch.announce()
    while True:
        try:
            performed = await branch.execution.host.perform(request)
        except StepFailed:
            opened.recorded = True
            raise
        if performed.quota is None:
            opened.recorded = opened.performed = True
            return performed.output
        await branch.wait_quota(opened.place, performed.quota)
