"""The reconciler on a real Temporal: each way in which an execution closes ends its row truly.

The workflow is a stub under our workflow's name: it ends as its input says, and writes no row, as a
worker does that dies before it could.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from temporalio import workflow
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from engine.contract import (
    TASK_QUEUE,
    WORKFLOW_TYPE,
    RunResult,
    RunStart,
    temporal_workflow_id,
)
from engine.gateway.connect import TemporalOptions, connect
from engine.services.context import Services
from engine.services.reconcile_runs import reconcile
from engine.store.tables import WorkflowRun, WorkflowRunLog
from tests import builders
from tests.studio import Studio

pytestmark = pytest.mark.temporal


@workflow.defn(name=WORKFLOW_TYPE)
class Ends:
    """As its checkpoint says."""

    @workflow.run
    async def run(self, start: RunStart) -> Any:
        how = str(start.checkpoint)
        if how.startswith("then "):
            rest = RunStart(start.run_id, start.ordinal + 1, how.removeprefix("then "))
            workflow.continue_as_new(rest)
        if how == "wait":
            await workflow.wait_condition(lambda: False)
        if how == "wait whatever comes":
            while True:
                try:
                    await workflow.wait_condition(lambda: False)
                except asyncio.CancelledError:
                    continue
        if how == "raise":
            raise ApplicationError("the workflow's own words")
        return {"not": "a result"} if how == "nonsense" else RunResult(how)


@contextmanager
def stub_worker(address: str) -> Iterator[None]:
    up, loops, leave = threading.Event(), [], asyncio.Event()

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with Worker(
            await connect(TemporalOptions(address)),
            task_queue=TASK_QUEUE,
            workflows=[Ends],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ):
            up.set()
            await leave.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert up.wait(20)
    try:
        yield
    finally:
        loops[0].call_soon_threadsafe(leave.set)
        thread.join(20)


def execution(studio: Studio, how: str, **fields: Any) -> str:
    """A run that a workflow has claimed, and its execution."""
    of, _ = builders.published(studio.store)
    accepted = studio.services.now() - timedelta(minutes=2)
    run = builders.run(of, **{"claimed_by": "e", "started_at": accepted} | fields)
    builders.save(studio.store, run)
    start(studio, run.run_id, how)
    return run.run_id


def start(studio: Studio, run_id: str, how: str) -> None:
    async def begin(client: Client) -> None:
        await client.start_workflow(
            WORKFLOW_TYPE,
            RunStart(run_id, checkpoint=how),
            id=temporal_workflow_id(run_id),
            task_queue=TASK_QUEUE,
            execution_timeout=timedelta(seconds=1) if how == "time out" else None,
        )

    studio.ask(begin)


def is_closed(studio: Studio, run_id: str) -> bool:
    found = studio.services.gateway.describe_run(temporal_workflow_id(run_id))
    return found is not None and not found.is_open


def later(services: Services, seconds: float) -> Services:
    at = services.now() + timedelta(seconds=seconds)
    return replace(services, now=lambda: at)


def said_by_the_reconciler(studio: Studio, run_id: str) -> list[str]:
    with studio.store.reading() as session:
        return list(
            session.scalars(
                select(WorkflowRunLog.message).where(
                    WorkflowRunLog.run_id == run_id, WorkflowRunLog.source == "reconciler"
                )
            )
        )


CLOSED: dict[str, tuple[str, str | None]] = {
    "SUCCEEDED": ("SUCCEEDED", None),
    "FAILED": ("FAILED", "END_NOT_RECORDED"),
    "CANCELED": ("CANCELED", "END_NOT_RECORDED"),
    "NOT_CLAIMED": ("FAILED", "ENGINE_LOST"),
    "nonsense": ("FAILED", "ENGINE_LOST"),
    "raise": ("FAILED", "ENGINE_FAILED"),
    "then then SUCCEEDED": ("SUCCEEDED", None),
    "then raise": ("FAILED", "ENGINE_FAILED"),
}
"""How the workflow ends by itself: the row's status, and its error's code."""


def test_one_pass_gives_every_row_the_end_that_temporal_proves(
    own_studio: Studio, temporal_address: str
) -> None:
    studio, gateway = own_studio, own_studio.services.gateway
    with stub_worker(temporal_address):
        wanted = {execution(studio, how): end for how, end in CLOSED.items()}
        canceled, terminated = execution(studio, "wait"), execution(studio, "then wait")
        open_ = execution(studio, "then wait")
        for run_id in wanted:
            studio.eventually(lambda run_id=run_id: is_closed(studio, run_id))
        gateway.cancel_run(temporal_workflow_id(canceled))
        gateway.terminate_run(temporal_workflow_id(terminated), "by hand")
        for run_id in (canceled, terminated):
            studio.eventually(lambda run_id=run_id: is_closed(studio, run_id))
    timed_out = execution(studio, "time out")
    studio.eventually(lambda: is_closed(studio, timed_out))
    wanted |= {
        canceled: ("CANCELED", "CANCELED"),
        terminated: ("CANCELED", "TERMINATED"),
        timed_out: ("FAILED", "ENGINE_TIMED_OUT"),
    }
    report = reconcile(studio.services, "me")
    assert report is not None

    found = {run_id: studio.run(run_id) for run_id in wanted}
    assert {
        run_id: (run.status, (run.error_json or {}).get("code")) for run_id, run in found.items()
    } == wanted
    assert all(run.completed_at is not None for run in found.values())
    assert all(len(said_by_the_reconciler(studio, run_id)) == 1 for run_id in wanted)
    assert studio.run(open_).status == "RUNNING"
    assert said_by_the_reconciler(studio, open_) == []
    assert report["differences"] >= len(wanted)
    gateway.terminate_run(temporal_workflow_id(open_), "done")


def test_an_execution_of_an_ended_run_is_canceled_and_one_that_does_not_obey_terminated(
    own_studio: Studio, temporal_address: str
) -> None:
    studio, gateway = own_studio, own_studio.services.gateway
    obeys, resists = (
        execution(studio, how, status="CANCELED", claimed_by=None)
        for how in ("wait", "wait whatever comes")
    )
    with stub_worker(temporal_address):
        shown = {temporal_workflow_id(run_id) for run_id in (obeys, resists)}
        studio.eventually(lambda: shown <= set(gateway.open_run_ids(limit=1000)))
        reconcile(studio.services, "me")
        studio.eventually(lambda: is_closed(studio, obeys))
        assert studio.temporal_status(obeys) == "CANCELED"
        assert studio.temporal_status(resists) == "RUNNING"
        reconcile(later(studio.services, 61), "me")
        studio.eventually(lambda: is_closed(studio, resists))
    assert studio.temporal_status(resists) == "TERMINATED"
    assert len(said_by_the_reconciler(studio, resists)) == 2
    with studio.store.reading() as session:
        assert set(session.scalars(select(WorkflowRun.status))) == {"CANCELED"}


def test_a_row_of_which_temporal_has_nothing_is_gone_within_one_pass(own_studio: Studio) -> None:
    """RUNNING here and unknown there, claimed or not: started, or ended in an operator's words."""
    of, _ = builders.published(own_studio.store)
    accepted = own_studio.services.now() - timedelta(seconds=20)
    never, lost, canceled = (
        builders.run(of, started_at=accepted, **fields)
        for fields in ({}, {"claimed_by": "e"}, {"cancel_requested_at": accepted})
    )
    builders.save(own_studio.store, never, lost, canceled)
    reconcile(own_studio.services, "me")
    gateway = own_studio.services.gateway
    started = gateway.describe_run(temporal_workflow_id(never.run_id))
    assert started is not None
    assert started.is_open
    assert gateway.describe_run(temporal_workflow_id(canceled.run_id)) is None
    assert own_studio.run(lost.run_id).status == "FAILED"
    assert "its history was deleted or lost" in own_studio.run(lost.run_id).error_json["message"]
    assert own_studio.run(canceled.run_id).status == "CANCELED"
    assert "nothing of it was executed" in own_studio.run(canceled.run_id).error_json["message"]
    gateway.terminate_run(temporal_workflow_id(never.run_id), "done")
