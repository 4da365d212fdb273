"""A whole engine for tests: a database, a real Temporal, and a worker in this process or beside it.

Documents are compiled as publishing does it; runs are inserted and handed to Temporal as launching
does it. What is asserted are rows, and what Temporal says.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select, update
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from engine.actions.secrets import Secrets
from engine.activities.make_worker import activity_pool, make_worker
from engine.contract import TASK_QUEUE, WORKFLOW_TYPE, RunStart, temporal_workflow_id
from engine.definitions.compile import compile_plan
from engine.definitions.document import Document
from engine.gateway.connect import LazyConnection, TemporalOptions, connect
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from engine.runs.status import TERMINAL
from engine.services.action_attempt import ActionTools
from engine.services.context import Limits, Services
from engine.store.session import Store, in_transaction
from engine.store.tables import (
    WorkflowDefinition,
    WorkflowDefinitionVersion,
    WorkflowRun,
    WorkflowRunStep,
    WorkflowRunWait,
)
from tests import builders, work_actions

T = TypeVar("T")


class Studio:
    def __init__(self, address: str, store: Store, effects: Path) -> None:
        self.address = address
        self.options = TemporalOptions(address)
        """Of its workers; the same as the gateway's unless a test says otherwise."""
        self.store = store
        self.effects_file = effects
        self.tools = ActionTools(work_actions.registry(), Secrets({"SECRET_PIN": "s3cr3t-pin"}))
        self._thread = LoopThread()
        self._connection = LazyConnection(self.options, self._thread)
        self.services = Services(
            store=store,
            gateway=TemporalRunGateway(self._connection, in_transaction),
            catalogue=self.tools.registry,
            limits=Limits(),
        )

    def close(self) -> None:
        self._thread.stop()

    # Runs

    def publish(self, *steps: dict[str, Any], **fields: Any) -> WorkflowDefinition:
        document = builders.document(
            **{"key": f"d-{builders.new_id()}", "steps": list(steps)} | fields
        )
        plan = compile_plan(Document.model_validate(document), self.tools.registry)
        of, _ = builders.published(self.store, document["id"], document=document, plan=plan)
        if "payloadSchema" in document:
            self.change_version(of, payload_schema_json=document["payloadSchema"])
        return of

    def change_version(self, of: WorkflowDefinition, **values: Any) -> None:
        """Its one version: also into what no publishing would have made."""
        with self.store.writing() as session:
            session.execute(
                update(WorkflowDefinitionVersion)
                .where(WorkflowDefinitionVersion.workflow_id == of.workflow_id)
                .values(**values)
            )

    def start(self, of: WorkflowDefinition, payload: Any = None, **fields: Any) -> str:
        now = self.services.now()
        run = builders.run(
            of, input_json={} if payload is None else payload, started_at=now, **fields
        )
        builders.save(self.store, run)
        self.services.gateway.start_run(run.run_id)
        return run.run_id

    def start_with(self, of: WorkflowDefinition, **fields: Any) -> str:
        """As `start`, with other fields of the workflow's input."""
        run = builders.run(of, started_at=self.services.now())
        builders.save(self.store, run)
        workflow_id = temporal_workflow_id(run.run_id)

        async def start(client: Client) -> None:
            await client.start_workflow(
                WORKFLOW_TYPE,
                RunStart(run.run_id, **fields),
                id=workflow_id,
                task_queue=TASK_QUEUE,
            )

        self.ask(start)
        return run.run_id

    def execute(self, *steps: dict[str, Any], payload: Any = None) -> WorkflowRun:
        return self.ended(self.start(self.publish(*steps), payload))

    def cancel(self, run_id: str, *, row: bool = True) -> None:
        """As `cancel_run` does it; `row` false: from Temporal's own tools."""
        if row:
            self.change(run_id, cancel_requested_at=self.services.now())
        self.services.gateway.cancel_run(temporal_workflow_id(run_id))

    def change(self, run_id: str, **values: Any) -> None:
        with self.store.writing() as session:
            found = session.get_one(WorkflowRun, run_id)
            for name, value in values.items():
                setattr(found, name, value)

    def run(self, run_id: str) -> WorkflowRun:
        with self.store.reading() as session:
            return session.get_one(WorkflowRun, run_id)

    def ended(self, run_id: str, timeout_s: float = 30) -> WorkflowRun:
        """The row, when it is terminal and Temporal has closed the execution too."""
        self.eventually(lambda: self.run(run_id).status in TERMINAL, timeout_s)
        self.eventually(lambda: self.temporal_status(run_id) != "RUNNING", 5)
        return self.run(run_id)

    def steps(self, run_id: str, **where: Any) -> list[WorkflowRunStep]:
        with self.store.reading() as session:
            return list(
                session.scalars(
                    select(WorkflowRunStep)
                    .filter_by(run_id=run_id, **where)
                    .order_by(WorkflowRunStep.position)
                )
            )

    def outline(self, run_id: str) -> list[tuple[str, int, str]]:
        """(step id with its loop indexes, attempt, status) of every row."""
        return [
            (f"{step.definition_step_id}{step.iter or ''}", step.attempt, step.status)
            for step in self.steps(run_id)
        ]

    def waits(self, run_id: str) -> list[WorkflowRunWait]:
        with self.store.reading() as session:
            return list(session.scalars(select(WorkflowRunWait).filter_by(run_id=run_id)))

    def effects(self) -> list[str]:
        if not self.effects_file.exists():
            return []
        return self.effects_file.read_text().splitlines()

    # Temporal

    def ask(self, use: Callable[[Client], Any], timeout_s: float = 20) -> Any:
        return self._connection.call(use, timeout_s=timeout_s)

    def handle(self, client: Client, run_id: str) -> WorkflowHandle[Any, Any]:
        return client.get_workflow_handle(temporal_workflow_id(run_id))

    def temporal_status(self, run_id: str) -> str:
        """Of the newest execution: a run that continues as new is RUNNING."""

        async def describe(client: Client) -> WorkflowExecutionStatus | None:
            return (await self.handle(client, run_id).describe()).status

        status = self.ask(describe)
        return "RUNNING" if status is None else str(status.name)

    def history(self, run_id: str, execution: str | None = None) -> Any:
        async def fetch(client: Client) -> Any:
            workflow_id = temporal_workflow_id(run_id)
            handle = client.get_workflow_handle(workflow_id, run_id=execution)
            return await handle.fetch_history()

        return self.ask(fetch)

    def events(self, run_id: str, execution: str | None = None) -> list[str]:
        return [
            EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
            for event in self.history(run_id, execution).events
        ]

    def signal(self, run_id: str, name: str = "anything") -> None:
        async def send(client: Client) -> None:
            await self.handle(client, run_id).signal(name)

        self.ask(send)

    # Workers

    @contextmanager
    def worker(self, slots: int = 20, **fields: Any) -> Iterator[None]:
        """One in this process, on a thread of its own."""
        with _InProcessWorker(self, replace(self.services, **fields), slots):
            yield

    @contextmanager
    def worker_process(self) -> Iterator[subprocess.Popen[bytes]]:
        """One in a process of its own, which a test may kill; polling when the block begins."""
        environment = {**os.environ, work_actions.EFFECTS: str(self.effects_file)}
        url = self.store.engine.url.render_as_string(hide_password=False)
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.worker_process", self.address, url],
            env=environment,
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"polling\n"
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @staticmethod
    def eventually(holds: Callable[[], bool], timeout_s: float = 20, every_s: float = 0.05) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {timeout_s} s")
            time.sleep(every_s)


class _InProcessWorker:
    def __init__(self, studio: Studio, services: Services, slots: int) -> None:
        self._studio = studio
        self._services = services
        self._slots = slots
        self._up = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._up.wait(30)
        if self._failure is not None:
            raise self._failure

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:
            self._failure = error
            self._up.set()
            raise

    async def _serve(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        client = await connect(self._studio.options)
        with activity_pool(self._slots) as pool:
            worker = make_worker(
                client, self._services, self._studio.tools, pool, identity="in-process"
            )
            async with worker:
                self._up.set()
                await self._leave.wait()
