"""What a cancel writes, whatever Temporal answers (docs/rules.md 5), on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from engine.contract import temporal_workflow_id
from engine.errors import Conflict, Invalid, NotFound, Unavailable
from engine.gateway.executions import ExecutionState
from engine.services.cancel_run import CancelOutcome, cancel_run
from engine.services.context import Services
from engine.store.session import Store
from engine.store.tables import (
    WorkflowActionInvocation,
    WorkflowRun,
    WorkflowRunLog,
    WorkflowRunStep,
    WorkflowRunWait,
)
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY, a_run, audits, row


def test_the_request_is_recorded_before_temporal_is_asked(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, claimed_by="e")
    seen = []
    engine.before = lambda call: seen.append((call, row(store, run).cancel_requested_at))
    receipt = cancel_run(services, run.run_id, SOMEBODY, "wrong customer")
    assert receipt.outcome is CancelOutcome.REQUESTED
    assert seen == [("cancel", NOW)]
    after = row(store, run)
    assert (after.status, after.cancel_reason) == ("RUNNING", "wrong customer")
    assert after.cancel_delivered_at == NOW
    assert audits(store) == [("workflow_run_cancel done", run.run_id)]


def test_unreachable_is_503_and_the_request_stays(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, claimed_by="e")
    engine.down = True
    with pytest.raises(Unavailable) as caught:
        cancel_run(services, run.run_id, SOMEBODY, "why")
    assert caught.value.details["recorded"] is True
    after = row(store, run)
    assert (after.status, after.cancel_requested_at) == ("RUNNING", NOW)
    assert after.cancel_delivered_at is None
    assert sorted(name for name, _ in audits(store)) == [
        "workflow_run_cancel done",
        "workflow_run_cancel failed",
    ]


def test_a_second_cancel_keeps_the_first_one_s_time_and_delivers_again(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, claimed_by="e")
    cancel_run(services, run.run_id, SOMEBODY, "first")
    later = replace(services, now=lambda: NOW + timedelta(seconds=10))
    cancel_run(later, run.run_id, SOMEBODY, "second")
    after = row(store, run)
    assert (after.cancel_requested_at, after.cancel_reason) == (NOW, "first")
    assert len(engine.asked("cancel")) == 2


@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "CANCELED"])
def test_a_run_that_has_ended_cannot_be_canceled(
    store: Store, engine: FakeEngine, services: Services, status: str
) -> None:
    run = a_run(store, status=status)
    with pytest.raises(Conflict) as caught:
        cancel_run(services, run.run_id, SOMEBODY, "late")
    assert caught.value.code == "RUN_ENDED"
    assert row(store, run).cancel_requested_at is None
    assert engine.calls == []
    assert audits(store) == [("workflow_run_cancel failed", run.run_id)]


@pytest.mark.parametrize(
    "run_id", ["", "x", "00000000-0000-0000-0000-000000000000", "0" * 36, "\0" * 36]
)
def test_what_is_no_run_is_not_found(services: Services, run_id: str) -> None:
    with pytest.raises(NotFound):
        cancel_run(services, run_id, SOMEBODY, "why")


@pytest.mark.parametrize("reason", ["a\0b", "x" * 2001, "\ud800"])
def test_a_reason_that_cannot_be_kept_is_refused(
    store: Store, services: Services, reason: str
) -> None:
    run = a_run(store)
    with pytest.raises(Invalid) as caught:
        cancel_run(services, run.run_id, SOMEBODY, reason)
    assert caught.value.problems[0].pointer == "reason"
    assert row(store, run).cancel_requested_at is None


def test_a_run_that_was_never_started_is_closed_here(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store)
    receipt = cancel_run(services, run.run_id, SOMEBODY, "why")
    assert receipt.outcome is CancelOutcome.CLOSED
    after = row(store, run)
    assert (after.status, after.completed_at) == ("CANCELED", NOW)
    assert "nothing of it was executed" in after.error_json["message"]


def test_a_run_that_temporal_has_forgotten_is_closed_here_with_all_that_hangs_on_it(
    store: Store, services: Services
) -> None:
    run = a_run(store, status="WAITING", claimed_by="e")
    done = builders.step(run, path="root.steps[0]")
    retried = builders.step(run, "RETRY_SCHEDULED", path="root.steps[1]", attempt=1)
    second = builders.step(run, "STARTED", path="root.steps[1]", attempt=2)
    wait, call = builders.wait(run), builders.invocation(run)
    builders.save(store, done, retried, second, wait, call)
    cancel_run(services, run.run_id, SOMEBODY, "why")
    with store.reading() as session:
        steps = {
            (found.step_path, found.attempt): found.status
            for found in session.scalars(select(WorkflowRunStep))
        }
        assert steps == {
            ("root.steps[0]", 1): "SUCCEEDED",
            ("root.steps[1]", 1): "RETRY_SCHEDULED",
            ("root.steps[1]", 2): "CANCELED",
        }
        closed = session.get_one(WorkflowRunWait, wait.wait_id)
        assert (closed.status, closed.resolved_at) == ("CANCELED", NOW)
        ledger = session.get_one(WorkflowActionInvocation, call.invocation_id)
        assert (ledger.status, ledger.error_json["category"]) == ("FAILED", "OutcomeUnknown")
    assert row(store, run).status == "CANCELED"


def test_a_run_that_was_claimed_while_temporal_was_asked_is_not_closed_under_its_workflow(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store)

    def starts_late(call: str) -> None:
        if call == "describe":
            with store.writing() as session:
                session.execute(
                    update(WorkflowRun)
                    .where(WorkflowRun.run_id == run.run_id)
                    .values(claimed_by="e")
                )

    def after_describe(call: str) -> None:
        starts_late(call)
        if call == "cancel" and engine.asked("describe"):
            engine.put(temporal_workflow_id(run.run_id))

    engine.before = after_describe
    receipt = cancel_run(services, run.run_id, SOMEBODY, "why")
    assert receipt.outcome is CancelOutcome.REQUESTED
    assert row(store, run).status == "RUNNING"
    assert row(store, run).cancel_delivered_at is not None


@pytest.mark.parametrize(
    ("state", "result", "status"),
    [
        (ExecutionState.TERMINATED, None, "CANCELED"),
        (ExecutionState.FAILED, None, "FAILED"),
        (ExecutionState.COMPLETED, "SUCCEEDED", "SUCCEEDED"),
    ],
)
def test_a_run_that_had_ended_in_temporal_gets_that_end(
    store: Store,
    engine: FakeEngine,
    services: Services,
    state: ExecutionState,
    result: str | None,
    status: str,
) -> None:
    run = a_run(store, claimed_by="e")
    engine.put(temporal_workflow_id(run.run_id), state, result)
    assert cancel_run(services, run.run_id, SOMEBODY, "why").outcome is CancelOutcome.CLOSED
    assert row(store, run).status == status


def test_a_run_from_before_the_cut_over_is_addressed_by_its_stored_workflow_id(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, epoch=0, temporal_workflow_id="workflow-runtime-v2:run:7")
    engine.put("workflow-runtime-v2:run:7")
    cancel_run(services, run.run_id, SOMEBODY, "why")
    assert engine.asked("cancel") == ["workflow-runtime-v2:run:7"]


def test_the_log_says_who_asked_and_why(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    run = a_run(store, engine, claimed_by="e")
    cancel_run(services, run.run_id, SOMEBODY, "wrong customer")
    with store.reading() as session:
        line = session.scalars(select(WorkflowRunLog)).one()
    assert (line.level, line.source) == ("WARN", "ui")
    assert "ann@example.com" in line.message
    assert line.context_json == {"reason": "wrong customer"}
