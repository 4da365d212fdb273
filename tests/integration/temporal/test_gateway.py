"""The gateway against a real Temporal: what each answer means, and what happens without one."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest
from temporalio.client import Client

from engine.contract import RunResult, temporal_workflow_id
from engine.errors import Unavailable
from engine.gateway.connect import LazyConnection, TemporalOptions, WorkerConnection, connect
from engine.gateway.executions import ExecutionState
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from tests.dev_server import DevServer, free_port
from tests.stub_worker import StubWorker, closed, new_run

pytestmark = pytest.mark.temporal


def test_starting_twice_gives_the_same_execution(gateway: TemporalRunGateway) -> None:
    run_id = new_run()
    first = gateway.start_run(run_id)
    assert first
    assert gateway.start_run(run_id) == first


def test_starting_what_has_ended_already_is_success_and_runs_nothing_again(
    gateway: TemporalRunGateway, stub_worker: str
) -> None:
    run_id = new_run()
    first = gateway.start_run(run_id)
    assert closed(gateway, run_id) is ExecutionState.COMPLETED
    assert gateway.start_run(run_id) == first
    execution = gateway.describe_run(temporal_workflow_id(run_id))
    assert execution is not None
    assert execution.run_id == first
    assert not execution.is_open


def test_a_started_run_has_no_time_out_and_polls_the_one_queue(
    gateway: TemporalRunGateway, connection: LazyConnection
) -> None:
    run_id = new_run()
    gateway.start_run(run_id)

    async def first_event(client: Client) -> object:
        history = await client.get_workflow_handle(temporal_workflow_id(run_id)).fetch_history()
        return history.events[0].workflow_execution_started_event_attributes

    started = connection.call(first_event)
    assert started.task_queue.name == "run-studio"  # type: ignore[attr-defined]
    assert started.workflow_type.name == "RunWorkflow"  # type: ignore[attr-defined]
    assert not started.workflow_execution_timeout.ToTimedelta()  # type: ignore[attr-defined]
    assert not started.workflow_run_timeout.ToTimedelta()  # type: ignore[attr-defined]


def test_a_run_that_no_worker_has_taken_is_described_as_such(gateway: TemporalRunGateway) -> None:
    run_id = new_run()
    gateway.start_run(run_id)
    execution = gateway.describe_run(temporal_workflow_id(run_id))
    assert execution is not None
    assert execution.is_open
    assert execution.pending_task is not None
    assert execution.pending_task.never_picked_up
    assert execution.history_length == 2


def test_what_temporal_does_not_know_is_none_and_not_an_error(gateway: TemporalRunGateway) -> None:
    unknown = temporal_workflow_id(new_run())
    assert gateway.describe_run(unknown) is None
    assert gateway.cancel_run(unknown) is False
    assert gateway.terminate_run(unknown, "why") is False


def test_a_missing_namespace_is_unavailable_and_never_an_unknown_run(server: DevServer) -> None:
    thread = LoopThread()
    options = TemporalOptions(server.address, namespace="not-there")
    gateway = TemporalRunGateway(LazyConnection(options, thread), lambda: False)
    for call in (
        lambda: gateway.describe_run("run-x"),
        lambda: gateway.cancel_run("run-x"),
        lambda: gateway.terminate_run("run-x", "why"),
        lambda: gateway.start_run("x"),
        lambda: gateway.open_run_ids(limit=1),
    ):
        with pytest.raises(Unavailable):
            call()
    assert not gateway.reachable()
    thread.stop()


def test_a_cancel_is_taken_without_a_worker_and_ends_the_run_when_one_comes(
    gateway: TemporalRunGateway, server: DevServer
) -> None:
    run_id = new_run("wait")
    gateway.start_run(run_id)
    assert gateway.cancel_run(temporal_workflow_id(run_id)) is True
    assert gateway.cancel_run(temporal_workflow_id(run_id)) is True
    with StubWorker(server):
        assert closed(gateway, run_id) is ExecutionState.CANCELED
    assert gateway.cancel_run(temporal_workflow_id(run_id)) is False


def test_terminating_needs_no_worker(gateway: TemporalRunGateway) -> None:
    run_id = new_run("wait")
    gateway.start_run(run_id)
    assert gateway.terminate_run(temporal_workflow_id(run_id), "stopped by an operator") is True
    assert closed(gateway, run_id) is ExecutionState.TERMINATED
    assert gateway.terminate_run(temporal_workflow_id(run_id), "again") is False
    assert gateway.ending_of(temporal_workflow_id(run_id)).result is None


def test_how_a_run_ended_is_its_result_or_the_words_of_its_failure(
    gateway: TemporalRunGateway, stub_worker: str
) -> None:
    good, bad = new_run(), new_run("fail")
    gateway.start_run(good)
    gateway.start_run(bad)
    assert closed(gateway, good) is ExecutionState.COMPLETED
    assert closed(gateway, bad) is ExecutionState.FAILED
    assert gateway.ending_of(temporal_workflow_id(good)).result == RunResult("SUCCEEDED")
    ending = gateway.ending_of(temporal_workflow_id(bad))
    assert (ending.result, ending.message) == (None, "the workflow's own words")


def test_open_runs_are_listed_and_closed_ones_are_not(gateway: TemporalRunGateway) -> None:
    open_run, closed_run = new_run("wait"), new_run("wait")
    gateway.start_run(open_run)
    gateway.start_run(closed_run)
    gateway.terminate_run(temporal_workflow_id(closed_run), "done")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        listed = gateway.open_run_ids(limit=10_000)
        if f"run-{open_run}" in listed and f"run-{closed_run}" not in listed:
            return
        time.sleep(0.1)
    raise AssertionError(listed)


def test_a_listing_has_at_most_as_many_as_asked_for(gateway: TemporalRunGateway) -> None:
    for _ in range(3):
        gateway.start_run(new_run("wait"))
    deadline = time.monotonic() + 10
    while len(gateway.open_run_ids(limit=10_000)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(gateway.open_run_ids(limit=2)) == 2


def test_a_call_inside_a_transaction_is_refused_before_it_leaves(
    connection: LazyConnection,
) -> None:
    gateway = TemporalRunGateway(connection, lambda: True)
    with pytest.raises(AssertionError, match="transaction"):
        gateway.start_run(new_run())


def test_where_nothing_listens_every_call_is_unavailable_within_seconds() -> None:
    thread = LoopThread()
    address = f"127.0.0.1:{free_port()}"
    gateway = TemporalRunGateway(LazyConnection(TemporalOptions(address), thread), lambda: False)
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        gateway.start_run(new_run())
    assert time.monotonic() - began < 5
    assert caught.value.details["address"] == address
    assert not gateway.reachable()
    thread.stop()


def test_where_nobody_answers_a_call_is_unavailable_within_its_time_limit() -> None:
    """A host that swallows packets: here a socket that accepts and says nothing."""
    import socket

    thread = LoopThread()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = TemporalOptions(f"127.0.0.1:{silent.getsockname()[1]}")
        gateway = TemporalRunGateway(LazyConnection(options, thread), lambda: False)
        began = time.monotonic()
        with pytest.raises(Unavailable):
            gateway.start_run(new_run())
        assert time.monotonic() - began < 10
    thread.stop()


def test_a_temporal_that_goes_away_is_unavailable_and_comes_back_by_itself(tmp_path: Path) -> None:
    server = DevServer(tmp_path)
    server.start()
    thread = LoopThread()
    connection = LazyConnection(TemporalOptions(server.address), thread)
    gateway = TemporalRunGateway(connection, lambda: False)
    run_id = new_run()
    try:
        started = gateway.start_run(run_id)
        server.kill()
        began = time.monotonic()
        with pytest.raises(Unavailable):
            gateway.start_run(new_run())
        assert time.monotonic() - began < 10
        server.start()
        execution = gateway.describe_run(temporal_workflow_id(run_id))
        assert execution is not None
        assert execution.run_id == started
    finally:
        server.kill()
        thread.stop()


def test_a_worker_s_threads_call_through_the_worker_s_own_client(server: DevServer) -> None:
    options = TemporalOptions(server.address)
    run_id = new_run("wait")

    async def main() -> tuple[str, str]:
        client = await connect(options)
        connection = WorkerConnection(options, client, asyncio.get_running_loop())
        gateway = TemporalRunGateway(connection, lambda: False)
        with pytest.raises(RuntimeError, match="wait for the thread"):
            gateway.start_run(run_id)
        started = await asyncio.to_thread(gateway.start_run, run_id)
        execution = await asyncio.to_thread(gateway.describe_run, temporal_workflow_id(run_id))
        assert execution is not None
        return started, execution.run_id

    first, second = asyncio.run(main())
    assert first == second


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_process_that_was_forked_after_the_first_call_can_still_call(
    gateway: TemporalRunGateway,
) -> None:
    run_id = new_run("wait")
    started = gateway.start_run(run_id)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if gateway.start_run(run_id) == started else 1)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert gateway.start_run(run_id) == started


def test_with_a_key_nothing_readable_of_a_start_is_in_temporal(server: DevServer) -> None:
    thread = LoopThread()
    options = TemporalOptions(server.address, codec_key=bytes(range(32)))
    connection = LazyConnection(options, thread)
    run_id = new_run("wait")
    TemporalRunGateway(connection, lambda: False).start_run(run_id)

    async def input_payload(client: Client) -> bytes:
        history = await client.get_workflow_handle(temporal_workflow_id(run_id)).fetch_history()
        started = history.events[0].workflow_execution_started_event_attributes
        return started.input.payloads[0].SerializeToString()

    stored = connection.call(input_payload)
    assert run_id.encode() not in stored
    assert b"binary/encrypted" in stored
    thread.stop()
