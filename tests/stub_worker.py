"""A workflow under RunWorkflow's name that does what its run id says, and a worker that runs it."""

from __future__ import annotations

import asyncio
import threading
import time
from uuid import uuid4

from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from engine.contract import TASK_QUEUE, WORKFLOW_TYPE, RunResult, RunStart, temporal_workflow_id
from engine.gateway.connect import TemporalOptions, connect
from engine.gateway.executions import ExecutionState
from engine.gateway.runs import TemporalRunGateway
from tests.dev_server import DevServer


@workflow.defn(name=WORKFLOW_TYPE)
class Stub:
    """Stands in for RunWorkflow: does what the run id says."""

    @workflow.run
    async def run(self, start: RunStart) -> RunResult:
        if start.run_id.startswith("wait"):
            await workflow.wait_condition(lambda: False)
        if start.run_id.startswith("fail"):
            raise ApplicationError("the workflow's own words")
        if start.run_id.startswith("break"):
            raise ValueError("a bug in the workflow")
        return RunResult(status="SUCCEEDED")


class StubWorker:
    def __init__(self, server: DevServer) -> None:
        self._server = server
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._leave: asyncio.Event
        self._loop: asyncio.AbstractEventLoop

    def __enter__(self) -> str:
        self._thread.start()
        assert self._up.wait(20)
        return "stub-worker"

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(20)

    async def _serve(self) -> None:
        self._leave, self._loop = asyncio.Event(), asyncio.get_running_loop()
        client = await connect(TemporalOptions(self._server.address, identity="stub-worker"))
        async with Worker(
            client,
            task_queue=TASK_QUEUE,
            workflows=[Stub],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            self._up.set()
            await self._leave.wait()


def new_run(kind: str = "ok") -> str:
    return f"{kind}-{uuid4()}"


def closed(gateway: TemporalRunGateway, run_id: str) -> ExecutionState:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        execution = gateway.describe_run(temporal_workflow_id(run_id))
        assert execution is not None
        if not execution.is_open:
            return execution.state
        time.sleep(0.05)
    raise AssertionError("the execution is still open")
