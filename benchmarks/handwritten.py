"""The peer: a Temporal workflow written by hand, whose activities write a step's two rows.

It has no interpreter, no expressions, no guard and no ledger look-up; it writes the step row and
the ledger row with the product's own statements, in one transaction, after a no-op action.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity, workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from sqlalchemy import select

    from engine.contract import ActionCall, Batch, Guard
    from engine.runs.status import InvocationStatus, StepStatus
    from engine.services.action_outcome import call_of
    from engine.services.step_rows import action_row
    from engine.store import ledger, projection
    from engine.store.definitions import WorkflowDefinition
    from engine.store.session import Store

QUEUE = "handwritten"
ANY_WORKFLOW = select(WorkflowDefinition.workflow_id).limit(1)
"""Its runs' rows refer to some definition; which one is no matter."""
_ACTIVITY = "write_step"
_TIMEOUT = timedelta(seconds=30)
_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=30)
)


@dataclass(frozen=True, slots=True)
class Order:
    run_id: str
    steps: int


@dataclass(frozen=True, slots=True)
class StepOrder:
    run_id: str
    index: int


@workflow.defn(name="HandwrittenRegular")
class HandwrittenRegular:
    @workflow.run
    async def run(self, order: Order) -> str:
        for index in range(order.steps):
            await workflow.execute_activity(
                _ACTIVITY,
                StepOrder(order.run_id, index),
                start_to_close_timeout=_TIMEOUT,
                retry_policy=_RETRY,
            )
        return "SUCCEEDED"


@workflow.defn(name="HandwrittenLocal")
class HandwrittenLocal:
    @workflow.run
    async def run(self, order: Order) -> str:
        for index in range(order.steps):
            await workflow.execute_local_activity(
                _ACTIVITY,
                StepOrder(order.run_id, index),
                start_to_close_timeout=_TIMEOUT,
                retry_policy=_RETRY,
            )
        return "SUCCEEDED"


def make_activity(store: Store) -> Callable[..., Any]:
    """The one activity: a no-op, then its two rows in one transaction."""

    @activity.defn(name=_ACTIVITY)
    def write_step(order: StepOrder) -> dict[str, Any]:
        now = datetime.now(UTC)
        call = _call(order, now)
        output: dict[str, Any] = {}
        with store.writing() as session:
            ledger.note_outcome(
                session,
                call_of(call),
                InvocationStatus.SUCCEEDED,
                now,
                started_at=now,
                input=call.input,
                output=output,
            )
            row = action_row(session, call, StepStatus.SUCCEEDED, now, took_ms=0, output=output)
            projection.write_steps(session, [row])
        return output

    return write_step


def _call(order: StepOrder, now: datetime) -> ActionCall:
    return ActionCall(
        run_id=order.run_id,
        batch=Batch(order.run_id, Guard(0, 0, order.index, 0)),
        position=order.index + 1,
        step_id=f"s{order.index}",
        path=f"root.steps[{order.index}]",
        iter=[],
        attempt=1,
        action="bench.noop",
        version=1,
        input={},
        started_at=round(now.timestamp() * 1000),
    )
