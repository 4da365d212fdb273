"""Every activity of the worker, by the names of the contract.

All are synchronous and run on a thread pool. None is interrupted by a cancel: the SDK would raise
it in the middle of a transaction, also between an effect and its row (docs/rules.md 3). What may be
stopped is the action alone, by `engine.services.attempt`.

A StepFailed is what the author may handle. Whatever else is raised here is infrastructure and is
tried again for ever: by Temporal, as the workflow's retry policies say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import wraps
from typing import Any, Protocol, TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from engine import contract, contract_children, contract_waits
from engine.activities.pulse import TemporalPulse
from engine.durable.wire import pack, unpack
from engine.errors import Category, NotFound, RunOver, StepFailed
from engine.services.action_attempt import ActionTools
from engine.services.attempt import Stopped
from engine.services.claim_run import claim_run
from engine.services.context import Services
from engine.services.finish_run import finish_run
from engine.services.launch_child import launch_child
from engine.services.perform_action import perform_action
from engine.services.record_progress import record_progress
from engine.services.store_checkpoint import store_checkpoint
from engine.services.track_wait import admit_step, open_wait
from engine.services.values import fetch_value

log = structlog.get_logger(__name__)


class _HasBoundary(Protocol):
    @property
    def take_boundary(self) -> bool: ...


Answer = TypeVar("Answer", bound=_HasBoundary)


def _named(name: str, asked: type[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An activity of the contract: what it is asked, and its answer, travel as plain JSON, and with
    the answer when it was asked and answered."""

    def activity_of(method: Callable[..., Any]) -> Callable[..., Any]:
        @activity.defn(name=name, no_thread_cancel_exception=True)
        @wraps(method, assigned=("__name__", "__qualname__", "__doc__"), updated=())
        def called(self: Any, packed: Any) -> Any:
            try:
                answer = pack(method(self, unpack(asked, packed)))
            except StepFailed as failed:
                raise _failure(failed) from failed
            except Stopped as stopped:
                log.info("activity.given_up", activity=name, why=stopped.why.value)
                raise _left_to_others(stopped) from None
            return answer | {contract.TIMING_KEY: _timing()}

        del called.__wrapped__
        return called

    return activity_of


class Activities:
    """One method an activity: parse nothing, decide nothing, call one service."""

    def __init__(self, services: Services, tools: ActionTools) -> None:
        self._services = services
        self._tools = tools

    @_named(contract.ACTIVITY_CLAIM_RUN, contract.Claim)
    def claim_run(self, wanted: contract.Claim) -> contract.Claimed:
        claimed = claim_run(self._services, wanted)
        counted = claimed.granted and self._tools.quota.applies(self._services)
        return replace(claimed, counted=True) if counted else claimed

    @_named(contract.ACTIVITY_PERFORM_ACTION, contract.ActionCall)
    def perform_action(self, call: contract.ActionCall) -> contract.ActionAnswer:
        try:
            answer = perform_action(self._services, self._tools, call, TemporalPulse())
        except RunOver:
            return contract.ActionAnswer(run_over=True)
        counted = self._tools.quota.applies(self._services)
        return _leaving(replace(answer, counted=counted))

    @_named(contract.ACTIVITY_RECORD_PROGRESS, contract.Batch)
    def record_progress(self, batch: contract.Batch) -> contract.BatchAnswer:
        return _leaving(record_progress(self._services, batch))

    @_named(contract.ACTIVITY_OPEN_WAIT, contract_waits.OpenWait)
    def open_wait(self, wanted: contract_waits.OpenWait) -> contract_waits.WaitAnswer:
        return _leaving(open_wait(self._services, self._tools.quota, wanted))

    @_named(contract_waits.ACTIVITY_ADMIT_STEP, contract_waits.AdmitStep)
    def admit_step(self, wanted: contract_waits.AdmitStep) -> contract_waits.Admitted:
        return _leaving(admit_step(self._services, self._tools.quota, wanted))

    @_named(contract.ACTIVITY_FETCH_VALUE, contract.ValueWanted)
    def fetch_value(self, wanted: contract.ValueWanted) -> contract.ValuePiece:
        try:
            return fetch_value(self._services, wanted)
        except NotFound as error:
            raise StepFailed(Category.INTERPRETER, error.message, code=error.code) from error

    @_named(contract.ACTIVITY_STORE_CHECKPOINT, contract.CheckpointToStore)
    def store_checkpoint(self, wanted: contract.CheckpointToStore) -> contract.Stored:
        try:
            return contract.Stored(reference=store_checkpoint(self._services, wanted))
        except RunOver:
            return contract.Stored(run_over=True)

    @_named(contract_children.ACTIVITY_LAUNCH_CHILD, contract_children.LaunchChild)
    def launch_child(
        self, wanted: contract_children.LaunchChild
    ) -> contract_children.ChildLaunched:
        return _leaving(launch_child(self._services, wanted))

    @_named(contract.ACTIVITY_FINISH_RUN, contract.Finish)
    def finish_run(self, wanted: contract.Finish) -> contract.Finished:
        return finish_run(self._services, wanted)


def make_activities(services: Services, tools: ActionTools) -> list[Callable[..., Any]]:
    """For `Worker(activities=…)`."""
    made = Activities(services, tools)
    return [
        made.claim_run,
        made.perform_action,
        made.record_progress,
        made.open_wait,
        made.admit_step,
        made.fetch_value,
        made.store_checkpoint,
        made.finish_run,
        made.launch_child,
    ]


def _leaving(answer: Answer) -> Answer:
    """A worker that is being shut down asks for a boundary: the rest is another worker's."""
    if activity.is_worker_shutdown() and not answer.take_boundary:
        return replace(answer, take_boundary=True)  # type: ignore[type-var]
    return answer


def _timing() -> list[int]:
    """For `contract.TIMING_KEY`."""
    asked = activity.info().current_attempt_scheduled_time
    return [int(moment.timestamp() * 1000) for moment in (asked, datetime.now(UTC))]


def _left_to_others(stopped: Stopped) -> ApplicationError:
    """To be tried again, by another worker where this one leaves. Part of every deployment: benign,
    or the SDK would log it with a traceback."""
    return ApplicationError(
        str(stopped), type=type(stopped).__name__, category=ApplicationErrorCategory.BENIGN
    )


def _failure(failed: StepFailed) -> ApplicationError:
    """What the author handles. Its category is the type; nothing is decided by its words."""
    return ApplicationError(
        failed.message,
        failed.as_data(),
        _timing(),
        type=failed.category.value,
        non_retryable=True,
        category=ApplicationErrorCategory.BENIGN,
    )
