"""Runs in Temporal: start, cancel, terminate, describe (docs/rules.md 1 and 2).

A run is addressed by its workflow id alone. Nothing here may be called inside a database
transaction: a slow answer would hold the row's lock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import (
    PendingActivityState,
    PendingWorkflowTaskState,
    WorkflowExecutionStatus,
)
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
)
from temporalio.client import Client, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.converter import DataConverter
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError
from temporalio.service import RPCError

from engine.contract import (
    TASK_QUEUE,
    WORKFLOW_TYPE,
    Json,
    RunResult,
    RunStart,
    temporal_workflow_id,
)
from engine.errors import Unavailable
from engine.gateway import telling
from engine.gateway.connect import RPC_TIMEOUT, Connection, Use
from engine.gateway.executions import (
    Ending,
    Execution,
    ExecutionState,
    PendingActivity,
    PendingTask,
    Signal,
    UpdateOutcome,
    moment,
)
from engine.gateway.unknown import is_unknown_workflow

T = TypeVar("T")

_LISTING_TIMEOUT_S: Final = 30.0
_OPEN_RUNS: Final = (
    f"WorkflowType = '{WORKFLOW_TYPE}' AND TaskQueue = '{TASK_QUEUE}' "
    "AND ExecutionStatus = 'Running'"
)
_MESSAGE_CHARACTERS: Final = 2000

_CLOSED: Final = {
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED: ExecutionState.COMPLETED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED: ExecutionState.FAILED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED: ExecutionState.CANCELED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED: ExecutionState.TERMINATED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: ExecutionState.TIMED_OUT,
}
"""Any other status (running, paused, continued as new) is open."""


class TemporalRunGateway:
    """`engine.services.context.RunGateway`, on a real Temporal."""

    def __init__(self, connection: Connection, in_transaction: Callable[[], bool]) -> None:
        self._connection = connection
        self._in_transaction = in_transaction

    def start_run(self, run_id: str) -> str:
        async def start(client: Client) -> str:
            try:
                handle = await client.start_workflow(
                    WORKFLOW_TYPE,
                    RunStart(run_id=run_id),
                    id=temporal_workflow_id(run_id),
                    task_queue=TASK_QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    static_summary=f"Run Studio run {run_id}",
                    rpc_timeout=RPC_TIMEOUT,
                )
            except WorkflowAlreadyStartedError as already:
                return already.run_id or ""
            return handle.first_execution_run_id or handle.result_run_id or ""

        return self._call(start)

    def cancel_run(self, temporal_workflow_id: str) -> bool:
        async def cancel(client: Client) -> bool:
            # Server 1.29 takes a cancel request for a closed workflow too, and says nothing of it.
            execution = await _describe(client, temporal_workflow_id)
            if execution is None or not execution.is_open:
                return False
            handle = client.get_workflow_handle(temporal_workflow_id)
            return await _is_known(handle.cancel(rpc_timeout=RPC_TIMEOUT))

        return self._call(cancel)

    def terminate_run(self, temporal_workflow_id: str, reason: str) -> bool:
        async def terminate(client: Client) -> bool:
            handle = client.get_workflow_handle(temporal_workflow_id)
            return await _is_known(handle.terminate(reason=reason, rpc_timeout=RPC_TIMEOUT))

        return self._call(terminate)

    def describe_run(self, temporal_workflow_id: str) -> Execution | None:
        """The execution under this id; None: Temporal knows none."""

        async def describe(client: Client) -> Execution | None:
            return await _describe(client, temporal_workflow_id)

        return self._call(describe)

    def ending_of(self, temporal_workflow_id: str) -> Ending:
        """How a closed execution ended. `ending.result` is None where it gave none."""

        async def ending(client: Client) -> Ending:
            handle = client.get_workflow_handle(temporal_workflow_id, result_type=RunResult)
            try:
                return Ending(result=await handle.result(rpc_timeout=RPC_TIMEOUT))
            except WorkflowFailureError as failure:
                return Ending(message=failure_text(failure.cause))
            except (ValueError, TypeError) as unreadable:
                return Ending(message=failure_text(unreadable))

        return self._call(ending)

    def open_run_ids(self, *, limit: int) -> list[str]:
        """Workflow ids of at most `limit` open runs. Eventually consistent: a hint, no proof."""

        async def listing(client: Client) -> list[str]:
            executions = client.list_workflows(_OPEN_RUNS, limit=limit, rpc_timeout=RPC_TIMEOUT)
            return [execution.id async for execution in executions]

        return self._call(listing, timeout_s=_LISTING_TIMEOUT_S)

    def signal_runs(self, signals: Sequence[Signal]) -> list[bool | None]:
        """True: taken; False: no such open workflow; None: no answer."""
        taken: list[bool | None] = []
        for first in range(0, len(signals), telling.SIGNALS_A_CALL):
            some = signals[first : first + telling.SIGNALS_A_CALL]
            try:
                taken += self._call(partial(_signal_all, some), timeout_s=_LISTING_TIMEOUT_S)
            except Unavailable:
                return taken + [None] * (len(signals) - len(taken))
        return taken

    def update_run(
        self, temporal_workflow_id: str, name: str, argument: Json, update_id: str
    ) -> UpdateOutcome:
        """Wait for the workflow's yes or no for 10 s at most (docs/rules.md 7)."""

        async def ask(client: Client) -> UpdateOutcome:
            return await telling.update(client, temporal_workflow_id, name, argument, update_id)

        return self._call(ask, timeout_s=telling.UPDATE_TIMEOUT_S)

    def reachable(self) -> bool:
        async def namespace(client: Client) -> bool:
            request = DescribeNamespaceRequest(namespace=client.namespace)
            await client.workflow_service.describe_namespace(request, timeout=RPC_TIMEOUT)
            return True

        try:
            return self._call(namespace)
        except Unavailable:
            return False

    def _call(self, use: Use[T], **options: Any) -> T:
        if self._in_transaction():
            raise AssertionError("a call to Temporal inside a database transaction (rules.md 2)")
        return self._connection.call(use, **options)


