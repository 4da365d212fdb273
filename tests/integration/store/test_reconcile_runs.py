"""Rows and executions are made to agree, and nothing that works is touched (docs/rules.md 6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine.contract import temporal_workflow_id
from engine.gateway.executions import ExecutionState
from engine.services import reconcile_runs
from engine.services.context import Services
from engine.services.reconcile_runs import reconcile
from engine.store.session import Store
from engine.store.tables import Lease, WorkflowRun, WorkflowRunLog
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import a_run, row

OLD = NOW - timedelta(seconds=16)


def later(services: Services, seconds: float) -> Services:
    return replace(services, now=lambda: NOW + timedelta(seconds=seconds))


def logs_of(store: Store, run: WorkflowRun) -> list[WorkflowRunLog]:
    with store.reading() as session:
        return list(
            session.scalars(select(WorkflowRunLog).where(WorkflowRunLog.run_id == run.run_id))
        )


def mended(services: Services) -> dict[str, int]:
    report = reconcile(services, "me")
    assert report is not None
    return report["mended"]


def test_a_run_that_was_never_handed_over_is_started_by_its_own_id(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, started_at=OLD)
    assert mended(services) == {"started": 1}
    assert engine.asked("start") == [run.run_id]
    after = row(store, run)
    assert (after.status, after.temporal_run_id) == ("RUNNING", f"execution-of-run-{run.run_id}")
    assert [(line.level, line.source) for line in logs_of(store, run)] == [("WARN", "reconciler")]


def test_a_run_that_is_still_being_launched_is_left_alone(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    a_run(store, started_at=NOW - timedelta(seconds=15))
    assert mended(services) == {}
    assert engine.asked("start") == []


def test_a_never_started_run_whose_cancel_is_delivered_is_canceled_and_not_started(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, started_at=OLD, cancel_requested_at=OLD, cancel_delivered_at=OLD)
    assert mended(services) == {"CANCELED": 1}
    assert engine.asked("start") == []
    assert row(store, run).status == "CANCELED"


def test_a_cancel_that_could_not_be_delivered_is_delivered(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, started_at=OLD, claimed_by="e", cancel_requested_at=OLD)
    assert mended(services) == {"cancel_requested": 1}
    assert row(store, run).cancel_delivered_at == NOW
    assert "delivered now" in logs_of(store, run)[0].message
    assert mended(later(services, 15)) == {}


def test_an_undelivered_cancel_of_a_never_started_run_closes_it(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, started_at=OLD, cancel_requested_at=OLD)
    assert mended(services) == {"cancel_closed": 1}
    assert engine.asked("start") == []
    assert row(store, run).status == "CANCELED"


@pytest.mark.parametrize("status", ["RUNNING", "WAITING"])
def test_a_claimed_run_that_temporal_does_not_know_is_lost_and_says_so(
    store: Store, engine: FakeEngine, services: Services, status: str
) -> None:
    run = a_run(store, status=status, started_at=OLD, claimed_by="e")
    builders.save(store, builders.step(run, "STARTED"), builders.wait(run))
    assert mended(services) == {"FAILED": 1}
    after = row(store, run)
    assert (after.status, after.error_json["code"]) == ("FAILED", "ENGINE_LOST")
    assert after.completed_at == NOW
    assert [line.level for line in logs_of(store, run)] == ["ERROR"]
    assert engine.asked("start") == []


def test_a_row_from_before_the_cut_over_counts_as_claimed_under_its_stored_id(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    kept = a_run(store, started_at=OLD, epoch=0, temporal_workflow_id="old:1")
    engine.put("old:1")
    lost = a_run(store, started_at=OLD, epoch=0, temporal_workflow_id="old:2")
    assert mended(services) == {"FAILED": 1}
    assert row(store, kept).status == "RUNNING"
    assert row(store, lost).error_json["code"] == "ENGINE_LOST"
    assert engine.asked("start") == []


@pytest.mark.parametrize(
    ("state", "result", "status"),
    [
        (ExecutionState.CANCELED, None, "CANCELED"),
        (ExecutionState.TERMINATED, None, "CANCELED"),
        (ExecutionState.FAILED, None, "FAILED"),
        (ExecutionState.TIMED_OUT, None, "FAILED"),
        (ExecutionState.COMPLETED, "SUCCEEDED", "SUCCEEDED"),
        (ExecutionState.COMPLETED, "FAILED", "FAILED"),
        (ExecutionState.COMPLETED, "CANCELED", "CANCELED"),
        (ExecutionState.COMPLETED, "NOT_CLAIMED", "FAILED"),
        (ExecutionState.COMPLETED, None, "FAILED"),
    ],
)
def test_a_run_whose_execution_has_closed_gets_the_end_that_temporal_proves(
    store: Store,
    engine: FakeEngine,
    services: Services,
    state: ExecutionState,
    result: str | None,
    status: str,
) -> None:
    run = a_run(store, started_at=OLD, claimed_by="e")
    engine.put(temporal_workflow_id(run.run_id), state, result)
    assert mended(services) == {status: 1}
    after = row(store, run)
    assert after.status == status
    assert (after.error_json is None) is (status == "SUCCEEDED")


def test_a_listing_that_lags_is_a_question_and_not_an_answer(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, started_at=OLD, claimed_by="e")
    engine.hidden.add(temporal_workflow_id(run.run_id))
    assert mended(services) == {}
    assert engine.asked("describe") == [temporal_workflow_id(run.run_id)]
    assert row(store, run).status == "RUNNING"


def test_what_agrees_costs_one_listing_and_no_description(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    for _ in range(3):
        a_run(store, engine, started_at=OLD, claimed_by="e")
    assert mended(services) == {}
    assert engine.calls == [("list", "")]


def test_a_run_that_ends_by_itself_during_the_pass_keeps_its_own_end(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, started_at=OLD, claimed_by="e")
    engine.put(temporal_workflow_id(run.run_id), ExecutionState.TERMINATED)

    def ends(call: str) -> None:
        if call == "describe":
            with store.writing() as session:
                own = session.get_one(WorkflowRun, run.run_id)
                own.status, own.completed_at = "SUCCEEDED", NOW

    engine.before = ends
    assert mended(services) == {}
    assert row(store, run).status == "SUCCEEDED"


def test_a_run_that_is_claimed_during_the_pass_is_not_ended(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, started_at=OLD, cancel_requested_at=OLD, cancel_delivered_at=OLD)

    def is_claimed(call: str) -> None:
        if call == "describe":
            with store.writing() as session:
                session.get_one(WorkflowRun, run.run_id).claimed_by = "e"

    engine.before = is_claimed
    assert mended(services) == {}
    assert row(store, run).status == "RUNNING"


def test_an_unreachable_temporal_decides_nothing(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    never_started = a_run(store, started_at=OLD)
    claimed = a_run(store, started_at=OLD, claimed_by="e")
    engine.down = True
    report = reconcile(services, "me")
    assert report is not None
    assert (report["reachable"], report["mended"]) == (False, {})
    assert [row(store, run).status for run in (never_started, claimed)] == ["RUNNING", "RUNNING"]
    engine.down = False
    assert mended(later(services, 15)) == {"started": 1, "FAILED": 1}


def test_an_execution_of_an_ended_run_is_canceled_and_after_60_s_terminated(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, status="FAILED", started_at=NOW - timedelta(minutes=5))
    workflow_id = temporal_workflow_id(run.run_id)
    assert mended(services) == {"surplus_canceled": 1}
    assert mended(later(services, 15)) == {}
    assert mended(later(services, 45)) == {}
    assert engine.asked("terminate") == []
    assert mended(later(services, 60)) == {"surplus_terminated": 1}
    assert (engine.asked("cancel"), engine.asked("terminate")) == ([workflow_id], [workflow_id])
    assert mended(later(services, 75)) == {}
    assert row(store, run).status == "FAILED"


def test_an_execution_whose_run_has_just_ended_is_left_to_close_by_itself(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    a_run(store, engine, status="SUCCEEDED", started_at=NOW - timedelta(seconds=16))
    assert mended(services) == {}
    assert engine.asked("cancel") == []


def test_an_execution_that_no_row_knows_is_counted_and_never_stopped(
    engine: FakeEngine, services: Services
) -> None:
    """It may belong to another installation in the same namespace."""
    engine.put("run-of-somebody-else")
    report = reconcile(services, "me")
    assert report is not None
    assert report["unknownExecutions"] == 1
    assert report["mended"] == {}
    assert engine.calls == [("list", "")]


def test_a_pass_is_bounded_and_the_next_one_goes_on_behind_it(
    store: Store, engine: FakeEngine, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_runs, "MOST_MENDED", 2)
    runs = [a_run(store, engine, started_at=OLD, claimed_by="e") for _ in range(5)]
    engine.hidden.update(temporal_workflow_id(run.run_id) for run in runs)
    seen: set[str] = set()
    for number in range(3):
        engine.calls.clear()
        mended(later(services, 15 * number))
        described = engine.asked("describe")
        assert len(described) == 2
        seen.update(described)
    assert len(seen) == 5


def test_one_broken_row_does_not_keep_the_others_from_being_mended(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    first, second = sorted(
        (a_run(store, started_at=OLD) for _ in range(2)), key=lambda run: run.run_id
    )

    def breaks(call: str) -> None:
        if call == "start" and engine.asked("start") == [first.run_id]:
            raise ValueError("something nobody thought of")

    engine.before = breaks
    assert mended(services) == {"errors": 1, "started": 1}
    assert row(store, second).temporal_run_id is not None


def test_a_pass_leaves_what_it_saw_and_another_worker_waits_its_turn(
    store: Store, services: Services
) -> None:
    a_run(store, started_at=OLD)
    assert reconcile(services, "a") is not None
    assert reconcile(later(services, 5), "b") is None
    with store.reading() as session:
        lease = session.get_one(Lease, "reconciler")
    assert (lease.owner, lease.last_pass_at) == (None, NOW)
    assert lease.last_pass_json["mended"] == {"started": 1}
    assert lease.last_pass_json["openRows"] == 1
