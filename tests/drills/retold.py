"""What a run's history says that was done: its workflow executed again, against that history.

Temporal keeps of a local activity what it answered, and not what it was asked. So the history is
replayed through the workflow's own code; what it asks for and what the history answers are noted.
A history that does not fit the code is a fault in itself.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from temporalio.exceptions import FailureError
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

from engine.durable import calls
from engine.durable.run_workflow import RunWorkflow
from engine.errors import StepFailed

CLOSED: Final = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: "COMPLETED",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: "FAILED",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED: "CANCELED",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED: "TERMINATED",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT: "TIMED_OUT",
}


@dataclass
class Told:
    """One activity: what it was asked, and what the history has of its answer."""

    activity: str
    asked: dict[str, Any]
    answer: dict[str, Any] | None = None
    failed: StepFailed | None = None
    """It answered with a failure that the author may handle."""

    @property
    def answered(self) -> bool:
        return self.answer is not None or self.failed is not None


@dataclass
class Chain:
    """A run's executions, oldest first: each but the last continued as new."""

    workflow_id: str
    histories: list[WorkflowHistory]
    told: list[Told] = field(default_factory=list)
    misfits: list[str] = field(default_factory=list)
    """Why a history could not be replayed."""

    @property
    def events(self) -> list[Any]:
        return [event for history in self.histories for event in history.events]

    @property
    def last(self) -> Any:
        return self.histories[-1].events[-1]

    @property
    def closed(self) -> str | None:
        """How its last execution ended; None: it has not."""
        return CLOSED.get(self.last.event_type)

    @property
    def first_execution(self) -> str:
        started = self.histories[0].events[0].workflow_execution_started_event_attributes
        return str(started.first_execution_run_id)

    @property
    def result(self) -> dict[str, Any]:
        """Of a completed execution."""
        payloads = self.last.workflow_execution_completed_event_attributes.result.payloads
        found: dict[str, Any] = json.loads(payloads[0].data) if payloads else {}
        return found

    @property
    def failure(self) -> dict[str, Any]:
        """The error data with which it failed."""
        failure = self.last.workflow_execution_failed_event_attributes.failure
        payloads = failure.application_failure_info.details.payloads
        found: dict[str, Any] = json.loads(payloads[0].data) if payloads else {}
        return found


async def fetch_chain(client: Client, workflow_id: str, newest: str) -> Chain:
    """Every execution of a run, from the newest back to the first."""
    histories: list[WorkflowHistory] = []
    run_id = newest
    while run_id:
        handle = client.get_workflow_handle(workflow_id, run_id=run_id)
        history = await handle.fetch_history()
        histories.insert(0, history)
        started = history.events[0].workflow_execution_started_event_attributes
        run_id = started.continued_execution_run_id
    return Chain(workflow_id, histories)


async def retell(chains: Sequence[Chain]) -> None:
    """Replay them all, and note in each what was asked and answered."""
    recorder = _Recorder()
    replayer = Replayer(
        workflows=[RunWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        interceptors=[recorder],
    )

    async def histories() -> AsyncIterator[WorkflowHistory]:
        for chain in chains:
            for history in chain.histories:
                yield history

    misfits: dict[str, str] = {}
    async with replayer.workflow_replay_iterator(histories()) as results:
        async for result in results:
            if result.replay_failure is not None:
                misfits[result.history.run_id] = str(result.replay_failure)
    for chain in chains:
        for history in chain.histories:
            chain.told += recorder.told[history.run_id]
            if history.run_id in misfits:
                chain.misfits.append(misfits[history.run_id])


class _Recorder(Interceptor):
    def __init__(self) -> None:
        self.told: dict[str, list[Told]] = defaultdict(list)
        """By execution."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        told = self.told

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(_Outbound(outbound, told))

        return Inbound


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, told: dict[str, list[Told]]) -> None:
        super().__init__(next)
        self._told = told

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        return self._noted(input, super().start_activity(input))

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        return self._noted(input, super().start_local_activity(input))

    def _noted(
        self,
        input: StartActivityInput | StartLocalActivityInput,
        handle: workflow.ActivityHandle[Any],
    ) -> workflow.ActivityHandle[Any]:
        told = Told(input.activity, json.loads(json.dumps(input.args[0])))
        self._told[workflow.info().run_id].append(told)

        def note(done: asyncio.Task[Any]) -> None:
            if done.cancelled():
                return
            error = done.exception()
            if error is None:
                told.answer = done.result()
            elif isinstance(error, FailureError):
                told.failed = calls.authored(error)

        handle.add_done_callback(note)
        return handle
