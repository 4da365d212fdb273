"""A start that fails, and one whose answer is lost: the operator is told the truth (rules.md 2)."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from engine.contract import temporal_workflow_id
from engine.errors import Unavailable
from engine.runs.payload import Payload
from engine.services.context import Services
from engine.services.launch_run import LaunchRequest, accept, launch_published_workflow_run
from engine.services.reconcile_runs import OLD_ENOUGH, reconcile
from engine.store.session import Store
from engine.store.tables import WorkflowRun, WorkflowRunLog
from tests import builders
from tests.builders import NOW
from tests.engine_fake import FakeEngine
from tests.run_cases import SOMEBODY, audits

GREET = LaunchRequest(workflow_key="greet", payload=Payload({"a": 1}), actor=SOMEBODY)


@pytest.fixture
def services(store: Store, engine: FakeEngine) -> Services:
    builders.published(store, "greet")
    return builders.services(store, gateway=engine)


def only_run(store: Store) -> WorkflowRun:
    with store.reading() as session:
        return session.scalars(select(WorkflowRun)).one()


def claim(store: Store, **values: object) -> None:
    with store.writing() as session:
        session.execute(update(WorkflowRun).values(claimed_by="execution", **values))


def test_unreachable_is_503_and_the_row_says_that_nothing_was_executed(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    engine.down = True
    with pytest.raises(Unavailable) as caught:
        launch_published_workflow_run(services, GREET)
    run = only_run(store)
    assert caught.value.details["run_id"] == run.run_id
    assert (run.status, run.completed_at, run.claimed_by) == ("FAILED", NOW, None)
    assert run.error_json["stage"] == "launch"
    assert "nothing of it was executed" in run.error_json["message"]
    assert run.input_json == {"a": 1}
    assert sorted(name for name, _ in audits(store)) == [
        "workflow_run_start done",
        "workflow_run_start failed",
    ]
    with store.reading() as session:
        levels = session.scalars(select(WorkflowRunLog.level)).all()
    assert sorted(levels) == ["ERROR", "INFO"]


def test_a_lost_answer_of_a_run_that_no_worker_has_taken_fails_it_and_the_execution_is_stopped(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    """The workflow would find its row terminal; the reconciler does not leave it in the queue."""
    engine.lose_answers = True
    with pytest.raises(Unavailable):
        launch_published_workflow_run(services, GREET)
    run = only_run(store)
    assert run.status == "FAILED"
    assert temporal_workflow_id(run.run_id) in engine.executions
    later = builders.services(store, gateway=engine, now=lambda: NOW + 2 * OLD_ENOUGH)
    report = reconcile(later, "me")
    assert report is not None
    assert report["mended"] == {"surplus_canceled": 1}


@pytest.mark.parametrize("ended", [None, "SUCCEEDED", "FAILED"])
def test_a_lost_answer_of_a_run_that_executes_already_is_success(
    store: Store, engine: FakeEngine, services: Services, ended: str | None
) -> None:
    engine.lose_answers = True
    engine.before = lambda call: claim(
        store, **({} if ended is None else {"status": ended, "completed_at": NOW})
    )
    launched = launch_published_workflow_run(services, GREET)
    run = only_run(store)
    assert launched.run_id == run.run_id
    assert run.status == (ended or "RUNNING")
    assert run.error_json is None
    assert [name for name, _ in audits(store)] == ["workflow_run_start done"]


def test_a_run_canceled_while_it_was_being_started_is_not_marked_failed(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    engine.down = True

    def is_canceled(call: str) -> None:
        with store.writing() as session:
            session.execute(update(WorkflowRun).values(status="CANCELED", completed_at=NOW))

    engine.before = is_canceled
    assert launch_published_workflow_run(services, GREET)
    assert only_run(store).status == "CANCELED"


def test_a_process_that_dies_between_commit_and_start_leaves_a_run_that_is_started_by_its_id(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    accepted = accept(services, GREET)
    assert engine.calls == []
    later = builders.services(store, gateway=engine, now=lambda: NOW + 2 * OLD_ENOUGH)
    report = reconcile(later, "me")
    assert report is not None
    assert report["mended"] == {"started": 1}
    assert engine.asked("start") == [accepted.run_id]
    assert only_run(store).status == "RUNNING"


def test_an_unexpected_failure_leaves_the_row_for_the_reconciler(
    store: Store, engine: FakeEngine, services: Services
) -> None:
    def breaks(call: str) -> None:
        raise ValueError("a fault of ours")

    engine.before = breaks
    with pytest.raises(ValueError, match="a fault of ours"):
        launch_published_workflow_run(services, GREET)
    assert only_run(store).status == "RUNNING"
