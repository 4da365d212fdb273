"""Evidence of why a run does not go on: who polls the queue, and why a task fails (rules.md 11).

The figures lie in known ways (measured.md 4; `executions` says which): a verdict is drawn from them
together with the workers' own heartbeats, in `engine.runs.queued`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, TaskQueueType, WorkflowTaskFailedCause
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    GetWorkflowExecutionHistoryReverseRequest,
)
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from engine.contract import TASK_QUEUE
from engine.gateway.connect import RPC_TIMEOUT, Connection
from engine.gateway.executions import WORKER_LOST, Poller, QueueView, TaskFailure, moment
from engine.gateway.runs import failure_text
from engine.gateway.unknown import is_unknown_workflow

_EVENTS_READ: Final = 10
_CAUSE_PREFIX: Final = "WORKFLOW_TASK_FAILED_CAUSE_"


class TemporalQueueGateway:
    """What Temporal knows of the task queue, and of a run's failing task."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def describe_queue(self) -> QueueView:
        """The calls cost about 5 ms each and are rate-limited: not for every row of a list."""

        async def describe(client: Client) -> QueueView:
            return _view(
                client.namespace,
                await _describe(client, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
                await _describe(client, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
            )

        return self._connection.call(describe)

    def last_task_failure(self, temporal_workflow_id: str) -> TaskFailure | None:
        """Why the newest workflow task failed; None: it did not, or the workflow is unknown."""

        async def newest(client: Client) -> TaskFailure | None:
            request = GetWorkflowExecutionHistoryReverseRequest(
                namespace=client.namespace,
                execution=WorkflowExecution(workflow_id=temporal_workflow_id),
                maximum_page_size=_EVENTS_READ,
            )
            try:
                answer = await client.workflow_service.get_workflow_execution_history_reverse(
                    request, retry=True, timeout=RPC_TIMEOUT
                )
            except RPCError as error:
                if is_unknown_workflow(error):
                    return None
                raise
            return await _task_failure(client.data_converter, answer.history.events)

        return self._connection.call(newest)


async def _task_failure(
    converter: DataConverter, newest_first: Sequence[HistoryEvent]
) -> TaskFailure | None:
    for event in newest_first:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
            return None
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
            return TaskFailure(
                cause=WORKER_LOST,
                message="a worker took the task and did not answer",
                at=moment(event.event_time),
            )
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            failed = event.workflow_task_failed_event_attributes
            error = await converter.decode_failure(failed.failure)
            return TaskFailure(
                cause=WorkflowTaskFailedCause.Name(failed.cause).removeprefix(_CAUSE_PREFIX),
                message=failure_text(error),
                at=moment(event.event_time),
            )
    return None


async def _describe(client: Client, kind: TaskQueueType.ValueType) -> DescribeTaskQueueResponse:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=TASK_QUEUE),
        task_queue_type=kind,
        report_stats=True,
    )
    return await client.workflow_service.describe_task_queue(
        request, retry=True, timeout=RPC_TIMEOUT
    )


def _view(
    namespace: str, workflow: DescribeTaskQueueResponse, activity: DescribeTaskQueueResponse
) -> QueueView:
    both = (workflow.stats, activity.stats)
    return QueueView(
        namespace=namespace,
        workflow_pollers=_pollers(workflow.pollers),
        activity_pollers=_pollers(activity.pollers),
        backlog=sum(stats.approximate_backlog_count for stats in both),
        backlog_age_s=max(
            stats.approximate_backlog_age.ToTimedelta().total_seconds() for stats in both
        ),
        rate_limited=any(stats.rate_limiting_active for stats in both),
    )


def _pollers(pollers: Sequence[PollerInfo]) -> tuple[Poller, ...]:
    return tuple(
        Poller(identity=poller.identity, last_seen_at=moment(poller.last_access_time))
        for poller in pollers
    )
