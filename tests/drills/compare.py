"""Compares a run's rows with what Temporal's history says of it: every difference in words."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause

from engine import contract
from engine.contract import temporal_workflow_id
from engine.runs.status import OPEN, TERMINAL, RunStatus
from engine.services.settle_run import ENGINE_LOST
from tests.drills.children_compared import code_of, of_children
from tests.drills.evidence import Evidence
from tests.drills.projected import Projected, project
from tests.drills.retold import Chain
from tests.drills.steps_compared import of_steps, of_values
from tests.drills.waits_compared import of_waits

AT_ONCE: Final = timedelta(seconds=1)
"""Of two clocks of one machine, where a commit lies between."""

ENDED_OUTSIDE: Final = frozenset(
    {"STOPPED", "TERMINATED", "CANCELED", "PARENT_ENDED", "TEMPORAL_UNAVAILABLE", ENGINE_LOST}
)
"""Codes of ends that no workflow wrote."""
_TASK_LOST: Final = ("UNHANDLED_COMMAND", "FORCE_CLOSE_COMMAND", "RESET_STICKY")
"""Why a task may fail with nobody to blame."""
_STARVED: Final = "TMPRL1101"
"""Two seconds without the processor: of a worker that was frozen, or on a machine that has too much
to do. One that were so for ever would leave its run open."""


def faults_of(
    found: Evidence, chain: Chain | None, skews: Collection[timedelta] = (timedelta(0),)
) -> list[str]:
    """`chain`: None where Temporal does not know the run. `skews`: of the workers' clocks."""
    if chain is None:
        return list(_of_unknown(found))
    told = project(chain.told)
    return [
        *_of_history(chain),
        *_of_end(found, chain, told),
        *_of_claim(found, chain, told),
        *_of_times(found, chain, told, skews),
        *of_steps(found, told),
        *of_values(found),
        *of_waits(found, chain, told),
        *of_children(found, chain, told),
    ]


def _of_unknown(found: Evidence) -> Iterator[str]:
    run = found.run
    if run.status not in TERMINAL:
        yield f"{run.status}, and Temporal does not know it"
    if run.claimed_by is not None:
        yield "claimed, and Temporal does not know it"
    if run.status == RunStatus.SUCCEEDED or code_of(run.error_json) is None:
        yield f"{run.status} without a reason, and Temporal does not know it"
    if found.steps or found.waits or found.calls:
        yield "it never began, and something of it was executed"


def _of_history(chain: Chain) -> Iterator[str]:
    for misfit in chain.misfits:
        yield f"its history cannot be replayed: {misfit[:300]}"
    for event in chain.events:
        failed = event.workflow_task_failed_event_attributes
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            cause = WorkflowTaskFailedCause.Name(failed.cause)
            lost = cause.removeprefix("WORKFLOW_TASK_FAILED_CAUSE_").startswith(_TASK_LOST)
            if not lost and _STARVED not in failed.failure.message:
                yield f"a workflow task failed ({cause}): {failed.failure.message[:200]}"
    for number, history in enumerate(chain.histories):
        started = history.events[0].workflow_execution_started_event_attributes
        asked = json.loads(started.input.payloads[0].data)
        if asked.get("ordinal", 0) != number:
            yield f"execution {number} has the ordinal {asked.get('ordinal')}"
        if started.first_execution_run_id != chain.first_execution:
            yield f"execution {number} is of another chain"


def _of_end(found: Evidence, chain: Chain, told: Projected) -> Iterator[str]:
    run = found.run
    if run.temporal_workflow_id != chain.workflow_id:
        yield f"its workflow id is {run.temporal_workflow_id}, not {chain.workflow_id}"
    if chain.workflow_id != temporal_workflow_id(run.run_id):
        yield f"{chain.workflow_id} is not made of its id"
    if run.status in OPEN or chain.closed is None:
        yield f"{run.status} here, {chain.closed or 'open'} in Temporal"
        return
    if run.node_path is not None:
        yield f"it has ended and stands at {run.node_path}"
    status, error = _end_in(chain, told)
    if status is None:
        yield from _ended_outside(found, chain, told)
        return
    if run.status != status:
        yield f"{run.status} here, {status} in Temporal ({chain.closed})"
    if run.error_json != error:
        yield f"its error is {run.error_json}, in Temporal {error}"
    if told.label is not None and run.state_label != told.label:
        yield f"its label is {run.state_label!r}, not {told.label!r}"


