"""What Temporal's figures say of the queue and of failing tasks (rules.md 11; measured.md 4)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from engine.contract import temporal_workflow_id
from engine.gateway.connect import LazyConnection
from engine.gateway.executions import WORKER_LOST
from engine.gateway.queues import TemporalQueueGateway
from engine.gateway.runs import TemporalRunGateway
from tests.stub_worker import new_run

pytestmark = pytest.mark.temporal


def test_the_queue_shows_a_fresh_poller_while_a_worker_lives(
    connection: LazyConnection, stub_worker: str
) -> None:
    queues = TemporalQueueGateway(connection)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        view = queues.describe_queue()
        if any(poller.identity == stub_worker for poller in view.workflow_pollers):
            break
        time.sleep(0.1)
    assert view.last_poll_at is not None
    assert datetime.now(UTC) - view.last_poll_at < timedelta(seconds=70)
    assert not view.rate_limited


def test_a_queue_that_nobody_polls_has_a_backlog(
    gateway: TemporalRunGateway, connection: LazyConnection
) -> None:
    gateway.start_run(new_run("wait"))
    queues = TemporalQueueGateway(connection)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        view = queues.describe_queue()
        if view.backlog >= 1 and view.backlog_age_s > 0:
            return
        time.sleep(0.1)
    raise AssertionError(view)


def test_a_failing_task_is_named_with_its_cause(
    gateway: TemporalRunGateway, connection: LazyConnection, stub_worker: str
) -> None:
    run_id = new_run("break")
    gateway.start_run(run_id)
    queues = TemporalQueueGateway(connection)
    deadline = time.monotonic() + 10
    while (failure := queues.last_task_failure(temporal_workflow_id(run_id))) is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert failure.cause != WORKER_LOST
    assert "a bug in the workflow" in failure.message
    execution = gateway.describe_run(temporal_workflow_id(run_id))
    assert execution is not None
    assert execution.is_open
    gateway.terminate_run(temporal_workflow_id(run_id), "done")


def test_a_task_that_has_not_failed_names_no_failure(
    gateway: TemporalRunGateway, connection: LazyConnection
) -> None:
    run_id = new_run("wait")
    gateway.start_run(run_id)
    queues = TemporalQueueGateway(connection)
    assert queues.last_task_failure(temporal_workflow_id(run_id)) is None
    assert queues.last_task_failure("run-unknown") is None
