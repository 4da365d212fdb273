"""The fields of a step's config, carried out: values read, values written."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from engine.contract import Json
from engine.definitions.plan import order_of
from engine.errors import Category, StepFailed
from engine.expressions import values
from engine.expressions.paths import PathRefused, Target, assign, parse_assign
from engine.interpreter import moments
from engine.interpreter.open_step import OpenStep
from engine.interpreter.recorded import WRITE_BYTES, shown

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def value(branch: Branch, opened: OpenStep, field: str) -> Json:
    """What `config[field]` comes to; None where it is not given.

    Raises StepFailed(ExpressionError).
    """
    execution = branch.execution
    template = execution.template(opened.step, field, opened.config.get(field))
    return await execution.resolve(template, branch.scope)


async def text(branch: Branch, opened: OpenStep, field: str) -> str | None:
    """`value` where it is to be text: numbers and booleans are written out, null is None."""
    found = await value(branch, opened, field)
    if found is None or isinstance(found, str):
        return found
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return str(found)
    raise StepFailed(Category.VALIDATION, f"{field} must be text, not {described(found)}.")


async def timeout(branch: Branch, opened: OpenStep) -> datetime | None:
    """When `timeoutMs` will have passed; None: never."""
    length = await value(branch, opened, "timeoutMs")
    if length is None:
        return None
    return moments.after(branch.execution.host.now(), length, "timeoutMs")


def described(value: Json) -> str:
    """The JSON type of a value, for messages: never the value itself, which may be private."""
    return values.described(values.present(value))


async def write_all(
    branch: Branch, opened: OpenStep, field: str, extra: dict[str, Json] | None = None
) -> dict[str, Json]:
    """Carries out a map of path to value, in order, each seeing those before it; all or nothing.

    Gives the written values by path, for the step's row. Raises StepFailed.
    """
    scope, execution = branch.scope, branch.execution
    before = scope.snapshot()
    written: dict[str, Json] = {}
    try:
        given = opened.config.get(field) or {}
        for text in opened.config.get(order_of(field)) or given:
            configured = given[text]
            template = execution.template(opened.step, f"{field}.{text}", configured)
            result = await execution.resolve(template, scope, extra=extra)
            target = _target(text)
            await _put(branch, target, result)
            written[text] = shown(execution.account, result, WRITE_BYTES)
    except StepFailed:
        scope.restore(before)
        raise
    _note_state(branch, before.meta)
    return written


def by_scope(written: dict[str, Json]) -> Json:
    """Written values as they lie in the scopes: a redaction rule `/vars/x` finds them there."""
    scopes: Json = {}
    for text, value in written.items():
        target = _target(text)
        scopes = assign(scopes, (target.scope, *target.segments), value)
    return scopes


async def take_event(branch: Branch, opened: OpenStep, event: dict[str, Json], name: str) -> None:
    """What ended a wait: into vars.event and vars.eventName, then the step's assign."""
    payload, name = event.get("payload"), event.get("eventName", name)
    branch.scope.set_var("event", payload)
    branch.scope.set_var("eventName", name)
    seen = {"vars.eventName": name, "vars.event": shown(branch.execution.account, payload)}
    opened.output = by_scope(seen)
    opened.output = by_scope(seen | await write_all(branch, opened, "assign"))


async def write(branch: Branch, target: Target, result: Json) -> None:
    """One value. Raises StepFailed: StateTooLarge, or a path that leads through a scalar."""
    before = branch.scope.meta
    await _put(branch, target, result)
    _note_state(branch, before)


async def _put(branch: Branch, target: Target, result: Json) -> None:
    if branch.scope.holds_references:
        await branch.scope.reach(target, branch.execution.values)
    branch.scope.write(target, result)


def _target(text: str) -> Target:
    try:
        return parse_assign(text)
    except PathRefused as refused:
        raise StepFailed(Category.VALIDATION, str(refused), code="ASSIGN_PATH") from None


def _note_state(branch: Branch, before: Json) -> None:
    """The operator sees meta.state, whoever wrote it."""
    label = branch.scope.meta.get("state")
    if isinstance(label, str) and label != before.get("state"):
        branch.execution.host.note_state(label)
