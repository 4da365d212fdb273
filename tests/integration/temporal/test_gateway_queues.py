"""What Temporal's figures say of the queue and of failing tasks (rules.md 11; measured.md 4)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from engine.contract import temporal_workflow_id
from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.executions import WORKER_LOST
from engine.gateway.loop_thread import LoopThread
from engine.gateway.queues import TemporalQueueGateway
from engine.gateway.runs import TemporalRunGateway
from tests.dev_server import DevServer
from tests.stub_worker import StubWorker, new_run

pytestmark = pytest.mark.temporal


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    server = DevServer(tmp_path_factory.mktemp("temporal"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def connection(server: DevServer) -> Iterator[LazyConnection]:
    thread = LoopThread()
    yield LazyConnection(TemporalOptions(server.address), thread)
    thread.stop()


@pytest.fixture
def gateway(connection: LazyConnection) -> TemporalRunGateway:
    return TemporalRunGateway(connection, lambda: False)


@pytest.fixture
def worker(server: DevServer) -> Iterator[str]:
    """A worker that runs `Stub`; its identity."""
    with StubWorker(server) as identity:
        yield identity


def test_the_queue_shows_a_fresh_poller_while_a_worker_lives(
    connection: LazyConnection, worker: str
) -> None:
    queues = TemporalQueueGateway(connection)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        view = queues.describe_queue()
        if any(poller.identity == worker for poller in view.workflow_pollers):
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
    gateway: TemporalRunGateway, connection: LazyConnection, worker: str
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
