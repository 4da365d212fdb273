"""Who is measured: each starts runs of so many no-op steps; a worker process serves them all."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import insert
from temporalio.client import Client, WorkflowHandle

from benchmarks import handwritten, product
from benchmarks.stage import Stage
from engine.contract import temporal_workflow_id
from engine.gateway.connect import TemporalOptions, WorkerConnection
from engine.runs.payload import Payload
from engine.services.context import Actor, Services
from engine.services.launch_run import LaunchRequest, launch_published_workflow_run
from engine.services.publish_definition import publish
from engine.store import projection
from engine.store.session import Store

Handle = WorkflowHandle[Any, Any]


@dataclass(frozen=True, slots=True)
class Contender:
    name: str
    start: Callable[[int], Awaitable[Handle]]
    """Begins one run of so many steps."""


@asynccontextmanager
async def contenders(stage: Stage, steps: Iterable[int]) -> AsyncIterator[list[Contender]]:
    """Ours first, then the handwritten ones; served by one process while the block lasts."""
    address = stage.client.service_client.config.target_host
    loop = asyncio.get_running_loop()
    connection = WorkerConnection(TemporalOptions(address), stage.client, loop)
    ours = product.services(stage.store, connection)
    for count in steps:
        await asyncio.to_thread(publish, ours, product.document(count), _BENCH)
    process = subprocess.Popen(  # noqa: ASYNC220 -- takes a millisecond
        [sys.executable, "-m", "benchmarks.worker_process", stage.database_url, address],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        await asyncio.to_thread(process.stdout.readline)
        yield [
            Contender("run studio", _ours(ours, stage.client)),
            Contender("handwritten, regular", _handwritten(stage, "HandwrittenRegular")),
            Contender("handwritten, local", _handwritten(stage, "HandwrittenLocal")),
        ]
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


_BENCH = Actor(source="command")


def _ours(services: Services, client: Client) -> Callable[[int], Awaitable[Handle]]:
    async def start(steps: int) -> Handle:
        request = LaunchRequest(f"bench-{steps}", Payload({}), _BENCH)
        launched = await asyncio.to_thread(launch_published_workflow_run, services, request)
        return client.get_workflow_handle(temporal_workflow_id(launched.run_id))

    return start


def _handwritten(stage: Stage, workflow: str) -> Callable[[int], Awaitable[Handle]]:
    async def start(steps: int) -> Handle:
        run_id = str(uuid4())
        await asyncio.to_thread(_insert_run, stage.store, run_id)
        return await stage.client.start_workflow(
            workflow,
            handwritten.Order(run_id, steps),
            id=f"{workflow}-{run_id}",
            task_queue=handwritten.QUEUE,
        )

    return start


def _insert_run(store: Store, run_id: str) -> None:
    """The steps' rows need a run's row."""
    now = datetime.now(UTC)
    with store.writing() as session:
        workflow_id = session.execute(handwritten.ANY_WORKFLOW).scalar_one()
        session.execute(
            insert(projection.RUNS).values(
                run_id=run_id,
                workflow_id=workflow_id,
                workflow_version=1,
                status="RUNNING",
                engine="temporal",
                started_at=now,
                updated_at=now,
                epoch=1,
            )
        )