async def _signal_all(signals: Sequence[Signal], client: Client) -> list[bool | None]:
    limit = asyncio.Semaphore(telling.SIGNALS_AT_ONCE)
    told = (telling.signal(client, one, limit) for one in signals)
    return list(await asyncio.gather(*told))


async def _describe(client: Client, temporal_workflow_id: str) -> Execution | None:
    request = DescribeWorkflowExecutionRequest(
        namespace=client.namespace,
        execution=WorkflowExecution(workflow_id=temporal_workflow_id),
    )
    service = client.workflow_service
    try:
        answer = await service.describe_workflow_execution(request, retry=True, timeout=RPC_TIMEOUT)
    except RPCError as error:
        if is_unknown_workflow(error):
            return None
        raise
    return await _execution(client.data_converter, answer)


async def _is_known(request: Awaitable[None]) -> bool:
    """Await a request that a closed or missing workflow answers with NOT_FOUND."""
    try:
        await request
    except RPCError as error:
        if is_unknown_workflow(error):
            return False
        raise
    return True


async def _execution(
    converter: DataConverter, answer: DescribeWorkflowExecutionResponse
) -> Execution:
    info = answer.workflow_execution_info
    return Execution(
        workflow_id=info.execution.workflow_id,
        run_id=info.execution.run_id,
        state=_CLOSED.get(info.status, ExecutionState.OPEN),
        started_at=moment(info.start_time),
        closed_at=moment(info.close_time) if info.HasField("close_time") else None,
        history_length=info.history_length,
        pending_task=_pending_task(answer),
        pending_activities=tuple(
            [await _pending_activity(converter, one) for one in answer.pending_activities]
        ),
    )


def _pending_task(answer: DescribeWorkflowExecutionResponse) -> PendingTask | None:
    if not answer.HasField("pending_workflow_task"):
        return None
    task = answer.pending_workflow_task
    return PendingTask(
        started=task.state == PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED,
        attempt=task.attempt,
        scheduled_at=moment(task.scheduled_time) if task.HasField("scheduled_time") else None,
    )


async def _pending_activity(
    converter: DataConverter, activity: PendingActivityInfo
) -> PendingActivity:
    failure = None
    if activity.HasField("last_failure"):
        failure = failure_text(await converter.decode_failure(activity.last_failure))
    return PendingActivity(
        name=activity.activity_type.name,
        started=activity.state == PendingActivityState.PENDING_ACTIVITY_STATE_STARTED,
        attempt=activity.attempt,
        scheduled_at=moment(activity.scheduled_time)
        if activity.HasField("scheduled_time")
        else None,
        failure=failure,
    )


def failure_text(error: BaseException | None) -> str:
    """What went wrong, cut to a length that a row may hold."""
    if isinstance(error, FailureError):
        return error.message[:_MESSAGE_CHARACTERS]
    return f"{type(error).__name__}: {error}"[:_MESSAGE_CHARACTERS]
