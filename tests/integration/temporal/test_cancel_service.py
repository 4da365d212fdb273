"""Cancel and stop on a real Temporal: row and execution agree, with a worker and without one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from engine.errors import Conflict, Unavailable
from engine.gateway.connect import LazyConnection, TemporalOptions
from engine.gateway.loop_thread import LoopThread
from engine.gateway.runs import TemporalRunGateway
from engine.services.cancel_run import CancelOutcome, cancel_run
from engine.services.context import Services
from engine.services.heartbeat import HeartbeatWriter, Worker
from engine.services.reconcile_runs import reconcile
from engine.store.session import in_transaction
from engine.store.workers import WorkerState
from tests import builders
from tests.dev_server import free_port
from tests.run_cases import SOMEBODY
from tests.studio import Studio

pytestmark = pytest.mark.temporal

SLEEP = {
    "id": "sleep",
    "type": "time.wait",
    "config": {"mode": "duration", "durationMs": 3_600_000},
}


@pytest.fixture
def worked(own_studio: Studio) -> Iterator[Studio]:
    """With a worker, and a database of its own."""
    with own_studio.worker():
        yield own_studio


@pytest.fixture
def studio(own_studio: Studio) -> Studio:
    return own_studio


def a_waiting_run(studio: Studio) -> str:
    run_id = studio.start(studio.publish(SLEEP))
    studio.eventually(lambda: studio.run(run_id).status == "WAITING")
    return run_id


def at(services: Services, moment: datetime) -> Services:
    return replace(services, now=lambda: moment)


def test_a_cancel_ends_a_waiting_run_within_3_s_and_closes_what_was_open(worked: Studio) -> None:
    run_id = a_waiting_run(worked)
    began = time.monotonic()
    receipt = cancel_run(worked.services, run_id, SOMEBODY, "why")
    assert receipt.outcome is CancelOutcome.REQUESTED
    worked.eventually(lambda: worked.run(run_id).status == "CANCELED", 3)
    assert time.monotonic() - began < 3
    run = worked.ended(run_id)
    assert run.cancel_delivered_at is not None
    assert worked.temporal_status(run_id) == "CANCELED"
    assert [wait.status for wait in worked.waits(run_id)] == ["CANCELED"]
    assert {step.status for step in worked.steps(run_id)} == {"CANCELED"}


def test_a_cancel_without_a_worker_is_kept_and_observed_when_one_comes(studio: Studio) -> None:
    run_id = studio.start(studio.publish(SLEEP))
    receipt = cancel_run(studio.services, run_id, SOMEBODY, "why")
    assert receipt.outcome is CancelOutcome.REQUESTED
    time.sleep(0.5)
    assert studio.run(run_id).status == "RUNNING"
    with studio.worker():
        assert studio.ended(run_id).status == "CANCELED"


def test_stop_now_works_with_no_worker_running(studio: Studio) -> None:
    run_id = studio.start(studio.publish(SLEEP))
    receipt = cancel_run(studio.services, run_id, SOMEBODY, "why", force=True)
    assert receipt.outcome is CancelOutcome.STOPPED
    run = studio.run(run_id)
    assert run.status == "CANCELED"
    assert "stopped without clean-up" in run.error_json["message"]
    assert studio.temporal_status(run_id) == "TERMINATED"
    with studio.worker():
        time.sleep(1)
    assert studio.run(run_id).claimed_by is None


def test_stop_now_is_too_early_while_a_worker_may_still_observe_the_cancel(
    worked: Studio,
) -> None:
    run_id = a_waiting_run(worked)
    me = Worker("1@test-x", "default", "f", 1, worked.services.now())
    writer = HeartbeatWriter(worked.services, me, lambda: 0)
    writer.beat()
    with pytest.raises(Conflict):
        cancel_run(worked.services, run_id, SOMEBODY, "why", force=True)
    assert worked.run(run_id).status == "WAITING"
    writer.enter(WorkerState.STOPPED)
    cancel_run(worked.services, run_id, SOMEBODY, "why", force=True)
    assert worked.ended(run_id).status == "CANCELED"
    assert [wait.status for wait in worked.waits(run_id)] == ["CANCELED"]
    assert {step.status for step in worked.steps(run_id)} == {"CANCELED"}


def test_a_cancel_asked_for_while_temporal_was_away_is_delivered_later(worked: Studio) -> None:
    run_id = a_waiting_run(worked)
    thread = LoopThread()
    dead = LazyConnection(TemporalOptions(f"127.0.0.1:{free_port()}"), thread)
    away = replace(worked.services, gateway=TemporalRunGateway(dead, in_transaction))
    with pytest.raises(Unavailable):
        cancel_run(away, run_id, SOMEBODY, "why")
    thread.stop()
    assert worked.run(run_id).status == "WAITING"
    later = worked.services.now() + timedelta(hours=1)
    assert reconcile(at(worked.services, later), "me") is not None
    assert worked.ended(run_id).status == "CANCELED"


def test_a_run_that_was_never_started_is_canceled_here_and_never_executed(worked: Studio) -> None:
    definition = worked.publish(SLEEP)
    run = builders.run(definition, started_at=worked.services.now())
    builders.save(worked.store, run)
    receipt = cancel_run(worked.services, run.run_id, SOMEBODY, "why")
    assert receipt.outcome is CancelOutcome.CLOSED
    worked.services.gateway.start_run(run.run_id)
    worked.eventually(lambda: worked.temporal_status(run.run_id) == "COMPLETED")
    after = worked.run(run.run_id)
    assert (after.status, after.claimed_by) == ("CANCELED", None)
    assert worked.steps(run.run_id) == []


def test_a_run_terminated_by_temporal_s_own_tools_is_finalized_by_the_reconciler(
    worked: Studio,
) -> None:
    run_id = a_waiting_run(worked)
    assert worked.services.gateway.terminate_run(f"run-{run_id}", "from Temporal's UI")
    later = worked.services.now() + timedelta(hours=1)
    assert reconcile(at(worked.services, later), "me") is not None
    run = worked.run(run_id)
    assert (run.status, run.error_json["code"]) == ("CANCELED", "TERMINATED")
    assert [wait.status for wait in worked.waits(run_id)] == ["CANCELED"]


def test_with_a_namespace_that_is_gone_nothing_is_finalized(worked: Studio) -> None:
    run_id = a_waiting_run(worked)
    thread = LoopThread()
    options = TemporalOptions(worked.address, namespace="gone")
    elsewhere = TemporalRunGateway(LazyConnection(options, thread), in_transaction)
    later = worked.services.now() + timedelta(hours=1)
    report = reconcile(replace(at(worked.services, later), gateway=elsewhere), "me")
    assert report is not None
    assert report["reachable"] is False
    assert worked.run(run_id).status == "WAITING"
    thread.stop()
    cancel_run(worked.services, run_id, SOMEBODY, "tidy up")