def _end_in(chain: Chain, told: Projected) -> tuple[str | None, Any]:
    """The status that the workflow gave it, and its error; None: it gave none."""
    if chain.closed == "COMPLETED":
        status = chain.result["status"]
        return (status, None) if status == RunStatus.SUCCEEDED else (None, None)
    if chain.closed == "FAILED":
        return RunStatus.FAILED, chain.failure
    if chain.closed == "CANCELED":
        return RunStatus.CANCELED, None if told.finish is None else told.finish.error
    return None, None


def _ended_outside(found: Evidence, chain: Chain, told: Projected) -> Iterator[str]:
    run, code = found.run, code_of(found.run.error_json)
    result = chain.result.get("status") if chain.closed == "COMPLETED" else None
    if code not in ENDED_OUTSIDE:
        yield f"{run.status} ({code}) here, {result or chain.closed} in Temporal"
    if chain.closed == "TERMINATED" and run.status != RunStatus.CANCELED:
        yield f"{run.status} here, TERMINATED in Temporal"
    if result == "NOT_CLAIMED" and told.claimed:
        yield "Temporal says that it was not claimed, and its claim was granted"
    if result == "NOT_CLAIMED" and (found.steps or found.calls):
        yield "it was not claimed, and something of it was executed"
    if run.status == RunStatus.SUCCEEDED:
        yield "SUCCEEDED, and its workflow does not say so"


def _of_claim(found: Evidence, chain: Chain, told: Projected) -> Iterator[str]:
    run = found.run
    wanted = chain.first_execution if told.claimed else None
    if told.claimed and run.claimed_by != wanted:
        yield f"claimed by {run.claimed_by}, in Temporal by {wanted}"
    if not told.claimed and run.claimed_by == chain.first_execution and _has_claimed(chain):
        yield "claimed, and Temporal says that it was not"
    if told.claimed and run.temporal_run_id != chain.first_execution:
        yield f"its execution is {run.temporal_run_id}, in Temporal {chain.first_execution}"
    if run.claimed_by is not None and run.claimed_at is None:
        yield "claimed at no time"


def _has_claimed(chain: Chain) -> bool:
    """Was a claim answered? One whose answer was lost may have claimed the row all the same."""
    return any(one.activity == contract.ACTIVITY_CLAIM_RUN and one.answered for one in chain.told)


def _of_times(
    found: Evidence, chain: Chain, told: Projected, skews: Collection[timedelta]
) -> Iterator[str]:
    run = found.run
    if run.status in TERMINAL and run.completed_at is None:
        yield "it ended at no time"
        return
    if not told.ended_by_itself:
        return
    between = _final_projection(chain)
    if between is None:
        yield "no final projection is in its history"
        return
    began, ended = between
    if not any(began - AT_ONCE <= run.completed_at - skew <= ended + AT_ONCE for skew in skews):
        yield f"it ended at {run.completed_at}, in Temporal between {began} and {ended}"


def _final_projection(chain: Chain) -> tuple[datetime, datetime] | None:
    scheduled = {}
    found = None
    for event in chain.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            asked = event.activity_task_scheduled_event_attributes
            if asked.activity_type.name == contract.ACTIVITY_FINISH_RUN:
                scheduled[event.event_id] = _at(event)
        elif event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            began = scheduled.get(event.activity_task_completed_event_attributes.scheduled_event_id)
            found = found if began is None else (began, _at(event))
    return found


def _at(event: Any) -> datetime:
    moment: datetime = event.event_time.ToDatetime(tzinfo=UTC)
    return moment
