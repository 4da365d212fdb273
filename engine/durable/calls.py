"""Calling activities by name: which way, with which patience, and what an error means.

Infrastructure failures are retried for ever; an authored failure is an ApplicationError that must
not be retried (docs/rules.md 3 and 4). The rest of the host sees only StepFailed, RunOver and
CancelledError. What local activities take of their workflow task is counted here, for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, Final, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    FailureError,
)

from engine.contract import TIMING_KEY
from engine.durable.budget import Budget
from engine.durable.wire import pack, unpack
from engine.errors import StepFailed

T = TypeVar("T")

FOR_EVER: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
)
LOCAL_RETRY_THRESHOLD: Final = timedelta(seconds=5)
DATABASE_TIMEOUT: Final = timedelta(seconds=30)
"""For one attempt of an activity that only writes rows."""

HEARTBEAT_TIMEOUT: Final = timedelta(seconds=15)
"""How long after its last beat, one a second, a worker counts as lost."""

TIMEOUT_MARGIN: Final = timedelta(seconds=60)
"""Beyond the author's timeout, which the activity itself enforces (engine.services.attempt): an
attempt that takes longer is a lost one, and is tried again like one."""


async def insist(awaitable: Awaitable[T]) -> T:
    """The result, however often this task is cancelled meanwhile; the cancel stays noted.

    For what must be known or written before a cancel may take effect: `raise_if_cancelled` after.
    """
    task = asyncio.ensure_future(awaitable)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.done():
                return task.result()


def raise_if_cancelled(cause: BaseException | None = None) -> None:
    """Raises CancelledError where a cancel came while something was insisted on, or was won by
    a result that came with it (the SDK gives the result and says nothing of the cancel)."""
    if is_cancelled():
        raise asyncio.CancelledError from cause


def is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def write(activity: str, argument: Any, answer: type[T], budget: Budget) -> T:
    """A local activity that only touches our database: it answers, sooner or later."""
    while True:
        try:
            return await _local(
                activity, argument, answer, budget, start_to_close_timeout=DATABASE_TIMEOUT
            )
        except FailureError as error:
            if is_final(error):
                raise
            workflow.logger.warning("%s did not answer in time; calling it again", activity)
            await workflow.sleep(1)


async def perform_local(
    activity: str, argument: Any, answer: type[T], budget: Budget, timeout_ms: int
) -> T:
    """A quick action. Its cancel waits for what came of it."""
    return await _local(
        activity,
        argument,
        answer,
        budget,
        start_to_close_timeout=timedelta(milliseconds=timeout_ms) + TIMEOUT_MARGIN,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


async def _local(
    activity: str, argument: Any, answer: type[T], budget: Budget, **options: Any
) -> T:
    budget.open_calls += 1
    try:
        answered = await workflow.execute_local_activity(
            activity,
            pack(argument),
            result_type=Any,
            retry_policy=FOR_EVER,
            local_retry_threshold=LOCAL_RETRY_THRESHOLD,
            **options,
        )
    except FailureError as error:
        budget.took(_timing(error))
        raise
    finally:
        budget.open_calls -= 1
    budget.took(answered.get(TIMING_KEY))
    return unpack(answer, answered)


async def perform_regular(
    activity: str, argument: Any, answer: type[T], timeout_ms: int, summary: str
) -> T:
    """Any other action: scheduled in history before it begins, with heartbeats."""
    answered = await workflow.execute_activity(
        activity,
        pack(argument),
        result_type=Any,
        start_to_close_timeout=timedelta(milliseconds=timeout_ms) + TIMEOUT_MARGIN,
        heartbeat_timeout=HEARTBEAT_TIMEOUT,
        retry_policy=FOR_EVER,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        summary=summary,
    )
    return unpack(answer, answered)


async def finish(activity: str, argument: Any, answer: type[T]) -> T:
    """A regular activity: when it is scheduled, what it writes is decided (docs/rules.md 4)."""
    answered = await workflow.execute_activity(
        activity,
        pack(argument),
        result_type=Any,
        start_to_close_timeout=DATABASE_TIMEOUT,
        retry_policy=FOR_EVER,
    )
    return unpack(answer, answered)


def is_final(error: FailureError) -> bool:
    """Was it cancelled, or did our own code refuse for good? Else it never answered."""
    return was_cancelled(error) or authored(error) is not None


def authored(error: FailureError) -> StepFailed | None:
    """The failure that the author may handle, when that is what it was."""
    cause = _cause(error)
    if not isinstance(cause, ApplicationError) or not cause.non_retryable:
        return None
    details = cause.details[0] if cause.details else None
    if not isinstance(details, dict):
        details = {"category": cause.type, "message": cause.message}
    return StepFailed.from_data(details)


def _timing(error: FailureError) -> list[int] | None:
    """`TIMING_KEY` of a failure; None where it has none: the activity never answered."""
    cause = _cause(error)
    if not isinstance(cause, ApplicationError) or len(cause.details) < 2:
        return None
    timing: list[int] = cause.details[1]
    return timing


def was_cancelled(error: FailureError) -> bool:
    return isinstance(_cause(error), CancelledError)


def _cause(error: FailureError) -> BaseException | None:
    """Why an activity failed: a regular one says so inside of an ActivityError, a local one does
    without it."""
    return error.cause if isinstance(error, ActivityError) else error
