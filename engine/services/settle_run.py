"""Gives a run whose execution has ended, or is unknown, the end that Temporal proves (rules.md 6).

For the reconciler, and for a cancel that finds nothing to cancel. What is written is what is known:
no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine.contract import Json
from engine.gateway.executions import Execution, ExecutionState
from engine.runs.status import TERMINAL, LogLevel, RunStatus
from engine.services.context import Services
from engine.services.end_run import close_run, lock_run, never_to_begin, why
from engine.services.run_log import note
from engine.store.logs import LogSource

ENGINE_LOST: Final = "ENGINE_LOST"

_CLOSED: Final = {
    ExecutionState.CANCELED: (
        RunStatus.CANCELED,
        "CANCELED",
        "The run was canceled in Temporal; its worker did not record the end.",
    ),
    ExecutionState.TERMINATED: (
        RunStatus.CANCELED,
        "TERMINATED",
        "The run was terminated in Temporal: stopped without clean-up.",
    ),
    ExecutionState.FAILED: (
        RunStatus.FAILED,
        "ENGINE_FAILED",
        "The workflow failed in Temporal; its worker did not record the end.",
    ),
    ExecutionState.TIMED_OUT: (
        RunStatus.FAILED,
        "ENGINE_TIMED_OUT",
        "The workflow timed out in Temporal; its worker did not record the end.",
    ),
}


@dataclass(frozen=True, slots=True)
class End:
    status: RunStatus
    error: dict[str, Json] | None
    level: LogLevel = LogLevel.WARN


def end_of_closed(services: Services, execution: Execution) -> End:
    """What the row of a closed execution must say. Asks Temporal how it ended."""
    at = services.now()
    if execution.state is ExecutionState.COMPLETED:
        return _end_of_completed(services, execution)
    status, code, message = _CLOSED[execution.state]
    details: dict[str, Json] = {"temporalRunId": execution.run_id}
    if status is RunStatus.FAILED:
        words = services.gateway.ending_of(execution.workflow_id).message
        details |= {"temporalMessage": words} if words else {}
    return End(status, why(code, message, at, details=details))


def end_of_lost(services: Services) -> End:
    """A run that was executing, and that Temporal does not know any more."""
    message = (
        "Temporal does not know this run any more, although a worker had begun to execute it: its "
        "history was deleted or lost. What had been done is in the timeline; the rest was not."
    )
    return End(RunStatus.FAILED, why(ENGINE_LOST, message, services.now()), LogLevel.ERROR)


def end_of_canceled(services: Services, *, claimed: bool) -> End:
    """A cancel was asked for, and Temporal has no execution that could obey it."""
    message = (
        "Canceled. Temporal does not know this run any more; it was closed here."
        if claimed
        else "Canceled before it began: nothing of it was executed."
    )
    return End(RunStatus.CANCELED, why("CANCELED", message, services.now()))


def end_of_orphan(services: Services) -> End:
    """A child run that never began, and whose parent has ended."""
    return End(RunStatus.CANCELED, never_to_begin(services.now()))


def counts_as_claimed(claimed_by: str | None, epoch: int) -> bool:
    """Has a workflow begun to execute it? Rows from before the cut-over always count (rules 6)."""
    return claimed_by is not None or epoch == 0


def write_end(
    services: Services, run_id: str, end: End, source: LogSource, *, claimed_by: str | None
) -> bool:
    """Close the run. False: it has ended by itself, or somebody has claimed it since we looked."""
    now = services.now()
    with services.store.writing() as session:
        run = lock_run(session, run_id)
        if run is None or run.claimed_by != claimed_by:
            return False
        if not close_run(session, run_id, end.status, end.error, now, source):
            return False
        said = end.error["message"] if end.error else f"The run is {end.status}, as in Temporal."
        note(session, run_id, end.level, said, now=now, source=source)
        return True


def _end_of_completed(services: Services, execution: Execution) -> End:
    at = services.now()
    details: dict[str, Json] = {"temporalRunId": execution.run_id}
    ending = services.gateway.ending_of(execution.workflow_id)
    status = ending.result.status if ending.result is not None else None
    if status == RunStatus.SUCCEEDED:
        return End(RunStatus.SUCCEEDED, None)
    if status in TERMINAL:
        message = f"The run ended {status} in Temporal; its worker did not record the end."
        return End(RunStatus(status), why("END_NOT_RECORDED", message, at, details=details))
    message = "The workflow has ended in Temporal without executing this run to its end" + (
        f" (it says {status})." if status else f": {ending.message}"
    )
    return End(RunStatus.FAILED, why(ENGINE_LOST, message, at, details=details), LogLevel.ERROR)
