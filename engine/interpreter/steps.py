"""Runs one step of any kind: attempts, rows, and who is told of a failure. In one place.

Who writes which row: the host's side writes those of an action that it performed (its STARTED,
SUCCEEDED, FAILED and RETRY_SCHEDULED) and the STARTED row of a wait; all others are recorded here,
every CANCELED one included.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from engine.contract import Json, occurrence
from engine.definitions.plan import PlanStep
from engine.errors import StepFailed
from engine.interpreter.cancellation import CANCELLED, raise_if_cancelled
from engine.interpreter.failure import Corrupt, Failure, located
from engine.interpreter.host import StepEnd
from engine.interpreter.kinds import KINDS
from engine.interpreter.kinds.registry import Handler
from engine.interpreter.open_step import OpenStep
from engine.interpreter.retry import next_delay_ms, retry_seed
from engine.runs.status import StepStatus

if TYPE_CHECKING:
    from engine.interpreter.branch import Branch


async def run_step(branch: Branch, opened: OpenStep) -> bool:
    """True: a `control.return` was executed in it, and the run ends.

    Raises Failure when nobody inside took it; what else passes through (cancellation, RunOver, a
    checkpoint) is never caught.
    """
    until: datetime | None = None
    while True:
        try:
            if until is not None:
                opened = await _begin_again(branch, opened, until)
            returned = await _handler(opened.step)(branch, opened)
        except (StepFailed, Failure) as failure:
            error = _data(branch, opened, failure)
        except asyncio.CancelledError as cancelled:
            _record(branch, opened, StepStatus.CANCELED, error=_why(branch, opened, cancelled))
            raise
        else:
            if not opened.recorded:
                _record(branch, opened, StepStatus.SUCCEEDED)
            await branch.execution.settle()
            return returned
        until = _retry_at(branch, opened, error)
        if until is None:
            await _fail(branch, opened, error)
            return False
        if not opened.recorded:
            _record(branch, opened, StepStatus.RETRY_SCHEDULED, error=error, next_retry_at=until)
        await branch.execution.settle()


def _handler(step: PlanStep) -> Handler:
    try:
        return KINDS[step.kind]
    except KeyError:
        raise Corrupt(f"{step.path}: unknown step kind {step.kind!r}") from None


async def _begin_again(branch: Branch, opened: OpenStep, until: datetime) -> OpenStep:
    """The next attempt, after its back-off: a row and a position of its own."""
    execution = branch.execution
    raise_if_cancelled()
    if until > execution.host.now():
        branch.announce()
        await execution.host.back_off(until)
    place = execution.place(opened.step, opened.place.iter, opened.place.attempt + 1)
    return OpenStep(opened.step, place, execution.host.now(), kept=opened.kept)


def _data(branch: Branch, opened: OpenStep, failure: StepFailed | Failure) -> dict[str, Json]:
    """A failure that comes from inside has its place; this step's own gets one now."""
    if isinstance(failure, Failure):
        return failure.data
    return located(failure, opened.place, branch.execution.host.now())


def _why(branch: Branch, opened: OpenStep, cancelled: asyncio.CancelledError) -> dict[str, Json]:
    cause = cancelled.__cause__
    failed = cause if isinstance(cause, StepFailed) else CANCELLED
    return located(failed, opened.place, branch.execution.host.now())


def _retry_at(branch: Branch, opened: OpenStep, error: dict[str, Json]) -> datetime | None:
    """When the step is attempted again; None: never. What has been performed is not repeated."""
    if opened.step.retry is None or opened.performed:
        return None
    place = opened.place
    seed = retry_seed(branch.execution.run_id, occurrence(place.path, list(place.iter)))
    delay = next_delay_ms(opened.step.retry, place.attempt, error, seed)
    if delay is None:
        return None
    return branch.execution.host.now() + timedelta(milliseconds=delay)


async def _fail(branch: Branch, opened: OpenStep, error: dict[str, Json]) -> None:
    """The final failure: recorded, then either the run goes on or it goes outward."""
    failure = Failure(error)
    handler = branch.handler_of(opened.step) if failure.catchable else None
    if not opened.recorded:
        _record(branch, opened, StepStatus.FAILED, error=error, handled=handler is not None)
    await branch.execution.settle()
    if handler != "continue":
        raise failure
    branch.scope.set_error(error)


def _record(
    branch: Branch,
    opened: OpenStep,
    status: StepStatus,
    *,
    error: dict[str, Json] | None = None,
    handled: bool = False,
    next_retry_at: datetime | None = None,
) -> None:
    branch.execution.record(
        StepEnd(
            opened.place,
            status,
            opened.started_at,
            branch.execution.host.now(),
            opened.input,
            opened.output,
            error,
            handled,
            next_retry_at,
        )
    )
